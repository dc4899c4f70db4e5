"""How entities look: a person's and a model's, the active one, and tags that can all be read."""

from itertools import combinations

import pytest
from playwright.sync_api import Page

from tests.e2e.editor import ADDRESS, BOOK, NAME, SCENE, add, numbered

pytestmark = pytest.mark.e2e

_READ_TAG = r"""dataset.tag.replace("\u2060", "").replace("\u00a0", " ")"""


def test_a_suggestion_a_persons_span_and_the_active_one_look_different(store, open_editor):
    (document_id,) = add(store, "叶老桂在北京（标签）")
    editor = open_editor()
    editor.expect_document(document_id)

    def look() -> list[list[str]]:
        return editor.entities.evaluate_all(
            f"""nodes => nodes.map((node) => {{
                const {{ borderBottomStyle, outlineStyle, outlineWidth }} = getComputedStyle(node);
                const ring = outlineStyle === "none" ? "" : `${{outlineStyle}} ${{outlineWidth}}`;
                return [node.{_READ_TAG}, borderBottomStyle, ring];
            }})"""
        )

    assert look() == [["姓名 97%", "dashed", "dashed 1px"]]  # what A and X would decide on
    editor.select(4, 2)
    editor.press(ADDRESS)
    assert look() == [["姓名 97%", "dashed", ""], ["地址", "solid", "solid 2px"]]
    editor.press("Shift+Tab")
    assert look() == [["姓名 97%", "dashed", "solid 2px"], ["地址", "solid", ""]]
    editor.press("a")
    assert [(tag, line) for tag, line, _ring in look()] == [("姓名", "solid"), ("地址", "solid")]


@pytest.mark.parametrize("width", [1280, 390])
def test_tags_of_entities_that_overlap_stand_side_by_side(store, open_editor, width):
    (document_id,) = add(store, numbered("小明在北京大学东门外的长城饭店说书。", width))
    editor = open_editor(viewport={"width": width, "height": 844})
    editor.expect_document(document_id)
    editor.press("o")
    for start, length, label in (
        *((0, 2, NAME), (0, 2, BOOK)),  # over the same characters
        *((3, 4, SCENE), (3, 2, ADDRESS), (5, 2, BOOK)),  # nested, at either end
        *((7, 3, ADDRESS), (9, 6, SCENE)),  # crossing
    ):
        editor.select(start, length)
        editor.press(label)
    tags = editor.text.locator("[data-tag]").evaluate_all(f"nodes => nodes.map(n => n.{_READ_TAG})")
    assert sorted(tags) == sorted(["姓名", "书名", "景点", "地址", "书名", "地址", "景点"])
    frame = editor.text.bounding_box()
    assert frame is not None
    boxes = boxes_of_tags(editor.page)
    assert len(boxes) == len(tags)
    for left, top, right, bottom in boxes:
        assert right - left > 15
        assert bottom - top > 10
        assert frame["x"] <= left < right <= frame["x"] + frame["width"]
    for first, second in combinations(boxes, 2):
        is_beside = first[2] <= second[0] or second[2] <= first[0]
        is_below = first[3] <= second[1] or second[3] <= first[1]
        assert is_beside or is_below, (first, second)


def boxes_of_tags(page: Page) -> list[tuple[float, float, float, float]]:
    """(left, top, right, bottom) of each tag: only the browser's debugger measures `::after`."""
    debugger = page.context.new_cdp_session(page)
    root = debugger.send("DOM.getDocument")["root"]["nodeId"]
    query = {"nodeId": root, "selector": ".ed-text [data-tag]"}
    boxes = []
    for node_id in debugger.send("DOM.querySelectorAll", query)["nodeIds"]:
        node = debugger.send("DOM.describeNode", {"nodeId": node_id})["node"]
        (tag,) = (it for it in node["pseudoElements"] if it["pseudoType"] == "after")
        found = debugger.send("DOM.getBoxModel", {"backendNodeId": tag["backendNodeId"]})
        left, top, _right, _top, right, bottom, *_ = found["model"]["content"]
        boxes.append((left, top, right, bottom))
    return boxes
