"""Two people label the same text in Chromium without seeing each other's work; Review compares."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotation_store.project_changes import set_annotators_per_text
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.spans import Span
from tests.e2e.editor import ADDRESS, Editor, show_editor

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WAIT_MS = 90_000
TEXT = "浙商银行的叶老桂博士在北京"
COMPANY, NAME, TITLE = Span(0, 4, "company"), Span(5, 8, "name"), Span(8, 10, "position")
CITY = Span(11, 13, "address")
SUGGESTIONS = [("浙商银行", "company"), ("叶老桂", "name"), ("博士", "position")]


@pytest.fixture(scope="module")
def app(start_app):
    return start_app(str(Path(__file__).with_name("rules_app.py")))


@pytest.fixture(scope="module")
def store(app) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(app.database, lock_timeout_s=60) as store:
        store.add([NewDocument(TEXT), NewDocument(f"{TEXT}，已审", (COMPANY,), status="accepted")])
        yield store


@pytest.fixture
def enter(open_page: Callable[..., Page], app) -> Callable[[str], Page]:
    """Open the app as a visitor who goes by a name."""

    def enter_as(name: str) -> Page:
        page = open_page(app.url)
        page.set_default_timeout(WAIT_MS)
        page.evaluate("name => localStorage.setItem('ner_annotator', name)", name)
        return page

    return enter_as


def edit(page: Page) -> Editor:
    page.get_by_role("tab", name="标注").wait_for()
    return show_editor(page)


def open_from_data(page: Page) -> None:
    page.get_by_role("tab", name="数据").click()
    page.locator('[data-testid="document"][data-document-id="1"]').get_by_role("button").click()


def as_suggested(*spans: tuple[str, str]) -> list[tuple[str, str, str]]:
    return [(mention, label, "model") for mention, label in spans]


def as_confirmed(*spans: tuple[str, str]) -> list[tuple[str, str, str]]:
    return [(mention, label, "human") for mention, label in spans]


def test_two_people_label_a_text_independently_and_a_third_decides(
    enter: Callable[[str], Page], store: AnnotationStore
) -> None:
    # Somebody asks for two annotators of every text.
    chief = enter("主编")
    chief.get_by_role("tab", name="项目").click()
    card = chief.get_by_test_id("independence")
    expect(card.get_by_test_id("independence-counts")).to_be_hidden()
    card.get_by_role("combobox", name="每条的标注人数").select_option("2")
    percent = card.get_by_role("spinbutton", name="占文本的百分比")
    expect(percent).to_have_value("10", timeout=WAIT_MS)
    percent.fill("100")
    percent.press("Enter")
    counts = card.get_by_test_id("independence-counts")
    expect(counts).to_have_text(re.compile("^选中 2 条；0 条还等"), timeout=WAIT_MS)

    mei = edit(enter("梅"))
    mei.expect_document(1)
    expect(mei.page.get_by_test_id("independent")).to_be_visible()
    mei.expect_spans(*as_suggested(*SUGGESTIONS))
    mei.text.focus()
    mei.select(CITY.start, 2)
    mei.press(ADDRESS, "Enter")
    mei.expect_state("saved")
    count = mei.page.get_by_test_id("queue-count")
    expect(count).to_have_text("0 条；另有 1 条等其他人", timeout=WAIT_MS)

    # The second person is given the same text, as it was before the first one came.
    lei = edit(enter("雷"))
    lei.expect_document(1)
    lei.expect_spans(*as_suggested(*SUGGESTIONS))
    expect(lei.page.get_by_test_id("revisions").locator("li")).to_have_count(1)
    assert "梅" not in lei.root.inner_text()
    lei.text.focus()
    lei.press("Tab", "Tab", "Tab", "KeyX", "Enter")
    lei.expect_state("saved")
    assert store.get(1).status == "new"

    # The first one's page shows their own version; it is closed, and a change of it is not kept.
    mei.page.reload()
    open_from_data(mei.page)
    mei.expect_document(1)
    mine = as_confirmed(*SUGGESTIONS, ("北京", "address"))
    expect(mei.entities).to_have_count(len(mine), timeout=WAIT_MS)
    mei.expect_spans(*mine)
    expect(mei.root).to_have_attribute("data-revision", "2")
    expect(mei.page.get_by_test_id("independent")).to_have_text("独立标注，等待裁定")
    mei.text.focus()
    mei.press("Tab", "Delete", "Enter")
    expect(mei.notice).to_contain_text("独立标注已齐，由“复核”裁定，改动没有保存")
    mei.expect_spans(*mine)
    mei.expect_state("clean")
    assert [revision.is_independent for revision in store.history(1)] == [False, True, True]

    # Review says that they are independent, shows their agreement, and settles the text.
    chief.get_by_role("tab", name="复核").click()
    chief.get_by_test_id("review-undecided").get_by_role("button").click()
    status = chief.get_by_role("status").first
    expect(status).to_contain_text("这 1 条都是独立标注", timeout=WAIT_MS)
    assert {chief.get_by_test_id(f"review-{side}").input_value() for side in ("left", "right")} == {
        "human:梅",
        "human:雷",
    }
    figures = chief.get_by_test_id("review-figures")
    expect(figures.get_by_test_id("f1").first).to_have_text("0.667")
    expect(figures.locator("tr[data-label=name]").get_by_test_id("kappa")).to_have_text("1.000")
    document = chief.get_by_test_id("review-document")
    expect(document.get_by_test_id("difference")).to_have_count(2)
    is_left = chief.get_by_test_id("review-left").input_value() == "human:梅"
    chief.keyboard.press("Shift+Digit1" if is_left else "Shift+Digit2")
    expect(document).to_have_attribute("data-state", "saved", timeout=WAIT_MS)
    settled = store.get(1)
    assert (settled.status, settled.revision.source) == ("accepted", "review")
    assert settled.spans == (COMPANY, NAME, TITLE, CITY)

    # From now on everybody sees what was decided.
    lei.page.reload()
    open_from_data(lei.page)
    lei.expect_document(1)
    expect(lei.entities).to_have_count(4, timeout=WAIT_MS)
    expect(lei.page.get_by_test_id("independent")).to_be_hidden()


def test_of_three_versions_a_reviewer_sees_the_third_beside_any_two(
    enter: Callable[[str], Page], store: AnnotationStore
) -> None:
    store.create_project("three", CLUENER)
    set_annotators_per_text(store.database, "three", 3, percent=100)
    (document_id,) = store.add([NewDocument(TEXT)], project="three").added_ids
    versions = {
        "梅": [COMPANY, NAME],
        "雷": [NAME, TITLE],
        "王": [Span(5, 10, "name"), CITY, COMPANY],
    }
    for annotator, spans in versions.items():
        store.save(
            document_id, base_revision=0, spans=spans, status="accepted", annotator=annotator
        )
    chief = enter("主编")
    chief.evaluate("document.cookie = 'ner_project=three; path=/'")
    chief.reload()
    chief.get_by_role("tab", name="复核").click()
    pairs = chief.get_by_test_id("review-undecided").get_by_role("button")
    expect(pairs).to_have_count(3, timeout=WAIT_MS)
    pairs.filter(has_text="梅").filter(has_text="雷").click()
    document = chief.get_by_test_id("review-document")
    differences = document.get_by_test_id("difference")
    expect(differences).to_have_count(4, timeout=WAIT_MS)
    expect(differences.get_by_test_id("take-other")).to_have_count(2)
    is_left = chief.get_by_test_id("review-left").input_value() == "human:梅"
    # The company as two of them have it, 王's longer name, no title, 王's city.
    chief.keyboard.press("Digit1" if is_left else "Digit2")
    chief.keyboard.press("Digit3")
    chief.keyboard.press("Digit1" if is_left else "Digit2")
    chief.keyboard.press("Digit4")  # there is no fourth choice
    expect(document).to_have_attribute("data-state", "open")
    chief.keyboard.press("Digit3")
    expect(document).to_have_attribute("data-state", "saved", timeout=WAIT_MS)
    settled = store.get(document_id)
    assert settled.spans == (COMPANY, Span(5, 10, "name"), CITY)
    # It is decided for every pair.
    chief.get_by_role("tab", name="标注").click()
    chief.get_by_role("tab", name="复核").click()
    expect(chief.get_by_test_id("review-undecided")).to_be_hidden(timeout=WAIT_MS)
