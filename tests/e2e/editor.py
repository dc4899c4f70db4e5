"""What a person sees of the editor and can do with it, for the browser tests."""

import re
import time
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect
from sqlalchemy import delete

from annotation_store.store import AnnotationStore, Document, NewDocument
from annotation_store.tables import LeaseRow
from ner_core.spans import Span

BANK = "浙商银行企业信贷部叶老桂博士则从另一个角度解读。叶老桂认为，银监会才是转折。"
# The order of the label set gives the digits.
# As long as Playwright's own expectations wait.
WAIT_S = 15
ADDRESS, BOOK, COMPANY, NAME, SCENE = "1", "2", "3", "7", "0"


def forget_leases(store: AnnotationStore) -> None:
    """Let a second page have a text that a first one holds, as when a lease has run out."""
    with store.database.writing() as connection:
        connection.execute(delete(LeaseRow))


class Editor:
    """What a person sees of the editor and can do with it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_test_id("annotator")
        self.text = page.get_by_test_id("annotator-text")
        self.status = page.get_by_test_id("save-status")
        self.notice = page.get_by_test_id("annotator-notice")
        self.entities = page.get_by_test_id("annotator-text").get_by_test_id("entity")

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def spans(self) -> list[tuple[str, str, str]]:
        """(mention, label, source) of every entity, in order."""
        return self.entities.evaluate_all(
            "nodes => nodes.map(n => [n.textContent, n.dataset.label, n.dataset.source])"
        )

    def expect_spans(self, *expected: tuple[str, str, str]) -> None:
        wait_for(lambda: [tuple(span) for span in self.spans()], list(expected), self.page)

    def expect_state(self, state: str) -> None:
        expect(self.status).to_have_attribute("data-state", state)

    def expect_document(self, document_id: int) -> None:
        expect(self.root).to_have_attribute("data-document-id", str(document_id))

    def place_of(self, unit: int, *, is_end: bool = False) -> tuple[float, float]:
        """Where a character is on the screen: its left edge, or its right one.

        Characters are counted in UTF-16 units, as the browser does.
        """
        x, y = self.text.evaluate(
            """(text, [unit, isEnd]) => {
                const walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
                let position = 0;
                for (let node = walker.nextNode(); node; node = walker.nextNode()) {
                    if (unit < position + node.length) {
                        const range = document.createRange();
                        range.setStart(node, unit - position);
                        range.setEnd(node, unit - position + 1);
                        const box = range.getBoundingClientRect();
                        return [isEnd ? box.right - 1 : box.left + 1, box.top + box.height / 2];
                    }
                    position += node.length;
                }
            }""",
            [unit, is_end],
        )
        return x, y

    def drag(self, start: int, end: int) -> None:
        """Select characters (in UTF-16 units) with the mouse."""
        x1, y1 = self.place_of(start)
        x2, y2 = self.place_of(end - 1, is_end=True)
        mouse = self.page.mouse
        mouse.move(x1, y1)
        mouse.down()
        mouse.move((x1 + x2) / 2, (y1 + y2) / 2)
        mouse.move(x2, y2)
        mouse.up()

    def move_caret(self, position: int) -> None:
        self.press("Control+Home", *["ArrowRight"] * position)

    def select(self, start: int, length: int) -> None:
        """Select characters with the keyboard alone."""
        self.move_caret(start)
        self.press(*["Shift+ArrowRight"] * length)

    def label_button(self, label: str) -> Locator:
        return self.page.locator(f'[data-testid="label-button"][data-label="{label}"]')


def show_editor(page: Page, *, is_reloaded: bool = False) -> Editor:
    tab = page.get_by_role("tab", name=re.compile("标注|Annotate"))
    if is_reloaded:  # the page comes back to its tab; a click would take the focus to it
        expect(tab).to_have_attribute("aria-selected", "true")
    else:
        tab.click()
    editor = Editor(page)
    expect(editor.root).to_have_attribute("data-state", "ready")
    return editor


def add(store: AnnotationStore, *texts: str) -> list[int]:
    """Add texts to the end of the queue; a number makes each one new to the store."""
    return list(store.add([NewDocument(text) for text in texts]).added_ids)


def numbered(text: str, number: int) -> str:
    return f"{text}（{number}）"


def saved(store: AnnotationStore, document_id: int) -> Document:
    return store.get(document_id)


def save_as(store: AnnotationStore, document_id: int, annotator: str, *spans: Span) -> None:
    """Save a document as somebody at another screen would."""
    document = saved(store, document_id)
    store.save(
        document_id,
        base_revision=document.revision_number,
        spans=spans,
        status="accepted",
        annotator=annotator,
    )


def expect_saved(store: AnnotationStore, document_id: int, page: Page, *spans: Span) -> None:
    """A save may be on its way while the page already shows what comes next."""
    wait_for(lambda: saved(store, document_id).spans, spans, page)


def wait_for(look: Callable[[], object], expected: object, page: Page) -> None:
    """Look again until it is as expected; what the page does meanwhile goes on."""
    until = time.monotonic() + WAIT_S
    while (found := look()) != expected and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert found == expected, f"expected {expected}, found {found}"
