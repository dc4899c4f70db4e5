"""The page 复核 / Review: two versions of the same texts, how far they agree, and which one holds.

A decision becomes a revision of source "review"; nothing is changed in place, so it can be taken
back. The lint of `webui.lint_tab` is the page's other half.
"""

import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import gradio as gr

from annotation_store.projects import Project
from annotation_store.review import count_confirmed, list_authors
from annotation_store.store import AnnotationStore, DocumentNotFound, StaleRevision, StoreError
from webui import lint_tab
from webui.comparisons import Comparison, Comparisons, Side
from webui.label_style import style_labels
from webui.messages import Refusal, reports_errors
from webui.model_choice import ModelChoice
from webui.page_language import language_of, translated
from webui.prediction_cache import PredictionCache
from webui.project_choice import find_project
from webui.review_messages import (
    Filter,
    Message,
    describe_agreement,
    describe_document,
    describe_sides,
    fields_of,
    integer,
    message,
    reviewer,
    string,
)
from webui.review_view import make_view

_DOCUMENTS_ON_A_PAGE: Final = 20


@dataclass(frozen=True, slots=True)
class ReviewPage:
    """What the rest of the layout needs of this page.

    Attributes:
        opened: For each of its parts: what succeeds when the visitor has chosen a document to open,
            and the state that then holds its id.
    """

    opened: tuple[tuple[gr.events.Dependency, gr.State], ...]


class ReviewHandlers:
    """The event handlers of the comparison."""

    def __init__(
        self, store: AnnotationStore, models: ModelChoice, predictions: PredictionCache
    ) -> None:
        self._store = store
        self._models = models
        self._comparisons = Comparisons(store, models, predictions)
        self._stopped: set[str] = set()
        self._lock = threading.Lock()

    @reports_errors
    def show_sides(self, project: object, request: gr.Request) -> Message:
        """Whose versions there are in a project."""
        found = find_project(self._store, project, language_of(request))
        authors = list_authors(self._store.database, project=found.name)
        num_confirmed = count_confirmed(self._store.database, project=found.name)
        counts = self._store.counts(project=found.name)
        known = set(found.known_names.labels)
        chosen = self._models.for_project(found)
        names = [model.name for model in self._models if known & set(model.labels.labels)]
        names.sort(key=lambda name: chosen is None or name != chosen.name)
        return message(
            "sides",
            None,
            project=found.name,
            labels=[asdict(style) for style in style_labels(found.labels, found.settings)],
            num_documents=sum(counts.values()),
            username=getattr(request, "username", None) or None,
            **describe_sides(authors, num_confirmed, names),
        )

    @reports_errors
    def compare(
        self, project: object, event: gr.EventData, request: gr.Request
    ) -> Iterator[Message]:
        """Compare two sides: progress now and then, at the end figures and the first documents."""
        fields = fields_of(event._data)
        token = fields.get("request")
        try:
            found = find_project(self._store, project, language_of(request))
            left, right = _sides(fields)
            for step in self._comparisons.steps(found, left, right):
                if isinstance(step, Comparison):
                    yield message(
                        "comparison",
                        token,
                        agreement=describe_agreement(step.agreement),
                        **self._describe_page(step, fields, left, right),
                    )
                elif self._is_stopped(token):
                    yield message("stopped", token)
                    return
                else:
                    yield message("progress", token, done=step[0], total=step[1])
        except (Refusal, StoreError) as error:
            yield message("refused", token, reason=str(error))

    def stop(self, event: gr.EventData) -> None:
        """Make a comparison end before its model's next step."""
        token = fields_of(event._data).get("request")
        if isinstance(token, str) and len(token) <= 64:
            with self._lock:
                self._stopped.add(token)

    @reports_errors
    def list_documents(self, project: object, event: gr.EventData, request: gr.Request) -> Message:
        """Other documents of a comparison that has been made."""
        fields = fields_of(event._data)
        token = fields.get("request")
        try:
            found = find_project(self._store, project, language_of(request))
            left, right = _sides(fields)
            comparison = self._comparisons.compare(found, left, right)
            return message("page", token, **self._describe_page(comparison, fields, left, right))
        except (Refusal, StoreError) as error:
            return message("refused", token, reason=str(error))

    @reports_errors
    def decide(self, project: object, event: gr.EventData, request: gr.Request) -> Message:
        """Store what a reviewer has decided on one document as a revision."""
        fields = fields_of(event._data)
        token = fields.get("request")
        try:
            found = find_project(self._store, project, language_of(request))
            left, right = _sides(fields)
            document_id, base = integer(fields, "document_id"), integer(fields, "base_revision")
            name = reviewer(fields, getattr(request, "username", None))
            compared = self._comparisons.find(found, left, right, document_id)
            is_stale = compared is None or compared.document.revision_number != base
            if compared is None or is_stale or compared.state != string(fields, "state"):
                return self._describe_stale(found, left, right, document_id, token)
            revision = self._store.save(
                document_id,
                base_revision=base,
                spans=compared.resolve(string(fields, "choices")),
                status="accepted",
                annotator=name,
                source="review",
            )
        except StaleRevision:  # somebody saved between our look and our save
            return self._describe_stale(found, left, right, document_id, token)
        except (Refusal, StoreError, DocumentNotFound) as error:
            return message("refused", token, reason=str(error))
        return message("decided", token, document_id=document_id, revision=revision.number)

    @reports_errors
    def undo(self, project: object, event: gr.EventData, request: gr.Request) -> Message:
        """Take a decision back: the version before is appended again, under its author's name."""
        fields = fields_of(event._data)
        token = fields.get("request")
        try:
            found = find_project(self._store, project, language_of(request))
            left, right = _sides(fields)
            document_id, base = integer(fields, "document_id"), integer(fields, "base_revision")
            document = self._store.get(document_id)
            history = self._store.history(document_id)
            if (
                document.project != found.name
                or document.revision_number != base
                or len(history) < 2
                or history[-1].source != "review"
            ):
                return self._describe_stale(found, left, right, document_id, token)
            before = history[-2]
            self._store.save(
                document_id,
                base_revision=base,
                spans=before.spans,
                suggestions=before.suggestions,
                status=before.status,
                annotator=before.annotator,
                source=before.source,
            )
        except StaleRevision:
            return self._describe_stale(found, left, right, document_id, token)
        except (Refusal, StoreError, DocumentNotFound) as error:
            return message("refused", token, reason=str(error))
        compared = self._comparisons.find(found, left, right, document_id)
        document_fields = compared and describe_document(compared, left=left, right=right)
        return message("undone", token, document_id=document_id, document=document_fields)

    @reports_errors
    def choose_document(self, project: object, event: gr.EventData, request: gr.Request) -> int:
        """The id of the document to open in the editor."""
        found = find_project(self._store, project, language_of(request))
        document = self._store.get(integer(fields_of(event._data), "id"))
        if document.project != found.name:
            raise DocumentNotFound(f"there is no document {document.id} here")
        return document.id

    def _describe_stale(
        self, project: Project, left: Side, right: Side, document_id: int, token: object
    ) -> Message:
        """Somebody has saved since: nothing was stored; here is how things stand now."""
        compared = self._comparisons.find(project, left, right, document_id)
        shown = compared and compared.differences
        return message(
            "stale",
            token,
            document_id=document_id,
            document=describe_document(compared, left=left, right=right)
            if compared and shown
            else None,
        )

    def _describe_page(
        self, comparison: Comparison, fields: dict[str, Any], left: Side, right: Side
    ) -> Message:
        chosen = Filter.from_fields(fields)
        matching = [it for it in comparison.documents if chosen.matches(it)]
        if string(fields, "order") == "certainty":
            matching.sort(key=lambda it: -it.certainty)
        offset = min(integer(fields, "offset"), max(0, len(matching) - 1))
        page = matching[offset : offset + _DOCUMENTS_ON_A_PAGE]
        num_open = sum(
            bool(it.differences) and not it.document.is_reviewed for it in comparison.documents
        )
        return {
            "left": left.value,
            "right": right.value,
            "offset": offset,
            "limit": _DOCUMENTS_ON_A_PAGE,
            "num_matching": len(matching),
            "num_open": num_open,
            "num_different": sum(bool(it.differences) for it in comparison.documents),
            "documents": [describe_document(it, left=left, right=right) for it in page],
        }

    def _is_stopped(self, token: object) -> bool:
        with self._lock:
            is_stopped = token in self._stopped
            self._stopped.discard(str(token))
            return is_stopped


