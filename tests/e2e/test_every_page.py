"""Every page of the app, in both languages, light and dark, on a desk and on a phone.

What a new page has to pass: nothing is wider than the screen, every control has a name, every text
stands out (WCAG 2.2 AA), every word is there in the visitor's language, and the keyboard reaches
everything and leaves it again.
"""

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.spans import Span
from webui.texts import TEXTS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

_CHECKS = Path(__file__).with_name("page_checks.js").read_text(encoding="utf-8")
TEXT = "😀浙商银行企业信贷部叶老桂博士，" * 3
# Chinese that an English interface shows for good reason: texts, their entities, the switch's name.
_CHINESE = (
    "textarea, .tagged-text, .examples, .legend, .ed-frame, .ed-spoken, .ed-entities,"
    " .ed-current-entity, tbody, pre, option, .vega-embed, [data-field=language],"
    " [data-testid=project-choice], .review-list, .lint-list"
)
# Roles that a visitor uses; each needs a name that a screen reader can say.
_CONTROLS = {
    *("button", "link", "textbox", "searchbox", "combobox", "listbox", "checkbox", "radio"),
    *("slider", "spinbutton", "switch", "tab", "menuitem", "application", "progressbar"),
}
_TEXTS = TEXTS["en"]
_MAX_TAB_STOPS = 250


@pytest.fixture(scope="module")
def url(start_app: Callable[..., Any]) -> str:
    """An app with a project that has work of two people in it, and an empty one."""
    app = start_app(str(Path(__file__).with_name("rules_app.py")), "--two-models")
    with AnnotationStore.open(app.database) as store:
        store.create_project("empty", CLUENER)
        texts = [f"第{n}条：{TEXT}" for n in range(24)]
        ids = store.add(NewDocument(text) for text in texts).added_ids
        company, name = Span(5, 9, "company", 0.99), Span(14, 17, "name", 0.4)
        for document_id, annotator in zip(ids[:12], itertools.cycle(("Lin", "王芳"))):
            store.save(
                document_id,
                base_revision=0,
                spans=(),
                suggestions=(company, name),
                status="new",
                source="model",
                annotator="rules",
            )
            store.save(
                document_id,
                base_revision=1,
                spans=(company,),
                status="flagged" if document_id == ids[3] else "accepted",
                annotator=annotator,
                duration_s=12.0,
            )
    return str(app.url)


def open_app(open_page: Callable[..., Page], url: str, locale: str, width: int = 1280) -> Page:
    page = open_page(
        f"{url}?__theme=light", locale=locale, viewport={"width": width, "height": 900}
    )
    expect(page.locator("#predict-result .legend li").first).to_be_visible(timeout=60_000)
    page.evaluate(_CHECKS)
    return page


def walk(page: Page, *, with_dialogs: bool = False) -> Iterator[str]:
    """Open each page in turn, as a visitor finds it once there is something on it.

    Args:
        page: The browser's.
        with_dialogs: Whether to open what covers a part of it, too.
    """
    tabs = page.locator("#pages > .tab-wrapper").get_by_role("tab")
    for index in range(tabs.count()):
        tab = tabs.nth(index)
        name = tab.inner_text()
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        if index == 0:
            page.locator("#predict-text textarea").fill(TEXT)
            page.locator("#predict-run").click()
            expect(page.get_by_test_id("tagged-text").get_by_test_id("entity")).not_to_have_count(0)
        if is_tab(name, "annotate"):
            expect(page.get_by_test_id("annotator")).to_have_attribute("data-state", "ready")
        page.wait_for_timeout(1500)  # answers of the server, transitions
        yield name
        if is_tab(name, "review"):
            yield from (f"{name}, {part}" for part in review(page))
        elif is_tab(name, "annotate") and with_dialogs:
            yield from (f"{name}, {part}" for part in open_dialogs(page))
        elif is_tab(name, "data") and with_dialogs:
            yield from (f"{name}, {part}" for part in import_file(page))


def is_tab(name: str, key: str) -> bool:
    return name in (TEXTS["zh"][f"{key}.tab"], TEXTS["en"][f"{key}.tab"])


def review(page: Page) -> Iterator[str]:
    """Both parts of the page Review, with something to decide."""
    page.get_by_test_id("review-left").select_option("confirmed:")
    page.get_by_test_id("review-right").select_option("model:rules")
    page.locator("#review-parts [data-field=compare]").click()
    expect(page.get_by_test_id("review-document").first).to_be_visible()
    yield "compared"
    page.locator("#review-parts").get_by_role("tab").nth(1).click()
    run = page.get_by_test_id("lint").locator("[data-field=run]")
    expect(run).to_be_enabled()
    run.click()
    expect(page.get_by_test_id("finding").first).to_be_visible()
    yield "checked"


