"""How a label looks and what it is called, the same on every page.

The colours differ for colour-blind people, too (a test simulates three kinds of it), and each is
shown together with the label's name: colour alone never carries the meaning.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from annotation_store.projects import ProjectSettings
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
        LabelStyle("company", "#23705E", "公司", "company"),
        LabelStyle("game", "#7A3FC2", "游戏", "game"),
        LabelStyle("government", "#AB1D18", "政府", "government"),
        LabelStyle("movie", "#B5489B", "电影", "movie"),
        LabelStyle("name", "#BA5331", "姓名", "name"),
        LabelStyle("organization", "#477F35", "组织", "organization"),
        LabelStyle("position", "#5B6470", "职位", "position"),
        LabelStyle("scene", "#0C7AA5", "景点", "scene"),
        LabelStyle("PER", "#BA5331", "人名", "person"),
        LabelStyle("LOC", "#2F6FDE", "地名", "location"),
        LabelStyle("ORG", "#477F35", "机构名", "organization"),
    )
}
_WHEEL: Final = tuple(dict.fromkeys(style.color for style in _KNOWN.values()))


def style_labels(labels: LabelSet, settings: ProjectSettings | None) -> tuple[LabelStyle, ...]:
    """The style of each label, in the order of the set.

    A label that is not known by name gets the next colour that no other label of the set has; a set
    of more labels than colours begins the wheel again.

    Args:
        labels: The labels.
        settings: What a project has decided about them goes first; None for labels of no project,
            such as a model's. There is no default: no page of a project shall forget it.
    """
    settings = settings or ProjectSettings()
    decided = {label: settings.of(label) for label in labels.labels}
    used = {
        decided[label].color.upper() or _KNOWN[label].color
        for label in labels.labels
        if decided[label].color or label in _KNOWN
    }
    free = _cycle_free_colors(used)
    styles = []
    for label in labels.labels:
        known = _KNOWN.get(label)
        own = decided[label]
        styles.append(
            LabelStyle(
                label,
                own.color or (known.color if known else next(free)),
                own.chinese or (known.chinese if known else label),
                own.english or (known.english if known else label),
            )
        )
    return tuple(styles)


def _cycle_free_colors(used: set[str]) -> Iterator[str]:
    free = [color for color in _WHEEL if color not in used]
    yield from free
    while True:
        yield from _WHEEL
