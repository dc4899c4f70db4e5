"""What the editor and the server say to each other: plain JSON, offsets half-open in code points.

The browser sends requests; nothing in them is trusted. A save names a document, the revision it
started from, and spans; the text and the suggestions' probabilities come from the database only.
Each answer echoes the `request` token of what it answers, and has a `nonce`: Gradio does not notice
a value that is equal to the one before.
"""

import reprlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from annotation_store.documents import STATUSES, Document, Revision, Status
from annotation_store.projects import Project
from ner_core.spans import Span, check_text
from webui.annotator.guidelines import default_guideline
from webui.label_style import style_labels
from webui.queue_choice import QueueChoice

_MAX_ANNOTATOR_CHARACTERS: Final = 64
_MAX_REVISIONS_SHOWN: Final = 20
_MAX_DOCUMENTS: Final = 8
_MAX_IDS: Final = 1000
_MAX_STRING_CHARACTERS: Final = 1000
_MAX_TOKEN_CHARACTERS: Final = 64
_MAX_GUIDELINE_CHARACTERS: Final = 5000
# Saves wait for each other: more would keep the others waiting for seconds.
_MAX_SPANS: Final = 20_000
_MAX_DURATION_S: Final = 86_400.0
_MAX_INTEGER: Final = 2**63 - 1  # what the database can hold

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class OpenRequest:
    """Asks for documents. With no neighbour and no id given: the first that nobody has reviewed.

    Attributes:
        request: Token to echo.
        document_id: The document to show.
        after: Show the document after this one.
        before: Show the document before this one.
        num_documents: How many to send from there on, so that the next ones are at hand.
        queue: The order and the filter by which the next ones are chosen.
        seen: Documents that the queue passes over: the page has shown them or has them at hand.
        holder: The page's own token, under which it holds documents; see `Holder`.
        annotator: The name that others are shown for what this page holds.
    """

    request: str
    document_id: int | None
    after: int | None
    before: int | None
    num_documents: int
    queue: QueueChoice = field(default_factory=QueueChoice)
    seen: tuple[int, ...] = ()
    holder: str = ""
    annotator: str = ""

    @classmethod
    def from_payload(cls, payload: object) -> "OpenRequest":
        """Read what the browser sent.

        Raises:
            ValueError: Names the field, what was expected and what came.
        """
        fields = _fields(payload)
        num_documents = _integer(fields, "num_documents")
        if not 1 <= num_documents <= _MAX_DOCUMENTS:
            raise ValueError(
                f"expected num_documents from 1 to {_MAX_DOCUMENTS}, got {num_documents}"
            )
        return cls(
            request=_token(fields),
            document_id=_optional_integer(fields, "document_id"),
            after=_optional_integer(fields, "after"),
            before=_optional_integer(fields, "before"),
            num_documents=num_documents,
            queue=QueueChoice.from_payload(fields.get("queue")),
            seen=_integers(fields, "seen"),
            holder=_optional_name(fields, "holder"),
            annotator=_optional_name(fields, "annotator"),
        )


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """Says which documents a page has on screen or at hand; no answer is waited for.

    Attributes:
        document_ids: Those; the page's other documents are free again.
        holder: The page's own token.
        annotator: The name that others are shown.
    """

    document_ids: tuple[int, ...]
    holder: str
    annotator: str

    @classmethod
    def from_payload(cls, payload: object) -> "HoldRequest":
        """Read what the browser sent.

        Raises:
            ValueError: Names the field, what was expected and what came.
        """
        fields = _fields(payload)
        return cls(
            document_ids=_integers(fields, "document_ids"),
            holder=_optional_name(fields, "holder"),
            annotator=_optional_name(fields, "annotator"),
        )


