"""The editor with long texts: as quick as with short ones, and still one text."""

import pytest
from playwright.sync_api import expect

from ner_core.spans import Span
from tests.e2e.editor import ADDRESS, SCENE, Editor, add, saved

pytestmark = pytest.mark.e2e

# Two lines on the screen each, so that the end of the first block is in sight.
_LINE = (
    "今天天气很好，叶老桂和朋友在苏州看了一天的园林，又去听了一场评弹，"
    "晚上才回到上海，说好下次再来，还要多住几天。"
)


def thirty_lines(first: int) -> str:
    """Numbered lines; the store takes each text once, so each test begins with its own number."""
    return "\r\n".join(f"{number}、{_LINE}😀" for number in range(first, first + 30))


class Redrawing:
    """What the editor touches in the drawn text, from here on or from the last `read` on.

    How long that takes is for `benchmarks.annotate` to measure, on a quiet machine: in
    milliseconds a test says as much about the machine as about the editor.
    """

    def __init__(self, editor: Editor) -> None:
        self._page = editor.page
        self._page.evaluate(
            """() => {
                window.records = [];
                const observer = new MutationObserver((records) => window.records.push(...records));
                observer.observe(document.querySelector(".ed-frame"), {
                    subtree: true, childList: true, attributes: true, characterData: true,
                });
            }"""
        )

    def read(self, min_changed: int = 1) -> tuple[int, int]:
        """Numbers of elements that were changed, and of nodes that came or went.

        Waits for so many changed elements (what is out of sight is drawn a little later) and for
        the frames behind them, so that nothing more is to come.
        """
        self._page.wait_for_function(
            "least => new Set(window.records.map((it) => it.target)).size >= least",
            arg=min_changed,
        )
        num_changed, num_replaced = self._page.evaluate(
            """async () => {
                for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
                const records = window.records.splice(0);
                const nodes = records.flatMap((it) => [...it.addedNodes, ...it.removedNodes]);
                return [new Set(records.map((it) => it.target)).size, nodes.length];
            }"""
        )
        return num_changed, num_replaced


def test_of_six_thousand_characters_with_four_hundred_entities_only_what_changed_is_redrawn(
    store, open_editor
):
    text = ("浙商银行在这里说好的话多么好。" * 400)[:6000]
    assert len(text) == 6000
    add(store, text)
    editor = open_editor()
    expect(editor.entities).to_have_count(400)
    editor.press("Tab")
    redrawing = Redrawing(editor)
    for key in ("1", "2", "Tab", "Shift+Tab", "ArrowDown", "ArrowUp"):
        editor.press(key)
        num_changed, num_replaced = redrawing.read()
        assert num_changed <= 10, key
        assert num_replaced == 0, key
    for key in ("Backspace", "Control+z"):
        editor.press(key)
        num_changed, num_replaced = redrawing.read()
        assert num_changed <= 10, key
        assert 1 <= num_replaced <= 5, key  # the entity, and the characters it leaves or takes
    # All 400 entities change at once, and their characters stay as they are laid out.
    for key in ("f", "Control+z"):
        editor.press(key)
        _, num_replaced = redrawing.read(min_changed=400)
        assert num_replaced == 0, key


