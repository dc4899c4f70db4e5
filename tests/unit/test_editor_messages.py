"""What the editor may say to the server: bounds of each field, and one clear message otherwise."""

import math

import pytest

from annotation_store.projects import LabelSettings, Project, ProjectSettings
from ner_core.labels import CLUENER, MSRA, LabelSet
from webui.annotator.guidelines import default_guideline
from webui.annotator.messages import (
    GuidelineRequest,
    SaveRequest,
    documents_message,
    guideline_message,
)

SAVE = {
    "request": "t",
    "document_id": 1,
    "base_revision": 1,
    "spans": [],
    "suggestions": [],
    "status": "accepted",
    "annotator": "mei",
}


@pytest.mark.parametrize(
    ("sent", "read"), [(None, None), (0, 0.0), (12.5, 12.5), (86_400, 86400.0)]
)
def test_seconds_of_work_are_optional_and_at_most_a_day(sent, read):
    assert SaveRequest.from_payload({**SAVE, "duration_s": sent}).duration_s == read


def test_a_browser_that_sends_no_seconds_is_understood():
    assert SaveRequest.from_payload(SAVE).duration_s is None


@pytest.mark.parametrize("sent", [-0.1, 86_401, math.nan, math.inf, "5", True, [5]])
def test_other_seconds_are_refused(sent):
    with pytest.raises(ValueError, match="expected duration_s"):
        SaveRequest.from_payload({**SAVE, "duration_s": sent})


@pytest.mark.parametrize("label", [None, "name"])
def test_a_guideline_is_for_one_label_or_for_all(label):
    asked = GuidelineRequest.from_payload({"request": "t", "label": label, "text": " 只标真人\n"})
    assert (asked.label, asked.text) == (label, "只标真人")
    answer = guideline_message(asked)
    assert (answer["kind"], answer["request"], answer["label"]) == ("guideline", "t", label)
    assert answer["text"] == "只标真人"


@pytest.mark.parametrize(
    "payload",
    [
        {"request": "t", "label": "name"},
        {"request": "t", "label": 5, "text": ""},
        {"request": "t", "label": None, "text": "长" * 5001},
        {"request": "t", "label": None, "text": "half a pair \ud800"},
        {"request": "", "label": None, "text": ""},
        None,
    ],
)
def test_a_guideline_of_the_wrong_shape_is_refused(payload):
    with pytest.raises(ValueError, match="expected"):
        GuidelineRequest.from_payload(payload)


@pytest.mark.parametrize("label", [None, *CLUENER.labels, *MSRA.labels])
def test_every_label_of_the_bundled_models_has_words_in_both_languages(label):
    words = default_guideline(label)
    assert words["zh"] and words["en"]
    assert max(map(len, words.values())) < 200  # read at a glance


def test_a_label_that_nobody_described_has_no_words():
    assert default_guideline("isotope") == {"zh": "", "en": ""}


def test_the_users_own_words_come_beside_the_programs():
    settings = ProjectSettings(
        labels={"PER": LabelSettings(guideline="只标真人")}, guideline="慢慢来"
    )
    project = Project("demo", LabelSet(("PER", "isotope")), settings)
    message = documents_message([], project=project, num_total=0, num_reviewed=0, username=None)
    person, isotope = message["labels"]
    assert person["guideline"] == {"own": "只标真人", "default": default_guideline("PER")}
    assert isotope["guideline"] == {"own": "", "default": {"zh": "", "en": ""}}
    assert message["guideline"] == {"own": "慢慢来", "default": default_guideline(None)}
