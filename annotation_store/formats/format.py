"""What all formats share: the rules by which a document's state is read and written.

A document's state is its text, its id elsewhere, its status, its confirmed spans (none at all while
nobody has labelled it), the suggestions that are still to be decided on, who labelled it, and the
mark of what a model or another tool labelled and nobody has confirmed, and a note. The history of
its revisions stays in the database. Formats of JSON objects hold all of it in four keys beside
their own, each only where it says something:

- "status": without it, labelled documents are accepted and others are new;
- "suggestions": `[{"start", "end", "label", "score"}, ...]`, half-open, in code points; with it and
  without labels the document is pre-annotated;
- "annotator";
- "note": what the annotator wants others to know.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from annotation_store.documents import STATUSES, Document, NewDocument, Status
from annotation_store.formats.offsets import OffsetUnit
from annotation_store.formats.source import ReadingNotes, Source
from ner_core.formats import DataFormatError, quote
from ner_core.labels import LabelSet
from ner_core.spans import Span, check_text

FormatName = Literal[
    "txt", "csv", "jsonl", "cluener", "conll", "doccano", "label-studio", "hugging-face"
]

Item = NewDocument | DataFormatError
"""What a reader finds: a document, or why there is none."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is to be read.

    Attributes:
        labels: The labels that may occur; None for any.
        column: Where the text stands: a column of a CSV file, a key of JSON objects. None for
            "text".
        offsets: The unit of doccano's offsets, which nothing in its files tells.
        labelled_status: The status of labelled documents whose file names none.
        is_predicted: The labels are a model's or another tool's, and nobody has checked them: they
            become suggestions, whatever status the file names.
        max_characters: A longer text is an error; None for no limit.
    """

    labels: LabelSet | None = None
    column: str | None = None
    offsets: OffsetUnit = "code-points"
    labelled_status: Status = "accepted"
    is_predicted: bool = False
    max_characters: int | None = None


@dataclass(frozen=True, slots=True)
class Format:
    """One format.

    Attributes:
        name: What command lines and programs call it.
        title: What people call it.
        suffix: The ending of its files.
        read: The documents of a source, and an error for each place that is wrong. Raises
            DataFormatError when the rest cannot be read at all.
        write: Documents as lines without their ends; the labels are the project's.
        hold: What an import finds of a document that was exported; None if nothing.
    """

    name: FormatName
    title: str
    suffix: str
    read: Callable[[Source, ReadOptions, ReadingNotes], Iterator[Item]]
    write: Callable[[Iterable[NewDocument], LabelSet], Iterator[str]]
    hold: Callable[[NewDocument], NewDocument | None]


def state_of(document: Document) -> NewDocument:
    """A stored document as one to add elsewhere, with all of its state."""
    revision = document.revision
    if revision is None:
        return NewDocument(document.text, external_id=document.external_id)
    is_preannotated = (
        revision.is_preannotated or revision.source == "model" or bool(revision.suggestions)
    ) and not (revision.spans or revision.status != "new")
    return NewDocument(
        document.text,
        None if is_preannotated else revision.spans,
        document.external_id,
        revision.status,
        suggestions=revision.suggestions,
        annotator=revision.annotator,
        is_preannotated=is_preannotated,
        note=revision.note,
    )


def make_document(
    text: object,
    spans: Iterable[Span] | None,
    options: ReadOptions,
    *,
    external_id: object = "",
    status: object = None,
    suggestions: Iterable[Span] | None = None,
    annotator: object = "",
    note: str = "",
) -> NewDocument:
    """A document of what stood in a file.

    Args:
        text: The text.
        spans: Labels; None where there are none, which is not the same as an empty list.
        options: See `ReadOptions`.
        external_id: A string or an integer.
        status: One of the five; None if the file names none.
        suggestions: Labels that nobody has confirmed; None where there is no such list.
        annotator: Who labelled it.
        note: What they want others to know.

    Raises:
        ValueError: Names what was expected and what came.
    """
    if not isinstance(text, str):
        raise ValueError(f"expected a string as text, got {quote(text)}")
    if options.max_characters is not None and len(text) > options.max_characters:
        raise ValueError(
            f"expected a text of at most {options.max_characters} characters, got {len(text)}"
        )
    if external_id is None:
        external_id = ""
    if type(external_id) not in (str, int):
        raise ValueError(f'expected a string or an integer as "id", got {quote(external_id)}')
    if not isinstance(annotator, str):
        raise ValueError(f'expected a name as "annotator", got {quote(annotator)}')
    found = None if spans is None else tuple(sorted(set(spans)))
    open_spans = None if suggestions is None else _merge(suggestions, found or ())
    if options.is_predicted and not (found is None and open_spans is None):
        found, open_spans, status = None, _merge((*(open_spans or ()), *(found or ())), ()), None
    if options.labels is not None:
        options.labels.check_spans((*(found or ()), *(open_spans or ())))
    known_status: Status = "new" if found is None else options.labelled_status
    if status is not None:
        known_status = _status_of(status)
    return NewDocument(
        text,
        found,
        str(external_id),
        known_status,
        suggestions=open_spans or (),
        annotator=annotator,
        is_preannotated=open_spans is not None and found is None and known_status == "new",
        note=note,
    )


def _merge(suggestions: Iterable[Span], confirmed: Iterable[Span]) -> tuple[Span, ...]:
    """Suggestions as the store keeps them: sorted, each once, none that is confirmed."""
    return tuple(sorted(set(suggestions) - set(confirmed)))


def _status_of(value: object) -> Status:
    for status in STATUSES:
        if status == value:
            return status
    raise ValueError(f"expected a status of {', '.join(STATUSES)}, got {quote(value)}")


def read_state(record: dict[str, object]) -> dict[str, Any]:
    """Those arguments of `make_document` that the shared keys of a JSON object hold.

    Raises:
        ValueError: One of them has another shape.
    """
    items = record.get("suggestions")
    suggestions = None
    if items is not None:
        if not isinstance(items, list):
            raise ValueError(f'expected a list as "suggestions", got {quote(items)}')
        suggestions = list(map(read_span, items))
    annotator = record.get("annotator")
    # In a file of another tool, "note" may be anything.
    note = record.get("note") if record.get("status") in STATUSES else ""
    return {
        "external_id": record.get("id", ""),
        "status": record.get("status"),
        "suggestions": suggestions,
        "annotator": "" if annotator is None else annotator,
        "note": note if isinstance(note, str) else "",
    }


def write_state(document: NewDocument) -> dict[str, object]:
    """The shared keys that say something about a document, but for "id", which stands first."""
    record: dict[str, object] = {}
    # A note is read beside a status only.
    is_usual = document.status == ("new" if document.spans is None else "accepted")
    if not is_usual or document.note:
        record["status"] = document.status
    if document.suggestions or document.is_preannotated:
        record["suggestions"] = [
            {"start": span.start, "end": span.end, "label": span.label, "score": span.score}
            for span in document.suggestions
        ]
    if document.annotator:
        record["annotator"] = document.annotator
    if document.note:
        record["note"] = document.note
    return record


def read_span(item: object) -> Span:
    """A span of a JSON object with "start", "end" and "label", half-open, and perhaps "score".

    Raises:
        ValueError: It has another shape.
    """
    if isinstance(item, dict):
        start, end, label = item.get("start"), item.get("end"), item.get("label")
        score = item.get("score")
        # type() and not isinstance(): JSON's true would pass as the integer 1.
        if (
            type(start) is int
            and type(end) is int
            and type(label) is str
            and (score is None or type(score) in (int, float))
        ):
            check_text(label)
            return Span(start, end, label, score)
    raise ValueError(f'expected a span with "start", "end" and "label", got {quote(item)}')


def without_confirmed_labels(document: NewDocument) -> NewDocument:
    """A document that keeps only its text, as formats that hold nothing else do."""
    return replace(
        document,
        spans=None,
        external_id="",
        status="new",
        suggestions=(),
        annotator="",
        is_preannotated=False,
        note="",
    )


def check_mention(text: str, span: Span, mention: object) -> None:
    """Refuse a mention that is not what stands at its place.

    Raises:
        ValueError: Names both.
    """
    if mention is not None and mention != text[span.start : span.end]:
        raise ValueError(
            f"expected {quote(mention)} at {span.start} to {span.end} (half-open, code points),"
            f" got {quote(text[span.start : span.end])}"
        )


def list_of(value: object, expected: str) -> list[object]:
    """A value that must be a list.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, list):
        raise ValueError(f"expected {expected}, got {quote(value)}")
    return value


def object_of(value: object, expected: str) -> dict[str, object]:
    """A value that must be an object.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(value, dict):
        raise ValueError(f"expected {expected}, got {quote(value)}")
    return value
