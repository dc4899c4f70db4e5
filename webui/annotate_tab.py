"""The page 标注 / Annotate: the span editor over the store, with a model's suggestions."""

import logging
from collections.abc import Sequence

import gradio as gr

from annotation_store.project_changes import set_guideline
from annotation_store.projects import Project
from annotation_store.store import (
    AnnotationStore,
    Document,
    DocumentNotFound,
    Revision,
    StaleRevision,
)
from webui.annotator.component import make_editor
from webui.annotator.messages import (
    GuidelineRequest,
    Message,
    OpenRequest,
    SaveRequest,
    conflict_message,
    documents_message,
    guideline_message,
    project_message,
    refused_message,
    saved_message,
)
from webui.model_choice import ModelChoice
from webui.page_language import language_of
from webui.project_choice import find_project

logger = logging.getLogger(__name__)


class AnnotatePage:
    """The editor and what answers it. Each handler is given the name of the visitor's project.

    Attributes:
        editor: The component; give it the value of `open_document` to show a document.
    """

    def __init__(self, store: AnnotationStore, models: ModelChoice) -> None:
        self._store = store
        self._models = models
        self.editor: gr.HTML = make_editor()

    def open_document(self, project: str, document_id: int, request: gr.Request) -> Message:
        """The value that makes the editor show a document.

        Raises:
            DocumentNotFound: The project has none with this id.
            Refusal: There is no such project.
        """
        found = find_project(self._store, project, language_of(request))
        return self._show(found, [self._get(found, document_id)], _username(request))

    def answer_open(self, project: str, event: gr.EventData, request: gr.Request) -> Message:
        """The documents that the editor asks for; none when there is none in that direction."""
        token = None
        try:
            asked = OpenRequest.from_payload(event._data)
            token = asked.request
            found = find_project(self._store, project, language_of(request))
            documents = self._find(found, asked)
        except (ValueError, DocumentNotFound) as error:
            return refused_message(token, str(error))
        return self._show(found, documents, _username(request), token)

    def answer_save(self, event: gr.EventData, request: gr.Request) -> Message:
        """Store a revision, or say why not.

        Of whichever project the document is: the visitor may have chosen another one while the save
        was on its way. Nothing that the browser sent is taken on trust: its shape is checked in
        `SaveRequest`, its suggestions against the stored ones, and spans and labels by the store.
        """
        token = None
        try:
            asked = SaveRequest.from_payload(event._data)
            token = asked.request
            document = self._store.get(asked.document_id)
            if asked.base_revision != document.revision_number:
                return self._conflict(asked)
            revision = self._store.save(
                document.id,
                base_revision=asked.base_revision,
                spans=asked.spans,
                suggestions=asked.keep_suggestions(document),
                status=asked.status,
                annotator=_username(request) or asked.annotator,
                duration_s=asked.duration_s,
            )
        except StaleRevision:  # somebody saved between our look and our save
            return self._conflict(asked)
        except (ValueError, DocumentNotFound) as error:
            logger.warning("save refused: %s", error)
            return refused_message(token, str(error))
        return saved_message(asked.request, asked.document_id, revision)

    def answer_guideline(self, project: str, event: gr.EventData, request: gr.Request) -> Message:
        """Store what a label is for in the user's words, or say why not."""
        token = None
        try:
            asked = GuidelineRequest.from_payload(event._data)
            token = asked.request
            found = find_project(self._store, project, language_of(request))
            set_guideline(self._store.database, found.name, asked.label, asked.text)
        except ValueError as error:
            return refused_message(token, str(error))
        return guideline_message(asked)

    def _conflict(self, asked: SaveRequest) -> Message:
        document = self._store.get(asked.document_id)
        return conflict_message(asked.request, document, self._store.history(document.id))

    def _get(self, project: Project, document_id: int) -> Document:
        """A document of the visitor's project; the message for others names no other project."""
        document = self._store.get(document_id)
        if document.project != project.name:
            raise DocumentNotFound(f"expected a document of {project.name}, got {document_id}")
        return document

    def _find(self, project: Project, asked: OpenRequest) -> list[Document]:
        name = project.name
        if asked.document_id is not None:
            first: Document | None = self._get(project, asked.document_id)
        elif asked.before is not None:
            first = self._store.previous(before=asked.before, project=name)
        elif asked.after is not None:
            first = self._store.next(after=asked.after, project=name)
        else:
            first = self._store.next(after=None, project=name, status="new")
            first = first or self._store.next(after=None, project=name)
        documents: list[Document] = []
        while first is not None and len(documents) < asked.num_documents:
            documents.append(first)
            first = self._store.next(after=first.id, project=name)
        return documents

    def _show(
        self,
        project: Project,
        documents: Sequence[Document],
        username: str | None,
        token: str | None = None,
    ) -> Message:
        documents = [self._suggest(project, document) for document in documents]
        histories: list[tuple[Document, Sequence[Revision]]] = [
            (document, self._store.history(document.id)) for document in documents
        ]
        return documents_message(
            histories,
            project=project,
            num_total=sum(self._store.counts(project=project.name).values()),
            username=username,
            request=token,
        )

    def _suggest(self, project: Project, document: Document) -> Document:
        """The document, with suggestions unless a person has touched it already.

        They are those of the model that fits the project best. Suggestions of another model give
        way, in a revision of their own: whoever trains a model on their corrections wants to see
        what it has learned. Nothing is suggested where no model knows a label of the project.
        """
        predictor = self._models.best_for(project.known_names)
        if predictor is None:
            # An empty revision would say for good that a model had found nothing.
            return document
        revision = document.revision
        if revision and (revision.source != "model" or revision.annotator == predictor.name):
            return document
        (prediction,) = predictor.predict([document.text])
        try:
            self._store.save(
                document.id,
                base_revision=document.revision_number,
                spans=(),
                suggestions=project.adopt(prediction.spans),
                status="new",
                annotator=predictor.name,
                source="model",
            )
        except StaleRevision:
            logger.info("document %d got a revision from somebody else", document.id)
        return self._store.get(document.id)


def build(
    store: AnnotationStore, models: ModelChoice, *, current_project: gr.State
) -> AnnotatePage:
    """Build the page inside the current Gradio context."""
    page = AnnotatePage(store, models)
    for listen, answer, inputs, concurrency_limit in (
        # Opening a long text waits for the model; nobody's save should wait with it.
        (page.editor.open, page.answer_open, current_project, 4),
        (page.editor.save, page.answer_save, None, 1),
        (page.editor.guideline, page.answer_guideline, current_project, 1),
    ):
        listen(
            answer,
            inputs=inputs,
            outputs=page.editor,
            # Gradio's default mode drops an event while one of its kind is under way.
            trigger_mode="multiple",
            concurrency_limit=concurrency_limit,
            concurrency_id=answer.__name__,
            show_progress="hidden",
            api_visibility="private",
        )
    current_project.change(
        project_message, outputs=page.editor, show_progress="hidden", api_visibility="private"
    )
    return page


def _username(request: gr.Request | None) -> str | None:
    return request.username if request else None
