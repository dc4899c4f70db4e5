"""The plain values of a project: its labels, how they look, what they mean, which model suggests.

A project's settings are kept as one JSON object, in which everything may be missing:

    {"labels": {"company": {"color": "#0B7A75", "zh": "公司", "en": "company", "guideline": "..."}},
     "guideline": "...", "model": "cluener-small",
     "annotators_per_text": 2, "independent_percent": 10}

Former names. A revision is never changed, so it keeps the name that a label had on its day. The
project remembers every name that a label has had, and whoever reads a revision gets today's name: a
rename touches no annotation, however many there are, and can be taken back. So that a name always
means the same label, it never goes to another one.
"""

import re
import reprlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from ner_core.labels import LabelSet
from ner_core.spans import Span, check_text

MAX_NAME_CHARACTERS: Final = 200
"""Of a project's and of a label's name."""
MAX_GUIDELINE_CHARACTERS: Final = 20_000
MAX_ANNOTATORS_PER_TEXT: Final = 5

_COLOR: Final = re.compile("#[0-9A-Fa-f]{6}")


@dataclass(frozen=True, slots=True)
class LabelSettings:
    """What somebody has decided about one label; "" leaves it to the program.

    Attributes:
        color: "#RRGGBB".
        chinese: Its name in Chinese.
        english: Its name in English.
        guideline: What is to be labelled with it and what is not, as plain text.

    Raises:
        ValueError: The colour is none, or a text is too long or cannot be stored.
    """

    color: str = ""
    chinese: str = ""
    english: str = ""
    guideline: str = ""

    def __post_init__(self) -> None:
        if self.color and not _COLOR.fullmatch(self.color):
            raise ValueError(f"expected a colour such as #0B7A75, got {reprlib.repr(self.color)}")
        for name in (self.chinese, self.english):
            check_length(name, MAX_NAME_CHARACTERS, "a label's name")
        check_length(self.guideline, MAX_GUIDELINE_CHARACTERS, "a guideline")

    def to_json(self) -> dict[str, str]:
        """What is stored: only what somebody has decided."""
        decided = {
            "color": self.color,
            "zh": self.chinese,
            "en": self.english,
            "guideline": self.guideline,
        }
        return {name: value for name, value in decided.items() if value}


@dataclass(frozen=True, slots=True)
class ProjectSettings:
    """What somebody has decided about a project.

    Attributes:
        labels: By label; a label that is missing has no settings of its own.
        guideline: What holds for all labels.
        model: The name of the model that suggests; None for the one that fits the labels best.
        annotators_per_text: How many people label a text without seeing each other's work, from 1
            to `MAX_ANNOTATORS_PER_TEXT`; see `annotation_store.independence`.
        independent_percent: The share of the texts that so many people label, from 1 to 100;
            without meaning where it is one person anyway.

    Raises:
        ValueError: A text is too long or cannot be stored, or a number is out of its range.
    """

    labels: Mapping[str, LabelSettings] = field(default_factory=dict)
    guideline: str = ""
    model: str | None = None
    annotators_per_text: int = 1
    independent_percent: int = 100

    def __post_init__(self) -> None:
        check_length(self.guideline, MAX_GUIDELINE_CHARACTERS, "a guideline")
        _check_range(self.annotators_per_text, MAX_ANNOTATORS_PER_TEXT, "annotators per text")
        _check_range(self.independent_percent, 100, "percent of the texts")
        if self.model is not None:
            check_length(self.model, 1000, "a model's name")

    def of(self, label: str) -> LabelSettings:
        """The settings of a label."""
        return self.labels.get(label, LabelSettings())

    def with_label(self, label: str, settings: LabelSettings) -> "ProjectSettings":
        """The same with other settings for one label."""
        return replace(self, labels={**self.labels, label: settings})

    def to_json(self) -> dict[str, Any]:
        """What is stored; `read_settings` reads it."""
        labels = {label: settings.to_json() for label, settings in self.labels.items()}
        decided: dict[str, Any] = {
            "labels": {label: settings for label, settings in labels.items() if settings},
            "guideline": self.guideline,
            "model": self.model,
        }
        if self.annotators_per_text > 1:
            decided["annotators_per_text"] = self.annotators_per_text
            decided["independent_percent"] = self.independent_percent
        return {name: value for name, value in decided.items() if value}


