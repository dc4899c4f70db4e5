"""The editor with long texts: as quick as with short ones, and still one text."""

import math

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


class Stopwatch:
    """Milliseconds that the page's main thread works for a key, until it is painted."""

    def __init__(self, editor: Editor) -> None:
        self._page = editor.page
        self._client = self._page.context.new_cdp_session(self._page)
        self._client.send("Performance.enable", {"timeDomain": "threadTicks"})

    def best_of(self, *keys: str, num_rounds: int = 6) -> float:
        """The least that the dearest of these keys takes.

        Other programs share the machine and make everything only longer: the best of some rounds
        counts. The keys take each other back, so that all rounds have the same to do.
        """
        best = dict.fromkeys(keys, math.inf)
        for _ in range(num_rounds):
            for key in keys:
                best[key] = min(best[key], self._measure_ms(key))
        return max(best.values())

    def _measure_ms(self, key: str) -> float:
        began = self._read_work_ms()
        self._page.keyboard.press(key)
        # A message sent in an animation frame arrives when that frame has been painted.
        self._page.evaluate(
            """() => new Promise((resolve) => requestAnimationFrame(() => {
                const { port1, port2 } = new MessageChannel();
                port1.onmessage = resolve;
                port2.postMessage(null);
            }))"""
        )
        return self._read_work_ms() - began

    def _read_work_ms(self) -> float:
        metrics = self._client.send("Performance.getMetrics")["metrics"]
        return 1000 * next(it["value"] for it in metrics if it["name"] == "TaskDuration")


@pytest.mark.alone
def test_six_thousand_characters_with_four_hundred_entities_are_redrawn_at_once(store, open_editor):
    text = ("浙商银行在这里说好的话多么好。" * 400)[:6000]
    assert len(text) == 6000
    add(store, text)
    editor = open_editor()
    expect(editor.entities).to_have_count(400)
    editor.press("Tab")
    stopwatch = Stopwatch(editor)
    # The 50 ms to the paint that are promised are for `benchmarks.annotate` to measure, on a quiet
    # machine, where the best rounds take half of these limits; drawing the whole text takes more.
    assert stopwatch.best_of("1", "2") < 40
    assert stopwatch.best_of("Tab", "Shift+Tab") < 40
    assert stopwatch.best_of("ArrowDown", "ArrowUp") < 40
    # All 400 entities change at once.
    assert stopwatch.best_of("f", "Control+z") < 70


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
