"""The page 标注 / Annotate: the span editor over the store, with a model's suggestions."""

import logging
from collections.abc import Sequence

import gradio as gr

from annotation_store.store import (
    AnnotationStore,
    Document,
    DocumentNotFound,
    Project,
    Revision,
    StaleRevision,
)
from webui.annotator.component import make_editor
from webui.annotator.messages import (
    Message,
    OpenRequest,
    SaveRequest,
    conflict_message,
    documents_message,
    refused_message,
    saved_message,
)
from webui.model_choice import ModelChoice

logger = logging.getLogger(__name__)


class AnnotatePage:
    """The editor and what answers it.

    Attributes:
        editor: The component; give it the value of `open_document` to show a document.
    """

    def __init__(self, store: AnnotationStore, models: ModelChoice, project: Project) -> None:
        self._store = store
        self._models = models
        self._project = project
        self.editor: gr.HTML = make_editor()

    def open_document(self, document_id: int, request: gr.Request | None = None) -> Message:
        """The value that makes the editor show a document.

        Raises:
            DocumentNotFound: There is none with this id.
        """
        return self._show([self._get(document_id)], _username(request))

    def answer_open(self, event: gr.EventData, request: gr.Request) -> Message:
        """The documents that the editor asks for; none when there is none in that direction."""
        token = None
        try:
            asked = OpenRequest.from_payload(event._data)
            token = asked.request
            documents = self._find(asked)
        except (ValueError, DocumentNotFound) as error:
            return refused_message(token, str(error))
        return self._show(documents, _username(request), token)

    def answer_save(self, event: gr.EventData, request: gr.Request) -> Message:
        """Store a revision, or say why not.

        Nothing that the browser sent is taken on trust: its shape is checked in `SaveRequest`, its
        suggestions against the stored ones, and spans and labels by the store.
        """
        token = None
        try:
            asked = SaveRequest.from_payload(event._data)
            token = asked.request
            document = self._get(asked.document_id)
            if asked.base_revision != document.revision_number:
                return self._conflict(asked)
            revision = self._store.save(
                document.id,
                base_revision=asked.base_revision,
                spans=asked.spans,
                suggestions=asked.keep_suggestions(document),
                status=asked.status,
                annotator=_username(request) or asked.annotator,
            )
        except StaleRevision:  # somebody saved between our look and our save
            return self._conflict(asked)
        except (ValueError, DocumentNotFound) as error:
            logger.warning("save refused: %s", error)
            return refused_message(token, str(error))
        return saved_message(asked.request, asked.document_id, revision)

    def _conflict(self, asked: SaveRequest) -> Message:
        document = self._store.get(asked.document_id)
        return conflict_message(asked.request, document, self._store.history(document.id))

    def _get(self, document_id: int) -> Document:
        """A document of this page's project; others do not exist here."""
        document = self._store.get(document_id)
        if document.project != self._project.name:
            raise DocumentNotFound(
                f"expected a document of {self._project.name}, got {document_id}"
            )
        return document

    def _find(self, asked: OpenRequest) -> list[Document]:
        name = self._project.name
        if asked.document_id is not None:
            first: Document | None = self._get(asked.document_id)
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
        self, documents: Sequence[Document], username: str | None, token: str | None = None
    ) -> Message:
        documents = [self._suggest(document) for document in documents]
        histories: list[tuple[Document, Sequence[Revision]]] = [
            (document, self._store.history(document.id)) for document in documents
        ]
        return documents_message(
            histories,
            project=self._project,
            num_total=sum(self._store.counts(project=self._project.name).values()),
            username=username,
            request=token,
        )

    def _suggest(self, document: Document) -> Document:
        """The document, with suggestions unless a person has touched it already.

        They are those of the model that fits the project best. Suggestions of another model give
        way, in a revision of their own: whoever trains a model on their corrections wants to see
        what it has learned. Nothing is suggested where no model knows a label of the project.
        """
        predictor = self._models.best_for(self._project.labels)
        if predictor is None:
            # An empty revision would say for good that a model had found nothing.
            return document
        revision = document.revision
        if revision and (revision.source != "model" or revision.annotator == predictor.name):
            return document
        known = set(self._project.labels.labels)
        (prediction,) = predictor.predict([document.text])
        try:
            self._store.save(
                document.id,
                base_revision=document.revision_number,
                spans=(),
                suggestions=[span for span in prediction.spans if span.label in known],
                status="new",
                annotator=predictor.name,
                source="model",
            )
        except StaleRevision:
            logger.info("document %d got a revision from somebody else", document.id)
        return self._store.get(document.id)


def build(store: AnnotationStore, models: ModelChoice, project: Project) -> AnnotatePage:
    """Build the page of a project inside the current Gradio context."""
    page = AnnotatePage(store, models, project)
    for listen, answer, concurrency_limit in (
        # Opening a long text waits for the model; nobody's save should wait with it.
        (page.editor.open, page.answer_open, 4),
        (page.editor.save, page.answer_save, 1),
    ):
        listen(
            answer,
            inputs=None,
            outputs=page.editor,
            # Gradio's default mode drops an event while one of its kind is under way.
            trigger_mode="multiple",
            concurrency_limit=concurrency_limit,
            concurrency_id=answer.__name__,
            show_progress="hidden",
            api_visibility="private",
        )
    return page


def _username(request: gr.Request | None) -> str | None:
    """Who signed in, on a Space or with an auth file; None where nobody has to."""
    return getattr(request, "username", None) or None
