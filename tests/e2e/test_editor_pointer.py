"""The editor with a mouse or a finger: selections, borders, labels, without a key."""

import re

import pytest
from playwright.sync_api import FloatRect, Locator, expect

from ner_core.spans import Span
from tests.e2e.editor import ADDRESS, BOOK, Editor, add, saved

pytestmark = pytest.mark.e2e


def test_dragging_over_lines_and_entities_gives_the_offsets_of_the_text(store, open_editor):
    text = "叶老桂说：\n北京😀和上海。\r\n再见（6）"
    (document_id,) = add(store, text)
    editor = open_editor()
    editor.drag(1, text.index("上") + 1)  # the emoji takes two units, so one more than code points
    editor.press(ADDRESS)
    expect(editor.notice).to_contain_text("叶老桂 (姓名)")  # says what it replaced
    end = text.index("上")
    editor.expect_spans((text[1:end], "address", "human"))
    editor.press("Enter")
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(1, end, "address"),)


def test_a_person_with_a_mouse_only_can_do_everything(store, open_editor):
    (document_id,) = add(store, "叶老桂和浙商银行在杭州（8）")
    editor = open_editor()
    page = editor.page
    editor.drag(9, 11)
    editor.label_button("address").click()
    editor.expect_spans(
        ("叶老桂", "name", "model"), ("浙商银行", "company", "model"), ("杭州", "address", "human")
    )
    editor.entities.nth(0).click()
    page.get_by_role("button", name=re.compile("终点左移")).click()
    page.get_by_role("button", name=re.compile("起点右移")).click()
    editor.expect_spans(
        ("老", "name", "human"), ("浙商银行", "company", "model"), ("杭州", "address", "human")
    )
    page.get_by_role("button", name="拒绝 浙商银行").click()
    editor.entities.nth(0).click()
    editor.label_button("company").click()
    editor.expect_spans(("老", "company", "human"), ("杭州", "address", "human"))
    page.get_by_role("button", name=re.compile("撤销")).click()
    page.get_by_role("button", name=re.compile("^重做")).click()
    page.get_by_role("button", name=re.compile("^删除")).click()
    editor.expect_spans(("杭州", "address", "human"))
    page.get_by_role("button", name=re.compile("保存并下一条")).click()
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (Span(9, 11, "address"),)


def test_each_key_that_decides_or_moves_has_a_button(store, open_editor):
    ids = add(store, *(f"叶老桂和浙商银行，叶老桂（8{letter}）" for letter in "abcd"))
    editor = open_editor()
    editor.expect_document(ids[0])

    def click(name: str) -> None:
        editor.page.get_by_role("button", name=re.compile(name)).first.click()

    editor.entities.nth(0).click()
    click("^接受")
    editor.entities.nth(1).click()
    click("^拒绝")
    editor.expect_spans(("叶老桂", "name", "human"), ("叶老桂", "name", "model"))
    editor.entities.nth(0).click()
    click("^起点右移")
    click("^终点右移")
    click("^起点左移")
    editor.expect_spans(("叶老桂和", "name", "human"), ("叶老桂", "name", "model"))
    click("^终点左移")
    editor.label_button("book").click()
    click("^同词全标")
    editor.expect_spans(("叶老桂", "book", "human"), ("叶老桂", "book", "human"))
    assert editor.root.evaluate("root => root === document.activeElement")  # keys go on working

    click("^下一条")
    editor.expect_document(ids[1])
    click("^跳过")
    editor.expect_document(ids[2])
    click("^存疑")
    editor.expect_document(ids[3])
    editor.expect_state("saved")
    assert [saved(store, id).status for id in ids[1:3]] == ["ignored", "flagged"]
    for id in (ids[2], ids[1], ids[0]):
        click("^上一条")
        editor.expect_document(id)
    editor.expect_state("dirty")
    click("全部快捷键")
    help_dialog = editor.page.get_by_role("dialog", name="全部快捷键")
    expect(help_dialog).to_be_visible()
    help_dialog.get_by_role("button", name="关闭").click()
    expect(help_dialog).to_be_hidden()


def grip(editor: Editor, border: str, *, to: int) -> None:
    """Pull a border of the active entity to the left edge of a character (in UTF-16 units)."""
    box = editor.page.get_by_test_id(f"{border}-grip").bounding_box()
    assert box is not None
    mouse = editor.page.mouse
    mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    mouse.down()  # the entity's tag goes away, and the text behind it comes nearer
    x, y = editor.place_of(to)
    mouse.move(x + 3, y)
    mouse.move(x, y)


def test_a_border_follows_the_mouse_in_one_step_of_undo(store, open_editor):
    (document_id,) = add(store, "到了浙商银行杭州分行（31）")
    editor = open_editor()
    editor.expect_document(document_id)
    editor.press("Tab")
    grip(editor, "end", to=10)
    editor.expect_spans(("浙商银行杭州分行", "company", "human"))  # seen while it is pulled
    editor.page.mouse.up()
    grip(editor, "start", to=4)
    editor.page.mouse.up()
    editor.expect_spans(("银行杭州分行", "company", "human"))
    editor.press("Control+z")
    editor.expect_spans(("浙商银行杭州分行", "company", "human"))
    editor.press("Control+z")
    editor.expect_spans(("浙商银行", "company", "model"))
    editor.expect_state("clean")