@dataclass(frozen=True, slots=True)
class SaveRequest:
    """Asks to store a revision.

    Attributes:
        request: Token to echo.
        document_id: Which document.
        base_revision: The revision that the person worked on.
        spans: What the person confirmed.
        suggestions: The model's spans left undecided; without scores, see `keep_suggestions`.
        status: What the document becomes.
        annotator: The name the person goes by.
        duration_s: Seconds that the person has worked on it since the last save; None where the
            browser did not say.
    """

    request: str
    document_id: int
    base_revision: int
    spans: tuple[Span, ...]
    suggestions: tuple[Span, ...]
    status: Status
    annotator: str
    duration_s: float | None

    @classmethod
    def from_payload(cls, payload: object) -> "SaveRequest":
        """Read what the browser sent.

        Raises:
            ValueError: Names the field, what was expected and what came.
        """
        fields = _fields(payload)
        status = _string(fields, "status")
        if status not in STATUSES:
            raise ValueError(f"expected a status of {', '.join(STATUSES)}, got {status!r}")
        return cls(
            request=_token(fields),
            document_id=_integer(fields, "document_id"),
            base_revision=_integer(fields, "base_revision"),
            spans=_spans(fields, "spans"),
            suggestions=_spans(fields, "suggestions"),
            status=status,
            annotator=_annotator(fields),
            duration_s=_optional_duration(fields),
        )

    def keep_suggestions(self, document: Document) -> tuple[Span, ...]:
        """The stored suggestions, with their scores, that the person left undecided.

        Raises:
            ValueError: A suggestion was never made by the model.
        """
        stored = {span: span for span in document.suggestions}
        for span in self.suggestions:
            if span not in stored:
                raise ValueError(
                    f"expected suggestions of revision {document.revision_number},"
                    f" got {span.start}:{span.end} ({span.label})"
                )
        return tuple(sorted(stored[span] for span in self.suggestions))


@dataclass(frozen=True, slots=True)
class GuidelineRequest:
    """Asks to store what a label is for, in the user's own words.

    Attributes:
        request: Token to echo.
        label: Which label; None for what holds for all of them.
        text: The words; "" goes back to the wording of `webui.annotator.guidelines`.
    """

    request: str
    label: str | None
    text: str

    @classmethod
    def from_payload(cls, payload: object) -> "GuidelineRequest":
        """Read what the browser sent.

        Raises:
            ValueError: Names the field, what was expected and what came.
        """
        fields = _fields(payload)
        text = _string(fields, "text", max_characters=_MAX_GUIDELINE_CHARACTERS).strip()
        check_text(text)
        label = None if fields.get("label") is None else _string(fields, "label")
        return cls(request=_token(fields), label=label, text=text)


def documents_message(
    documents: Sequence[tuple[Document, Sequence[Revision]]],
    *,
    project: Project,
    num_total: int,
    username: str | None,
    holders: Mapping[int, str] | None = None,
    request: str | None = None,
) -> Message:
    """Documents with their histories (oldest first) and what is needed to show them.

    `holders` names who else works on a document.
    """
    return _message("documents", request) | {
        "documents": [
            _document_fields(document, history)
            | {"held_by": holders.get(document.id) if holders else None}
            for document, history in documents
        ],
        "project": project.name,
        "labels": [
            {
                "label": style.label,
                "color": style.color,
                "zh": style.chinese,
                "en": style.english,
                "guideline": _guideline_fields(style.label, project),
            }
            for style in style_labels(project.labels, project.settings)
        ],
        "guideline": _guideline_fields(None, project),
        "num_total": num_total,
        "username": username,
    }


def project_message() -> Message:
    """Another project was chosen: what is on screen belongs to the one before."""
    return _message("project", None)


def saved_message(request: str, document_id: int, revision: Revision) -> Message:
    """A revision was stored."""
    return _message("saved", request) | {
        "document_id": document_id,
        "status": revision.status,
        "revision": _revision_fields(revision),
    }


def conflict_message(request: str, document: Document, history: Sequence[Revision]) -> Message:
    """Somebody else saved first: nothing was stored, here is what they saved."""
    return _message("conflict", request) | {"document": _document_fields(document, history)}


def guideline_message(asked: GuidelineRequest) -> Message:
    """The user's wording of a guideline was stored."""
    return _message("guideline", asked.request) | {"label": asked.label, "text": asked.text}


def refused_message(request: str | None, reason: str) -> Message:
    """The request made no sense; nothing was stored."""
    return _message("refused", request) | {"reason": reason}


def _message(kind: str, request: str | None) -> Message:
    return {"nonce": uuid.uuid4().hex, "kind": kind, "request": request}


def _document_fields(document: Document, history: Sequence[Revision]) -> Message:
    newest_first = list(history)[::-1][:_MAX_REVISIONS_SHOWN]
    return {
        "id": document.id,
        "text": document.text,
        "position": document.position,
        "revision": document.revision_number,
        "status": document.status,
        "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in document.spans],
        "suggestions": [
            {"start": s.start, "end": s.end, "label": s.label, "score": s.score}
            for s in document.suggestions
        ],
        "history": [_revision_fields(revision) for revision in newest_first],
    }


