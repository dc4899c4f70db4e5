"""The page Data in Chromium: a file from its choice to its last document, and what went wrong."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

_TIMEOUT_MS = 90_000


@pytest.fixture(scope="module")
def url(start_app) -> str:
    return start_app(str(Path(__file__).with_name("rules_app.py"))).url


@pytest.fixture
def page(open_page: Callable[..., Page], url: str) -> Page:
    page = open_page(url)
    page.set_default_timeout(_TIMEOUT_MS)
    page.get_by_role("tab", name="数据").click(timeout=_TIMEOUT_MS)
    return page


def choose(page: Page, name: str, content: bytes) -> Locator:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    page.locator(".add-actions input[type=file]").set_input_files(file)
    card = page.get_by_test_id("import")
    expect(card).to_have_attribute("data-state", "chosen", timeout=_TIMEOUT_MS)
    return card


def test_both_columns_begin_at_the_same_height(page: Page) -> None:
    expect(page.locator(".documents .filters b").first).to_have_text(re.compile(r"\d"))
    tops = [
        page.locator(column).bounding_box()["y"] for column in ("#data-documents", ".add-texts")
    ]
    assert tops[0] == tops[1]


def test_a_column_is_chosen_and_its_texts_are_imported(page: Page) -> None:
    content = "编号,句子,备注\n1,第一句𠮷野家,甲\n2,第二句😀,乙\n".encode("gb18030")
    card = choose(page, "表格.csv", content)
    expect(card.get_by_role("combobox", name="格式")).to_have_value("csv")
    expect(card.get_by_role("combobox", name="文本在哪一列")).to_have_value("句子")
    expect(card.locator("ol li")).to_have_text(["第一句𠮷野家", "第二句😀"])
    card.get_by_role("combobox", name="文本在哪一列").select_option("备注")
    expect(card.locator("ol li")).to_have_text(["甲", "乙"], timeout=_TIMEOUT_MS)
    card.get_by_role("combobox", name="文本在哪一列").select_option("句子")
    expect(card.locator("ol li")).to_have_text(["第一句𠮷野家", "第二句😀"], timeout=_TIMEOUT_MS)
    card.get_by_role("button", name="导入").press("Enter")
    expect(card).to_contain_text("已导入 2 条", timeout=_TIMEOUT_MS)
    expect(page.get_by_test_id("document").first).to_contain_text("第一句𠮷野家")
    card.get_by_role("button", name="关闭").click()
    expect(card).to_be_hidden()


def test_a_file_with_a_wrong_line_adds_nothing_until_the_visitor_says_so(
    page: Page, tmp_path: Path
) -> None:
    card = choose(
        page,
        "a.jsonl",
        b'{"text": "only this line is good"}\n<img src=x onerror="window.hit=1">\n',
    )
    card.get_by_role("button", name="导入").click()
    expect(card).to_have_attribute("data-state", "errors", timeout=_TIMEOUT_MS)
    expect(card).to_contain_text("有 1 行出错，尚未导入任何内容；其余 1 条正确")
    expect(card.locator(".line-errors li")).to_contain_text("2: 应为：JSON 对象")
    assert page.evaluate("window.hit") is None
    with page.expect_download() as download:
        card.get_by_role("button", name="下载错误报告").click()
    assert download.value.suggested_filename == "import-errors.csv"
    download.value.save_as(tmp_path / "errors.csv")
    assert "a.jsonl,2," in (tmp_path / "errors.csv").read_text(encoding="utf-8-sig")
    card.get_by_role("button", name="只导入 1 条正确的").click()
    expect(card).to_contain_text("已导入 1 条", timeout=_TIMEOUT_MS)


def test_a_cancelled_import_leaves_nothing(page: Page) -> None:
    numbers = page.locator(".filters b").first
    expect(numbers).to_have_text(re.compile(r"\d"), timeout=_TIMEOUT_MS)  # the list has come
    before = int(numbers.inner_text())
    card = choose(page, "big.txt", "".join(f"很多行的第{n}行\n" for n in range(100_000)).encode())
    card.get_by_role("button", name="导入").click()
    expect(card.locator("progress")).to_be_visible(timeout=_TIMEOUT_MS)
    card.get_by_role("button", name="取消").click()
    expect(card).to_contain_text("已取消，没有导入任何内容", timeout=_TIMEOUT_MS)
    # The next import draws the list anew: one more than before, none of the cancelled file.
    card = choose(page, "small.txt", "取消之后的一行\n".encode())
    card.get_by_role("button", name="导入").click()
    expect(card).to_contain_text("已导入 1 条", timeout=_TIMEOUT_MS)
    expect(numbers).to_have_text(str(before + 1), timeout=_TIMEOUT_MS)


def test_an_export_says_what_its_format_has_no_place_for(page: Page) -> None:
    line = '{"text": "导出的浙商银行", "label": {"company": {"浙商银行": [[3, 6]]}}}\n'
    card = choose(page, "a.jsonl", line.encode())
    card.get_by_role("button", name="导入").click()
    expect(card).to_contain_text("已导入 1 条", timeout=_TIMEOUT_MS)
    export = page.locator("#data-export")
    export.get_by_role("combobox", name="格式").select_option("txt")
    expect(export).to_contain_text("只有文本")
    with page.expect_download() as download:
        export.get_by_role("button", name="下载").click()
    assert download.value.suggested_filename == "accepted-txt.txt"
    expect(page.get_by_test_id("export-report")).to_contain_text("已略去：1 个实体")
