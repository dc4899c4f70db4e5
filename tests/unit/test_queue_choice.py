"""The order and the filters that a browser asks for, read and never trusted."""

import pytest

from annotation_store.document_filter import DocumentFilter
from webui.queue_choice import QueueChoice


def test_nothing_asked_for_is_the_most_uncertain_that_nobody_reviewed() -> None:
    expected = QueueChoice("path", DocumentFilter(status="new"))
    assert QueueChoice.from_payload(None) == QueueChoice.from_payload({}) == expected


def test_everything_that_can_be_asked_for_is_read() -> None:
    asked = {
        "order": "random",
        "status": "all",
        "label": "name",
        "annotator": "梅",
        "query": "杭州",
        "differs": True,
    }
    assert QueueChoice.from_payload(asked) == QueueChoice(
        "random",
        DocumentFilter(label="name", annotator="梅", query="杭州", differs=True),
    )


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ([], "expected a queue as an object, got list"),
        ({"order": "alphabet"}, "expected one of the orders path, token, random, position, got"),
        ({"order": ["path"]}, "expected one of the orders"),
        ({"status": "done"}, "expected one of the statuses"),
        ({"status": None}, "expected status as text"),
        ({"label": 5}, "expected label as text"),
        ({"annotator": "x" * 201}, "expected annotator as text of at most 200 characters"),
        ({"query": "x" * 1001}, "expected query as text of at most 1000 characters"),
        ({"query": "\ud83d"}, "lone surrogate"),
        ({"differs": "yes"}, "expected differs to be true or false, got str"),
    ],
)
def test_what_makes_no_sense_is_refused(asked: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        QueueChoice.from_payload(asked)
