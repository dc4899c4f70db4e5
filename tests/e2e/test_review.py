"""The page Review in Chromium: either side by one key, taken back by another; findings mended."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotation_store.dismissals import read_dismissals
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.spans import Span

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

HOSTILE = '<img src=x onerror="window.hit=1">浙商银行 ${window.hit=2} {{window.hit}}'
COMPANY, NAME = Span(1, 5, "company"), Span(10, 13, "name")
TEXT = "😀浙商银行企业信贷部叶老桂博士"
ACTIVE = re.compile(r"\bactive\b")
WAIT_MS = 90_000


@pytest.fixture(scope="module")
def app(start_app):
    return start_app(str(Path(__file__).with_name("rules_app.py")))


@pytest.fixture(scope="module")
def store(app):
    with AnnotationStore.open(app.database, lock_timeout_s=60) as store:
        yield store


@pytest.fixture
def page(open_page: Callable[..., Page], app) -> Page:
    page = open_page(app.url)
    page.set_default_timeout(WAIT_MS)
    page.get_by_role("tab", name="复核").click()
    expect(page.get_by_test_id("review-left")).to_be_visible(timeout=WAIT_MS)
    return page


def save(store: AnnotationStore, document_id: int, annotator: str, *spans: Span) -> None:
    base = store.get(document_id).revision_number
    store.save(document_id, base_revision=base, spans=spans, status="accepted", annotator=annotator)


def compare(page: Page) -> None:
    button = page.get_by_role("button", name="比较", exact=True)
    expect(button).to_be_enabled(timeout=WAIT_MS)
    button.click()
    expect(page.get_by_test_id("review-document").first).to_be_visible(timeout=WAIT_MS)


def card(page: Page, document_id: int):
    return page.locator(f'[data-testid="review-document"][data-document-id="{document_id}"]')


def test_an_empty_project_says_what_to_do_first(page: Page) -> None:
    expect(page.get_by_role("status").first).to_contain_text("还没有文本", timeout=WAIT_MS)
    expect(page.get_by_role("button", name="比较", exact=True)).to_be_disabled()
    page.get_by_role("tab", name="检查").click()
    note = page.get_by_test_id("lint").locator("[data-field=note]")
    expect(note).to_contain_text("还没有已确认的文本", timeout=WAIT_MS)


def test_either_side_is_taken_by_one_key_and_taken_back_by_another(page: Page, store) -> None:
    first, second, hostile = store.add(
        [NewDocument(text) for text in (TEXT, "叶老桂说叶老桂", HOSTILE)]
    ).added_ids
    save(store, first, "Anna", COMPANY, NAME)
    save(store, first, "Bo", Span(1, 5, "government"))
    save(store, second, "Anna", Span(0, 3, "name"))
    save(store, second, "Bo")
    save(store, hostile, "Anna", Span(34, 38, "company"))
    save(store, hostile, "Bo")
    page.reload()
    page.get_by_role("tab", name="复核").click()
    compare(page)
    expect(page.get_by_test_id("review-document")).to_have_count(3)
    expect(card(page, first).get_by_test_id("difference")).to_have_count(2)
    assert card(page, hostile).locator(".review-text").inner_text() == HOSTILE
    assert page.evaluate("window.hit") is None
    figures = page.get_by_test_id("review-figures").locator("tr[data-label=government]")
    expect(figures.get_by_test_id("f1")).to_have_text("0.000")
    expect(figures.get_by_test_id("kappa")).to_have_text("0.000")

    page.keyboard.press("Digit1")
    assert store.get(first).revision_number == 2
    page.keyboard.press("ArrowRight")
    expect(card(page, first)).to_have_attribute("data-state", "saved", timeout=WAIT_MS)
    revision = store.get(first).revision
    assert (revision.source, revision.spans) == ("review", (COMPANY,))
    expect(page.get_by_test_id("review-count")).to_contain_text("2 条待裁定")

    page.keyboard.press("KeyU")
    expect(card(page, first)).to_have_attribute("data-state", "open", timeout=WAIT_MS)
    assert store.get(first).spans == (Span(1, 5, "government"),)

    page.keyboard.press("Shift+Digit1")
    expect(card(page, first)).to_have_attribute("data-state", "saved", timeout=WAIT_MS)
    assert store.get(first).spans == (COMPANY, NAME)

    # Somebody saves before the reviewer does.
    save(store, second, "Bo", Span(0, 3, "book"))
    card(page, second).get_by_test_id("take-right").click()
    expect(card(page, second)).to_contain_text("没有写入", timeout=WAIT_MS)
    assert store.get(second).revision.annotator == "Bo"
    # The next text has become the active one: a click here counts all the same.
    expect(card(page, hostile)).to_have_class(ACTIVE)
    card(page, second).get_by_test_id("take-left").click()
    expect(card(page, second)).to_have_attribute("data-state", "saved", timeout=WAIT_MS)
    assert store.get(second).spans == (Span(0, 3, "name"),)


def test_a_model_is_compared_with_what_counts(page: Page) -> None:
    page.get_by_test_id("review-left").select_option("confirmed:")
    page.get_by_test_id("review-right").select_option("model:rules")
    compare(page)
    take = page.get_by_test_id("take-right").filter(has_text="博士")
    expect(take).to_have_count(0)  # its text has been decided
    page.get_by_role("combobox", name="状态").select_option("all")
    expect(take).to_contain_text("62%")


def test_findings_are_mended_dismissed_and_opened_by_keys(page: Page, store) -> None:
    (blank,) = store.add(
        [NewDocument("去 北京 看", spans=(Span(1, 4, "address"),), status="accepted")]
    ).added_ids
    page.reload()
    page.get_by_role("tab", name="复核").click()
    page.get_by_role("tab", name="检查").click()
    run = page.get_by_role("button", name="开始检查")
    expect(run).to_be_enabled(timeout=WAIT_MS)
    run.click()
    findings = page.get_by_test_id("finding")
    expect(findings.first).to_have_attribute("data-kind", "blank-at-border", timeout=WAIT_MS)
    expect(page.get_by_role("button", name="去掉全部 1 处边界空白")).to_be_visible()
    # The label's name over it is three times as wide, and must not make one blank look like many.
    blank_mark = findings.first.locator(".marked").first
    assert blank_mark.evaluate("mark => mark.getBoundingClientRect().width") < 10
    for down, up in (("KeyJ", "KeyK"), ("ArrowDown", "ArrowUp")):
        page.keyboard.press(down)
        expect(findings.nth(1)).to_have_class(ACTIVE)
        page.keyboard.press(up)
        expect(findings.first).to_have_class(ACTIVE)
    page.keyboard.press("KeyF")
    expect(findings.first).to_have_attribute("data-kind", "unlabelled-repeat", timeout=WAIT_MS)
    assert store.get(blank).spans == (Span(2, 4, "address"),)

    document_id = int(findings.first.get_attribute("data-document-id") or "")
    page.keyboard.press("KeyX")
    chip = page.get_by_role("button", name="已忽略")
    expect(chip).to_contain_text("1", timeout=WAIT_MS)
    assert [it for it, _ in read_dismissals(store.database, project="default")] == [document_id]
    chip.click()
    expect(findings).to_have_count(1, timeout=WAIT_MS)
    page.get_by_test_id("lint-list").focus()
    page.keyboard.press("KeyE")
    editor = page.get_by_test_id("annotator")
    expect(editor).to_have_attribute("data-document-id", str(document_id), timeout=WAIT_MS)


def test_keys_move_choose_take_back_and_open(page: Page, store) -> None:
    first, second = store.add(
        [NewDocument(f"{TEXT}（按键）"), NewDocument("叶老桂又来了（按键）")]
    ).added_ids
    save(store, first, "Chen", COMPANY, NAME)
    save(store, first, "Ding", Span(1, 5, "government"))
    save(store, second, "Chen", Span(0, 3, "name"))
    save(store, second, "Ding")
    page.reload()
    page.get_by_role("tab", name="复核").click()
    page.get_by_test_id("review-left").select_option("human:Chen")
    page.get_by_test_id("review-right").select_option("human:Ding")
    compare(page)
    differences = page.get_by_test_id("difference")
    expect(differences).to_have_count(3)

    for keys in (("KeyJ", "KeyK"), ("ArrowDown", "ArrowUp")):
        for key, places in zip(keys, ((1, 2, 2), (1, 0, 0)), strict=True):
            for place in places:
                page.keyboard.press(key)
                expect(differences.nth(place)).to_have_class(ACTIVE)

    page.keyboard.press("ArrowLeft")
    expect(differences.first).to_have_attribute("data-choice", "l")
    page.keyboard.press("Digit2")
    expect(card(page, first)).to_have_attribute("data-state", "saved", timeout=WAIT_MS)
    assert store.get(first).spans == (COMPANY,)
    page.keyboard.press("Control+KeyZ")
    expect(card(page, first)).to_have_attribute("data-state", "open", timeout=WAIT_MS)
    assert store.get(first).spans == (Span(1, 5, "government"),)
    assert store.get(first).revision_number == 4
    page.keyboard.press("Shift+Digit2")
    expect(card(page, first)).to_have_attribute("data-state", "saved", timeout=WAIT_MS)
    assert store.get(first).revision_number == 5
    assert store.get(first).spans == (Span(1, 5, "government"),)

    expect(card(page, second)).to_have_class(ACTIVE)
    page.keyboard.press("KeyE")
    editor = page.get_by_test_id("annotator")
    expect(editor).to_have_attribute("data-document-id", str(second), timeout=WAIT_MS)
    expect(page.get_by_role("tab", name="标注")).to_have_attribute("aria-selected", "true")
