"""The page Statistics in Chromium: charts that are really drawn, not only sent."""

import re

import pytest
from playwright.sync_api import expect

from ner_core.spans import Span
from tests.e2e.editor import add, save_as

pytestmark = pytest.mark.e2e


def test_bars_are_drawn_as_high_as_the_numbers_they_stand_for(store, editor_app, open_page):
    (document_id,) = add(store, "浙商银行在杭州（统计）")
    save_as(store, document_id, "Lin", Span(0, 4, "company"), Span(5, 7, "address"))
    page = open_page(editor_app.url)
    page.get_by_role("tab", name="统计").click()
    for card, name in (("status", "已接受"), ("labels", "公司")):
        expect(page.locator(f"#statistic-{card} .vega-embed svg")).to_be_visible()
        # A bar says what it stands for: "标签: 公司; 实体数: 1; ...".
        bars = page.locator(f"#statistic-{card} .vega-embed .mark-rect path").evaluate_all(
            "bars => bars.map(bar => [bar.ariaLabel, bar.getBoundingClientRect().height])"
        )
        heights = {}
        for words, height in bars:
            x, number = re.findall(r": ([^;]+)", words)[:2]
            heights[x] = (int(number.replace(",", "")), height)
        assert heights[name][0] >= 1
        highest_number, highest = max(heights.values())
        assert highest > 100
        for number, height in heights.values():
            assert height == pytest.approx(highest * number / highest_number, abs=1)
