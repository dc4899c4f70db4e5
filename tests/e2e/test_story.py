"""The whole way on the bundled model: read, correct, save, reload, download, train."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from ner_core.prediction import Predictor
from trainer import finetune

pytestmark = pytest.mark.e2e

SENTENCE = "浙商银行企业信贷部叶老桂博士则从另一个角度对五道门槛进行了解读。"
CORRECTED = {"name": {"叶老桂": [[9, 11]]}, "position": {"博士": [[12, 13]]}}
NAME, POSITION = "7", "9"


@pytest.fixture(scope="module")
def app(start_app):
    return start_app("app.py")


def tag(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="文本").fill(text)
    page.get_by_role("button", name="识别", exact=True).click()
    expect(page.get_by_test_id("tagged-text").get_by_test_id("entity").first).to_be_visible()


def label_by_keyboard(page: Page, start: int, num_characters: int, key: str) -> None:
    """Select characters from the beginning of the text and label them."""
    page.keyboard.press("Control+Home")
    for _ in range(start):
        page.keyboard.press("ArrowRight")
    for _ in range(num_characters):
        page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press(key)


def spans_in(page: Page) -> list[list[str]]:
    entities = page.get_by_test_id("annotator-text").get_by_test_id("entity")
    return entities.evaluate_all(
        "nodes => nodes.map(n => [n.dataset.start, n.dataset.end, n.dataset.label,"
        " n.dataset.source])"
    )


def test_a_correction_is_saved_found_again_downloaded_and_trained_on(
    app, open_page, tiny_encoder: Path, tmp_path: Path
) -> None:
    page = open_page(app.url, accept_downloads=True)
    tag(page, SENTENCE)
    (predicted,) = Predictor.load("models/cluener-small", device="cpu").predict([SENTENCE])
    shown = page.get_by_test_id("tagged-text").get_by_test_id("entity")
    expect(shown).to_have_count(len(predicted.spans))
    for index, span in enumerate(predicted.spans):
        expect(shown.nth(index)).to_have_attribute("data-start", str(span.start))
        expect(shown.nth(index)).to_have_attribute("data-end", str(span.end))
        expect(shown.nth(index)).to_have_attribute("data-label", span.label)
        score = float(shown.nth(index).get_attribute("data-score") or "nan")
        assert score == pytest.approx(span.score, abs=1e-3)

    page.get_by_role("button", name=re.compile("纠正")).click()
    editor = page.get_by_test_id("annotator")
    expect(editor).to_have_attribute("data-state", "ready")
    expect(page.get_by_test_id("annotator-text")).to_contain_text("叶老桂")
    page.get_by_test_id("annotator-text").click()
    for _ in predicted.spans:
        page.keyboard.press("Tab")
        page.keyboard.press("x")
    assert spans_in(page) == []
    label_by_keyboard(page, 9, 3, NAME)
    label_by_keyboard(page, 12, 2, POSITION)
    expected = [["9", "12", "name", "human"], ["12", "14", "position", "human"]]
    assert spans_in(page) == expected
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("save-status")).to_have_attribute("data-state", "saved")

    page.reload()
    page.get_by_role("tab", name="数据").click()
    page.get_by_role("row").filter(has_text=SENTENCE[:12]).click()
    expect(editor).to_have_attribute("data-revision", "2")
    assert spans_in(page) == expected

    page.get_by_role("tab", name="数据").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="下载").click()
    exported = tmp_path / "exported.json"
    download.value.save_as(exported)
    (line,) = exported.read_text(encoding="utf-8").splitlines()
    exported_document = {"text": SENTENCE, "label": CORRECTED, "annotator": "annotator-1"}
    assert json.loads(line) == exported_document

    arguments = [
        *("--train", f"cluener={exported}", "--dev", f"cluener={exported}"),
        "--allow-shared-texts",
        *("--encoder", str(tiny_encoder), "--epochs", "1", "--output", str(tmp_path / "model")),
    ]
    assert finetune.main(arguments) == 0
    assert (tmp_path / "model" / "model.safetensors").is_file()