def _sides(fields: dict[str, Any]) -> tuple[Side, Side]:
    return Side.parse(fields.get("left")), Side.parse(fields.get("right"))


def build(store: AnnotationStore, models: ModelChoice, *, current_project: gr.State) -> ReviewPage:
    """Build the page inside the current Gradio context."""
    predictions = PredictionCache()
    handlers = ReviewHandlers(store, models, predictions)
    with gr.Tabs(elem_id="review-parts"):
        with gr.Tab(translated("review.compare_tab"), id="compare"):
            scripts = ("review_text", "review_figures", "review_documents", "review")
            review = make_view("review", scripts)
        with gr.Tab(translated("review.lint_tab"), id="lint"):
            lint = lint_tab.build(store, models, predictions, current_project=current_project)

    for listen, answer, concurrency_limit in (
        (review.sides, handlers.show_sides, 4),
        (review.compare, handlers.compare, 2),
        (review.list, handlers.list_documents, 4),
        (review.decide, handlers.decide, 1),
        (review.undo, handlers.undo, 1),
        (current_project.change, handlers.show_sides, 4),
    ):
        listen(
            answer,
            inputs=current_project,
            outputs=review,
            # Gradio's default mode drops an event while one of its kind is under way.
            trigger_mode="multiple",
            concurrency_limit=concurrency_limit,
            concurrency_id=f"review-{answer.__name__}",
            show_progress="hidden",
            api_visibility="private",
        )
    # Not through the queue: it has to overtake the comparison that it ends.
    review.stop(handlers.stop, queue=False, api_visibility="private")
    document_id = gr.State(None)
    chosen = review.open(
        handlers.choose_document,
        inputs=current_project,
        outputs=document_id,
        api_visibility="private",
    )
    return ReviewPage(((chosen, document_id), lint))
