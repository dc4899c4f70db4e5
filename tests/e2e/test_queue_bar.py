"""The queue bar above the editor in Chromium: orders, filters, and what others work on."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from annotation_store.predictions import NewPrediction, write_predictions
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.spans import Span
from tests.e2e.editor import Editor, forget_leases, show_editor

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

WAIT_MS = 90_000
BANK, NAME, TITLE = "浙商银行", "叶老桂", "博士"
# Text, and the model's uncertainty by path and by token; the first one is accepted.
TEXTS = (
    (f"{BANK}与{NAME}，已审", 0.95, 0.95),
    ("没有实体的甲", 0.0, 0.0),
    (f"{TITLE}乙", 0.8, 0.3),
    (f"{BANK}丙", 0.1, 0.9),
    (f"{NAME}丁 100%", 0.5, 0.5),
    *((f"没有实体的第{number}条", 0.0, 0.0) for number in range(12)),
)
ACCEPTED, PLAIN, UNSURE_PATH, UNSURE_TOKEN, PERCENT = range(1, 6)
NUM_NEW = len(TEXTS) - 1


@pytest.fixture(scope="module")
def app(start_app):
    return start_app(str(Path(__file__).with_name("rules_app.py")), "--uncertain")


@pytest.fixture(scope="module")
def store(app) -> Iterator[AnnotationStore]:
    """The texts of TEXTS, read by the model; 梅 has accepted the first one with other entities."""
    with AnnotationStore.open(app.database, lock_timeout_s=60) as store:
        store.add(NewDocument(text) for text, _path, _token in TEXTS)
        label_of = {BANK: "company", NAME: "name", TITLE: "position"}
        read = [
            NewPrediction(
                number,
                tuple(
                    Span(text.index(word), text.index(word) + len(word), label, 0.9)
                    for word, label in label_of.items()
                    if word in text
                ),
                path,
                token,
            )
            for number, (text, path, token) in enumerate(TEXTS, start=1)
        ]
        write_predictions(store.database, project="default", model="rules", predictions=read)
        bank = Span(0, 4, "company")
        store.save(ACCEPTED, base_revision=0, spans=[bank], status="accepted", annotator="梅")
        yield store


class QueueBar:
    """What a person sees of the bar and can do with it."""

    def __init__(self, page: Page) -> None:
        self.root = page.get_by_test_id("queue")
        self.count = page.get_by_test_id("queue-count")

    def choose(self, name: str, option: str) -> None:
        self.root.get_by_role("combobox", name=name).select_option(option)

    def expect_count(self, count: int) -> None:
        expect(self.count).to_have_text(re.compile(rf"^{count} 条"), timeout=WAIT_MS)

    def open_filters(self) -> None:
        self.root.get_by_role("button", name="筛选").click()

    @property
    def differs(self) -> Locator:
        return self.root.get_by_role("checkbox", name="模型与人工不同")

    @property
    def query(self) -> Locator:
        return self.root.get_by_role("searchbox", name="文本包含")


@pytest.fixture
def enter(
    store: AnnotationStore, app, open_page: Callable[..., Page]
) -> Callable[[], tuple[Editor, QueueBar]]:
    """Open the page 标注 as a visitor of one's own; what the tests before held is free again."""
    forget_leases(store)

    def enter_page() -> tuple[Editor, QueueBar]:
        page = open_page(app.url)
        page.set_default_timeout(WAIT_MS)
        page.get_by_role("tab", name="标注").wait_for()
        editor = show_editor(page)
        return editor, QueueBar(page)

    return enter_page


def test_the_order_that_is_chosen_decides_which_text_comes(enter) -> None:
    editor, bar = enter()
    editor.expect_document(UNSURE_PATH)
    bar.expect_count(NUM_NEW)
    for order, first in (("token", UNSURE_TOKEN), ("position", PLAIN), ("path", UNSURE_PATH)):
        bar.choose("顺序", order)
        editor.expect_document(first)
    bar.choose("顺序", "random")
    expect(editor.root).not_to_have_attribute("data-document-id", str(UNSURE_PATH))


