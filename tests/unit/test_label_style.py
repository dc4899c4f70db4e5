"""A project's own colours and names of labels, wherever its labels are shown."""

from itertools import combinations
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest

from annotation_store.project_changes import change_label
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.spans import Span
from webui.background_reader import BackgroundReader
from webui.label_style import style_labels
from webui.lint_tab import LintHandlers
from webui.model_choice import ModelChoice
from webui.prediction_cache import PredictionCache
from webui.review_tab import ReviewHandlers
from webui.statistics_tab import ProjectCounts, make_card
from webui.train_tab import TrainHandlers
from webui.training_job import TrainingJobs

VISITOR = SimpleNamespace(username=None, headers={})


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument("浙商银行", (Span(0, 4, "company"),), "", "accepted")])
        change_label(store.database, "default", "company", color="#123456", chinese="企业")
        yield store


def of_review(store, models, tmp_path):
    handlers = ReviewHandlers(store, models, PredictionCache())
    return handlers.show_sides("default", VISITOR)["labels"]


def of_lint(store, models, tmp_path):
    return LintHandlers(store, models, PredictionCache()).show("default", VISITOR)["labels"]


def of_train(store, models, tmp_path):
    jobs = TrainingJobs(tmp_path / "runs")
    handlers = TrainHandlers(store, models, jobs, BackgroundReader(store, models))
    data, *_ = handlers.refresh("default", gr.Request())
    return data["labels"]


def of_statistics(store, models, tmp_path):
    (project,) = store.projects()
    chart = make_card("labels", ProjectCounts(store, project, 0), "zh").chart
    return [{"label": "company", "zh": "企业", "color": chart.colors["企业"]}]


@pytest.mark.parametrize("page", [of_review, of_lint, of_train, of_statistics])
def test_a_project_shows_its_own_colours_and_names_on_every_page(store, tmp_path, page):
    models = ModelChoice([SimpleNamespace(name="none", labels=CLUENER)])
    (company,) = (it for it in page(store, models, tmp_path) if it["label"] == "company")
    assert company["color"] == "#123456"
    assert company.get("chinese", company.get("zh")) == "企业"


def test_labels_of_no_project_have_the_styles_of_the_program():
    (style, *_) = style_labels(CLUENER, None)
    assert (style.label, style.color) == ("address", "#2F6FDE")


# Linear RGB as somebody without one kind of cones sees it (Machado, Oliveira and Fernandes 2009,
# severity 1).
SIGHT = {
    "all cones": np.eye(3),
    "no red": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "no green": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "no blue": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}


def to_lab(color, sight):
    """CIELAB (D65) of what somebody sees of "#RRGGBB"."""
    rgb = np.array([int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(sight @ linear, 0, 1)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    ratio = to_xyz @ seen / [0.95047, 1.0, 1.08883]
    f = np.where(ratio > 0.008856, np.cbrt(ratio), 7.787 * ratio + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_colours_differ_whatever_cones_somebody_has(sight):
    """CIE76; 2.3 is what can just be told apart."""
    places = {
        style.label: to_lab(style.color, SIGHT[sight]) for style in style_labels(CLUENER, None)
    }
    distances = {
        (one, other): np.linalg.norm(places[one] - places[other])
        for one, other in combinations(places, 2)
    }
    closest = min(distances, key=distances.__getitem__)
    assert distances[closest] > 9, (closest, distances[closest])
