"""The plain values that the store takes and returns: documents and their revisions.

None of them holds a database connection; all can be kept, compared and handed between threads.
"""

import hashlib
import math
import reprlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, cast, get_args

from ner_core.spans import Span, check_spans, check_text

Status = Literal["new", "accepted", "rejected", "ignored", "flagged"]
Source = Literal["model", "human", "import", "review"]

STATUSES: tuple[Status, ...] = get_args(Status)
SOURCES: tuple[Source, ...] = get_args(Source)

UNUSED: tuple[Status, ...] = ("rejected", "ignored")
"""Statuses of texts that are not to be used; nobody labels those."""

CluenerLabel = dict[str, dict[str, list[list[int]]]]
"""CLUENER's `label` object: label -> mention -> positions, ends inclusive."""

MAX_NOTE_CHARACTERS = 500
"""A note says why in a line or two."""


@dataclass(frozen=True, slots=True)
class NewDocument:
    """A text to add.

    Attributes:
        text: Stored exactly as given: never stripped, never normalised.
        spans: None while nobody has labelled the text, () when somebody found it to hold no entity.
        external_id: What the document is called where it came from; "" when it has no name there.
        status: "accepted" for spans that somebody has checked.
        suggestions: Spans that nobody has decided on yet, with their scores if they have any.
        annotator: Who labelled it; "" for whoever adds the documents.
        is_preannotated: A model or another tool labelled it and nobody has confirmed that; what it
            found stands in `suggestions`, which may be empty.
        note: What its annotator wants others to know; kept where somebody has said something.

    Raises:
        ValueError: The text or the note cannot be stored, a span ends behind it, the status is
            unknown, or a pre-annotated document has confirmed spans or is no longer new.
    """

    text: str
    spans: tuple[Span, ...] | None = None
    external_id: str = ""
    status: Status = "new"
    suggestions: tuple[Span, ...] = ()
    annotator: str = ""
    is_preannotated: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        check_text(self.text)
        check_text(self.external_id)
        if not self.text or self.text.isspace():
            raise ValueError(
                "expected a text with a character that is not blank,"
                f" got {len(self.text)} blank characters"
            )
        check_status(self.status)
        check_text(self.annotator)
        check_note(self.note)
        for spans in (self.spans or (), self.suggestions):
            check_spans(self.text, spans)
        if self.is_preannotated and (self.spans or self.status != "new"):
            raise ValueError(
                "expected suggestions only and status new for a pre-annotated document,"
                f" got {len(self.spans or ())} confirmed spans and status {self.status}"
            )

    @property
    def has_revision(self) -> bool:
        """Whether somebody has said something about it: it then begins with revision 1."""
        return (
            self.spans is not None
            or self.status != "new"
            or bool(self.suggestions)
            or self.is_preannotated
        )


@dataclass(frozen=True, slots=True)
class Revision:
    """One version of a document's annotation; it never changes once it is stored.

    Attributes:
        number: 1 for the first; 0 stands for the state before any.
        label: The confirmed spans as CLUENER's `label` object.
        spans: The same spans, sorted, without scores.
        suggestions: The model's spans that nobody has decided on yet, with their scores, sorted.
        status: What the revision makes of the document.
        source: Who made it: a model, a human, an import, or a human who reviewed what others had
            made of the text.
        annotator: The name of that model or human; "" when unknown.
        created_at: When it was stored, in UTC.
        num_changes: Confirmed spans that were added or removed since the revision before; a span
            with a new border or label counts twice, as removed and as added.
        duration_s: How long the annotator had the text in front of them, in seconds; None when
            nobody took the time.
        is_preannotated: The import of what a model or another tool made of the text; nobody has
            confirmed its suggestions.
        is_independent: One person's own version of a text that several people label without seeing
            each other's work; see `annotation_store.independence`.
        note: What its author wants others to know, for example why they flagged the text; "" where
            there is nothing to say.
    """

    number: int
    label: CluenerLabel
    spans: tuple[Span, ...]
    suggestions: tuple[Span, ...]
    status: Status
    source: Source
    annotator: str
    created_at: datetime
    num_changes: int
    duration_s: float | None = None
    is_preannotated: bool = False
    is_independent: bool = False
    note: str = ""

    @property
    def is_confirmed(self) -> bool:
        """Whether people stand behind it: no model made it, and it is no pre-annotation."""
        return self.source != "model" and not self.is_preannotated


