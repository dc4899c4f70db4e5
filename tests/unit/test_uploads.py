"""What a visitor's file holds: no text that the pages would not tag."""

import json

import pytest

from ner_core.labels import CLUENER
from webui.messages import MAX_TEXT_CHARACTERS, find_text_problem
from webui.uploads import read_upload

LONGEST = "长" * MAX_TEXT_CHARACTERS
TOO_LONG = "太" * MAX_TEXT_CHARACTERS + "长"


def write(name: str, *texts: str) -> bytes:
    if name.endswith(".txt"):
        return "\n".join(texts).encode()
    if name.endswith(".csv"):
        return "\n".join(("text", *texts)).encode()
    return "\n".join(json.dumps({"text": text, "label": {}}) for text in texts).encode()


@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_a_text_longer_than_the_pages_tag_is_an_error_beside_the_good_ones(name):
    upload = read_upload(write(name, "好", TOO_LONG, LONGEST), name, labels=CLUENER)
    assert [document.text for document in upload.documents] == ["好", LONGEST]
    line = 3 if name == "a.csv" else 2
    assert [str(error) for error in upload.errors] == [
        f"{name}:{line}: expected a text of at most 100000 characters, got 100001"
    ]


def test_the_limit_is_the_one_of_predict():
    assert find_text_problem(LONGEST, "en") is None
    assert find_text_problem(TOO_LONG, "en") is not None


def test_lines_that_cannot_be_read_stay_errors():
    upload = read_upload(
        f"nonsense\n{json.dumps({'text': TOO_LONG})}".encode(), "a.jsonl", labels=None
    )
    assert upload.documents == ()
    assert [error.line for error in upload.errors] == [1, 2]