def test_each_filter_leaves_the_texts_that_it_names(enter) -> None:
    editor, bar = enter()
    bar.expect_count(NUM_NEW)
    bar.open_filters()
    # No person has said anything of them yet: it is the model's entities that are filtered by.
    bar.choose("标签", "company")
    bar.expect_count(1)
    editor.expect_document(UNSURE_TOKEN)
    bar.choose("状态", "all")
    bar.expect_count(2)
    bar.choose("标签", "")
    bar.choose("标注者", "梅")
    bar.expect_count(1)
    editor.expect_document(ACCEPTED)
    bar.root.get_by_role("button", name="清除筛选").click()
    bar.expect_count(len(TEXTS))
    # Wildcards of the database's language are characters like others.
    bar.query.fill("100%")
    bar.expect_count(1)
    editor.expect_document(PERCENT)
    bar.query.fill("1%0")
    bar.expect_count(0)


def test_where_model_and_human_differ_is_found(enter, store: AnnotationStore) -> None:
    editor, bar = enter()
    bar.open_filters()
    bar.choose("状态", "accepted")
    bar.differs.check()
    bar.expect_count(1)
    editor.expect_document(ACCEPTED)
    # The human agrees with the model now: nothing is left to look at.
    text = TEXTS[ACCEPTED - 1][0]
    name = Span(text.index(NAME), text.index(NAME) + 3, "name")
    base = store.get(ACCEPTED).revision_number
    spans = [Span(0, 4, "company"), name]
    store.save(ACCEPTED, base_revision=base, spans=spans, status="accepted", annotator="梅")
    bar.differs.uncheck()
    bar.expect_count(1)
    bar.differs.check()
    bar.expect_count(0)


def test_the_choice_stays_when_the_page_is_loaded_again(enter) -> None:
    editor, bar = enter()
    bar.choose("顺序", "position")
    bar.open_filters()
    bar.query.fill("没有实体的第")
    bar.expect_count(12)
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    expect(bar.query).to_have_value("没有实体的第")
    expect(bar.root.get_by_role("combobox", name="顺序")).to_have_value("position")
    bar.expect_count(12)
    expect(editor.text).to_contain_text("没有实体的第0条")


def test_two_people_are_not_given_the_same_text(enter) -> None:
    first, _bar = enter()
    first.expect_document(UNSURE_PATH)
    second, bar = enter()
    expect(second.root).not_to_have_attribute("data-document-id", str(UNSURE_PATH))
    expect(bar.count).to_have_text(re.compile(r"其中 \d+ 条有人在标"), timeout=WAIT_MS)
    seen = [first.root.get_attribute("data-document-id")]
    for _ in range(4):
        seen.append(second.root.get_attribute("data-document-id"))
        second.text.focus()
        second.press("KeyJ")
        expect(second.root).not_to_have_attribute("data-document-id", str(seen[-1]))
    assert len(set(seen)) == len(seen)
    # Whoever leaves gives back what was held.
    first.page.close()
    bar.choose("状态", "all")
    expect(bar.count).not_to_contain_text("有人在标", timeout=WAIT_MS)


def test_texts_that_were_read_meanwhile_take_their_place_in_the_order(enter, store) -> None:
    editor, bar = enter()
    editor.expect_document(UNSURE_PATH)
    (added,) = store.add([NewDocument(f"{TITLE}戊，刚刚加入")]).added_ids  # path 0.38 by the rules
    editor.page.evaluate("document.addEventListener('ner:ranked', () => (window.isRanked = true))")
    editor.press("Enter")
    editor.expect_document(PERCENT)
    # Three documents are at hand, from before; the bar is told of the new one by and by.
    editor.page.wait_for_function("window.isRanked")
    bar.expect_count(NUM_NEW)
    editor.press("Enter")
    editor.expect_document(added)
