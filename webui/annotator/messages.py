"""What the editor and the server say to each other: plain JSON, offsets half-open in code points.

The browser sends requests; nothing in them is trusted. A save names a document, the revision it
started from, and spans; the text and the suggestions' probabilities come from the database only.
Each answer echoes the `request` token of what it answers, and has a `nonce`: Gradio does not notice
a value that is equal to the one before.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from annotation_store.documents import STATUSES, Document, Revision, Status
from annotation_store.projects import Project, use_present_name
from ner_core.spans import Span, check_text
from webui.annotator.guidelines import default_guideline
from webui.annotator.payload import (
    read_annotator,
    read_integer,
    read_integers,
    read_object,
    read_optional_duration,
    read_optional_integer,
    read_optional_name,
    read_optional_note,
    read_spans,
    read_string,
    read_token,
)
from webui.label_style import style_labels
from webui.queue_choice import QueueChoice

_MAX_REVISIONS_SHOWN: Final = 20
_MAX_DOCUMENTS: Final = 8
_MAX_GUIDELINE_CHARACTERS: Final = 5000

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
        fields = read_object(payload)
        num_documents = read_integer(fields, "num_documents")
        if not 1 <= num_documents <= _MAX_DOCUMENTS:
            raise ValueError(
                f"expected num_documents from 1 to {_MAX_DOCUMENTS}, got {num_documents}"
            )
        return cls(
            request=read_token(fields),
            document_id=read_optional_integer(fields, "document_id"),
            after=read_optional_integer(fields, "after"),
            before=read_optional_integer(fields, "before"),
            num_documents=num_documents,
            queue=QueueChoice.from_payload(fields.get("queue")),
            seen=read_integers(fields, "seen"),
            holder=read_optional_name(fields, "holder"),
            annotator=read_optional_name(fields, "annotator"),
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
        fields = read_object(payload)
        return cls(
            document_ids=read_integers(fields, "document_ids"),
            holder=read_optional_name(fields, "holder"),
            annotator=read_optional_name(fields, "annotator"),
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
        note: What the person wants others to know, for example why they flag the text.
    """

    request: str
    document_id: int
    base_revision: int
    spans: tuple[Span, ...]
    suggestions: tuple[Span, ...]
    status: Status
    annotator: str
    duration_s: float | None
    note: str = ""

    @classmethod
    def from_payload(cls, payload: object) -> "SaveRequest":
        """Read what the browser sent.

        Raises:
            ValueError: Names the field, what was expected and what came.
        """
        fields = read_object(payload)
        status = read_string(fields, "status")
        if status not in STATUSES:
            raise ValueError(f"expected a status of {', '.join(STATUSES)}, got {status!r}")
        return cls(
            request=read_token(fields),
            document_id=read_integer(fields, "document_id"),
            base_revision=read_integer(fields, "base_revision"),
            spans=read_spans(fields, "spans"),
            suggestions=read_spans(fields, "suggestions"),
            status=status,
            annotator=read_annotator(fields),
            duration_s=read_optional_duration(fields),
            note=read_optional_note(fields),
        )

    def keep_suggestions(
        self, base: Revision | None, former_labels: Mapping[str, str | None]
    ) -> tuple[Span, ...]:
        """The stored suggestions, with their scores, that the person left undecided.

        Args:
            base: The revision that they worked on; None for none.
            former_labels: Of the project. The page may have been open since before a label got its
                present name, under which the base has it.

        Raises:
            ValueError: A suggestion was never made by the model.
        """
        stored = {span: span for span in base.suggestions} if base else {}
        suggestions = [use_present_name(span, former_labels) for span in self.suggestions]
        for span in suggestions:
            if span not in stored:
                raise ValueError(
                    f"expected suggestions of revision {self.base_revision},"
                    f" got {span.start}:{span.end} ({span.label})"
                )
        return tuple(sorted(stored[span] for span in suggestions))


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
        fields = read_object(payload)
        text = read_string(fields, "text", max_characters=_MAX_GUIDELINE_CHARACTERS).strip()
        check_text(text)
        label = None if fields.get("label") is None else read_string(fields, "label")
        return cls(request=read_token(fields), label=label, text=text)


def documents_message(
    documents: Sequence[tuple[Document, Sequence[Revision]]],
    *,
    project: Project,
    num_total: int,
    num_reviewed: int,
    username: str | None,
    holders: Mapping[int, str] | None = None,
    independent: Collection[int] = (),
    closed: Collection[int] = (),
    request: str | None = None,
) -> Message:
    """Documents with their histories (oldest first) and what is needed to show them.

    `num_total` counts the texts of the project, `num_reviewed` those that somebody has decided on;
    `holders` names who else works on a document; `independent` are those that several people label
    without seeing each other's work, and on which nobody has decided; `closed` are those of them
    that a reviewer is to decide on, because everybody has labelled them.
    """
    return _message("documents", request) | {
        "documents": [
            _document_fields(document, history)
            | {
                "held_by": holders.get(document.id) if holders else None,
                "is_independent": document.id in independent,
                "is_closed": document.id in closed,
            }
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
        "former_labels": dict(project.former_labels),
        "guideline": _guideline_fields(None, project),
        "num_total": num_total,
        "num_reviewed": num_reviewed,
        "annotators_per_text": project.settings.annotators_per_text,
        "username": username,
    }


def project_message(name: str) -> Message:
    """The project of this name was chosen; what is on screen may belong to another one."""
    return _message("project", None) | {"project": name}


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
        "note": document.note,
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
        "note": revision.note,
    }
