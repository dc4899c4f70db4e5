"""How a label looks and what it is called, the same on every page.

The colours are chosen so that colour-blind people can tell neighbours apart, and each is shown
together with the label's name: colour alone never carries the meaning.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ner_core.labels import LabelSet


@dataclass(frozen=True, slots=True)
class LabelStyle:
    """Colour and names of one label.

    Attributes:
        label: As in the label set.
        color: "#RRGGBB" for light pages; dark pages mix it with white where it is text.
        chinese: The name in Chinese; the label itself when nobody gave it one.
        english: The name in English; the label itself when nobody gave it one.
    """

    label: str
    color: str
    chinese: str
    english: str


_KNOWN: Final = {
    style.label: style
    for style in (
        LabelStyle("address", "#2F6FDE", "地址", "address"),
        LabelStyle("book", "#8A6D00", "书名", "book"),
        LabelStyle("company", "#0B7A75", "公司", "company"),
        LabelStyle("game", "#7A3FC2", "游戏", "game"),
        LabelStyle("government", "#B3261E", "政府", "government"),
        LabelStyle("movie", "#B5489B", "电影", "movie"),
        LabelStyle("name", "#C2570C", "姓名", "name"),
        LabelStyle("organization", "#1F7A34", "组织", "organization"),
        LabelStyle("position", "#5B6470", "职位", "position"),
        LabelStyle("scene", "#0077A8", "景点", "scene"),
        LabelStyle("PER", "#C2570C", "人名", "person"),
        LabelStyle("LOC", "#2F6FDE", "地名", "location"),
        LabelStyle("ORG", "#1F7A34", "机构名", "organization"),
    )
}
_WHEEL: Final = tuple(dict.fromkeys(style.color for style in _KNOWN.values()))


def style_labels(labels: LabelSet) -> tuple[LabelStyle, ...]:
    """The style of each label, in the order of the set.

    A label that is not known by name gets the next colour that no other label of the set has; a set
    of more labels than colours begins the wheel again.
    """
    used = {_KNOWN[label].color for label in labels.labels if label in _KNOWN}
    free = _cycle_free_colors(used)
    return tuple(
        _KNOWN.get(label) or LabelStyle(label, next(free), label, label) for label in labels.labels
    )


def _cycle_free_colors(used: set[str]) -> Iterator[str]:
    free = [color for color in _WHEEL if color not in used]
    yield from free
    while True:
        yield from _WHEEL
