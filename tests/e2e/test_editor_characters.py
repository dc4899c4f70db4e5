"""The editor with texts that are hard: characters of several code points, markup, great length."""

import math

import pytest
from playwright.sync_api import expect

from ner_core.spans import Span
from tests.e2e.editor import ADDRESS, BOOK, NAME, Editor, add, saved

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


def best_redraw_ms(editor: Editor, *keys: str, num_rounds: int = 12) -> float:
    """The shortest time that one of these keys takes, layout included.

    Other programs share the machine and make a redraw only longer: the best of some rounds counts.
    They are a second apart, so that one busy moment does not hold them all; the keys take each
    other back, so that all rounds have the same to do.
    """
    best = math.inf
    for _ in range(num_rounds):
        times_ms = editor.root.evaluate(
            """(root, keys) => [...keys, ...keys, ...keys].map((key) => {
                const code = key.replace("Control+", "");
                const before = root.querySelector("[data-testid=annotator-text]").innerHTML;
                const start = performance.now();
                root.dispatchEvent(
                    new KeyboardEvent("keydown", { code, ctrlKey: code !== key, bubbles: true })
                );
                root.getBoundingClientRect();
                const duration = performance.now() - start;
                const after = root.querySelector("[data-testid=annotator-text]").innerHTML;
                if (after === before) throw new Error(`${key} has changed nothing`);
                return duration;
            })""",
            keys,
        )
        best = min(best, *times_ms)
        if best < 40:  # well below the limit: no use in waiting
            break
        editor.page.wait_for_timeout(1000)
    return best


def test_six_thousand_characters_with_four_hundred_entities_are_redrawn_in_50_ms(
    store, open_editor
):
    text = ("浙商银行在这里说好的话多么好。" * 400)[:6000]
    assert len(text) == 6000
    add(store, text)
    editor = open_editor()
    expect(editor.entities).to_have_count(400)
    editor.press("Tab")
    assert best_redraw_ms(editor, "Digit1", "Digit2") < 50
    # All 400 entities change at once.
    assert best_redraw_ms(editor, "KeyF", "Control+KeyZ") < 50


def test_the_end_of_five_thousand_characters_is_as_easy_as_the_beginning(store, open_editor):
    text = "今天天气很好😀。" * 620 + "\r\n叶老桂在苏州。"
    assert len(text) > 4900
    (document_id,) = add(store, text)
    editor = open_editor()
    editor.expect_document(document_id)
    editor.press("Control+End", "ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft", ADDRESS)
    editor.expect_spans(("叶老桂", "name", "model"), ("苏州", "address", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.text == text
    assert [text[span.start : span.end] for span in document.spans] == ["叶老桂", "苏州"]
    assert document.spans[1].end == len(text) - 1
