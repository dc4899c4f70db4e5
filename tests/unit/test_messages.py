"""What a visitor is told: clear, escaped, in the right language, and never a traceback."""

import gradio as gr
import pytest

from webui import messages
from webui.messages import (
    MAX_TEXT_CHARACTERS,
    Refusal,
    find_text_problem,
    refuse,
    reports_errors,
    reports_errors_to_programs,
)

CHINESE = gr.Request(headers={"accept-language": "zh-CN,zh;q=0.9"})
ENGLISH = gr.Request(headers={"accept-language": "de,en;q=0.9"})


@pytest.fixture
def log(caplog, monkeypatch):
    """What is logged; import-linter, which another test runs, switches off all loggers."""
    monkeypatch.setattr(messages.logger, "disabled", False)
    return caplog


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ab\x00", "Character 3 is NUL (U+0000)"),
        ("\ude00", "Character 1 is half of a surrogate pair (U+DE00)"),
        ("长" * (MAX_TEXT_CHARACTERS + 1), "100001 characters; at most 100000"),
    ],
)
def test_a_problem_names_the_place_and_never_quotes_the_text(text, words):
    problem = find_text_problem(text, "en")
    assert problem is not None
    assert words in problem
    assert text not in problem


def test_the_longest_text_is_allowed():
    assert find_text_problem("长" * MAX_TEXT_CHARACTERS, "zh") is None


def test_a_message_is_escaped():
    assert refuse("<img src=x onerror=alert(1)>").message == ("&lt;img src=x onerror=alert(1)&gt;")


def test_a_program_is_told_in_plain_text():
    @reports_errors_to_programs
    def endpoint(text: str) -> None:
        raise Refusal("expected 'a' & <b>")

    with pytest.raises(gr.Error) as caught:
        endpoint("some text")
    assert caught.value.message == "expected 'a' & <b>"


def test_a_bug_is_logged_with_its_traceback_and_shown_as_an_internal_error(log):
    @reports_errors
    def handler(text: str, request: gr.Request) -> None:
        raise RuntimeError("a bug")

    with pytest.raises(gr.Error, match="内部错误") as caught:
        handler("some text", CHINESE)
    assert "a bug" not in caught.value.message
    assert "RuntimeError: a bug" in log.text
    assert "some text" not in log.text


def test_a_bug_in_the_middle_of_steps_is_reported_too(log):
    @reports_errors
    def handler(request: gr.Request):
        yield 1
        raise KeyError("a bug")

    steps = handler(ENGLISH)
    assert next(steps) == 1
    with pytest.raises(gr.Error, match="Internal error"):
        next(steps)
    assert "KeyError" in log.text
