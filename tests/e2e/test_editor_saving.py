"""Nothing is lost: quick saves, two people at once, drafts, a server that dies."""

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Error, Page, Route, expect

from annotation_store.project_changes import add_label, remove_label
from annotation_store.store import Document
from ner_core.spans import Span
from tests.e2e.editor import (
    ADDRESS,
    NAME,
    add,
    expect_saved,
    forget_leases,
    numbered,
    save_as,
    saved,
    show_editor,
    wait_for,
)

pytestmark = pytest.mark.e2e


def test_a_stale_save_is_refused_and_both_versions_are_shown(store, open_editor):
    (document_id,) = add(store, "叶老桂在杭州和上海（10）")
    mine = open_editor()
    forget_leases(store)
    theirs = open_editor()
    theirs.page.get_by_role("textbox", name="标注者").fill("<img src=x onerror=window.ran=1>")
    theirs.root.focus()
    theirs.select(4, 2)
    theirs.press(ADDRESS, "Enter")
    theirs.expect_state("saved")

    mine.select(7, 2)
    mine.press(ADDRESS, "Enter")

    mine.expect_state("conflict")
    expect(mine.page.get_by_test_id("conflict-mine")).to_contain_text("叶老桂在杭州和上海")
    shown = mine.page.get_by_test_id("conflict-theirs")
    expect(shown).to_contain_text("<img src=x onerror=window.ran=1>")
    their_labels = shown.get_by_test_id("conflict-entity")
    expect(their_labels).to_have_text(["叶老桂", "杭州"])
    assert saved(store, document_id).revision_number == 2
    mine.press("Escape")  # there is no way around the choice
    mine.expect_state("conflict")

    mine.page.get_by_role("button", name="保留我的").click()
    mine.expect_state("saved")
    document = saved(store, document_id)
    assert document.revision_number == 3
    assert document.spans == (Span(0, 3, "name"), Span(7, 9, "address"))
    assert mine.page.evaluate("window.ran") is None

    theirs.press("Delete", "Enter")  # now the other one is behind
    theirs.expect_state("conflict")
    theirs.page.get_by_role("button", name="采用对方的").click()
    theirs.expect_spans(("叶老桂", "name", "human"), ("上海", "address", "human"))
    theirs.expect_state("clean")
    assert saved(store, document_id).revision_number == 3


def test_a_key_typed_ahead_chooses_no_version_of_a_conflict(store, open_editor):
    (document_id,) = add(store, "小红在北京（冲突）")
    first = open_editor()
    forget_leases(store)
    second = open_editor()
    for editor in (first, second):
        editor.expect_document(document_id)
    first.select(0, 2)
    first.press(NAME, "Enter")
    first.expect_state("saved")
    second.select(3, 2)
    second.press(ADDRESS, "Enter")
    expect(second.page.get_by_test_id("conflict")).to_be_visible()
    second.press("Enter", "Space")
    expect(second.page.get_by_test_id("conflict")).to_be_visible()
    assert saved(store, document_id).spans == (Span(0, 2, "name"),)


def test_five_quick_enters_make_five_right_revisions(store, open_editor):
    documents = add(store, *(numbered("叶老桂博士到了浙商银行。", n) for n in range(12, 18)))
    editor = open_editor()
    editor.expect_document(documents[0])
    editor.press(*["Enter"] * 5)
    editor.expect_document(documents[5])
    editor.expect_state("saved")
    expect(editor.status).to_contain_text("已保存")
    for document_id in documents[:5]:
        document = saved(store, document_id)
        assert document.revision_number == 2
        assert document.spans == (
            Span(0, 3, "name"),
            Span(3, 5, "position"),
            Span(7, 11, "company"),
        )
    assert saved(store, documents[5]).revision_number == 1


def test_unsaved_work_waits_when_a_person_looks_at_another_document(store, open_editor):
    first, second = add(store, "小明在北京（20）", "小红在上海（21）")
    editor = open_editor()
    editor.select(0, 2)
    editor.press(NAME)
    editor.press("j")
    editor.expect_document(second)
    editor.press("k")
    editor.expect_document(first)
    editor.expect_spans(("小明", "name", "human"))
    editor.expect_state("dirty")
    editor.press("Control+z")
    editor.expect_state("clean")


def test_a_draft_with_labels_of_another_project_brings_none_of_them_back(store, open_editor):
    text = "小红在北京（21c）"
    (document_id,) = add(store, text)
    editor = open_editor()
    editor.expect_document(document_id)
    editor.page.evaluate(
        """([id, text]) => localStorage.setItem(`ner_draft/default/${id}/1`, JSON.stringify({
            text, entities: [{ start: 0, end: 2, label: "PER", source: "human" }],
            at: new Date().toISOString(), tab: "closed" }))""",
        [document_id, text],
    )
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(document_id)
    expect(editor.page.get_by_test_id("draft-offer")).to_contain_text("PER")
    editor.page.get_by_role("button", name="恢复草稿").click()
    editor.expect_spans()
    expect(editor.text).to_contain_text("小红")


