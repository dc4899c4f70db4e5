"""What makes the editor quick and kind: letters over words, previews, guidelines, spoken words."""

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.editor import ADDRESS, NAME, SCENE, add, show_editor

pytestmark = pytest.mark.e2e


def test_w_and_a_letter_select_a_word_and_a_second_letter_selects_up_to_another(store, open_editor):
    (document_id,) = add(store, "昨天林若溪参观了苏州博物馆。“好”（41）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.press("w")
    hints = editor.page.get_by_test_id("word-hints").locator("kbd")
    words = hints.evaluate_all("nodes => nodes.map(({ dataset }) => ({ ...dataset }))")
    letters = {int(word["start"]): word["code"] for word in words}
    assert len(set(letters.values())) == len(letters) > 6
    assert letters.keys().isdisjoint({13, 14, 16})  # nobody labels a full stop or a quotation mark
    editor.press(letters[8])  # 苏州
    expect(editor.notice).to_contain_text("苏州")
    editor.press(letters[max(start for start in letters if start < 13)])  # 博物馆, or 馆 alone
    expect(hints).to_have_count(0)
    expect(editor.notice).to_contain_text("苏州博物馆")
    editor.press(SCENE)
    editor.expect_spans(("苏州博物馆", "scene", "human"))

    # One letter and a digit: the letters go with it.
    editor.press("w", letters[0], ADDRESS)
    expect(hints).to_have_count(0)
    editor.expect_spans(("昨天", "address", "human"), ("苏州博物馆", "scene", "human"))
    # A letter that no word has, Escape, or W again: never mind.
    editor.press("w", "Escape", "w", "w")
    expect(hints).to_have_count(0)
    editor.press("Control+z", "Control+z")
    editor.expect_state("clean")


def test_more_words_than_letters_get_pairs_of_which_none_begins_another(store, open_editor):
    add(store, "苏州和杭州的西湖，" * 12 + "（42）")
    editor = open_editor()
    editor.press("w")
    codes = (
        editor.page.get_by_test_id("word-hints")
        .locator("kbd")
        .evaluate_all("nodes => nodes.map(node => node.dataset.code)")
    )
    assert len(codes) > 50
    assert not any(
        first != second and second.startswith(first) for first in codes for second in codes
    )
    editor.press(*codes[-2], SCENE)  # the last word but one, by two letters
    expect(editor.entities).to_have_count(1)


def test_letters_stay_over_their_words_when_the_text_moves_under_them(store, open_editor):
    add(store, ("浙商银行在这里说好的话多么好。" * 200)[:3000])
    editor = open_editor()
    expect(editor.entities).to_have_count(200)
    # What is out of sight is drawn after the key, when the letters are there.
    editor.press("Tab", "1", "f", "w")
    hints = editor.page.get_by_test_id("word-hints").locator("kbd")
    editor.page.wait_for_timeout(500)
    expect(hints.first).to_be_visible()
    for width in (1280, 1000):
        editor.page.set_viewport_size({"width": width, "height": 900})
        editor.page.wait_for_timeout(300)
        expect(hints.first).to_be_visible()
        for hint in (hints.first, hints.nth(20)):
            place = hint.bounding_box()
            assert place is not None
            left, middle = editor.place_of(int(hint.get_attribute("data-start") or 0))
            assert abs(place["x"] - left) < 2
            assert 0 < middle - place["y"] < 30
    editor.press("Escape")
    expect(hints).to_have_count(0)


def test_brackets_move_the_borders_of_a_selection(store, open_editor):
    add(store, "在青石镇的老街上（43）")
    editor = open_editor()
    editor.select(2, 1)
    editor.press("[", "Shift+]")
    expect(editor.notice).to_contain_text("“青石镇”")
    editor.press("]", "]", "]", "Shift+[")  # one character is left
    expect(editor.notice).to_contain_text("边界不能再移动了")
    editor.press("[", "[", ADDRESS)
    editor.expect_spans(("青石镇", "address", "human"))


def test_the_places_that_f_will_label_are_counted_and_marked_before(store, open_editor):
    add(store, "小明和小红，小明说小明好。（44）")
    editor = open_editor()
    marked = "CSS.highlights.get('annotator-places')?.size ?? 0"
    editor.select(0, 2)
    assert editor.page.evaluate(marked) == 0
    editor.press(NAME)
    assert editor.page.evaluate(marked) == 2
    expect(editor.notice).to_contain_text("2 处")
    expect(editor.page.get_by_role("button", name=re.compile("同词全标"))).to_contain_text("2 处")
    editor.press("f")
    editor.expect_spans(*[("小明", "name", "human")] * 3)
    assert editor.page.evaluate(marked) == 0
    editor.press("Control+z")
    editor.expect_spans(("小明", "name", "human"))
    assert editor.page.evaluate(marked) == 2
    editor.press("Escape")
    assert editor.page.evaluate(marked) == 0


def test_o_lets_entities_overlap_and_both_have_a_line_of_their_own(store, open_editor):
    add(store, "在叶老桂博士家（45）")
    editor = open_editor()
    editor.press("o")
    expect(editor.notice).to_contain_text("可以重叠")
    editor.select(1, 3)
    editor.press(SCENE)
    editor.expect_spans(
        ("叶老桂", "name", "model"), ("叶老桂", "scene", "human"), ("博士", "position", "model")
    )
    lines = editor.entities.evaluate_all(
        "nodes => nodes.map(n => getComputedStyle(n).paddingBottom)"
    )
    assert lines[0] != lines[1]
    tags = editor.text.locator("[data-tag]").evaluate_all("nodes => nodes.map(n => n.dataset.tag)")
    assert len(tags) == 3
    editor.press("o")
    expect(editor.notice).to_contain_text("不能重叠")


def test_the_guideline_of_the_label_at_hand_is_shown_and_can_be_put_in_other_words(
    store, open_editor
):
    add(store, "叶老桂到了浙商银行（46）", "叶老桂又到了浙商银行（46）")
    editor = open_editor()
    panel = editor.page.get_by_test_id("guideline")
    expect(panel).to_contain_text("同一个词")  # what holds for all labels
    editor.press("Tab")
    expect(panel).to_contain_text("姓名 name")
    expect(panel).to_contain_text("称呼和职务不标进去")
    editor.label_button("company").hover()
    expect(panel).to_contain_text("公司 company")
    editor.status.hover()
    expect(panel).to_contain_text("姓名 name")

    words = "只标真人 <b>x</b> ${1}\n第二行"
    editor.press("g")
    box = editor.page.get_by_role("textbox", name="标注说明")
    expect(box).to_be_focused()
    box.fill(words)
    editor.press("Control+Enter")
    expect(panel.locator("p")).to_have_text(words)
    expect(editor.root).to_be_focused()
    editor.page.reload()
    editor = show_editor(editor.page, is_reloaded=True)
    editor.press("Tab")
    panel = editor.page.get_by_test_id("guideline")
    expect(panel.locator("p")).to_have_text(words)

    editor.press("g", "x", "Escape")  # thrown away; and x rejects nothing while one writes
    expect(panel.locator("p")).to_have_text(words)
    panel.get_by_role("button", name=re.compile("编辑")).click()
    panel.get_by_role("button", name="恢复默认").click()
    expect(panel).to_contain_text("称呼和职务不标进去")
    editor.expect_state("clean")


def test_a_screen_reader_hears_the_text_the_caret_and_the_entities(store, open_editor):
    add(store, "叶老桂 到了\n杭州（47）")
    editor = open_editor()
    live = editor.page.get_by_test_id("annotator-live")
    expect(live).to_have_attribute("aria-live", "polite")
    expect(live).to_contain_text("叶老桂 到了")
    editor.press("Control+Home", "ArrowRight")
    expect(live).to_have_text("老")
    editor.press("ArrowRight", "ArrowRight")
    expect(live).to_have_text("空格")
    editor.press("End")
    expect(live).to_have_text("行尾")
    editor.press("Control+End")
    expect(live).to_have_text("文末")
    editor.press("Shift+Tab")
    expect(editor.notice).to_have_attribute("role", "status")
    expect(editor.notice).to_contain_text("叶老桂 (姓名) 97%")
    expect(editor.label_button("name")).to_have_attribute("aria-pressed", "true")
    expect(editor.label_button("name")).to_have_attribute("aria-keyshortcuts", "7")
    row = editor.page.get_by_test_id("entity-list").locator("li")
    expect(row).to_have_attribute("aria-current", "true")


def test_the_seconds_of_work_go_with_the_save(store, open_editor):
    (document_id,) = add(store, "小红去了上海（48）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.page.wait_for_timeout(1200)
    editor.select(0, 2)
    editor.press(NAME, "Enter")
    editor.expect_state("saved")
    duration_s = store.history(document_id)[-1].duration_s
    assert duration_s is not None
    assert 1 <= duration_s < 60
