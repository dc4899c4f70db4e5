"""The span editor in Chromium: what a person does with keys, and what the database then holds."""

import re

import pytest
from playwright.sync_api import expect

from annotation_store.project_changes import add_label, remove_label
from annotation_store.store import DEFAULT_PROJECT
from ner_core.spans import Span
from tests.e2e.editor import ADDRESS, BANK, BOOK, NAME, SCENE, add, numbered, saved

pytestmark = pytest.mark.e2e


def test_suggestions_are_shown_with_their_probability_and_become_spans_on_enter(store, open_editor):
    first, second = add(store, numbered(BANK, 1), numbered(BANK, 2))
    editor = open_editor()
    editor.expect_document(first)
    expect(editor.root).to_have_attribute("role", "application")
    expect(editor.root).to_have_attribute("data-revision", "1")
    editor.expect_state("clean")
    bank = editor.entities.first
    expect(bank).to_have_attribute("data-score", "0.99")
    expect(bank).to_have_attribute("data-start", "0")
    expect(bank).to_have_attribute("data-end", "4")

    editor.press("Enter")

    editor.expect_document(second)
    editor.expect_state("saved")
    document = saved(store, first)
    assert document.status == "accepted"
    assert document.suggestions == ()
    assert document.spans == (
        Span(0, 4, "company"),
        Span(9, 12, "name"),
        Span(12, 14, "position"),
        Span(24, 27, "name"),
        Span(30, 33, "government"),
    )
    assert document.revision is not None
    assert document.revision.annotator == "annotator-1"


def test_every_key_of_the_editor_does_what_its_button_says(store, open_editor):
    (document_id,) = add(store, numbered(BANK, 3))
    editor = open_editor()
    suggestions = (
        ("浙商银行", "company", "model"),
        ("叶老桂", "name", "model"),
        ("博士", "position", "model"),
        ("叶老桂", "name", "model"),
        ("银监会", "government", "model"),
    )
    editor.expect_spans(*suggestions)

    editor.press("Tab", "a")
    editor.expect_spans(("浙商银行", "company", "human"), *suggestions[1:])
    editor.press("Tab", "Tab", "x")
    editor.expect_spans(
        ("浙商银行", "company", "human"), suggestions[1], suggestions[3], suggestions[4]
    )
    editor.press("Shift+Tab", SCENE)
    editor.expect_spans(
        ("浙商银行", "company", "human"), ("叶老桂", "scene", "human"), *suggestions[3:]
    )
    editor.press("Delete")
    editor.expect_spans(("浙商银行", "company", "human"), *suggestions[3:])
    editor.press("Control+z", "Control+z", "Control+z", "Control+z")
    editor.expect_spans(*suggestions)
    editor.press("Control+Shift+z", "Control+y")
    editor.expect_spans(
        ("浙商银行", "company", "human"), suggestions[1], suggestions[3], suggestions[4]
    )
    editor.press("Escape", "Control+End", "Shift+Tab", "BracketRight")
    editor.expect_spans(
        ("浙商银行", "company", "human"),
        suggestions[1],
        suggestions[3],
        ("监会", "government", "human"),
    )
    editor.press("BracketLeft", "BracketLeft", "Shift+BracketRight", "Shift+BracketLeft")
    editor.press("Shift+BracketLeft")
    editor.expect_spans(
        ("浙商银行", "company", "human"),
        suggestions[1],
        suggestions[3],
        ("，银监", "government", "human"),
    )
    editor.press("?")
    expect(editor.page.get_by_role("heading", name="全部快捷键")).to_be_visible()
    editor.press("Escape")
    expect(editor.page.get_by_role("heading", name="全部快捷键")).to_be_hidden()

    editor.expect_state("dirty")
    editor.press("b")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.status == "flagged"
    assert document.spans == (Span(0, 4, "company"), Span(29, 32, "government"))
    # Nobody decided on the rest: it stays what it was, with the scores of the model.
    assert [(span.start, span.score) for span in document.suggestions] == [(9, 0.97), (24, 0.97)]


def test_a_and_x_go_through_the_suggestions_one_after_the_other(store, open_editor):
    (document_id,) = add(store, numbered(BANK, 31))
    editor = open_editor()
    editor.expect_document(document_id)
    target = editor.page.locator(".ed-text .ed-target")
    side = editor.page.locator(".ed-side")
    expect(target).to_have_text("浙商银行")
    expect(side.get_by_role("heading", name="下一个建议")).to_be_visible()
    side.get_by_role("button", name=re.compile("^接受 ?A$")).click()
    expect(target).to_have_text("叶老桂")
    expect(editor.notice).to_have_text("已接受：浙商银行 (公司)；下一个：叶老桂 (姓名) 97%")
    editor.press("a", "x", "x")
    editor.expect_spans(
        ("浙商银行", "company", "human"),
        ("叶老桂", "name", "human"),
        ("银监会", "government", "model"),
    )
    # Tab leads where it always led, and undo to what was decided on.
    editor.press("Control+z")
    expect(editor.page.locator(".ed-text .ed-active")).to_have_text("叶老桂")
    expect(target).to_have_count(0)
    editor.press("x", "Tab", "a")
    editor.expect_spans(
        ("浙商银行", "company", "human"),
        ("叶老桂", "name", "human"),
        ("银监会", "government", "human"),
    )
    expect(editor.notice).to_contain_text("已接受：银监会")


