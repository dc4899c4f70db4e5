"""A project's own colours and names of labels, wherever its labels are shown."""

from types import SimpleNamespace

import gradio as gr
import pytest

from annotation_store.project_changes import change_label
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.spans import Span
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
    data, *_ = TrainHandlers(store, models, jobs).refresh("default", gr.Request())
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
