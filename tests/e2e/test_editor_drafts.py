"""Drafts kept in the browser: whose they are, and what they outlive."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from annotation_store.project_changes import (
    add_label,
    remove_label,
    rename_label,
    rename_project,
)
from annotation_store.store import AnnotationStore
from ner_core.spans import Span
from tests.e2e.editor import ADDRESS, NAME, Editor, add, forget_leases, saved, show_editor

pytestmark = pytest.mark.e2e


def reload_as(page: Page, store: AnnotationStore, annotator: str) -> Editor:
    """Come back to the page by another name, in the same browser."""
    page.evaluate("name => localStorage.setItem('ner_annotator', name)", annotator)
    forget_leases(store)
    page.reload()
    return show_editor(page, is_reloaded=True)


def offer_of(editor: Editor):
    return editor.page.get_by_test_id("draft-offer")


@contextmanager
def renamed(store: AnnotationStore) -> Iterator[None]:
    """The label name and the project default have other names meanwhile."""
    rename_label(store.database, "default", "name", "person")
    rename_project(store.database, "default", "renamed")
    try:
        yield
    finally:
        rename_project(store.database, "renamed", "default")
        rename_label(store.database, "default", "person", "name")


def test_a_draft_is_offered_after_its_label_and_its_project_were_renamed(store, open_editor):
    (document_id,) = add(store, "小明在北京（改名）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_state("dirty")
    with renamed(store):
        editor.page.reload()
        editor = show_editor(editor.page, is_reloaded=True)
        expect(offer_of(editor)).to_be_visible()
        editor.page.get_by_role("button", name="恢复草稿").click()
        editor.expect_spans(("小明", "person", "human"))
        editor.press("Enter")
        editor.expect_state("saved")
        assert saved(store, document_id).spans == (Span(0, 2, "person"),)


def test_a_draft_says_which_of_its_labels_are_gone(store, open_editor):
    (document_id,) = add(store, "小明在火星（标签已删）")
    add_label(store.database, "default", "planet")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.select(0, 2)
    editor.press(NAME)
    editor.select(3, 2)
    editor.label_button("planet").click()
    editor.expect_spans(("小明", "name", "human"), ("火星", "planet", "human"))
    remove_label(store.database, "default", "planet")
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(document_id)
    expect(offer_of(editor)).to_contain_text("planet")
    expect(offer_of(editor)).to_contain_text("1 个实体")
    editor.page.get_by_role("button", name="恢复草稿").click()
    editor.expect_spans(("小明", "name", "human"))


def test_a_draft_is_its_authors_alone(store, open_editor):
    (document_id,) = add(store, "小明在武汉（共用浏览器）")
    editor = open_editor()
    editor = reload_as(editor.page, store, "梅")
    editor.expect_document(document_id)
    editor.select(0, 2)
    editor.press(NAME)
    editor.expect_state("dirty")

    editor = reload_as(editor.page, store, "雷/1")
    editor.expect_document(document_id)
    editor.page.wait_for_timeout(500)
    expect(offer_of(editor)).to_be_hidden()
    editor.select(3, 2)
    editor.press(ADDRESS)
    editor = reload_as(editor.page, store, "雷/1")
    editor.page.get_by_role("button", name="恢复草稿").click()
    editor.expect_spans(("武汉", "address", "human"))
    editor.press("Enter")
    editor.expect_state("saved")

    editor = reload_as(editor.page, store, "梅")
    editor.expect_document(document_id)
    expect(editor.page.get_by_test_id("conflict-mine")).to_contain_text("小明")
    mine = editor.page.get_by_test_id("conflict-mine").get_by_test_id("conflict-entity")
    expect(mine).to_have_text(["小明"])


def test_a_draft_without_a_name_goes_to_whoever_takes_it_first(store, open_editor):
    text = "小红在北京（旧草稿）"
    (document_id,) = add(store, text)
    editor = open_editor()
    editor.expect_document(document_id)
    editor.page.evaluate(
        """([id, text]) => localStorage.setItem(`ner_draft/a/b/${id}/1`, JSON.stringify({
            text, entities: [{ start: 0, end: 2, label: "name", source: "human" }],
            at: new Date().toISOString(), tab: "closed" }))""",
        [document_id, text],
    )
    for name in ("梅", "雷"):
        editor = reload_as(editor.page, store, name)
        editor.expect_document(document_id)
        expect(offer_of(editor)).to_be_visible()
    editor.page.get_by_role("button", name="恢复草稿").click()
    editor.expect_state("dirty")

    editor = reload_as(editor.page, store, "梅")
    editor.page.wait_for_timeout(500)
    expect(offer_of(editor)).to_be_hidden()
    editor = reload_as(editor.page, store, "雷")
    expect(offer_of(editor)).to_be_visible()


def test_work_on_screen_goes_on_under_a_name_typed_in_later(store, open_editor):
    (document_id,) = add(store, "小明在成都（改署名）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.select(0, 2)
    editor.press(NAME)
    editor.page.get_by_role("textbox", name="标注者").fill("梅")
    editor.root.focus()
    editor.expect_spans(("小明", "name", "human"))
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.expect_document(document_id)
    expect(offer_of(editor)).to_be_visible()
    expect(editor.page.get_by_role("textbox", name=re.compile("标注者"))).to_have_value("梅")
