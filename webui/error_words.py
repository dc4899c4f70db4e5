"""Errors in the visitor's language.

The pages' own messages have their words in `webui.wording`. The layers below know no language:
their messages are English and of one form, "expected A, got B". Here they are put into Chinese from
the phrases of `webui.wording.errors`; a phrase that is not there, or a value, stays as it is.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from ner_core.formats import DataFormatError
from webui.texts import TEXTS, Language
from webui.wording.errors import EXPECTED, GOT

_FORM: Final = re.compile(r"(?P<place>.*?: )??expected (?P<expected>.+?), got (?P<got>.+)", re.S)


def word_error(error: Exception, language: Language) -> str:
    """What to tell a visitor of an error whose message was written for people."""
    if isinstance(error, DataFormatError):
        where = error.source if error.line is None else f"{error.source}:{error.line}"
        return f"{where}: {word_message(error.reason, language)}"
    return word_message(str(error), language)


def word_message(message: str, language: Language) -> str:
    """A message in a visitor's language; one that is in it already comes back unchanged."""
    form = _FORM.fullmatch(message) if language == "zh" else None
    if form is None:
        return message
    return TEXTS["zh"]["page.expected"].format(
        place=form["place"] or "",
        expected=_find(form["expected"], EXPECTED) or form["expected"],
        got=_find(form["got"], GOT) or form["got"],
    )


def is_known(expected: str) -> bool:
    """Whether there is Chinese for what a message expects."""
    return _find(expected, EXPECTED) is not None


def _find(phrase: str, phrases: Mapping[str, str]) -> str | None:
    if phrase in phrases:
        return phrases[phrase]
    for english, chinese in phrases.items():
        found = _pattern(english).fullmatch(phrase)
        if found:
            return chinese.format(*found.groups())
    return None


@cache
def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(re.escape(english).replace(re.escape("{}"), "(.+)"), re.S)