def test_x_behind_the_last_suggestion_leaves_those_before_it_alone(store, open_editor):
    (document_id,) = add(store, numbered(BANK, 32))
    editor = open_editor()
    editor.expect_document(document_id)
    editor.move_caret(12)  # between 叶老桂 and 博士
    editor.press("x", "x", "x", "x")
    editor.expect_spans(("浙商银行", "company", "model"), ("叶老桂", "name", "model"))
    expect(editor.notice).to_contain_text("光标之后没有")


def test_the_bar_shows_how_many_texts_are_annotated(store, open_editor):
    first, second = add(store, numbered(BANK, 33), numbered(BANK, 34))
    total = sum(store.counts().values())
    editor = open_editor()
    editor.expect_document(first)
    reviewed = editor.page.get_by_test_id("reviewed")
    expect(reviewed).to_have_text(f"已审 {total - 2:,} / {total:,}")
    editor.press("Enter")
    editor.expect_document(second)
    expect(reviewed).to_have_text(f"已审 {total - 1:,} / {total:,}")
    editor.press("k")
    editor.expect_document(first)
    editor.press("Enter")  # annotated already: it counts once
    editor.expect_state("saved")
    expect(reviewed).to_have_text(f"已审 {total - 1:,} / {total:,}")


def test_one_step_of_undo_takes_back_a_whole_propagation(store, open_editor):
    add(store, "小明和小红，小明说小明好。（4）")
    editor = open_editor()
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_spans(("小明", "name", "human"))
    propagate = editor.page.get_by_role("button", name=re.compile("同词全标"))
    expect(propagate).to_contain_text("2 处")

    editor.press("f")
    editor.expect_spans(*[("小明", "name", "human")] * 3)
    expect(propagate).to_be_disabled()
    editor.press("Control+z")
    editor.expect_spans(("小明", "name", "human"))
    editor.press("Control+Shift+z")
    editor.expect_spans(*[("小明", "name", "human")] * 3)


def test_propagation_names_the_suggestions_it_replaces(store, open_editor):
    add(store, "老桂说，叶老桂来了。（4b）")
    editor = open_editor()
    editor.expect_spans(("叶老桂", "name", "model"))
    editor.select(0, 2)
    editor.press(NAME, "f")
    editor.expect_spans(("老桂", "name", "human"), ("老桂", "name", "human"))
    expect(editor.notice).to_contain_text("替换了 叶老桂")


def test_a_text_can_be_labelled_by_keyboard_alone(store, open_editor):
    (document_id,) = add(store, "王小明昨天在杭州西湖边\n看见了李雷。（5）")
    editor = open_editor()
    editor.select(0, 3)
    expect(editor.notice).to_contain_text("王小明")
    editor.press(NAME)
    # The caret stands behind the entity, so the way to the next one is short.
    editor.press(*["ArrowRight"] * 3, *["Shift+ArrowRight"] * 4, SCENE)
    # Down one line, then select back to its start.
    editor.press("ArrowDown", "Home", *["ArrowRight"] * 3, "Shift+End", "Shift+ArrowLeft", NAME)
    editor.press("Enter")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.spans[:2] == (Span(0, 3, "name"), Span(6, 10, "scene"))
    assert document.text[document.spans[2].start : document.spans[2].end].startswith("李雷")


def test_overlapping_entities_are_possible_once_they_are_allowed(store, open_editor):
    (document_id,) = add(store, "在叶老桂博士家（9）")
    editor = open_editor()
    editor.page.get_by_label("允许实体重叠").check()
    editor.root.focus()
    editor.select(1, 5)
    editor.press(BOOK)
    editor.select(3, 2)  # crosses both the name and the position
    editor.press(ADDRESS)
    labels = editor.entities.evaluate_all("nodes => nodes.map(node => node.dataset.label).sort()")
    assert labels == ["address", "book", "name", "position"]
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (
        Span(1, 4, "name"),
        Span(1, 6, "book"),
        Span(3, 5, "address"),
        Span(4, 6, "position"),
    )


@pytest.fixture
def two_more_labels(store):
    """The project has twelve labels for one test."""
    names = ("vehicle", "weapon")
    for name in names:
        add_label(store.database, DEFAULT_PROJECT, name)
    yield
    for name in names:
        remove_label(store.database, DEFAULT_PROJECT, name)


def test_shift_and_a_digit_reach_the_labels_after_the_tenth(two_more_labels, store, open_editor):
    add(store, "小明在北京（18b）")
    editor = open_editor()
    expect(editor.label_button("weapon")).to_have_attribute("aria-keyshortcuts", "Shift+2")
    editor.select(0, 2)
    editor.press("Shift+2")
    editor.expect_spans(("小明", "weapon", "human"))
    editor.press("Shift+1")
    editor.expect_spans(("小明", "vehicle", "human"))
    editor.press("Shift+3")  # there is no thirteenth
    editor.expect_spans(("小明", "vehicle", "human"))
    editor.press(SCENE)
    editor.expect_spans(("小明", "scene", "human"))


