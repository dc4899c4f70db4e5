"""Two models on the page Predict: choosing one, and what follows the choice."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = pytest.mark.e2e

TEXT = "😀浙商银行企业信贷部叶老桂博士"
SECOND = 'msra <b>${1}</b> "rules"'


@pytest.fixture(scope="module")
def url(start_app) -> str:
    return start_app(str(Path(__file__).with_name("rules_app.py")), "--two-models").url


@pytest.fixture
def page(open_page: Callable[..., Page], url: str) -> Page:
    return ready(open_page(url))


def ready(page: Page) -> Page:
    expect(page.get_by_role("radio")).to_have_count(2)
    expect(page.get_by_test_id("example")).not_to_have_count(0)
    expect(page.locator("#predict-result .legend li")).not_to_have_count(0)
    return page


def choice(page: Page, name: str) -> Locator:
    """The radio button of a model; its accessible name holds the labels too."""
    return page.get_by_role("radio", name=name)


def predict(page: Page, text: str = TEXT) -> None:
    page.get_by_role("textbox", name="文本").fill(text)
    page.get_by_role("button", name="识别", exact=True).click()
    expect(page.get_by_test_id("tagged-text")).to_have_text(text, use_inner_text=True)


def expect_result(page: Page, model: str, *labels: str) -> None:
    """The result is that of the model, in the text, in the table and in the JSON."""
    expect(page.locator("#predict-result [data-field=latency]")).to_contain_text(f"{model} · CPU")
    entities = page.get_by_test_id("tagged-text").get_by_test_id("entity")
    expect(entities).to_have_count(len(labels))
    assert [entity.get_attribute("data-label") for entity in entities.all()] == list(labels)
    expect(page.get_by_test_id("entities-table").locator("tbody tr")).to_have_count(len(labels))
    found = json.loads(page.get_by_test_id("cluener-json").inner_text())
    assert sorted(found["label"]) == sorted(labels)


def legend(page: Page) -> list[str]:
    items = page.locator("#predict-result .legend li")
    return [item.get_attribute("data-label") or "" for item in items.all()]


def test_both_models_stand_there_with_their_labels_the_default_one_chosen(page: Page) -> None:
    group = page.get_by_role("radiogroup", name="模型")
    expect(group.get_by_role("radio")).to_have_count(2)
    expect(choice(page, "rules 地址、书名、公司")).to_be_checked()
    expect(choice(page, f"{SECOND} 人名、地名、机构名")).not_to_be_checked()
    expect(group.locator("b")).to_have_count(0)  # a name is no markup
    expect(page.locator(".header-model")).to_have_text(f"rules、{SECOND} · CPU")


def test_another_model_tags_the_text_shown_at_once(page: Page) -> None:
    predict(page)
    expect_result(page, "rules", "company", "name", "position")
    assert len(legend(page)) == 10

    choice(page, SECOND).check()
    expect_result(page, SECOND, "ORG", "PER")
    assert legend(page) == ["PER", "LOC", "ORG"]
    rows = page.get_by_test_id("entities-table").locator("tbody tr")
    assert rows.nth(0).locator("td").all_inner_texts() == ["浙商银行", "机构名", "1", "5", "99.6%"]
    colors = rows.evaluate_all("rows => rows.map(row => row.style.getPropertyValue('--color'))")
    assert len(set(colors)) == 2

    choice(page, "rules 地址").check()
    expect_result(page, "rules", "company", "name", "position")


def test_what_is_not_certain_is_not_shown_as_100_percent(page: Page) -> None:
    choice(page, SECOND).check()
    predict(page)
    tags = (
        page.get_by_test_id("tagged-text")
        .get_by_test_id("entity")
        .evaluate_all("entities => entities.map(entity => entity.dataset.tag)")
    )
    assert [tag.split("\u00a0")[1] for tag in tags] == ["99.6%", "55%"]


def test_before_a_result_the_choice_asks_for_none(page: Page) -> None:
    page.get_by_role("textbox", name="文本").fill(TEXT)
    choice(page, SECOND).check()
    expect(page.locator("#predict-result .legend li")).to_have_count(3)
    expect(page.get_by_text("这个模型能找出下面这些类型的实体")).to_be_visible()
    expect(page.get_by_test_id("tagged-text")).to_be_hidden()
    page.get_by_role("button", name="识别", exact=True).click()
    expect_result(page, SECOND, "ORG", "PER")


def test_the_keyboard_alone_chooses_a_model(page: Page) -> None:
    predict(page)
    page.get_by_role("textbox", name="文本").focus()
    page.keyboard.press("Shift+Tab")
    expect(choice(page, "rules 地址")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(choice(page, SECOND)).to_be_focused()
    expect_result(page, SECOND, "ORG", "PER")
    option = page.locator(".model-option").nth(1)
    outline = option.evaluate("option => getComputedStyle(option).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name="文本")).to_be_focused()


def test_the_last_of_quick_choices_is_the_one_that_is_shown(page: Page) -> None:
    predict(page)
    first, second = choice(page, "rules 地址"), choice(page, SECOND)
    for radio in (second, first, second, first, second):
        radio.check()
    expect(page.locator("#predict-result [data-field=latency]")).to_contain_text(SECOND)
    page.wait_for_timeout(1500)  # nothing late changes it
    expect_result(page, SECOND, "ORG", "PER")


def test_the_choice_is_remembered_by_the_browser(page: Page) -> None:
    choice(page, SECOND).check()
    page.reload()
    ready(page)
    expect(choice(page, SECOND)).to_be_checked()
    assert legend(page) == ["PER", "LOC", "ORG"]
    predict(page)
    expect_result(page, SECOND, "ORG", "PER")


def test_a_remembered_model_that_is_gone_gives_way_to_the_default_one(page: Page) -> None:
    page.evaluate("localStorage.setItem('ner_model', 'constructor')")
    page.reload()
    ready(page)
    expect(choice(page, "rules 地址")).to_be_checked()
    predict(page)
    expect_result(page, "rules", "company", "name", "position")


def test_the_examples_are_those_of_the_chosen_model(page: Page) -> None:
    expect(page.get_by_test_id("example")).to_have_count(12)
    choice(page, SECOND).check()
    expect(page.get_by_test_id("example")).to_have_count(5)
    page.get_by_role("group", name="示例").get_by_role("button", name="机构名").click()
    box = page.get_by_role("textbox", name="文本")
    expect(box).to_have_value(re.compile("联合国教科文组织"))
    expect(page.locator("#predict-result [data-field=latency]")).to_contain_text(SECOND)


def test_a_result_of_other_labels_is_corrected_with_suggestions_of_the_projects_model(
    page: Page,
) -> None:
    choice(page, SECOND).check()
    predict(page, "标签不同：浙商银行的叶老桂博士")
    note = page.locator("#predict-result [data-field=correct-note]")
    expect(note).to_have_text(
        f"{SECOND} 的标签与本项目的不同：在编辑器中，rules 按本项目的标签重新给出建议。"
    )
    page.get_by_role("button", name="用 rules 纠正").click()
    expect(page.get_by_role("tab", name="标注")).to_have_attribute("aria-selected", "true")
    editor = page.get_by_test_id("annotator")
    expect(editor).to_have_attribute("data-revision", "1")
    entities = editor.get_by_test_id("annotator-text").get_by_test_id("entity")
    expect(entities).to_have_count(3)
    labels = [entity.get_attribute("data-label") for entity in entities.all()]
    assert labels == ["company", "name", "position"]
    expect(page.get_by_test_id("revisions")).to_contain_text("rules")

    page.get_by_role("tab", name="识别").click()
    choice(page, "rules 地址").check()
    expect(page.get_by_role("button", name="纠正这条")).to_be_visible()
    expect(note).to_be_hidden()


def test_a_file_is_read_by_the_chosen_model(page: Page, tmp_path: Path) -> None:
    actions = page.locator(".batch-actions")
    expect(actions).to_contain_text("用 rules 识别")
    choice(page, SECOND).check()
    expect(actions).to_contain_text(f"用 {SECOND} 识别")
    page.locator(".batch-actions input[type=file]").set_input_files(
        {"name": "a.txt", "mimeType": "text/plain", "buffer": "浙商银行\n银监会\n".encode()}
    )
    report = page.locator("#predict-batch")
    expect(report).to_contain_text("2 条已识别，找到 1 个实体")
    expect(report).to_contain_text(SECOND)
    with page.expect_download() as download:
        page.get_by_role("button", name="下载结果").click()
    path = tmp_path / "result.jsonl"
    download.value.save_as(path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["label"] for line in lines] == [{"ORG": {"浙商银行": [[0, 3]]}}, {}]


def test_the_client_example_names_the_chosen_model(page: Page) -> None:
    example = page.get_by_test_id("client-example")
    expect(example).to_contain_text('model="rules",')
    choice(page, SECOND).check()
    expect(example).to_contain_text(f"model={json.dumps(SECOND)},")
    compile(example.inner_text(), "example", "exec")


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_a_phone_shows_the_choice_without_scrolling_sideways(
    open_page: Callable[..., Page], url: str, locale: str
) -> None:
    page = ready(open_page(url, viewport={"width": 390, "height": 800}, locale=locale))
    group = page.get_by_role("radiogroup", name="Model" if locale == "en-US" else "模型")
    for option in group.locator(".model-option").all():
        box = option.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
