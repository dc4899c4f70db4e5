"""The tour: offered once, ended by Escape, never in the way of work."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

_READY_TIMEOUT_MS = 60_000


@pytest.fixture(scope="module")
def url(start_app: Callable[..., Any]) -> str:
    return str(start_app(str(Path(__file__).with_name("rules_app.py"))).url)


def offer(page: Page) -> Locator:
    return page.get_by_role("complementary", name="导览")


def card(page: Page) -> Locator:
    return page.get_by_test_id("tour")


def ready(page: Page) -> Page:
    expect(page.locator("#predict-result .legend li").first).to_be_visible(
        timeout=_READY_TIMEOUT_MS
    )
    return page


def test_the_tour_is_offered_once_and_leads_through_the_pages(
    open_page: Callable[..., Page], url: str
) -> None:
    page = ready(open_page(url))
    expect(card(page)).to_be_hidden()
    offer(page).get_by_role("button", name="开始导览").click()
    seen = []
    while card(page).is_visible():
        tabs = page.locator("#pages > .tab-wrapper")  # pages have tabs of their own, too
        seen.append(tabs.get_by_role("tab", selected=True).inner_text())
        expect(card(page)).to_contain_text(f"第 {len(seen)} 步")
        expect(card(page).get_by_role("heading")).to_contain_text(seen[-1])
        (
            card(page)
            .get_by_role("button", name="下一步")
            .or_(card(page).get_by_role("button", name="完成"))
        ).click()
    assert seen == tabs.get_by_role("tab").all_inner_texts()
    page.reload()  # comes back to the page that the tour ended on
    expect(tabs.get_by_role("tab", selected=True)).to_have_text(seen[-1])
    tabs.get_by_role("tab", name="识别").click()
    ready(page)
    expect(offer(page)).to_be_hidden()
    expect(card(page)).to_be_hidden()


def test_escape_ends_the_tour_for_good_and_the_header_starts_it_again(
    open_page: Callable[..., Page], url: str
) -> None:
    page = ready(open_page(url))
    offer(page).get_by_role("button", name="开始导览").click()
    expect(card(page).get_by_role("button", name="下一步")).to_be_focused()
    page.keyboard.press("Escape")
    expect(card(page)).to_be_hidden()
    again = page.get_by_role("button", name="导览")
    expect(again).to_be_focused()
    page.reload()
    ready(page)
    expect(offer(page)).to_be_hidden()
    again.press("Enter")
    expect(card(page)).to_contain_text("第 1 步")


def test_who_declines_is_not_asked_again(open_page: Callable[..., Page], url: str) -> None:
    page = ready(open_page(url))
    offer(page).get_by_role("button", name="不用了").click()
    expect(offer(page)).to_be_hidden()
    page.reload()
    ready(page)
    expect(offer(page)).to_be_hidden()


def test_neither_offer_nor_tour_takes_a_key_from_who_is_working(
    open_page: Callable[..., Page], url: str
) -> None:
    page = ready(open_page(url))
    box = page.get_by_role("textbox", name="文本", exact=True)
    box.click()
    page.keyboard.type("叶老桂")
    expect(box).to_have_value("叶老桂")
    page.get_by_role("button", name="识别", exact=True).click()
    page.get_by_role("button", name="纠正").click()
    editor = page.get_by_test_id("annotator")
    expect(editor).to_have_attribute("data-state", "ready")
    page.get_by_role("button", name="导览", exact=True).click()
    card(page).get_by_role("button", name="下一步").click()
    editor.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("a")
    expect(editor.get_by_test_id("entity")).to_have_attribute("data-source", "human")
    expect(card(page)).to_be_visible()


@pytest.mark.parametrize("locale", ["zh-CN", "en-US"])
def test_a_phone_has_room_for_every_step(
    open_page: Callable[..., Page], url: str, locale: str
) -> None:
    page = ready(open_page(url, viewport={"width": 390, "height": 800}, locale=locale))
    page.locator(".tour-offer").get_by_role("button").first.click()
    while card(page).is_visible():
        page.wait_for_timeout(400)
        box = card(page).bounding_box()
        assert box is not None
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390
        assert box["y"] >= 0 and box["y"] + box["height"] <= 800
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        card(page).get_by_role("button").last.click()