def _guideline_fields(label: str | None, project: Project) -> Message:
    settings = project.settings
    own = settings.guideline if label is None else settings.of(label).guideline
    return {"own": own, "default": default_guideline(label)}


def _revision_fields(revision: Revision) -> Message:
    return {
        "number": revision.number,
        "status": revision.status,
        "source": revision.source,
        "annotator": revision.annotator,
        "created_at": revision.created_at.isoformat(),
        "num_changes": revision.num_changes,
        "duration_s": revision.duration_s,
    }


def _fields(payload: object) -> dict[str, Any]:
    if not isinstance(payload, dict):
        raise ValueError(f"expected an object, got {type(payload).__name__}")
    return payload


def _string(
    fields: dict[str, Any], name: str, *, max_characters: int = _MAX_STRING_CHARACTERS
) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise ValueError(f"expected {name} to be a string, got {type(value).__name__}")
    # Messages quote a string that is wrong.
    if len(value) > max_characters:
        raise ValueError(
            f"expected {name} to have at most {max_characters} characters, got {len(value)}"
        )
    return value


def _token(fields: dict[str, Any]) -> str:
    """The token to echo: short, and of characters that any answer can carry."""
    token = _string(fields, "request")
    if not (1 <= len(token) <= _MAX_TOKEN_CHARACTERS and token.isascii() and token.isprintable()):
        raise ValueError(
            f"expected request to be 1 to {_MAX_TOKEN_CHARACTERS} printable ASCII characters,"
            f" got {len(token)} characters"
        )
    return token


def _integer(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name)
    # JSON's true is an int to Python.
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"expected {name} to be a whole number, got {type(value).__name__}")
    if not 0 <= value <= _MAX_INTEGER:
        raise ValueError(f"expected {name} from 0 to {_MAX_INTEGER}, got {reprlib.repr(value)}")
    return value


def _integers(fields: dict[str, Any], name: str) -> tuple[int, ...]:
    items = fields.get(name, [])
    if not isinstance(items, list) or len(items) > _MAX_IDS:
        raise ValueError(f"expected {name} to be a list of at most {_MAX_IDS} numbers")
    return tuple(_integer({name: item}, name) for item in items)


def _optional_name(fields: dict[str, Any], name: str) -> str:
    """A name of the page or of the person; "" when there is none."""
    value = _string(fields, name).strip() if name in fields else ""
    check_text(value)
    if len(value) > _MAX_ANNOTATOR_CHARACTERS:
        raise ValueError(
            f"expected {name} of at most {_MAX_ANNOTATOR_CHARACTERS} characters, got {len(value)}"
        )
    return value


def _optional_integer(fields: dict[str, Any], name: str) -> int | None:
    return None if fields.get(name) is None else _integer(fields, name)


def _optional_duration(fields: dict[str, Any]) -> float | None:
    value = fields.get("duration_s")
    if value is None:
        return None
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ValueError(f"expected duration_s to be a number, got {type(value).__name__}")
    # NaN is in no range.
    if not 0 <= value <= _MAX_DURATION_S:
        raise ValueError(
            f"expected duration_s from 0 to {_MAX_DURATION_S:g} seconds, got {reprlib.repr(value)}"
        )
    return float(value)


def _spans(fields: dict[str, Any], name: str) -> tuple[Span, ...]:
    items = fields.get(name)
    if not isinstance(items, list):
        raise ValueError(f"expected {name} to be a list, got {type(items).__name__}")
    if len(items) > _MAX_SPANS:
        raise ValueError(f"expected at most {_MAX_SPANS} {name}, got {len(items)}")
    spans = set()
    for item in items:
        span = _fields(item)
        spans.add(Span(_integer(span, "start"), _integer(span, "end"), _string(span, "label")))
    return tuple(sorted(spans))


def _annotator(fields: dict[str, Any]) -> str:
    annotator = _string(fields, "annotator").strip()
    check_text(annotator)
    if not 1 <= len(annotator) <= _MAX_ANNOTATOR_CHARACTERS:
        raise ValueError(
            f"expected an annotator's name of 1 to {_MAX_ANNOTATOR_CHARACTERS} characters,"
            f" got {len(annotator)}"
        )
    return annotator
