"""What the page Review and the server say to each other: plain JSON, half-open code points.

Nothing that the browser sends is trusted: it names documents, sides and choices; texts, spans and
probabilities come from the database and the models. Each answer echoes the `request` token of what
it answers and has a `nonce`: Gradio does not notice a value that is equal to the one before.
"""

import reprlib
import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from annotation_store.review import AuthorCount, UndecidedPair
from ner_core.error_analysis import Outcome
from ner_core.spans import Span, check_text
from webui.comparisons import ComparedDocument, Comparison, Side
from webui.differences import Difference
from webui.messages import Refusal

Message = dict[str, Any]

KINDS: Final[dict[str, Outcome]] = {
    "label": Outcome.WRONG_LABEL,
    "border": Outcome.WRONG_BORDERS,
    "both": Outcome.WRONG_LABEL_AND_BORDERS,
    "left_only": Outcome.MISSED,
    "right_only": Outcome.SPURIOUS,
}
"""The kinds of differences of the two sides, as the page calls them."""
ONLY_OTHERS: Final = "other"
"""The kind of those in which a further version differs from both sides, which are alike."""
_KIND_OF: Final = {outcome: kind for kind, outcome in KINDS.items()}

_MAX_NAME_CHARACTERS: Final = 64
_MAX_STRING_CHARACTERS: Final = 20_000
_MAX_INTEGER: Final = 2**63 - 1  # what the database can hold
# All in characters: a longer text is shown around its differences only.
_SHOWN_WHOLE: Final = 400
_CONTEXT: Final = 60


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents of a comparison to list.

    Attributes:
        kind: One of KINDS, ONLY_OTHERS, or "all".
        left: Only differences in which the left span has this label; "" for any.
        right: The same of the right span.
        label: Only differences in which any span has this label; "" for any.
        state: "open" for documents that no reviewer has decided on, "reviewed", or "all".
    """

    kind: str
    left: str
    right: str
    label: str
    state: str

    @classmethod
    def from_fields(cls, fields: dict[str, Any]) -> "Filter":
        """Read what the browser sent.

        Raises:
            Refusal: Names what was expected.
        """
        kind, state = string(fields, "kind"), string(fields, "state")
        if kind not in ("all", ONLY_OTHERS, *KINDS):
            raise Refusal(f"expected a kind of difference, got {reprlib.repr(kind)}")
        if state not in ("open", "reviewed", "all"):
            raise Refusal(f"expected open, reviewed or all, got {reprlib.repr(state)}")
        left, right = string(fields, "left_label"), string(fields, "right_label")
        return cls(kind, left, right, string(fields, "label"), state)

    def matches(self, document: ComparedDocument) -> bool:
        """Whether to list a document: it has a difference that all conditions hold for."""
        if self.state != "all" and document.document.is_reviewed != (self.state == "reviewed"):
            return False
        return any(map(self._matches_difference, document.differences))

    def _matches_difference(self, difference: Difference) -> bool:
        left = difference.left.label if difference.left else ""
        right = difference.right.label if difference.right else ""
        return (
            (self.kind == "all" or difference.outcome is KINDS.get(self.kind))
            and (not self.left or self.left == left)
            and (not self.right or self.right == right)
            and (not self.label or self.label in {span.label for span in difference.spans})
        )


def fields_of(payload: object) -> dict[str, Any]:
    """The fields of a request.

    Raises:
        Refusal: It is no object.
    """
    if not isinstance(payload, dict):
        raise Refusal(f"expected an object, got {type(payload).__name__}")
    return payload


def string(fields: dict[str, Any], name: str) -> str:
    """A string that can be stored.

    Raises:
        Refusal: It is something else, or too long.
    """
    value = fields.get(name)
    if not isinstance(value, str):
        raise Refusal(f"expected {name} to be a string, got {type(value).__name__}")
    if len(value) > _MAX_STRING_CHARACTERS:
        raise Refusal(
            f"expected {name} to have at most {_MAX_STRING_CHARACTERS} characters, got {len(value)}"
        )
    try:
        check_text(value)
    except ValueError as error:
        raise Refusal(f"{error} ({name})") from None
    return value


def integer(fields: dict[str, Any], name: str) -> int:
    """A whole number that the database can hold.

    Raises:
        Refusal: It is something else.
    """
    value = fields.get(name)
    # type() and not isinstance(): JSON's true would pass as the integer 1.
    if type(value) is not int or not 0 <= value <= _MAX_INTEGER:
        raise Refusal(f"expected {name} to be a whole number, got {reprlib.repr(value)}")
    return value


def reviewer(fields: dict[str, Any], username: str | None) -> str:
    """Who decides: the name that was signed in with, or the one that the visitor goes by.

    Raises:
        Refusal: There is neither.
    """
    name = username or string(fields, "annotator").strip()
    if not 1 <= len(name) <= _MAX_NAME_CHARACTERS:
        raise Refusal(f"expected a name of 1 to {_MAX_NAME_CHARACTERS} characters, got {len(name)}")
    return name


def message(kind: str, request: object, **values: Any) -> Message:
    """An answer; `request` is the token of what it answers."""
    token = request if isinstance(request, str) and len(request) <= 64 else None
    return {"nonce": uuid.uuid4().hex, "kind": kind, "request": token, **values}


def describe_sides(
    authors: Sequence[AuthorCount],
    num_confirmed: int,
    models: Sequence[str],
    undecided: Sequence[UndecidedPair] = (),
) -> Message:
    """Whose versions can be compared, and which two to begin with.

    Two people between whom a reviewer is to decide come first, then two annotators; with fewer of
    them, what counts against the model.
    """
    counts: list[tuple[Side, int | None]] = [(Side("confirmed"), num_confirmed)]
    counts += [(Side(it.author.source, it.author.annotator), it.num_documents) for it in authors]
    counts += [(Side("model", name), None) for name in models]
    people = [Side(it.author.source, it.author.annotator).value for it in authors]
    first_model = Side("model", models[0]).value if models else None
    left, right = people[:2] if len(people) > 1 else (Side("confirmed").value, first_model)
    pairs = [tuple(Side("human", name).value for name in pair.annotators) for pair in undecided]
    if pairs:
        left, right = pairs[0]
    return {
        "sides": [
            {"value": side.value, "kind": side.kind, "name": side.name, "count": count}
            for side, count in counts
        ],
        "left": left,
        "right": right,
        "num_people": len(people),
        "undecided": [
            {"left": left, "right": right, "count": pair.num_documents}
            for (left, right), pair in zip(pairs, undecided, strict=True)
        ],
    }


def describe_agreement(comparison: Comparison) -> Message:
    """The figures of a comparison.

    F1 and kappa are those of the texts with independent versions, where there are any; differences
    are counted over all texts.
    """
    independent = comparison.independent_agreement
    measured = independent if independent.num_texts else comparison.agreement
    labels = list(measured.per_label)
    confusion = comparison.agreement.confusion
    kinds = {kind: confusion.total(outcome) for kind, outcome in KINDS.items()}
    num_others = sum(it.outcome is None for of in comparison.documents for it in of.differences)
    if num_others:
        kinds[ONLY_OTHERS] = num_others
    return {
        "num_texts": comparison.agreement.num_texts,
        "num_independent": independent.num_texts,
        "num_measured": measured.num_texts,
        "num_same_texts": measured.num_same_texts,
        "total": asdict(measured.total),
        "labels": [{"label": label, **asdict(of)} for label, of in measured.per_label.items()],
        "kinds": kinds,
        "matrix": [[confusion.confused(left, right) for right in labels] for left in labels],
        "left_only": [confusion.missed(label) for label in labels],
        "right_only": [confusion.spurious(label) for label in labels],
    }


def describe_document(compared: ComparedDocument, *, left: Side, right: Side) -> Message:
    """A document with its differences, as the page draws it."""
    document = compared.document
    text = document.text
    shown = _ranges(len(text), compared.differences)
    sides = {(side.kind, side.name) for side in (left, right)}
    newest = (document.newest_source, document.newest_annotator)
    is_seen = (
        newest in sides
        or Side("confirmed") in (left, right)
        or document.is_reviewed
        or document.is_undecided
    )
    return {
        "id": document.id,
        "position": document.position,
        "revision": document.revision_number,
        "state": compared.state,
        "is_reviewed": document.is_reviewed,
        # A third person's version, which a decision would replace.
        "newer": None if is_seen else document.newest_annotator,
        "reviewer": document.newest_annotator if document.newest_source == "review" else None,
        "notes": [{"name": name, "text": note} for name, note in document.notes],
        "length": len(text),
        "parts": [{"start": start, "text": text[start:end]} for start, end in shown],
        "agreed": [
            _describe_span(span, compared)
            for span in compared.agreed
            if any(span.start < end and start < span.end for start, end in shown)
        ],
        "differences": [
            {
                "kind": _KIND_OF[it.outcome] if it.outcome else ONLY_OTHERS,
                "left": _describe_span(it.left, compared),
                "right": _describe_span(it.right, compared),
                "others": [
                    {"names": list(other.names), "span": _describe_span(other.span, compared)}
                    for other in it.others
                ],
            }
            for it in compared.differences
        ],
    }


def _ranges(num_characters: int, differences: Sequence[Difference]) -> list[tuple[int, int]]:
    """What is shown of a text: all of a short one, else what stands around the differences."""
    if num_characters <= _SHOWN_WHOLE or not differences:
        return [(0, min(num_characters, _SHOWN_WHOLE))]
    ranges: list[tuple[int, int]] = []
    for it in sorted(differences, key=lambda it: it.start):
        start, end = max(0, it.start - _CONTEXT), min(num_characters, it.end + _CONTEXT)
        if ranges and start <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(end, ranges[-1][1]))
        else:
            ranges.append((start, end))
    return ranges


def _describe_span(span: Span | None, compared: ComparedDocument) -> Message | None:
    if span is None:
        return None
    return {
        "start": span.start,
        "end": span.end,
        "label": span.label,
        "text": compared.document.text[span.start : span.end],
        "score": span.score,
    }