@dataclass(frozen=True, slots=True)
class Document:
    """A stored text with the revision that counts.

    That is the newest one, unless people label the text independently of each other; see
    `annotation_store.independence`.

    Attributes:
        id: The store's number for it, unique over all projects.
        project: The name of its project.
        text: Exactly as it was added.
        position: 1 for the project's first document.
        revision: None while nobody, human or model, has labelled it.
        external_id: What the document is called where it came from; "" when it has no name there.
    """

    id: int
    project: str
    text: str
    position: int
    revision: Revision | None
    external_id: str = ""

    @property
    def revision_number(self) -> int:
        """The number that the next save must name as its base; 0 before the first revision."""
        return self.revision.number if self.revision else 0

    @property
    def status(self) -> Status:
        """The status of the revision that counts; "new" before the first."""
        return self.revision.status if self.revision else "new"

    @property
    def spans(self) -> tuple[Span, ...]:
        """The confirmed spans."""
        return self.revision.spans if self.revision else ()

    @property
    def note(self) -> str:
        """What the author of the revision that counts wants others to know."""
        return self.revision.note if self.revision else ""

    @property
    def suggestions(self) -> tuple[Span, ...]:
        """The model's spans that nobody has decided on yet."""
        return self.revision.suggestions if self.revision else ()


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some documents of a listing and how many the listing has in all."""

    documents: tuple[Document, ...]
    num_total: int


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of the documents that were to be added.

    Attributes:
        added_ids: In the order given.
        num_duplicates: Documents left out because the project holds their text already, or because
            it stood in the same batch before.
    """

    added_ids: tuple[int, ...]
    num_duplicates: int


class StoreError(ValueError):
    """A database that cannot be opened or used; the message is one line, fit to be shown."""


class DatabaseNotFound(StoreError):
    """There is no such database file."""


class DamagedRow(StoreError):
    """A row that this program cannot have written; see `Database.clear_errors`.

    Attributes:
        reason: What was expected and what stands there.
        place: Whose row it is, for example "document 3, revision 2".
    """

    def __init__(self, reason: str, place: str) -> None:
        self.reason = reason
        self.place = place
        super().__init__(f"{reason} ({place})")


class DocumentNotFound(LookupError):
    """There is no such document."""


class StaleRevision(ValueError):
    """A save started from a revision that others have followed on.

    Attributes:
        current: The one it has to start from; number 0 when the document has none.
    """

    def __init__(self, document_id: int, base_revision: int, current: Revision) -> None:
        self.current = current
        super().__init__(
            f"expected base revision {current.number}, the newest,"
            f" got {base_revision} (document {document_id})"
        )


def digest_text(text: str) -> str:
    """The SHA-256 of a text, by which the store tells whether it has the text already."""
    return hashlib.sha256(text.encode()).hexdigest()


def check_status(status: str) -> None:
    """Refuse a word that is no status.

    Raises:
        ValueError: Names the word and the five statuses.
    """
    if status not in STATUSES:
        raise ValueError(f"expected one of the statuses {', '.join(STATUSES)}, got {status!r}")


def check_duration(duration_s: object) -> None:
    """Refuse what is no length of time; None stands for an unknown one.

    Raises:
        ValueError: Names the value.
    """
    if duration_s is None:
        return
    # JSON's true is an int to Python.
    is_number = isinstance(duration_s, int | float) and not isinstance(duration_s, bool)
    if not (is_number and 0 <= cast(float, duration_s) < math.inf):
        raise ValueError(f"expected a duration in seconds from 0, got {reprlib.repr(duration_s)}")


def check_note(note: str) -> None:
    """Refuse a note that cannot be stored, or is an essay.

    Raises:
        ValueError: Names what was expected.
    """
    check_text(note)
    if len(note) > MAX_NOTE_CHARACTERS:
        raise ValueError(
            f"expected the note to have at most {MAX_NOTE_CHARACTERS} characters, got {len(note)}"
        )


def check_origin(source: str, annotator: str) -> None:
    """Refuse a word that is no source, and a name that cannot be stored.

    Raises:
        ValueError: Names what was expected.
    """
    if source not in SOURCES:
        raise ValueError(f"expected one of the sources {', '.join(SOURCES)}, got {source!r}")
    check_text(annotator)
