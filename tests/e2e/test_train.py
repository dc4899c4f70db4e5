"""The loop in a browser: a few corrections, a real training, and the new model at work."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.spans import Example

# A training is a process that imports torch; on a busy machine that alone takes minutes.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800)]
PATIENCE_MS = 900_000

_ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def app(start_app, shared_tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory):
    runs = tmp_path_factory.mktemp("training") / "runs"
    arguments = ("--checkpoint", str(shared_tiny_checkpoint), "--training-folder", str(runs))
    return start_app(str(_ROOT / "app.py"), *arguments)


def accept(database: Path, examples: list[Example]) -> None:
    with AnnotationStore.open(database) as store:
        store.create_project("default", CLUENER)
        store.add(NewDocument(it.text, it.spans, it.id, "accepted") for it in examples)


def vary(examples: tuple[Example, ...], lengths: range) -> list[Example]:
    """The examples again and again, each time with so many commas behind them."""
    return [
        Example(f"{n}{it.id}", it.text + "，" * n, it.spans) for n in lengths for it in examples
    ]


def open_training(page: Page) -> Page:
    page.get_by_role("tab", name="训练").click(timeout=120_000)
    expect(page.get_by_test_id("train-summary")).to_contain_text("已接受", timeout=120_000)
    return page


def test_corrections_train_a_model_that_a_click_puts_to_use(
    app, open_page: Callable[..., Page], eight_sentences: tuple[Example, ...]
) -> None:
    accept(app.database, vary(eight_sentences, range(5)))
    page = open_training(open_page(app.url))
    summary = page.get_by_test_id("train-summary")
    expect(summary).to_have_text("已接受 40 条；tiny 还没有学过它们。")
    company = page.get_by_test_id("train-labels").locator("tr[data-label=company]")
    expect(company.locator("td.new")).not_to_have_text("–")

    page.get_by_role("button", name="更多设置").click()
    page.get_by_role("textbox", name="最多轮数").fill("2")
    page.get_by_role("button", name="开始训练").click()
    state = page.get_by_test_id("train-state")
    expect(state).to_contain_text("default-1", timeout=60_000)

    # Whoever comes later, and whoever loads the page again, sees the same training.
    second = open_training(open_page(app.url))
    expect(second.get_by_test_id("train-state")).to_contain_text("default-1")
    page.reload()
    open_training(page)
    expect(state).to_have_text("default-1 · 已完成", timeout=PATIENCE_MS)
    result = page.get_by_test_id("train-result")
    expect(result).to_contain_text(re.compile("看不出|不比|不太可能是偶然"))
    expect(result).to_contain_text("95% 置信区间")
    for curve in ("loss", "f1"):
        expect(page.locator(f"#train-{curve}-plot .vega-embed path").first).to_be_visible()

    page.get_by_role("button", name="换用 default-1").click()
    in_use = page.get_by_test_id("train-models").locator("li[aria-current=true]")
    expect(in_use).to_have_attribute("data-model", "default-1")
    expect(summary).to_have_text("已接受 40 条，其中 0 条是 default-1 训练之后新增的。")
    page.get_by_role("tab", name="识别").click()
    expect(page.get_by_role("radio", name="default-1")).to_be_checked()
    expect(page.locator("#predict-batch_model")).to_have_text("用 default-1 识别")
    page.get_by_role("textbox", name="文本").fill(eight_sentences[0].text)
    page.get_by_role("button", name="识别", exact=True).click()
    latency = page.locator("#predict-result [data-field=latency]")
    expect(latency).to_contain_text("default-1", timeout=60_000)

    # The old one is one click away.
    page.get_by_role("tab", name="训练").click()
    page.get_by_role("button", name="使用 tiny").click()
    expect(in_use).to_have_attribute("data-model", "tiny")


def test_a_phone_has_room_for_the_comparison_of_the_models(
    app, open_page: Callable[..., Page]
) -> None:
    page = open_training(open_page(app.url, viewport={"width": 390, "height": 844}))
    result = page.get_by_test_id("train-result")
    expect(result.get_by_role("columnheader", name="default-1")).to_be_visible()
    assert result.locator(".scroll").evaluate("it => it.scrollWidth <= it.clientWidth")


def test_the_model_in_use_is_the_same_after_a_restart(app, open_page: Callable[..., Page]) -> None:
    page = open_training(open_page(app.url))
    page.get_by_role("button", name="使用 default-1").click()
    in_use = page.get_by_test_id("train-models").locator("li[aria-current=true]")
    expect(in_use).to_have_attribute("data-model", "default-1")
    app.stop()
    app.start()
    again = open_training(open_page(app.url))
    expect(again.get_by_test_id("train-models").locator("li[aria-current=true]")).to_have_attribute(
        "data-model", "default-1"
    )
    expect(again.locator(".header-model")).to_contain_text("default-1")


def test_a_dev_file_with_other_labels_is_refused_in_one_line(
    app, open_page: Callable[..., Page], tmp_path: Path
) -> None:
    wrong = tmp_path / "dev.json"
    wrong.write_text('{"text": "长江", "label": {"river": {"长江": [[0, 1]]}}}\n', "utf-8")
    page = open_training(open_page(app.url))
    page.locator(".train-files input[type=file]").first.set_input_files(wrong)
    expect(page.get_by_test_id("toast-body")).to_contain_text("dev.json:1")
    expect(page.get_by_test_id("toast-body")).to_contain_text("river")


def start_a_long_training(page: Page) -> None:
    page.get_by_role("button", name="更多设置").click()
    page.get_by_role("textbox", name="最多轮数").fill("200")
    page.get_by_role("button", name="开始训练").click()
    expect(page.get_by_test_id("train-state")).to_contain_text("训练中", timeout=PATIENCE_MS)


def test_a_training_can_be_cancelled_and_another_one_has_to_wait_for_its_end(
    app, open_page: Callable[..., Page], eight_sentences: tuple[Example, ...]
) -> None:
    accept(app.database, vary(eight_sentences, range(5)))
    page, other = (open_training(open_page(app.url)) for _ in range(2))
    start_a_long_training(page)
    expect(page.get_by_test_id("train-state")).to_be_in_viewport()
    other.get_by_role("button", name="开始训练").click()
    expect(other.get_by_test_id("toast-body")).to_contain_text("一次只能有一个")
    page.get_by_role("button", name="取消").click()
    expect(page.get_by_test_id("train-state")).to_contain_text("已取消", timeout=PATIENCE_MS)
    expect(page.get_by_role("button", name="取消")).to_be_hidden()


def test_the_learning_curve_is_measured_and_drawn(
    app, open_page: Callable[..., Page], eight_sentences: tuple[Example, ...]
) -> None:
    accept(app.database, vary(eight_sentences, range(5)))
    page = open_training(open_page(app.url))
    measure = page.get_by_role("button", name="测一次学习曲线")
    measure.click()
    state = page.get_by_test_id("train-state")
    expect(state).to_have_text("学习曲线 · 正在测学习曲线", timeout=60_000)
    expect(measure).to_be_disabled()
    expect(state).to_have_text("学习曲线 · 已完成", timeout=PATIENCE_MS)
    points = page.get_by_test_id("train-curve").get_by_role("listitem")
    expect(points.first).to_contain_text(re.compile(r"^0 句：F1 [01]\.\d{3}"))
    assert points.count() >= 3
    expect(page.locator("#train-curve-plot .vega-embed path").first).to_be_visible()
    expect(measure).to_be_enabled()


def test_a_training_goes_on_while_its_app_is_killed_and_started_again(
    app, open_page: Callable[..., Page], eight_sentences: tuple[Example, ...]
) -> None:
    # So many that the app is there again before they are learned.
    accept(app.database, vary(eight_sentences, range(80)))
    page = open_training(open_page(app.url))
    start_a_long_training(page)
    name = page.get_by_test_id("train-state").inner_text().partition(" ")[0]
    app.stop()
    app.start()
    again = open_training(open_page(app.url))
    expect(again.get_by_test_id("train-state")).to_have_text(f"{name} · 训练中")
    expect(again.get_by_role("progressbar", name="训练进程")).to_be_visible()
    again.get_by_role("button", name="取消").click()
    expect(again.get_by_test_id("train-state")).to_contain_text("已取消", timeout=PATIENCE_MS)
