"""The editor with texts that are hard: characters of several code points, and markup."""

import pytest
from playwright.sync_api import expect

from ner_core.spans import Span
from tests.e2e.editor import BOOK, NAME, add, saved

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("text", "mention"),
    [
        ("😀😀北京市，看𠮷野家。", "𠮷野家"),
        ("一家👩‍👩‍👧‍👦去了e\u0301toile（巴黎）", "巴黎"),
        ("a\tb\r\nc\u3000深圳\n", "深圳"),
        ("각\u1100\u1161\u11a8与👍🏽在🇨🇳上海", "上海"),
    ],
    ids=["outside the BMP", "joiners and accents", "tabs and line ends", "jamo, skin tones, flags"],
)
def test_offsets_are_code_points_whatever_stands_before_the_mention(
    store, open_editor, text, mention
):
    (document_id,) = add(store, text)
    editor = open_editor()
    before = text[: text.index(mention)]
    units = len(before.encode("utf-16-le")) // 2
    editor.drag(units, units + len(mention.encode("utf-16-le")) // 2)
    editor.press(BOOK)
    editor.expect_spans((mention, "book", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    start = text.index(mention)
    assert saved(store, document_id).spans == (Span(start, start + len(mention), "book"),)
    assert saved(store, document_id).text == text


def test_the_caret_moves_by_what_a_reader_sees_as_one_character(store, open_editor):
    (document_id,) = add(store, "👩‍👩‍👧‍👦e\u0301𠮷在（7）")
    editor = open_editor()
    editor.select(2, 1)
    editor.press(NAME)
    editor.expect_spans(("𠮷", "name", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(9, 10, "name"),)


def test_markup_and_templates_in_a_text_are_shown_and_never_run(store, open_editor):
    text = (
        '<img src=x onerror="window.ran=1">${window.ran=2}{{window.ran=3}}`${window.ran=4}`（11）'
    )
    add(store, text)
    editor = open_editor()
    expect(editor.text).to_have_text(text)
    editor.select(0, 4)
    editor.press(NAME)
    editor.expect_spans(("<img", "name", "human"))
    expect(editor.page.get_by_test_id("entity-list")).to_contain_text("<img")
    assert editor.page.evaluate("window.ran") is None
    assert editor.text.locator("img").count() == 0