def open_dialogs(page: Page) -> Iterator[str]:
    """What the editor shows on request."""
    filters = page.get_by_test_id("queue").locator(".queue-toggle")
    filters.click()
    yield "filters"
    filters.click()
    editor = page.get_by_test_id("annotator")
    for key, part in {"W": "words", "Shift+B": "note", "G": "guideline", "?": "keys"}.items():
        editor.focus()
        page.keyboard.press(key)
        yield part
        page.keyboard.press("Escape")


def import_file(page: Page) -> Iterator[str]:
    """A file before it is imported, and the lines that are wrong in it."""
    lines = ['{"text": "小明在长沙", "label": {"name": {"小明": [[0, 1]]}}}', '{"text": 3}', "{"]
    file = {"name": "some.json", "mimeType": "text/plain", "buffer": "\n".join(lines).encode()}
    page.locator(".add-actions input[type=file]").set_input_files(file)
    card = page.get_by_test_id("import")
    expect(card).to_have_attribute("data-state", "chosen")
    yield "file chosen"
    card.locator("[data-field=start]").click()
    expect(card.locator("[data-field=keep]")).to_be_visible()
    yield "errors"
    card.locator("[data-field=discard]").click()


def unnamed_controls(page: Page) -> list[str]:
    """Controls without a name, as the browser tells them to a screen reader."""
    session = page.context.new_cdp_session(page)
    session.send("Accessibility.enable")
    found = []
    for node in session.send("Accessibility.getFullAXTree")["nodes"]:
        role = node.get("role", {}).get("value")
        name = node.get("name", {}).get("value", "")
        if node.get("ignored") or role not in _CONTROLS or name.strip():
            continue
        described = session.send("DOM.describeNode", {"backendNodeId": node["backendDOMNodeId"]})
        attributes = described["node"].get("attributes", [])
        found.append(f"{role} {' '.join(attributes)[:120]}")
    session.detach()
    return found


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_every_page_fits_reads_well_and_says_what_it_is(
    open_page: Callable[..., Page], url: str, locale: str
) -> None:
    page = open_app(open_page, url, locale)
    findings = []
    for name in walk(page, with_dialogs=True):
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.evaluate("checks.settle()")
            found = {
                "too wide": page.evaluate("checks.overflow()"),
                "without a name": unnamed_controls(page),
                "no words for": page.evaluate("keys => checks.untranslated(keys)", list(_TEXTS)),
            }
            if locale == "en-US":
                found["not English"] = page.evaluate("some => checks.foreign(some)", _CHINESE)
            for theme in ("light", "dark"):
                page.evaluate(
                    "dark => document.body.classList.toggle('dark', dark)", theme == "dark"
                )
                page.evaluate("checks.settle()")
                found[f"hard to read when {theme}"] = page.evaluate("checks.lowContrast()")
            page.evaluate("document.body.classList.remove('dark')")
            findings += [
                f"{name}, {width} px: {kind}: {each}"
                for kind, some in found.items()
                for each in some
            ]
        page.set_viewport_size({"width": 1280, "height": 900})
    assert not findings, "\n" + "\n".join(sorted(set(findings)))


@pytest.mark.parametrize("width", [1280, 390])
def test_the_keyboard_reaches_everything_and_leaves_it_again(
    open_page: Callable[..., Page], url: str, width: int
) -> None:
    page = open_app(open_page, url, "en-US", width)
    findings = []
    for name in walk(page):
        page.evaluate("checks.startOver()")
        stops: list[dict[str, Any]] = []
        for _ in range(_MAX_TAB_STOPS):
            page.keyboard.press("Tab")
            stop = page.evaluate("checks.focused()")
            if stop is None:
                break
            if stops and stop["id"] == stops[-1]["id"] and stop["name"].endswith(".annotator"):
                for _ in range(2):  # in the editor, Tab goes from entity to entity until then
                    page.keyboard.press("Escape")
            stops.append(stop)
        else:
            last = [stop["name"] for stop in stops[-3:]]
            findings.append(f"{name}: no way out by Tab: {last}")
        findings += sorted(
            {f"{name}: focus cannot be seen: {stop['name']}" for stop in stops if not stop["ring"]}
            | {
                f"{name}: focus on what is hidden: {each['name']}"
                for each in stops
                if not each["shown"]
            }
        )
        unreached = page.evaluate("checks.unreached()")
        findings += [f"{name}: Tab does not reach: {each}" for each in sorted(set(unreached))]
    assert not findings, "\n" + "\n".join(findings)


def test_the_first_tab_stop_leads_past_the_header(open_page: Callable[..., Page], url: str) -> None:
    page = open_app(open_page, url, "en-US")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_have_css("opacity", "0")
    page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_have_css("opacity", "1")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    inside = page.evaluate("Boolean(document.activeElement.closest('#pages > .tabitem'))")
    assert inside


def test_a_page_has_one_first_heading_and_its_main_part(
    open_page: Callable[..., Page], url: str
) -> None:
    page = open_app(open_page, url, "zh-CN")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("中文实体标注工作台"))
    expect(page.get_by_role("main")).to_have_count(1)