@dataclass(frozen=True, slots=True)
class Project:
    """A set of documents that are annotated with one label set.

    Attributes:
        name: Unique in its database.
        labels: In the order of the palette and its keys.
        settings: Colours, names, guidelines, model.
        former_labels: Every name that a label has had, to its present one; to None where the label
            was removed.
    """

    name: str
    labels: LabelSet
    settings: ProjectSettings = field(default_factory=ProjectSettings)
    former_labels: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def guidelines(self) -> dict[str, str]:
        """The guideline of each label that has one of its own."""
        return {
            label: settings.guideline
            for label, settings in self.settings.labels.items()
            if settings.guideline
        }

    @property
    def known_names(self) -> LabelSet:
        """The labels and their former names: what a model may call an entity that is ours."""
        return LabelSet((*self.labels.labels, *self._renamed))

    @property
    def _renamed(self) -> tuple[str, ...]:
        return tuple(old for old, label in self.former_labels.items() if label is not None)

    def check_label(self, label: str) -> None:
        """Refuse what is no label of the project.

        Raises:
            ValueError: Names the labels that are.
        """
        if label not in self.labels.labels:
            raise ValueError(
                f"expected one of the labels {', '.join(self.labels.labels)}, got {label!r}"
            )

    def names_of(self, label: str) -> tuple[str, ...]:
        """Every name by which a revision may call a label: its own and the former ones."""
        return (label, *(old for old, present in self.former_labels.items() if present == label))

    def adopt(self, spans: Iterable[Span]) -> tuple[Span, ...]:
        """A model's spans under today's names, without those of labels that are not the project's.

        A model that was trained before a label was renamed goes on using the former name.
        """
        own = set(self.labels.labels)
        renamed = (use_present_name(span, self.former_labels) for span in spans)
        return tuple(span for span in renamed if span.label in own)


def use_present_name(span: Span, former_labels: Mapping[str, str | None]) -> Span:
    """A span under its label's present name; one of a removed label stays as it is."""
    present = former_labels.get(span.label)
    return span if present is None else Span(span.start, span.end, present, span.score)


def read_settings(stored: object) -> ProjectSettings:
    """The settings that `ProjectSettings.to_json` has made.

    Raises:
        ValueError: It is another kind of object.
    """
    numbers = {"annotators_per_text", "independent_percent"}
    fields = _object(stored, "settings", {"labels", "guideline", "model", *numbers})
    labels = _object(fields.get("labels", {}), "settings of labels", None)
    model = fields.get("model")
    return ProjectSettings(
        labels={label: _read_label(settings) for label, settings in labels.items()},
        guideline=_string(fields, "guideline"),
        model=None if model is None else _string(fields, "model"),
        **{name: fields[name] for name in numbers & fields.keys()},
    )


def read_former_labels(stored: object) -> dict[str, str | None]:
    """The former names of a project's labels, as they stand in the database.

    Raises:
        ValueError: It is another kind of object.
    """
    former = _object(stored, "former labels", None)
    for label in former.values():
        if not isinstance(label, str | None):
            raise ValueError(f"expected a label or null, got {reprlib.repr(label)}")
    return former


def check_project_name(name: str) -> None:
    """Refuse what cannot be a project's name.

    Raises:
        ValueError: It is blank, too long, or cannot be stored.
    """
    check_text(name)
    if not name.strip() or len(name) > MAX_NAME_CHARACTERS:
        raise ValueError(
            f"expected a project name of 1 to {MAX_NAME_CHARACTERS} characters, got {name!r}"
        )


def check_length(text: str, max_characters: int, what: str) -> None:
    """Refuse a text that is too long or cannot be stored.

    Raises:
        ValueError: Says what it is and how long it may be.
    """
    check_text(text)
    if len(text) > max_characters:
        raise ValueError(
            f"expected at most {max_characters} characters for {what}, got {len(text)}"
        )


def _read_label(stored: object) -> LabelSettings:
    fields = _object(stored, "settings of a label", {"color", "zh", "en", "guideline"})
    return LabelSettings(
        color=_string(fields, "color"),
        chinese=_string(fields, "zh"),
        english=_string(fields, "en"),
        guideline=_string(fields, "guideline"),
    )


def _object(stored: object, what: str, names: set[str] | None) -> dict[str, Any]:
    if not isinstance(stored, dict) or not (names is None or stored.keys() <= names):
        raise ValueError(f"expected an object of {what}, got {reprlib.repr(stored)}")
    return stored


def _check_range(number: object, most: int, what: str) -> None:
    # type() and not isinstance(): JSON's true would pass as the integer 1.
    if type(number) is not int or not 1 <= number <= most:
        raise ValueError(f"expected 1 to {most} {what}, got {reprlib.repr(number)}")


def _string(fields: Mapping[str, object], name: str) -> str:
    value = fields.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"expected text as {name}, got {reprlib.repr(value)}")
    return value
