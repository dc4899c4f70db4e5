"""The page 复核 / Review: two versions of the same texts, how far they agree, and which one holds.

A decision becomes a revision of source "review"; nothing is changed in place, so it can be taken
back. The lint of `webui.lint_tab` is the page's other half.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final

import gradio as gr

from annotation_store.review import count_confirmed, list_authors, list_undecided
from annotation_store.store import AnnotationStore, StaleRevision
from webui import lint_tab
from webui.comparisons import Comparison, Comparisons, Side
from webui.label_style import style_labels
from webui.messages import reports_errors
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
    integer,
    message,
    reviewer,
    string,
)
from webui.review_part import (
    Request,
    Stops,
    answers,
    answers_in_steps,
    connect,
    models_for,
    username_of,
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
        self.store = store
        self.stops = Stops()
        self._models = models
        self._comparisons = Comparisons(store, models, predictions)

    @reports_errors
    def show_sides(self, project: object, request: gr.Request) -> Message:
        """Whose versions there are in a project."""
        found = find_project(self.store, project, language_of(request))
        authors = list_authors(self.store.database, project=found.name)
        num_confirmed = count_confirmed(self.store.database, project=found.name)
        undecided = list_undecided(self.store.database, project=found.name)
        return message(
            "sides",
            None,
            project=found.name,
            labels=[asdict(style) for style in style_labels(found.labels, found.settings)],
            num_documents=sum(self.store.counts(project=found.name).values()),
            username=username_of(request),
            **describe_sides(authors, num_confirmed, models_for(found, self._models), undecided),
        )

    @answers_in_steps
    def compare(self, asked: Request) -> Iterator[Message]:
        """Compare two sides: progress now and then, at the end figures and the first documents."""
        left, right = _sides(asked)

        def describe(comparison: Comparison) -> Message:
            return message(
                "comparison",
                asked.token,
                agreement=describe_agreement(comparison),
                **self._describe_page(comparison, asked.fields, left, right),
            )

        steps = self._comparisons.steps(asked.project, left, right)
        yield from self.stops.follow(asked, steps, describe)

    @answers
    def list_documents(self, asked: Request) -> Message:
        """Other documents of a comparison that has been made."""
        left, right = _sides(asked)
        comparison = self._comparisons.compare(asked.project, left, right)
        page = self._describe_page(comparison, asked.fields, left, right)
        return message("page", asked.token, **page)

    @answers
    def decide(self, asked: Request) -> Message:
        """Store what a reviewer has decided on one document as a revision."""
        fields = asked.fields
        left, right = _sides(asked)
        document_id, base = integer(fields, "document_id"), integer(fields, "base_revision")
        name = reviewer(fields, asked.username)
        compared = self._comparisons.find(asked.project, left, right, document_id)
        is_stale = compared is None or compared.document.revision_number != base
        if compared is None or is_stale or compared.state != string(fields, "state"):
            return self._describe_stale(asked, document_id)
        try:
            revision = self.store.save(
                document_id,
                base_revision=base,
                spans=compared.resolve(string(fields, "choices")),
                status="accepted",
                annotator=name,
                source="review",
            )
        except StaleRevision:  # somebody saved between our look and our save
            return self._describe_stale(asked, document_id)
        return message("decided", asked.token, document_id=document_id, revision=revision.number)

    @answers
    def undo(self, asked: Request) -> Message:
        """Take a decision back: what counted before is appended again, under its author's name."""
        left, right = _sides(asked)
        document_id = integer(asked.fields, "document_id")
        base = integer(asked.fields, "base_revision")
        document = self.store.get(document_id)
        if document.project != asked.project.name:
            return self._describe_stale(asked, document_id)
        try:
            self.store.withdraw(document_id, base_revision=base)
        except StaleRevision:
            return self._describe_stale(asked, document_id)
        compared = self._comparisons.find(asked.project, left, right, document_id)
        described = compared and describe_document(compared, left=left, right=right)
        return message("undone", asked.token, document_id=document_id, document=described)

    def _describe_stale(self, asked: Request, document_id: int) -> Message:
        """Somebody has saved since: nothing was stored; here is how things stand now."""
        left, right = _sides(asked)
        compared = self._comparisons.find(asked.project, left, right, document_id)
        shown = compared and compared.differences
        return message(
            "stale",
            asked.token,
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


def _sides(asked: Request) -> tuple[Side, Side]:
    return Side.parse(asked.fields.get("left")), Side.parse(asked.fields.get("right"))


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

    compared = connect(
        review,
        store,
        handlers.stops,
        (
            (review.sides, handlers.show_sides, 4),
            (review.compare, handlers.compare, 2),
            (review.list, handlers.list_documents, 4),
            (review.decide, handlers.decide, 1),
            (review.undo, handlers.undo, 1),
            (current_project.change, handlers.show_sides, 4),
        ),
        current_project=current_project,
    )
    return ReviewPage((compared, lint))