def test_a_pulled_border_stops_at_its_neighbour_and_escape_lets_it_go(store, open_editor):
    (document_id,) = add(store, "到了浙商银行见叶老桂和博士（32）")
    editor = open_editor()
    editor.expect_document(document_id)
    suggestions = (
        ("浙商银行", "company", "model"),
        ("叶老桂", "name", "model"),
        ("博士", "position", "model"),
    )
    editor.press("Tab", "Tab")
    grip(editor, "start", to=3)
    editor.expect_spans(suggestions[0], ("见叶老桂", "name", "human"), suggestions[2])
    editor.press("Escape")
    editor.expect_spans(*suggestions)
    editor.page.mouse.up()
    editor.expect_spans(*suggestions)
    grip(editor, "start", to=10)  # it would be empty
    editor.page.mouse.up()
    editor.expect_spans(suggestions[0], ("桂", "name", "human"), suggestions[2])


def test_clicks_pick_entities_from_the_inside_out(store, open_editor):
    add(store, "在叶老桂博士家（33）")
    editor = open_editor()
    editor.press("o")
    expect(editor.page.get_by_label("允许实体重叠")).to_be_checked()
    editor.select(1, 6)
    editor.press(BOOK, "Escape")
    x, y = editor.place_of(2)
    active = editor.page.locator(".ed-text .ed-active").first
    for label in ("name", "book", "name"):
        editor.page.mouse.click(x + 5, y)
        expect(active).to_have_attribute("data-label", label)


def test_an_entity_and_its_row_light_up_together(store, open_editor):
    add(store, "叶老桂和浙商银行（34）")
    editor = open_editor()
    editor.entities.nth(1).hover()
    row = editor.page.get_by_test_id("entity-list").locator("li.ed-hover")
    expect(row).to_contain_text("浙商银行")
    editor.page.get_by_test_id("entity-list").locator("li").first.hover()
    expect(editor.text.locator(".ed-hover")).to_have_text("叶老桂")
    editor.status.hover()
    expect(editor.text.locator(".ed-hover")).to_have_count(0)


def test_two_taps_select_and_a_third_one_labels(store, open_editor):
    (document_id,) = add(store, "昨天在杭州西湖边👩‍👩‍👧‍👦见叶老桂（35）")
    editor = open_editor(
        has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844}, locale="en-US"
    )
    editor.expect_document(document_id)

    def tap(unit: int) -> None:
        x, y = editor.place_of(unit)
        editor.page.touchscreen.tap(x + 6, y)

    tap(3)
    expect(editor.notice).to_contain_text("tap the last character")
    tap(6)
    expect(editor.notice).to_contain_text("杭州西湖")
    editor.label_button("scene").tap()
    editor.expect_spans(("杭州西湖", "scene", "human"), ("叶老桂", "name", "model"))
    tap(4)  # an entity is picked, not cut
    expect(editor.page.locator(".ed-text .ed-active")).to_have_text("杭州西湖")
    tap(1)
    tap(1)  # the same character again: never mind
    editor.label_button("book").tap()
    expect(editor.notice).to_contain_text("Select text or an entity first")
    tap(2)
    tap(0)  # backwards
    editor.label_button("book").tap()
    editor.page.get_by_role("button", name=re.compile("Save and next")).tap()
    editor.expect_state("saved")
    assert saved(store, document_id).spans == (
        Span(0, 3, "book"),
        Span(3, 7, "scene"),
        Span(16, 19, "name"),
    )


def steady_box(locator: Locator) -> FloatRect:
    """Where an element is, once it no longer moves."""
    before = None
    while (box := locator.bounding_box()) is None or box != before:
        before = box
        locator.page.wait_for_timeout(100)
    return box


def test_a_finger_pulls_a_border_too(store, open_editor):
    (document_id,) = add(store, "到了浙商银行杭州分行（36）")
    editor = open_editor(has_touch=True, viewport={"width": 390, "height": 844})
    editor.expect_document(document_id)
    editor.entities.first.tap()
    box = steady_box(editor.page.get_by_test_id("end-grip"))
    assert box["width"] >= 24  # a finger is wider than a mouse
    finger = editor.page.context.new_cdp_session(editor.page)

    def touch(kind: str, *place: float) -> None:
        points = [{"x": place[0], "y": place[1]}] if place else []
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", box["x"] + 14, box["y"] + 14)
    expect(editor.page.locator(".ed-dragging")).to_be_visible()  # the tag is gone: the text moves
    x, y = editor.place_of(8)
    touch("touchMove", x - 8, y)
    touch("touchMove", x, y)
    touch("touchEnd")
    editor.expect_spans(("浙商银行杭州", "company", "human"))
