"""How a text is drawn with its entities, block by block: the scripts in a page of their own."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from webui.annotator import component

pytestmark = pytest.mark.e2e

_FOLDER = Path(component.__file__).parent
# What the tests ask of the page. An entity is drawn in several elements where it has several parts.
_ASK = """
const styleOf = ({ label }) => ({ name: label, color: "#123456" });
window.cut = (text) => cutIntoBlocks(new TextOffsets(text));
const catchUp = (tagged) => tagged.blocksBetween(0, Infinity);
window.draw = (text, versions) => {
  const offsets = new TextOffsets(text);
  const frozen = new Map();
  const keep = (entity) => {
    const key = JSON.stringify(entity);
    if (!frozen.has(key)) frozen.set(key, Object.freeze(entity));
    return frozen.get(key);
  };
  const drawn = new TaggedText(document.createElement("div"), "entity", { isSightFirst: true });
  return versions.map((version, index) => {
    const entities = version.map(keep);
    drawn.draw(offsets, entities, styleOf);
    // Now and then a block out of sight is not drawn before the next change.
    if (index % 2 && index < versions.length - 1) return null;
    catchUp(drawn);
    const anew = new TaggedText(document.createElement("div"), "entity", { isSightFirst: true });
    anew.draw(offsets, entities, styleOf);
    catchUp(anew);
    return {
      isAsAnew: drawn.container.isEqualNode(anew.container),
      text: drawn.container.textContent,
      mentions: entities.map((entity) =>
        drawn.elementsOf(entity).map((element) => element.textContent).join("")),
      nodes: drawn.blocks.flatMap(({ nodes }) => nodes.map(({ node, unit }) => [node.data, unit])),
    };
  });
};
"""


@pytest.fixture(scope="module")
def page(chromium: Browser) -> Iterator[Page]:
    scripts = [
        (_FOLDER / name).read_text(encoding="utf-8") for name in component.TAGGED_TEXT_SCRIPTS
    ]
    page = chromium.new_page()
    page.add_script_tag(content="\n".join([*scripts, _ASK]))
    yield page
    page.close()


_LINES = st.text(alphabet=st.sampled_from("天气好。；”，a 😀𠮷\u0301\u200d👩\r"), max_size=60)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Some lines, each said over and over: short, or longer than a block."""
    times = st.sampled_from((1, 1, 5, 40, 130))
    return "\n".join(draw(_LINES) * draw(times) for _ in range(draw(st.integers(1, 4))))


@st.composite
def annotated(draw: st.DrawFn) -> tuple[str, list[list[dict[str, Any]]]]:
    """A text, and its entities before and after some changes; they may nest, cross and be long."""
    text = draw(texts().filter(bool))

    def entity() -> dict[str, Any]:
        start = draw(st.integers(0, len(text) - 1))
        length = draw(st.sampled_from((1, 2, 5, 400)))
        label = draw(st.sampled_from(("name", "book")))
        is_model = draw(st.booleans())
        source = {"source": "model", "score": 0.5} if is_model else {"source": "human"}
        return {"start": start, "end": min(len(text), start + length), "label": label, **source}

    pool = [entity() for _ in range(draw(st.integers(1, 6)))]
    pool += [{**each, "label": "scene", "source": "human"} for each in pool]  # relabelled
    pool = [each for index, each in enumerate(pool) if each not in pool[:index]]
    versions = st.lists(
        st.lists(st.integers(0, len(pool) - 1), unique=True), min_size=1, max_size=4
    )

    def order(version: list[int]) -> list[dict[str, Any]]:
        return sorted((pool[index] for index in version), key=lambda it: (it["start"], it["end"]))

    return text, [order(version) for version in draw(versions)]


@settings(max_examples=100, deadline=None)
@given(text=texts())
def test_blocks_are_the_text_and_end_with_a_line_wherever_they_can(page, text):
    blocks = page.evaluate("text => cut(text)", text)
    assert "".join(text[block["start"] : block["end"]] for block in blocks) == text
    for block in blocks:
        before = text[: block["start"]]
        assert block["isContinuation"] == (before != "" and not before.endswith("\n"))
        line = re.split("\n", before)[-1] + re.split("\n", text[block["start"] :])[0]
        # Only lines that would fill the frame several times are cut.
        assert not block["isContinuation"] or len(line) > 1000
        if "\u0301" not in text and "\u200d" not in text:  # a reader's character can be long
            assert block["end"] - block["start"] <= 1300


def test_a_line_that_is_too_long_is_cut_behind_a_sentence(page):
    blocks = page.evaluate("text => cut(text)", "他说：“你好。”她没有回答；" * 200)
    assert len(blocks) > 2
    assert all(block["end"] % 14 in (8, 0) for block in blocks)  # behind 。” or ；


@settings(max_examples=100, deadline=None)
@given(example=annotated())
def test_a_change_draws_what_drawing_all_anew_would(page, example):
    text, versions = example
    drawn = page.evaluate("([text, versions]) => draw(text, versions)", [text, versions])
    for version, result in zip(versions, drawn, strict=True):
        if result is None:
            continue
        assert result["isAsAnew"]
        assert result["text"] == text
        assert result["mentions"] == [text[it["start"] : it["end"]] for it in version]
        units = 0
        for data, unit in result["nodes"]:
            assert unit == units
            units += len(data.encode("utf-16-le")) // 2