def test_a_draft_that_cannot_be_read_does_not_keep_the_editor_from_opening(store, open_editor):
    (document_id,) = add(store, "小红在北京（21b）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.page.evaluate(
        "id => localStorage.setItem(`ner_draft/default/${id}/1`, 'not JSON')", document_id
    )
    editor.page.reload()
    show_editor(editor.page, is_reloaded=True).expect_document(document_id)


def test_a_draft_survives_a_reload_and_is_offered_before_anything_else(store, open_editor):
    _, document_id = add(store, "小红在北京（22）", "小明在南京（22）")
    editor = open_editor()
    editor.press("j")
    editor.expect_document(document_id)
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_state("dirty")
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(document_id)
    expect(editor.page.get_by_test_id("draft-offer")).to_be_visible()
    editor.expect_spans()
    editor.page.wait_for_timeout(1500)  # a key at once would count as typed ahead
    expect(editor.page.get_by_role("button", name=re.compile("恢复"))).to_be_focused()
    editor.page.keyboard.press("Enter")
    expect(editor.entities).to_have_count(1)
    editor.expect_spans(("小明", "name", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(0, 2, "name"),)
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    expect(editor.page.get_by_test_id("draft-offer")).to_be_hidden()


def test_work_in_one_tab_is_not_offered_as_a_draft_in_another(store, open_editor, editor_app):
    (document_id,) = add(store, "小明在苏州（22）")
    editor = open_editor()
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_state("dirty")

    forget_leases(store)
    other_page = editor.page.context.new_page()
    other_page.goto(editor_app.url)
    other = show_editor(other_page)
    other.expect_document(document_id)
    other.page.wait_for_timeout(500)
    expect(other.page.get_by_test_id("draft-offer")).to_be_hidden()
    other.select(3, 2)
    other.press(ADDRESS, "Enter")
    other.expect_state("saved")

    editor.page.bring_to_front()
    editor.press("Enter")
    editor.expect_state("conflict")
    editor.page.get_by_role("button", name="采用对方的").click()
    editor.expect_spans(("苏州", "address", "human"))

    editor.press("Tab", "Delete")
    editor.page.close()  # left for good, unsaved
    third_page = other.page.context.new_page()
    third_page.goto(editor_app.url)
    third = show_editor(third_page)
    expect(third.page.get_by_test_id("draft-offer")).to_be_visible()
    third.page.get_by_role("button", name="丢弃草稿").click()
    third.expect_spans(("苏州", "address", "human"))
    third.expect_state("clean")


def test_a_server_that_dies_during_a_save_costs_nothing(editor_app, store, open_editor):
    (document_id,) = add(store, "小明在长沙（24）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.select(0, 2)
    editor.press(NAME)
    editor_app.freeze()
    editor.press("Enter")
    editor.expect_state("saving")
    editor_app.stop()
    editor.expect_state("error")
    expect(editor.status).to_contain_text("未保存，草稿已保留")

    editor_app.start()
    try:
        editor.page.goto(editor_app.url)
    except Error:  # the page loads itself anew when its server is back, perhaps at this moment
        editor.page.wait_for_load_state()
    editor = show_editor(editor.page)
    editor.page.get_by_role("button", name="恢复草稿").click()
    editor.expect_spans(("小明", "name", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    document = saved(store, document_id)
    assert document.spans == (Span(0, 2, "name"),)
    assert document.revision_number == 2  # what the model found, and this save


def test_two_people_at_once_lose_nothing(store, open_editor):
    documents = add(store, *(numbered("叶老桂博士到了浙商银行。", n) for n in range(60, 70)))
    people = {"梅": open_editor(), "Bo": open_editor()}
    for name, editor in people.items():
        editor.page.get_by_role("textbox", name="标注者").fill(name)
        editor.root.focus()
    for _ in range(4):
        for editor in people.values():
            editor.press("Enter")

    def find_accepted() -> list[Document]:
        return [it for id in documents if (it := saved(store, id)).status == "accepted"]

    def count_by_annotator() -> Counter[str]:
        return Counter(it.revision.annotator for it in find_accepted())

    # What one of them has on screen or at hand, the other does not get.
    wait_for(count_by_annotator, {"梅": 4, "Bo": 4}, people["Bo"].page)
    for editor in people.values():
        editor.expect_state("saved")
        expect(editor.page.get_by_test_id("conflict")).to_be_hidden()
    for document in find_accepted():
        assert document.spans == (
            Span(0, 3, "name"),
            Span(3, 5, "position"),
            Span(7, 11, "company"),
        )
        assert document.revision_number == 2


@contextmanager
def on_hold(page: Page) -> Iterator[None]:
    """What the page asks of the server meanwhile arrives there afterwards."""
    held: list[Route] = []
    page.route("**/queue/join*", lambda route: held.append(route))
    yield
    for route in held:
        route.continue_()
    page.unroute("**/queue/join*")


@pytest.mark.alone
def test_a_save_that_nobody_answers_is_called_lost_after_eight_seconds(store, open_editor):
    (document_id,) = add(store, "小明在北京（没有回答）")
    editor = open_editor()
    editor.expect_document(document_id)
    with on_hold(editor.page):
        pressed_at = time.monotonic()
        editor.press("Enter")
        editor.expect_state("saving")
        editor.expect_state("error")
        assert 7 < time.monotonic() - pressed_at < 12
        expect(editor.status).to_contain_text("未保存，草稿已保留")
    editor.expect_state("saved")  # the answer came late, and counts


def test_of_two_saves_behind_a_conflict_the_last_one_is_mine(store, open_editor):
    """On the last text Enter stays where it is, so a second save can wait behind the first."""
    (document_id,) = add(store, "小明在北京和上海和广州（两次保存）")
    editor = open_editor()
    editor.expect_document(document_id)
    with on_hold(editor.page):
        editor.select(0, 2)
        editor.press(NAME, "Enter")
        editor.select(3, 2)
        editor.press(ADDRESS, "Enter")
        editor.expect_spans(("小明", "name", "human"), ("北京", "address", "human"))
        editor.select(9, 2)
        editor.press(ADDRESS)  # and this is not saved
        save_as(store, document_id, "梅", Span(6, 8, "address"))
    editor.expect_state("conflict")
    mine = editor.page.get_by_test_id("conflict-mine").get_by_test_id("conflict-entity")
    expect(mine).to_have_text(["小明", "北京"])
    editor.page.get_by_role("button", name="保留我的").click()
    both = (Span(0, 2, "name"), Span(3, 5, "address"))
    expect_saved(store, document_id, editor.page, *both)
    editor.expect_state("dirty")
    editor.press("Enter")
    editor.expect_state("saved")
    last = saved(store, document_id)
    assert last.spans == (*both, Span(9, 11, "address"))
    assert last.revision_number == 4


def test_what_was_not_even_saved_outlives_the_choice_of_the_other_version(store, open_editor):
    (document_id,) = add(store, "小明在北京和上海（采用对方）")
    editor = open_editor()
    editor.expect_document(document_id)
    with on_hold(editor.page):
        editor.select(0, 2)
        editor.press(NAME, "Enter")
        editor.select(3, 2)
        editor.press(ADDRESS)
        save_as(store, document_id, "梅", Span(6, 8, "address"))
    editor.expect_state("conflict")
    editor.page.get_by_role("button", name="采用对方的").click()
    editor.expect_spans(("上海", "address", "human"))
    expect(editor.page.get_by_test_id("draft-offer")).to_be_visible()
    editor.page.get_by_role("button", name="恢复草稿").click()
    editor.expect_spans(("小明", "name", "human"), ("北京", "address", "human"))


def test_a_save_behind_one_whose_answer_got_lost_is_stored_too(store, open_editor):
    (document_id,) = add(store, "小明在北京（回答丢失）")
    editor = open_editor()
    editor.expect_document(document_id)
    with on_hold(editor.page):
        editor.select(0, 2)
        editor.press(NAME, "Enter")
        editor.select(3, 2)
        editor.press(ADDRESS, "Enter")
        save_as(store, document_id, "annotator-1", Span(0, 2, "name"))  # the first one did arrive
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(0, 2, "name"), Span(3, 5, "address"))


def test_a_refused_save_stays_in_sight_until_it_is_stored(store, open_editor):
    first, second, third = add(store, *(numbered("小明在火星。", n) for n in range(90, 93)))
    add_label(store.database, "default", "comet")
    editor = open_editor()
    editor.expect_document(first)
    editor.select(3, 2)
    editor.label_button("comet").click()
    editor.expect_spans(("火星", "comet", "human"))
    remove_label(store.database, "default", "comet")
    editor.press("Enter")
    editor.expect_document(second)
    position = saved(store, first).position
    not_saved = f"第 {position} 条未保存，草稿已保留"
    expect(editor.status).to_have_text(not_saved)
    expect(editor.notice).to_contain_text("comet")
    editor.press("Enter")
    editor.expect_document(third)
    editor.page.wait_for_timeout(1500)
    assert saved(store, second).status == "accepted"
    expect(editor.status).to_have_text(not_saved)
    assert saved(store, first).spans == ()
    add_label(store.database, "default", "comet")
    editor.page.get_by_role("button", name="重试").click()
    editor.expect_state("saved")
    assert saved(store, first).spans == (Span(3, 5, "comet"),)


def test_a_name_typed_on_the_page_review_is_the_name_of_later_saves(store, open_editor):
    first, second = add(store, *(numbered("小明在长春。", n) for n in range(95, 97)))
    editor = open_editor()
    page = editor.page
    editor.expect_document(first)
    page.get_by_role("tab", name="复核").click()
    page.get_by_role("textbox", name="你的名字").fill("审校员")
    page.get_by_role("tab", name="标注").click()
    in_editor = page.get_by_role("textbox", name="标注者")
    expect(in_editor).to_have_value("审校员")
    editor.expect_document(first)
    editor.root.focus()
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, first).revision.annotator == "审校员"
    in_editor.fill("梅")
    editor.root.focus()
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, second).revision.annotator == "梅"
    page.get_by_role("tab", name="复核").click()
    expect(page.get_by_role("textbox", name="你的名字")).to_have_value("梅")