def test_a_selection_over_blocks_has_the_offsets_of_the_text_and_is_copied_as_it_is(
    store, open_editor
):
    text = thirty_lines(10)
    (document_id,) = add(store, text)
    editor = open_editor()
    editor.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    blocks = editor.text.locator(".ed-block")
    assert blocks.count() > 3
    border = len(blocks.first.text_content() or "")
    assert text[:border].endswith("\n")
    start, end = border - 9, border + 4
    editor.drag(*(len(text[:point].encode("utf-16-le")) // 2 for point in (start, end)))
    editor.press("Control+c")
    copied = editor.page.evaluate("navigator.clipboard.readText()")
    assert copied == text[start:end]
    editor.press(SCENE, "Enter")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.text == text
    assert Span(start, end, "scene") in document.spans


def test_the_caret_is_in_sight_wherever_it_goes_in_a_long_text(store, open_editor):
    add(store, thirty_lines(50))
    editor = open_editor()
    caret_is_in_sight = """() => {
        const caret = document.querySelector(".ed-caret").getBoundingClientRect();
        const frame = document.querySelector(".ed-frame").getBoundingClientRect();
        return caret.top >= frame.top && caret.bottom <= frame.bottom && caret.height > 10;
    }"""

    def expect_caret_before(characters: str) -> None:
        editor.page.wait_for_function(caret_is_in_sight)
        expect(editor.page.get_by_test_id("annotator-live")).to_have_text(characters)

    editor.press("Control+End", "ArrowLeft")
    expect_caret_before("😀")
    editor.press("Home", *["ArrowUp"] * 23, "Home")
    editor.page.wait_for_function(caret_is_in_sight)
    editor.press("Control+Home")
    expect_caret_before("5")
    editor.press(*["Tab"] * 25)  # entities far down
    editor.page.wait_for_function(caret_is_in_sight)
    row = editor.page.get_by_test_id("entity-list").locator("li.ed-active")
    expect(row).to_have_attribute("aria-posinset", "25")
    expect(row).to_be_in_viewport()


def test_the_list_has_a_row_for_each_entity_in_sight_and_knows_how_many_there_are(
    store, open_editor
):
    add(store, "叶老桂，" * 300)
    editor = open_editor()
    expect(editor.entities).to_have_count(300)
    rows = editor.page.get_by_test_id("entity-list").locator("li")
    assert 7 <= rows.count() <= 40
    expect(rows.first).to_have_attribute("aria-setsize", "300")
    editor.press("Control+End", "Shift+Tab")
    expect(rows.last).to_have_attribute("aria-posinset", "300")
    expect(rows.last).to_have_attribute("aria-current", "true")
    expect(rows.last).to_be_in_viewport()
    editor.page.get_by_test_id("entity-list").evaluate("list => { list.scrollTop = 0 }")
    expect(rows.first).to_have_attribute("aria-posinset", "1")
    expect(rows.first).to_contain_text("0–3")
    # From row to row with the keyboard: the focus goes on where the decided row was.
    rows.first.get_by_role("button", name="接受").focus()
    editor.press("Enter")
    expect(rows.first.get_by_role("button").first).to_be_focused()
    expect(rows.first).to_contain_text("人工")


@pytest.mark.parametrize("scale", [1, 1.1])
def test_every_row_in_sight_is_there_however_keys_have_scrolled_the_list(store, open_editor, scale):
    add(store, f"{scale}：" + "叶老桂；" * 300)  # the store takes each text once
    editor = open_editor(device_scale_factor=scale)
    expect(editor.entities).to_have_count(300)
    has_all_rows = """async list => {
        await new Promise(requestAnimationFrame);
        const positions = new Set(Array.from(list.children, (row) => Number(row.ariaPosInSet)));
        const first = Math.floor(list.scrollTop / 46);
        const last = Math.floor((list.scrollTop + list.clientHeight - 1) / 46);
        const inSight = Array.from({ length: last - first + 1 }, (_, index) => first + index + 1);
        return list.scrollTop > 0 && inSight.every((position) => positions.has(position));
    }"""
    for _ in range(3):
        editor.press(*["Tab"] * 20)
        assert editor.page.get_by_test_id("entity-list").evaluate(has_all_rows)


def test_a_line_that_is_cut_to_be_drawn_says_that_it_goes_on(store, open_editor):
    text = "叶老桂说：“好。”" * 200
    (document_id,) = add(store, text)
    editor = open_editor()
    expect(editor.text).to_have_text(text)
    marks = editor.text.locator(".ed-block").evaluate_all(
        "nodes => nodes.map((node) => getComputedStyle(node, '::before').content)"
    )
    assert marks[0] == "none"
    assert all("↪" in mark for mark in marks[1:]) and len(marks) > 2
    editor.press("Control+a", SCENE, "Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(0, len(text), "scene"),)


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
