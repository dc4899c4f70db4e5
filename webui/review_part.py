"""What both parts of the page Review are built from: requests and their answers, and the wiring.

A part is one component. Its events carry the fields of a request, its value is the answer, and
whatever cannot be done is an answer, too: it stands beside what it is about, not in a corner.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

import gradio as gr

from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, DocumentNotFound, StaleRevision, StoreError
from webui.error_words import word_error
from webui.messages import Refusal, reports_errors
from webui.model_choice import ModelChoice
from webui.page_language import language_of
from webui.project_choice import find_project
from webui.review_messages import Message, fields_of, integer, message

_REFUSALS: Final = (Refusal, StoreError, DocumentNotFound, StaleRevision)
_MAX_TOKEN_CHARACTERS: Final = 64


class _HasStore(Protocol):
    """Handlers whose requests name a project of a store."""

    @property
    def store(self) -> AnnotationStore: ...


_Handlers = TypeVar("_Handlers", bound=_HasStore)
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Request:
    """What a visitor asks for.

    Attributes:
        project: The project it is about.
        fields: What the browser sent; nothing in it is trusted.
        token: What the answer echoes.
        username: Who has signed in; None where nobody has to.
    """

    project: Project
    fields: dict[str, Any]
    token: object
    username: str | None


def answers(
    answer: Callable[[_Handlers, Request], Message],
) -> Callable[[_Handlers, object, gr.EventData, gr.Request], Message]:
    """Make an event handler of a method that answers a request; what it refuses is an answer."""

    # Not functools.wraps: Gradio reads the parameters of what is wrapped.
    def handle(
        self: _Handlers, project: object, event: gr.EventData, request: gr.Request
    ) -> Message:
        fields = fields_of(event._data)
        try:
            return answer(self, _read(self.store, project, fields, request))
        except _REFUSALS as error:
            return _refuse(fields, error, request)

    return _named(handle, answer)


def answers_in_steps(
    answer: Callable[[_Handlers, Request], Iterator[Message]],
) -> Callable[[_Handlers, object, gr.EventData, gr.Request], Iterator[Message]]:
    """The same for a method whose answer is preceded by its progress."""

    def handle(
        self: _Handlers, project: object, event: gr.EventData, request: gr.Request
    ) -> Iterator[Message]:
        fields = fields_of(event._data)
        try:
            yield from answer(self, _read(self.store, project, fields, request))
        except _REFUSALS as error:
            yield _refuse(fields, error, request)

    return _named(handle, answer)


def _read(
    store: AnnotationStore, project: object, fields: dict[str, Any], request: gr.Request
) -> Request:
    found = find_project(store, project, language_of(request))
    return Request(found, fields, fields.get("request"), username_of(request))


def _refuse(fields: dict[str, Any], error: Exception, request: gr.Request) -> Message:
    return message("refused", fields.get("request"), reason=word_error(error, language_of(request)))


def _named(handle: Any, answer: Any) -> Any:
    handle.__name__, handle.__qualname__ = answer.__name__, answer.__qualname__
    handle.__doc__ = answer.__doc__
    return reports_errors(handle)


def username_of(request: gr.Request) -> str | None:
    """Who has signed in; None where nobody has to."""
    return getattr(request, "username", None) or None


class Stops:
    """Requests that their visitors have asked to end. Thread-safe."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()
        self._lock = threading.Lock()

    def ask(self, event: gr.EventData) -> None:
        """Make a request end before its model's next step."""
        token = fields_of(event._data).get("request")
        if isinstance(token, str) and len(token) <= _MAX_TOKEN_CHARACTERS:
            with self._lock:
                self._tokens.add(token)

    def follow(
        self,
        asked: Request,
        steps: Iterator[tuple[int, int] | _Result],
        describe: Callable[[_Result], Message],
    ) -> Iterator[Message]:
        """Progress as messages, then the answer, unless it is asked to end before.

        Args:
            asked: The request.
            steps: Texts that the model has read and texts in all, now and then; last the result.
            describe: The answer with the result.
        """
        for step in steps:
            if not isinstance(step, tuple):
                yield describe(step)
            elif self._takes(asked.token):
                yield message("stopped", asked.token)
                return
            else:
                done, total = step
                yield message("progress", asked.token, done=done, total=total)

    def _takes(self, token: object) -> bool:
        with self._lock:
            is_asked = token in self._tokens
            self._tokens.discard(str(token))
            return is_asked


def models_for(project: Project, models: ModelChoice) -> list[str]:
    """The names of the models that know a label of a project; the one it uses comes first."""
    known = set(project.known_names.labels)
    chosen = models.for_project(project)
    names = [model.name for model in models if known & set(model.labels.labels)]
    return sorted(names, key=lambda name: chosen is None or name != chosen.name)


def choose_document(
    store: AnnotationStore, project: object, event: gr.EventData, request: gr.Request
) -> int:
    """The id of the document to open in the editor.

    Raises:
        DocumentNotFound: The project has none with this id.
        Refusal: There is no such project.
    """
    found = find_project(store, project, language_of(request))
    document = store.get(integer(fields_of(event._data), "id"))
    if document.project != found.name:
        raise DocumentNotFound(f"expected the id of a document, got {document.id}")
    return document.id


def connect(
    view: gr.HTML,
    store: AnnotationStore,
    stops: Stops,
    handlers: Sequence[tuple[Callable[..., Any], Callable[..., Any], int]],
    *,
    current_project: gr.State,
) -> tuple[gr.events.Dependency, gr.State]:
    """Connect the events of a part with their handlers.

    Args:
        view: The part; its events "stop" and "open" need no handler of its own.
        store: Holds the documents that can be opened.
        stops: Takes the requests to end.
        handlers: An event, what answers it, and how many of these may be at work at once.
        current_project: The state with the project's name, the first argument of each handler.

    Returns:
        What succeeds when the visitor has chosen a document to open, and the state with its id.
    """
    for listen, answer, concurrency_limit in handlers:
        listen(
            answer,
            inputs=current_project,
            outputs=view,
            # Gradio's default mode drops an event while one of its kind is under way.
            trigger_mode="multiple",
            concurrency_limit=concurrency_limit,
            concurrency_id=f"{view.elem_id}-{answer.__name__}",
            show_progress="hidden",
            api_visibility="private",
        )
    # Not through the queue: it has to overtake what it ends.
    view.stop(stops.ask, queue=False, api_visibility="private")

    @reports_errors
    def choose(project: object, event: gr.EventData, request: gr.Request) -> int:
        return choose_document(store, project, event, request)

    document_id = gr.State(None)
    chosen = view.open(
        choose,
        inputs=current_project,
        outputs=document_id,
        api_visibility="private",
    )
    return chosen, document_id
