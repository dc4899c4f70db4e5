"""Notes that say why a text is flagged: none is lost, and none gets to another text."""

import pytest
from playwright.sync_api import expect

from ner_core.spans import Span
from tests.e2e.editor import add, numbered, save_as, saved, show_editor

pytestmark = pytest.mark.e2e


def test_a_note_whose_save_got_lost_is_offered_again(store, open_editor):
    (document_id,) = add(store, "小明在长沙（说明）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.page.route("**/queue/join*", lambda route: route.abort())
    editor.press("Shift+b")
    note = editor.page.get_by_role("textbox", name="为什么存疑")
    note.fill("是谁？")
    note.press("Enter")
    editor.page.wait_for_timeout(500)
    editor.page.unroute("**/queue/join*")
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(document_id)
    editor.page.get_by_role("button", name="恢复草稿").click()
    note = editor.page.get_by_role("textbox", name="为什么存疑")
    expect(note).to_have_value("是谁？")
    # Left by a click into the text, it is not lost either.
    editor.text.click(position={"x": 3, "y": 3})
    editor.press("Enter")
    editor.expect_state("saved")
    assert (saved(store, document_id).status, saved(store, document_id).note) == (
        "flagged",
        "是谁？",
    )


def test_a_note_that_was_begun_for_one_text_flags_no_other(store, open_editor):
    first, second = add(store, *(numbered("小明在西宁。", n) for n in range(97, 99)))
    editor = open_editor()
    editor.expect_document(first)
    editor.press("Shift+b")
    editor.page.get_by_role("textbox", name="为什么存疑").fill("只说第一条")
    editor.page.get_by_role("button", name="下一条（J）").click()
    editor.expect_document(second)
    expect(editor.page.get_by_test_id("note-form")).to_be_hidden()
    editor.press("Enter")
    editor.expect_state("saved")
    assert (saved(store, second).status, saved(store, second).note) == ("accepted", "")
    assert saved(store, first).status == "new"


def test_a_note_half_typed_is_there_when_one_comes_back(store, open_editor):
    first, second = add(store, *(numbered("小明在银川。", n) for n in range(101, 103)))
    editor = open_editor()
    editor.expect_document(first)
    editor.press("Shift+b")
    note = editor.page.get_by_role("textbox", name="为什么存疑")
    note.fill("写到一半")
    editor.page.get_by_role("button", name="下一条（J）").click()
    editor.expect_document(second)
    editor.press("k")
    editor.expect_document(first)
    expect(note).to_have_value("写到一半")
    expect(editor.root).to_be_focused()
    editor.press("Shift+b")
    expect(note).to_be_focused()
    expect(note).to_have_value("写到一半")
    editor.page.wait_for_timeout(500)  # drafts are written when there is time
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(first)
    editor.page.get_by_role("button", name="恢复草稿").click()
    note = editor.page.get_by_role("textbox", name="为什么存疑")
    expect(note).to_have_value("写到一半")
    note.press("Escape")
    editor.page.wait_for_timeout(500)
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(first)
    expect(editor.page.get_by_test_id("draft-offer")).to_be_hidden()


def test_a_note_half_typed_goes_with_what_somebody_saved_meanwhile(store, open_editor):
    (document_id,) = add(store, "小明在太原（说明）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.press("Shift+b")
    note = editor.page.get_by_role("textbox", name="为什么存疑")
    note.fill("哪个小明？")
    editor.page.wait_for_timeout(500)
    save_as(store, document_id, "梅", Span(0, 2, "name"))
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(document_id)
    editor.page.get_by_role("button", name="恢复草稿").click()
    expect(editor.page.get_by_test_id("conflict")).to_be_hidden()
    editor.expect_spans(("小明", "name", "human"))
    editor.text.click(position={"x": 3, "y": 3})
    editor.press("b")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert (document.status, document.note) == ("flagged", "哪个小明？")
    assert document.spans == (Span(0, 2, "name"),)


def test_the_button_of_a_note_opens_the_same_form_as_its_key(store, open_editor):
    first, second = add(store, *(numbered("小明在拉萨。", n) for n in range(105, 107)))
    editor = open_editor()
    editor.expect_document(first)
    note = editor.page.get_by_role("textbox", name="为什么存疑")
    expect(note).to_be_hidden()
    editor.page.locator("[data-command=flagWithNote]").click()
    expect(note).to_be_focused()
    note.fill("哪个拉萨？")
    editor.page.locator("[data-command=saveNote]").click()
    editor.expect_document(second)
    editor.expect_state("saved")
    assert (saved(store, first).status, saved(store, first).note) == ("flagged", "哪个拉萨？")
