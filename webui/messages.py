"""What is said when something cannot be done: one message, never a traceback.

The browser shows it as HTML, so visitors get it escaped; other programs get it as it is.
"""

import functools
import html
import inspect
import logging
import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar, cast

import gradio as gr

from annotation_store.store import DocumentNotFound, StaleRevision, StoreError
from ner_core.formats import DataFormatError
from webui.error_words import word_error
from webui.page_language import language_of
from webui.texts import TEXTS, Language

logger = logging.getLogger(__name__)

MAX_TEXT_CHARACTERS: Final = 100_000


class Refusal(ValueError):
    """What was asked for cannot be done; the message is plain text for a visitor or a program."""


# Named errors whose message is written for the user; any other exception is a bug.
_EXPECTED_ERRORS: Final = (DataFormatError, DocumentNotFound, Refusal, StaleRevision, StoreError)

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")

_Handler = TypeVar("_Handler", bound=Callable[..., Any])


def find_text_problem(text: object, language: Language) -> str | None:
    """Why a text cannot be tagged, in the visitor's language; None when it can.

    The message never quotes the text: no answer could carry half of a surrogate pair.
    """
    texts = TEXTS[language]
    if not isinstance(text, str) or not text.strip():
        return texts["page.text_empty"]
    if len(text) > MAX_TEXT_CHARACTERS:
        return texts["page.text_too_long"].format(length=len(text), limit=MAX_TEXT_CHARACTERS)
    return find_unstorable_character(text, language)


def find_unstorable_character(text: str, language: Language) -> str | None:
    """Which character no UTF-8 file can hold and where, in the visitor's language; None if none."""
    found = _UNSTORABLE.search(text)
    if not found:
        return None
    texts = TEXTS[language]
    code_point = f"U+{ord(found.group()):04X}"
    kind = "page.text_nul" if found.group() == "\x00" else "page.text_surrogate"
    return texts["page.text_unstorable"].format(
        position=found.start() + 1, name=texts[kind].format(code_point=code_point)
    )


def refuse(message: str) -> gr.Error:
    """The error to raise when a visitor asks for what cannot be done."""
    return gr.Error(html.escape(message), print_exception=False)


def warn(message: str) -> None:
    """Tell the visitor something and let the handler go on."""
    gr.Warning(html.escape(message))


def reports_errors(handler: _Handler) -> _Handler:
    """Make an event handler answer every exception with one message for the visitor.

    Errors that are named for it keep their message; any other exception is a bug: it is logged with
    its traceback and shown as an internal error.
    """
    return _report_errors(handler, refuse)


def reports_errors_to_programs(handler: _Handler) -> _Handler:
    """The same for an endpoint that no page calls: its messages are not HTML."""
    return _report_errors(handler, lambda message: gr.Error(message, print_exception=False))


def _report_errors(handler: _Handler, make_error: Callable[[str], gr.Error]) -> _Handler:
    def translate(error: Exception, arguments: tuple[Any, ...]) -> gr.Error:
        if isinstance(error, gr.Error):
            return error
        request = next((item for item in arguments if isinstance(item, gr.Request)), None)
        language = language_of(request)
        if isinstance(error, _EXPECTED_ERRORS):
            return make_error(word_error(error, language))
        logger.error("%s failed", handler.__qualname__, exc_info=error)
        return make_error(TEXTS[language]["page.internal_error"])

    if inspect.isgeneratorfunction(handler):

        @functools.wraps(handler)
        def steps(*arguments: Any) -> Iterator[Any]:
            try:
                yield from handler(*arguments)
            except Exception as error:
                raise translate(error, arguments) from None

        return cast(_Handler, steps)

    @functools.wraps(handler)
    def call(*arguments: Any) -> Any:
        try:
            return handler(*arguments)
        except Exception as error:
            raise translate(error, arguments) from None

    return cast(_Handler, call)
