"""Errors in the visitor's language.

The pages' own messages have their words in `webui.wording`. The layers below know no language:
their messages are English and of one form, "expected A, got B". Here they are put into Chinese from
the phrases of `webui.wording.errors`; a phrase that is not there, or a value, stays as it is. A
test reads the messages of all modules that pages import, and fails for one without its phrases.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from ner_core.formats import DataFormatError
from webui.texts import TEXTS, Language
from webui.wording.errors import EXPECTED, GOT, NOUNS
from webui.wording.model_errors import EXPECTED_OF_MODELS, GOT_OF_MODELS

# Some say "found none", or nothing of what came.
_FORM: Final = re.compile(
    r"(?P<place>.*?: )??expected (?P<expected>.+?)(?:, (?:got|found):? (?P<got>.+))?", re.S
)
# A value as JSON or as Python writes it, perhaps cut off: there is nothing to be put into Chinese.
_QUOTED: Final = re.compile(
    r"""
    "(?:[^"\\]|\\.)*["…] | '(?:[^'\\]|\\.)*' | [\[{(].*[\]})…]
    """,
    re.S | re.X,
)
_EXPECTED: Final = EXPECTED_OF_MODELS | EXPECTED
_GOT: Final = GOT_OF_MODELS | GOT


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
    texts, got = TEXTS["zh"], form["got"]
    words = texts["page.expected"].format(
        place=form["place"] or "", expected=_word(form["expected"], _EXPECTED, NOUNS)
    )
    return words + texts["page.got"].format(got=_word(got, _GOT, _GOT)) if got else words


def _word(phrase: str, phrases: Mapping[str, str], inner: Mapping[str, str]) -> str:
    """A phrase in Chinese, with those in it that are among the inner ones; a value as it is."""
    if phrase in phrases:
        return phrases[phrase]
    if _QUOTED.fullmatch(phrase):
        return phrase
    for english, chinese in phrases.items():
        if "{}" in english and (found := _pattern(english).fullmatch(phrase)):
            return chinese.format(*(_word(value, inner, inner) for value in found.groups()))
    return phrase


@cache
def _pattern(english: str) -> re.Pattern[str]:
    return re.compile(re.escape(english).replace(re.escape("{}"), "(.+)"), re.S)
