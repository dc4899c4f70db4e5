"""The pages Predict and Data and the header in Chromium, over the rules of rules_app.py."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from ner_core.formats import format_cluener_line
from ner_core.spans import Example, Span

pytestmark = pytest.mark.e2e

TEXT = "😀浙商银行企业信贷部叶老桂博士"
TABS_ZH = ["识别", "标注", "数据", "复核", "训练", "统计", "项目"]
TABS_EN = ["Predict", "Annotate", "Data", "Review", "Train", "Statistics", "Projects"]
HOSTILE = '<img src=x onerror="window.hit=1"> ${window.hit=2} {{window.hit}} <b>叶老桂</b>'


@pytest.fixture(scope="module")
def url(start_app) -> str:
    return start_app(str(Path(__file__).with_name("rules_app.py"))).url


@pytest.fixture
def page(open_page: Callable[..., Page], url: str) -> Page:
    return ready(open_page(url))


def ready(page: Page) -> Page:
    expect(page.locator("#predict-result .legend li")).to_have_count(10)
    return page


def predict(page: Page, text: str) -> Locator:
    page.get_by_role("textbox", name="文本").fill(text)
    page.get_by_role("button", name="识别").click()
    result = page.get_by_test_id("tagged-text")
    expect(result).to_have_text(text, use_inner_text=True)
    return result


def attributes(entities: Locator) -> list[tuple[str, ...]]:
    names = ("data-start", "data-end", "data-label", "data-source", "data-score")
    return [tuple(entity.get_attribute(name) or "" for name in names) for entity in entities.all()]


def tabs_of(page: Page) -> Locator:
    """The tabs of the pages; some pages have tabs of their own."""
    return page.locator("#pages > .tab-wrapper").get_by_role("tab")


def message(page: Page) -> Locator:
    return page.locator(".toast-body")


# Header


def test_the_language_switch_keeps_the_page_and_what_was_typed(page: Page) -> None:
    page.get_by_role("textbox", name="文本").fill(TEXT)
    page.get_by_role("tab", name="数据").click()
    page.get_by_role("button", name="切换到英文界面").click()
    expect(page.get_by_role("tab", name="Data")).to_have_attribute("aria-selected", "true")
    page.get_by_role("tab", name="Predict").click()
    expect(page.get_by_role("textbox", name="Text")).to_have_value(TEXT)


# Predict


def test_a_result_carries_what_the_interface_promises(page: Page) -> None:
    result = predict(page, TEXT)
    assert attributes(result.get_by_test_id("entity")) == [
        ("1", "5", "company", "model", "0.99"),
        ("10", "13", "name", "model", "0.97"),
        ("13", "15", "position", "model", "0.62"),
    ]
    expect(page.locator("#predict-length span")).to_have_text("15 字")
    expect(page.locator("#predict-result [data-field=latency]")).to_contain_text("rules · CPU")

    rows = page.get_by_test_id("entities-table").locator("tbody tr")
    expect(rows).to_have_count(3)
    assert rows.nth(2).locator("td").all_inner_texts() == ["博士", "职位", "13", "15", "62%"]

    line = page.get_by_test_id("cluener-json").inner_text()
    assert json.loads(line) == {
        "text": TEXT,
        "label": {
            "company": {"浙商银行": [[1, 4]]},
            "name": {"叶老桂": [[10, 12]]},
            "position": {"博士": [[13, 14]]},
        },
    }


def test_the_json_on_the_page_is_the_line_that_an_export_holds(page: Page) -> None:
    text = '叶老桂"博士\\" \u2028\x7f\t叶老桂，浙商银行'
    predict(page, text)
    spans = (
        Span(0, 3, "name"),
        Span(4, 6, "position"),
        Span(12, 15, "name"),
        Span(16, 20, "company"),
    )
    line = page.get_by_test_id("cluener-json").evaluate("element => element.textContent")
    assert line == format_cluener_line(Example("", text, spans))


def test_the_threshold_hides_entities_without_asking_the_model_again(page: Page) -> None:
    result = predict(page, TEXT)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.get_by_role("slider", name="最低概率").fill("97")
    expect(result.get_by_test_id("entity")).to_have_count(2)
    expect(page.get_by_text("隐藏了 1 个")).to_be_visible()
    assert "博士" not in json.loads(page.get_by_test_id("cluener-json").inner_text())["label"]
    page.get_by_role("slider", name="最低概率").fill("100")
    expect(page.get_by_text("请调低阈值")).to_be_visible()
    assert [url for url in requests if "queue/join" in url] == []


def test_an_example_is_put_into_the_box_and_read(page: Page) -> None:
    page.get_by_role("group", name="示例").get_by_role("button", name="公司").click()
    expect(page.get_by_role("textbox", name="文本")).to_have_value(re.compile("浙商银行"))
    expect(page.get_by_test_id("tagged-text").get_by_test_id("entity")).to_have_count(1)
    page.get_by_role("button", name="无实体").click()
    expect(page.get_by_text("没有找到实体")).to_be_visible()


@pytest.mark.parametrize("text", ["", " \n\u3000"])
def test_a_text_without_words_gets_one_message(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="文本").fill(text)
    page.get_by_role("button", name="识别").click()
    expect(message(page)).to_have_count(1)
    expect(message(page)).to_contain_text("没有可识别的文字")


def test_half_of_a_surrogate_pair_gets_a_message_and_the_last_result_stays(page: Page) -> None:
    result = predict(page, TEXT)
    page.get_by_role("textbox", name="文本").evaluate(
        """(box) => {
          const { set } = Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value");
          set.call(box, "北京\\ud83d");
          box.dispatchEvent(new Event("input", { bubbles: true }));
        }"""
    )
    page.get_by_role("button", name="识别").click()
    expect(message(page)).to_contain_text("第 3 个字符是 半个代理对（U+D83D）")
    expect(result).to_contain_text("浙商银行")


def test_markup_in_a_text_is_shown_and_not_run(page: Page) -> None:
    result = predict(page, HOSTILE)
    expect(result.locator("img, b")).to_have_count(0)
    expect(result.get_by_test_id("entity")).to_have_text("叶老桂")
    assert page.evaluate("window.hit") is None
    page.get_by_role("button", name="纠正").click()
    expect(page.get_by_test_id("annotator-text")).to_contain_text("${window.hit=2}")
    page.get_by_role("tab", name="数据").click()
    expect(page.get_by_test_id("document").filter(has_text="${window.hit=2}")).to_be_visible()
    assert page.evaluate("window.hit") is None


def test_20000_characters_are_tagged_to_their_end(page: Page) -> None:
    text = "他从另一个角度解读。" * 1999 + "当然还有银监会叶老桂"
    assert len(text) == 20_000
    result = predict(page, text)
    assert attributes(result.get_by_test_id("entity"))[-1][:3] == ("19997", "20000", "name")
    expect(page.locator("#predict-length span")).to_have_text("20,000 字")


def test_correct_this_opens_the_text_in_the_editor_with_suggestions(page: Page) -> None:
    predict(page, "请纠正：浙商银行")
    page.get_by_role("button", name="纠正").click()
    expect(page.get_by_role("tab", name="标注")).to_have_attribute("aria-selected", "true")
    editor = page.get_by_test_id("annotator")
    expect(editor).to_have_attribute("data-revision", "1")
    entity = editor.get_by_test_id("entity")
    expect(entity).to_have_attribute("data-start", "4")
    expect(entity).to_have_attribute("data-source", "model")
    document_id = editor.get_attribute("data-document-id")

    page.get_by_role("tab", name="识别").click()
    page.get_by_role("button", name="纠正").click()
    expect(page.get_by_role("tab", name="标注")).to_have_attribute("aria-selected", "true")
    expect(editor).to_have_attribute("data-document-id", document_id or "")


def test_a_file_is_tagged_and_downloaded(page: Page, tmp_path: Path) -> None:
    page.locator(".batch-actions input[type=file]").set_input_files(
        {
            "name": "新闻.txt",
            "mimeType": "text/plain",
            "buffer": "浙商银行\n\n今天\x00坏了\n银监会\n".encode("gb18030"),
        }
    )
    report = page.locator("#predict-batch")
    expect(report).to_contain_text("2 条已识别，找到 2 个实体")
    expect(report).to_contain_text("1 行没有读入")
    expect(report).to_contain_text("新闻.txt:3: ")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载结果").click()
    path = tmp_path / "result.jsonl"
    download.value.save_as(path)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["text"] for line in lines] == ["浙商银行", "银监会"]
    assert lines[1]["label"] == {"government": {"银监会": [[0, 2]]}}


def test_a_running_batch_can_be_cancelled(page: Page) -> None:
    data = "".join(f"第{n}家浙商银行\n" for n in range(100_000)).encode()
    page.locator(".batch-actions input[type=file]").set_input_files(
        {"name": "many.txt", "mimeType": "text/plain", "buffer": data}
    )
    cancel = page.get_by_role("button", name="取消")
    cancel.click()
    expect(page.get_by_text("已取消，没有写出文件")).to_be_visible()
    expect(cancel).to_be_hidden()
    expect(page.get_by_role("button", name="下载结果")).to_be_hidden()


def test_the_client_example_names_this_address(page: Page, url: str) -> None:
    example = page.get_by_test_id("client-example")
    expect(example).to_contain_text(f'client = Client("{url}")')
    expect(example).to_contain_text('api_name="/predict"')
    compile(example.inner_text(), "example", "exec")


def test_one_model_leaves_nothing_to_choose(page: Page) -> None:
    predict(page, TEXT)
    expect(page.get_by_role("radio")).to_have_count(0)
    expect(page.locator(".header-model")).to_have_text("rules · CPU")
    expect(page.get_by_test_id("client-example")).not_to_contain_text("model")
    expect(page.locator(".batch-actions")).not_to_contain_text("rules", use_inner_text=True)
    expect(page.get_by_role("button", name="纠正这条")).to_be_visible()


def test_the_api_page_lists_the_four_endpoints(page: Page) -> None:
    page.get_by_role("button", name="接口文档").click()
    listing = page.locator(".api-docs")
    for name in ("/predict", "/predict_batch", "/models", "/export"):
        expect(listing.get_by_text(name, exact=True).first).to_be_visible()
    expect(page.get_by_label("Gradio footer navigation")).to_be_hidden()


def test_json_is_copied(open_page: Callable[..., Page], url: str) -> None:
    page = ready(open_page(url, permissions=["clipboard-read", "clipboard-write"]))
    predict(page, TEXT)
    line = page.get_by_test_id("cluener-json").inner_text()
    page.locator("#predict-details").get_by_role("button", name="复制").click()
    expect(page.locator("#predict-details").get_by_role("button", name="已复制")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == line


# Data


def test_pasted_texts_are_listed_searched_and_opened(page: Page) -> None:
    page.get_by_role("tab", name="数据").click()
    page.get_by_role("textbox", name="文本，每行一条").fill("数据页：浙商银行\n数据页：𠮷野家\n")
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_test_id("add-report")).to_contain_text("已添加 2 条")
    page.get_by_role("searchbox").fill("𠮷野家")
    rows = page.get_by_test_id("document")
    expect(rows).to_have_count(1)
    page.get_by_role("button", name="已接受").click()
    expect(page.get_by_text("没有符合条件的文本")).to_be_visible()
    page.get_by_role("button", name="全部").click()
    document_id = rows.get_attribute("data-document-id") or ""
    rows.get_by_role("button").press("Enter")
    editor = page.get_by_test_id("annotator")
    expect(editor).to_have_attribute("data-document-id", document_id)
    expect(editor.get_by_test_id("annotator-text")).to_contain_text("数据页：𠮷野家")


def test_an_export_is_downloaded(page: Page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="数据").click()
    page.get_by_role("textbox", name="文本，每行一条").fill("要导出的一条")
    page.get_by_role("button", name="添加").click()
    expect(page.get_by_test_id("add-report")).to_contain_text("已添加 1 条")
    page.get_by_role("combobox", name="状态").select_option("all")
    with page.expect_download() as download:
        page.get_by_role("button", name="下载").click()
    assert download.value.suggested_filename == "all-cluener.jsonl"
    path = tmp_path / "export.jsonl"
    download.value.save_as(path)
    texts = [json.loads(line)["text"] for line in path.read_text(encoding="utf-8").splitlines()]
    assert "要导出的一条" in texts


# Header


@pytest.mark.parametrize(
    ("locale", "tabs"),
    [
        ("zh-CN", TABS_ZH),
        ("zh", TABS_ZH),
        ("zh-TW", TABS_ZH),
        ("en-US", TABS_EN),
        ("fr-FR", TABS_EN),
    ],
)
def test_the_pages_speak_the_browsers_language(
    open_page: Callable[..., Page], url: str, locale: str, tabs: list[str]
) -> None:
    page = ready(open_page(url, locale=locale))
    expect(tabs_of(page)).to_have_text(tabs)


def test_the_language_can_be_switched_and_messages_follow(page: Page) -> None:
    page.get_by_role("button", name="中 / EN").click()
    expect(tabs_of(page)).to_have_text(TABS_EN)
    expect(page).to_have_title("Chinese NER Workbench")
    page.get_by_role("button", name="Predict").click()
    expect(message(page)).to_contain_text("There is nothing to read")
    page.get_by_role("button", name="中 / EN").click()
    expect(tabs_of(page)).to_have_text(TABS_ZH)


def test_dark_mode_is_switched_and_remembered(page: Page) -> None:
    body = page.locator("body")
    switch = page.get_by_role("button", name="切换深色与浅色")
    expect(switch).to_have_attribute("aria-pressed", "false")
    switch.click()
    expect(body).to_have_class(re.compile("dark"))
    page.reload()
    expect(switch).to_have_attribute("aria-pressed", "true")
    expect(body).to_have_class(re.compile("dark"))
    switch.click()
    page.reload()
    expect(switch).to_have_attribute("aria-pressed", "false")


def test_the_page_needs_nothing_from_the_network(open_page: Callable[..., Page], url: str) -> None:
    page = open_page("about:blank")
    others: list[str] = []
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((url, "data:", "blob:")) else others.append(request.url)
        ),
    )
    page.goto(url)
    ready(page)
    for tab in tabs_of(page).all():
        tab.click()
    page.wait_for_timeout(1000)
    assert others == []


def test_a_phone_shows_all_of_it_without_scrolling_sideways(
    open_page: Callable[..., Page], url: str
) -> None:
    page = ready(open_page(url, viewport={"width": 390, "height": 800}))
    predict(page, TEXT * 3)
    for tab in tabs_of(page).all():
        tab.click()
        page.wait_for_timeout(300)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, tab.inner_text()


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_a_phone_has_every_action_of_the_editor_in_sight(
    open_page: Callable[..., Page], url: str, locale: str
) -> None:
    page = ready(open_page(url, viewport={"width": 390, "height": 800}, locale=locale))
    page.get_by_role("textbox", name="Text" if locale == "en-US" else "文本").fill(TEXT)
    page.get_by_role("textbox").first.press("Shift+Enter")
    page.get_by_role("button", name=re.compile("Correct|纠正")).click()
    expect(page.get_by_test_id("annotator")).to_have_attribute("data-state", "ready")
    for action in page.locator(".ed-actions > *").all():
        box = action.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= 390
    palette = page.locator(".ed-palette")
    is_cut = palette.evaluate("palette => palette.scrollWidth > palette.clientWidth")
    assert is_cut == (locale == "en-US")
    # What is cut off fades out, so that one can see it.
    assert "gradient" in palette.evaluate("palette => getComputedStyle(palette).maskImage")
