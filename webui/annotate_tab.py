"""The page 标注 / Annotate: the span editor over the store, with a model's suggestions."""

import logging
from collections.abc import Sequence

import gradio as gr

from annotation_store.independence import is_closed, is_independent, show_own
from annotation_store.leases import Holder, hold, read_holders, release, release_from
from annotation_store.predictions import read_prediction
from annotation_store.project_changes import set_guideline
from annotation_store.projects import Project
from annotation_store.queue import UNREVIEWED, take_documents
from annotation_store.store import (
    AnnotationStore,
    Document,
    DocumentNotFound,
    Revision,
    StaleRevision,
)
from webui import queue_bar
from webui.annotator.component import make_editor
from webui.annotator.messages import (
    GuidelineRequest,
    HoldRequest,
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
from webui.background_reader import BackgroundReader
from webui.error_words import word_error
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
        # Which visit a page's token was last seen in: a page that is loaded again keeps its token.
        self._visits: dict[str, str] = {}
        self.editor: gr.HTML = make_editor()

    def open_document(self, project: str, document_id: int, request: gr.Request) -> Message:
        """The value that makes the editor show a document.

        Who is there is known only where people sign in. Of a text that several people label
        independently, the editor asks again under the name that is typed into it.

        Raises:
            DocumentNotFound: The project has none with this id.
            Refusal: There is no such project.
        """
        found = find_project(self._store, project, language_of(request))
        return self._show(found, [self._get(found, document_id)], request)

    def answer_open(self, project: str, event: gr.EventData, request: gr.Request) -> Message:
        """The documents that the editor asks for; none when there is none in that direction."""
        token = None
        try:
            asked = OpenRequest.from_payload(event._data)
            token = asked.request
            found = find_project(self._store, project, language_of(request))
            holder = self._recognise(asked.holder or token, asked.annotator, request)
            documents = self._find(found, asked, holder)
        except (ValueError, DocumentNotFound) as error:
            return refused_message(token, word_error(error, language_of(request)))
        return self._show(found, documents, request, token, holder)

    def keep_held(self, event: gr.EventData, request: gr.Request) -> None:
        """Renew the leases of a page that somebody works on."""
        try:
            asked = HoldRequest.from_payload(event._data)
            holder = self._recognise(asked.holder, asked.annotator, request)
            hold(self._store.database, holder, asked.document_ids)
        except ValueError as error:  # a database that is locked for long, too: the page asks again
            logger.warning("leases not renewed: %s", error)

    def leave(self, request: gr.Request) -> None:
        """Release what the pages of a visit hold: it has ended."""
        for token, visit in list(self._visits.items()):
            if visit == request.session_hash:
                self._visits.pop(token, None)
                release(self._store.database, token)

    def _recognise(self, token: str, annotator: str, request: gr.Request) -> Holder:
        holder = Holder(token, _username(request) or annotator)
        self._visits[token] = getattr(request, "session_hash", None) or ""
        return holder

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
            annotator = _username(request) or asked.annotator
            document, history = self._see(self._store.get(asked.document_id), annotator)
            by_number = {revision.number: revision for revision in history}
            if asked.base_revision and asked.base_revision not in by_number:
                return conflict_message(asked.request, document, history)
            former_labels = self._store.project(document.project).former_labels
            base = by_number.get(asked.base_revision)
            revision = self._store.save(
                document.id,
                base_revision=asked.base_revision,
                spans=asked.spans,
                suggestions=asked.keep_suggestions(base, former_labels),
                status=asked.status,
                annotator=annotator,
                duration_s=asked.duration_s,
                note=asked.note,
            )
        except StaleRevision:
            newest = self._store.get(asked.document_id)
            return conflict_message(asked.request, *self._see(newest, annotator))
        except (ValueError, DocumentNotFound) as error:
            logger.warning("save refused: %s", error)
            return refused_message(token, word_error(error, language_of(request)))
        if revision.is_independent:  # others are waiting to label it, too
            release_from(self._store.database, asked.document_id, annotator)
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
            return refused_message(token, word_error(error, language_of(request)))
        return guideline_message(asked)

    def _see(self, document: Document, annotator: str) -> tuple[Document, tuple[Revision, ...]]:
        """A document and its history as far as a person may see them."""
        return show_own(document, self._store.history(document.id), annotator)

    def _get(self, project: Project, document_id: int) -> Document:
        """A document of the visitor's project; the message for others names no other project."""
        document = self._store.get(document_id)
        if document.project != project.name:
            raise DocumentNotFound(f"expected a document of {project.name}, got {document_id}")
        return document

    def _find(self, project: Project, asked: OpenRequest, holder: Holder) -> list[Document]:
        """What was asked for, and behind it the next ones of the queue."""
        documents: list[Document] = []
        if asked.document_id is not None:
            documents.append(self._get(project, asked.document_id))
        elif asked.before is not None:
            previous = self._store.previous(before=asked.before, project=project.name)
            if previous is None:
                return []
            documents.append(previous)
        chosen = [document.id for document in documents]
        after = chosen[0] if chosen else asked.after
        if chosen:
            hold(self._store.database, holder, chosen, keeps_others=True)
        documents += take_documents(
            self._store.database,
            project=project.name,
            holder=holder,
            order=asked.queue.order,
            wanted=asked.queue.wanted,
            seen=asked.seen if after is None else (*asked.seen, after),
            after=after,
            limit=asked.num_documents - len(documents),
        )
        if not documents and asked.after is None and asked.queue.wanted == UNREVIEWED:
            # Where everything is reviewed, whoever comes to look sees it from its beginning. What
            # is left may also be in the hands of others: then there is nothing to do here.
            is_left = self._store.next(after=None, project=project.name, status="new") is not None
            first = None if is_left else self._store.next(after=None, project=project.name)
            documents = [first] if first else []
        return documents

    def _show(
        self,
        project: Project,
        documents: Sequence[Document],
        request: gr.Request,
        token: str | None = None,
        holder: Holder | None = None,
    ) -> Message:
        username = _username(request)
        annotator = holder.annotator if holder else username or ""
        documents = [self._suggest(project, document) for document in documents]
        histories = {document.id: self._store.history(document.id) for document in documents}
        counts = self._store.counts(project=project.name)
        num_total = sum(counts.values())
        return documents_message(
            [show_own(document, histories[document.id], annotator) for document in documents],
            project=project,
            num_total=num_total,
            num_reviewed=num_total - counts["new"],
            username=username,
            independent={
                document.id
                for document in documents
                if is_independent(document, histories[document.id], project.settings)
            },
            closed={
                document.id
                for document in documents
                if is_closed(document, histories[document.id], project.settings)
            },
            holders=read_holders(
                self._store.database,
                [document.id for document in documents],
                other_than=holder.token if holder else "",
            ),
            request=token,
        )

    def _suggest(self, project: Project, document: Document) -> Document:
        """The document, with suggestions unless a person has touched it already.

        They are those of the project's model. Suggestions of another model give way, in a revision
        of their own: whoever trains a model on their corrections wants to see what it has learned.
        Nothing is suggested where no model knows a label of the project.
        """
        predictor = self._models.for_project(project)
        if predictor is None:
            # An empty revision would say for good that a model had found nothing.
            return document
        revision = document.revision
        if revision and (revision.source != "model" or revision.annotator == predictor.name):
            return document
        with self._store.database.reading() as connection:
            stored = read_prediction(connection, document)
        if stored and stored.model == predictor.name:  # read in the background already
            spans = stored.spans
        else:
            (prediction,) = predictor.predict([document.text])
            spans = prediction.spans
        try:
            self._store.save(
                document.id,
                base_revision=document.revision_number,
                spans=(),
                suggestions=project.adopt(spans),
                status="new",
                annotator=predictor.name,
                source="model",
            )
        except StaleRevision:
            logger.info("document %d got a revision from somebody else", document.id)
        return self._store.get(document.id)


def build(
    store: AnnotationStore,
    models: ModelChoice,
    reader: BackgroundReader,
    *,
    current_project: gr.State,
    blocks: gr.Blocks,
) -> AnnotatePage:
    """Build the page inside the current Gradio context; `blocks` is the whole of it."""
    queue_bar.build(store, reader, current_project=current_project)
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
    page.editor.hold(
        page.keep_held,
        trigger_mode="always_last",
        concurrency_id="hold",
        show_progress="hidden",
        api_visibility="private",
    )
    blocks.unload(page.leave)
    current_project.change(
        project_message,
        inputs=current_project,
        outputs=page.editor,
        show_progress="hidden",
        api_visibility="private",
    )
    return page


def _username(request: gr.Request | None) -> str | None:
    return request.username if request else None