def test_keys_belong_to_an_input_method_while_it_composes(store, open_editor):
    (document_id,) = add(store, "叶老桂在这里（18）")
    editor = open_editor()
    editor.root.evaluate(
        """root => {
            for (const code of ["Enter", "KeyS", "KeyA"]) {
                const options = { code, key: code, bubbles: true, isComposing: true };
                root.dispatchEvent(new KeyboardEvent("keydown", options));
            }
        }"""
    )
    editor.page.wait_for_timeout(500)
    editor.expect_document(document_id)
    editor.expect_spans(("叶老桂", "name", "model"))
    assert saved(store, document_id).revision_number == 1


def test_keys_go_by_their_place_whatever_they_write(store, open_editor):
    """With an input method brackets are Chinese, and a French keyboard has é where the 2 is."""
    add(store, "小明在北京（18c）")
    editor = open_editor()
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_spans(("小明", "name", "human"))
    editor.root.evaluate(
        """root => {
            const press = (code, key, shiftKey = false) => {
                const options = { code, key, shiftKey, bubbles: true };
                root.dispatchEvent(new KeyboardEvent("keydown", options));
            };
            press("BracketRight", "】");
            press("BracketRight", "」", true);
            press("Digit2", "é");
        }"""
    )
    editor.expect_spans(("明在", "book", "human"))


def test_typing_the_annotators_name_presses_no_key_of_the_editor(store, open_editor):
    (document_id,) = add(store, "叶老桂在那里（19）")
    editor = open_editor()
    name = editor.page.get_by_role("textbox", name="标注者")  # the queue has a list of that name
    name.fill("")
    name.press_sequentially("sxab 张三7")
    name.press("Enter")
    editor.expect_spans(("叶老桂", "name", "model"))
    editor.root.focus()
    editor.press("s")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.status == "ignored"
    assert document.revision is not None
    assert document.revision.annotator == "sxab 张三7"
    assert document.suggestions == (Span(0, 3, "name"),)


def test_escape_and_tab_leave_the_editor(store, open_editor):
    (document_id,) = add(store, "叶老桂在北京（21d）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.text.click()
    editor.press("Escape", "Escape", "Tab")
    focused = "document.activeElement.dataset.testid"
    assert editor.page.evaluate(focused) != "annotator"
    editor.text.click()
    editor.press("Escape", "Escape", "Shift+Tab")
    assert not editor.page.evaluate(
        "document.querySelector('[data-testid=annotator]').contains(document.activeElement)"
    )


def test_control_a_selects_the_text_and_nothing_else(store, open_editor):
    (document_id,) = add(store, "长城（21e）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.press("Control+a", SCENE)
    editor.expect_spans(("长城（21e）", "scene", "human"))


def test_a_ticked_box_looks_ticked(store, open_editor):
    add(store, "长城（21f）")
    editor = open_editor()
    box = editor.page.get_by_role("checkbox", name="允许实体重叠")
    box.check()
    assert box.evaluate("node => getComputedStyle(node).appearance") == "auto"


def test_the_page_speaks_english_to_an_english_browser(store, open_editor):
    add(store, "叶老桂在东京（23）")
    editor = open_editor(locale="en-US", viewport={"width": 390, "height": 844})
    expect(editor.page.get_by_role("button", name=re.compile("Save and next"))).to_be_visible()
    expect(editor.label_button("company")).to_contain_text("company")
    width = editor.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390


def test_a_flag_says_why_where_its_text_is_shown_and_listed(store, open_editor):
    first, second = add(store, *(numbered("小明在海口。", n) for n in range(80, 82)))
    editor = open_editor()
    page = editor.page
    editor.expect_document(first)
    editor.press("Shift+b")
    note = page.get_by_role("textbox", name="为什么存疑")
    expect(note).to_be_focused()
    note.fill("<b>小明</b>是谁？")
    note.press("Enter")
    editor.expect_document(second)
    expect(editor.root).to_be_focused()
    editor.press("b")  # one key, no question
    editor.expect_state("saved")
    assert saved(store, first).note == "<b>小明</b>是谁？"
    assert (saved(store, second).status, saved(store, second).note) == ("flagged", "")

    page.get_by_role("tab", name="数据").click()
    # However many texts there are by now, the flagged ones are few.
    page.get_by_role("button", name=re.compile(r"^存疑 \d")).click()
    row = page.locator(f'[data-testid="document"][data-document-id="{first}"]')
    expect(row).to_contain_text("<b>小明</b>是谁？")
    row.get_by_role("button").click()
    editor.expect_document(first)
    expect(page.get_by_test_id("note")).to_have_text("<b>小明</b>是谁？")
    expect(page.get_by_test_id("revisions").locator("li").first).to_contain_text("是谁？")
    editor.root.focus()
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, first).note == ""
