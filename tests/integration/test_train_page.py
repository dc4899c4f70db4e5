"""The loop closes: corrections, a real training, a comparison, and the new model in use."""

import json
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from annotation_store.leases import Holder
from annotation_store.project_changes import set_model
from annotation_store.projects import Project, ProjectSettings
from annotation_store.queue import take_documents
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.formats import format_cluener_line
from ner_core.labels import CLUENER, LabelSet
from ner_core.prediction import Predictor
from ner_core.spans import Example, Span
from tests.e2e.rules_app import RulesPredictor
from trainer.held_out import is_held_out
from webui.background_reader import BackgroundReader
from webui.model_choice import ModelChoice
from webui.train_tab import TrainHandlers
from webui.trained_models import find_trained_models, finish_training, restore_models
from webui.training_job import Job, TrainingJobs
from webui.training_plan import PlanOptions, make_plan
from webui.training_set import ReferenceFiles, collect_training_set

# A training is a process that imports torch; on a busy machine that alone takes minutes.
pytestmark = pytest.mark.timeout(900)

CHINESE = gr.Request(headers={"accept-language": "zh-CN"})
TIMEOUT_S = 800


@pytest.fixture
def examples(eight_sentences: tuple[Example, ...]) -> list[Example]:
    """The eight sentences three times, so that a tenth can be held out."""
    return [
        Example(f"{number}{example.id}", example.text + "，" * number, example.spans)
        for number in range(3)
        for example in eight_sentences
    ]


@pytest.fixture
def store(tmp_path: Path, examples: list[Example]) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        store.add(NewDocument(it.text, it.spans, it.id, "accepted") for it in examples)
        store.add([NewDocument("没有人看过的一句")])
        yield store


@pytest.fixture
def project(store: AnnotationStore) -> Project:
    return store.projects()[0]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[TrainingJobs]:
    jobs = TrainingJobs(tmp_path / "runs")
    yield jobs
    jobs.close()


@pytest.fixture
def models(tiny_checkpoint: Path) -> ModelChoice:
    return ModelChoice.load([tiny_checkpoint])


@pytest.fixture
def reader(store: AnnotationStore, models: ModelChoice) -> Iterator[BackgroundReader]:
    reader = BackgroundReader(store, models)
    yield reader
    reader.wait()


@pytest.fixture
def handlers(
    store: AnnotationStore, models: ModelChoice, jobs: TrainingJobs, reader: BackgroundReader
) -> TrainHandlers:
    return TrainHandlers(store, models, jobs, reader)


def event(**data: Any) -> gr.EventData:
    return gr.EventData(None, data)


def wait_until_over(handlers: TrainHandlers) -> dict[str, Any]:
    """The value of the job's view when nothing is under way any more."""
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        value, *_ = handlers.refresh_job("default", CHINESE)
        if value["state"] not in ("starting", "running", "comparing"):
            return value
        assert time.monotonic() < deadline, value
        time.sleep(0.5)


def give_dev_file(jobs: TrainingJobs, project: Project, examples: list[Example]) -> None:
    lines = "\n".join(map(format_cluener_line, examples))
    ReferenceFiles(jobs.folder, project).save("dev", lines.encode(), "dev.json")


# What there is to learn from


def test_every_text_is_always_on_the_same_side_and_a_tenth_is_held_out() -> None:
    texts = [f"第{number}条" for number in range(2000)]
    held_out = [text for text in texts if is_held_out(text)]
    assert 150 < len(held_out) < 250
    assert held_out == [text for text in texts if is_held_out(text)]


def test_only_accepted_texts_count_and_none_is_on_both_sides(store, project, jobs, examples):
    files = ReferenceFiles(jobs.folder, project)
    data = collect_training_set(store, project, files, since=None)
    assert data.num_accepted == data.num_new == len(examples)
    assert data.is_dev_held_out
    train, dev = ({it.text for it in part} for part in (data.train, data.dev))
    assert train.isdisjoint(dev)
    assert train | dev == {it.text for it in examples}


def test_what_was_accepted_since_the_model_was_trained_is_new(store, project, jobs):
    files = ReferenceFiles(jobs.folder, project)
    since = datetime.now(UTC)
    store.add([NewDocument("叶老桂来了", (Span(0, 3, "name"),), "", "accepted")])
    data = collect_training_set(store, project, files, since=since)
    assert data.num_new == 1
    assert {it.label: it.new for it in data.labels if it.new} == {"name": 1}
    later = collect_training_set(store, project, files, since=since + timedelta(days=1))
    assert later.num_new == 0


def test_texts_of_the_dev_file_are_neither_trained_on_nor_mixed_in(store, project, jobs, examples):
    give_dev_file(jobs, project, examples[:8])
    files = ReferenceFiles(jobs.folder, project)
    lines = "\n".join(map(format_cluener_line, [*examples[:9], Example("", "长江", ())]))
    files.save("original", lines.encode(), "original.jsonl")
    data = collect_training_set(store, project, files, since=None)
    assert not data.is_dev_held_out
    assert len(data.dev) == 8
    assert {it.text for it in data.train} == {it.text for it in examples[8:]}
    assert [it.text for it in data.original] == ["长江"]  # the others are judged or known
    files.remove("dev")
    assert collect_training_set(store, project, files, since=None).is_dev_held_out


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("", "dev.json", "expected labelled sentences, got none"),
        ('{"text": "长江"}', "dev.json", 'expected "label" in every line, got 1'),
        ('{"text": "长江", "label": {"river": {"长江": [[0, 1]]}}}', "a.json", "a.json:1: .*river"),
        ("长\tB-river\n", "a.bio", "a.bio:1: .*river"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(jobs, project, content, name, message):
    files = ReferenceFiles(jobs.folder, project)
    with pytest.raises(ValueError, match=message):
        files.save("dev", content.encode(), name)
    assert files.read("dev") is None


# Settings that suit it


def test_few_sentences_are_read_often_and_many_seldom(store, project, jobs, models, examples):
    data = collect_training_set(store, project, ReferenceFiles(jobs.folder, project), since=None)
    source = models.source_of("tiny")
    assert source is not None
    plan = make_plan(data, project, models.default, source, PlanOptions())
    assert plan.epochs == 20
    assert plan.keeps_head
    flags = dict(zip(plan.flags[::2], plan.flags[1::2], strict=True))
    assert flags["--encoder"] == source
    assert flags["--architecture"] == "bert-bilstm-crf"
    assert float(flags["--encoder-learning-rate"]) == pytest.approx(0.3 * 1e-4)
    asked = make_plan(data, project, models.default, source, PlanOptions(epochs=2, rate=2.0))
    assert (asked.epochs, asked.rate) == (2, 2.0)


def test_a_project_with_other_labels_gets_a_new_head_at_full_rate(jobs, models, store):
    store.create_project("rivers", LabelSet(("river",)))
    project = store.projects()[1]
    data = collect_training_set(store, project, ReferenceFiles(jobs.folder, project), since=None)
    plan = make_plan(data, project, models.default, "somewhere", PlanOptions())
    assert not plan.keeps_head
    assert plan.labels == ("river",)
    assert plan.rate == 1.0


# The whole loop


def test_corrections_become_a_model_that_is_compared_and_put_to_use(
    handlers, store, project, jobs, models, examples
):
    give_dev_file(jobs, project, examples[:8])
    old = models.default
    job, *_, timer = handlers.start("default", 3, 10, None, 1, CHINESE)
    assert job["state"] == "starting"
    assert timer.active
    with pytest.raises(gr.Error, match="一次只能有一个"):
        handlers.start("default", None, None, None, None, CHINESE)
    over = wait_until_over(handlers)
    assert over["state"] == "done", over
    comparison = over["comparison"]
    assert comparison["a"]["checkpoint"] == "tiny"
    assert comparison["b"]["checkpoint"] == over["name"] == "default-1"
    assert comparison["num_examples"] == 8
    interval = comparison["confidence_interval"]
    assert interval["low"] <= comparison["difference"] <= interval["high"]
    # Eight sentences say little, and the page must not say more.
    assert (comparison["verdict"] == "better") == (comparison["p_value"] < 0.05)
    assert models.names == ("tiny",)  # nobody has asked for it yet

    data, listed, _curve, _plot, job, *_rest = handlers.use(
        "default", event(name="default-1"), CHINESE
    )
    assert models.default.name == "default-1"
    assert models.find("tiny") is old
    assert store.projects()[0].settings.model == "default-1"
    assert listed["in_use"] == "default-1"
    assert job["is_in_use"]
    assert (data["model"], data["num_new"], data["is_first"]) == ("default-1", 0, False)
    (prediction,) = models.for_project(store.projects()[0]).predict([examples[0].text])
    assert prediction.text == examples[0].text

    # One click back, and the choice outlives the app.
    handlers.use("default", event(name="tiny"), CHINESE)
    assert models.default is old
    set_model(store.database, "default", "default-1")
    again = ModelChoice([old], {"tiny": "somewhere"})
    assert restore_models(again, jobs.folder, store.projects()) == []
    assert again.names == ("default-1", "tiny")


def test_a_model_put_to_use_ranks_the_queue_before_anybody_looks_at_it(store, jobs):
    def make_model(name: str, *, sure: str, unsure: str) -> RulesPredictor:
        rules = {sure: ("scene", 0.9), unsure: ("scene", 0.6)}
        return RulesPredictor(name, CLUENER, rules, is_certain=False)

    old = make_model("old", sure="长江", unsure="黄河")
    new = make_model("new", sure="黄河", unsure="长江")
    models = ModelChoice([old, new])
    reader = BackgroundReader(store, models)
    store.add([NewDocument("长江"), NewDocument("黄河")])

    def take_texts() -> list[str]:
        reader.wait()
        holder = Holder("page", "Lin")
        taken = take_documents(store.database, project="default", holder=holder, limit=2)
        return [document.text for document in taken]

    reader.look_at(store.projects()[0])
    assert take_texts() == ["黄河", "长江"]
    TrainHandlers(store, models, jobs, reader).use("default", event(name="new"), CHINESE)
    assert take_texts() == ["长江", "黄河"]


def test_an_app_killed_before_the_comparison_makes_it_when_it_is_looked_at(
    handlers, store, project, jobs, examples
):
    give_dev_file(jobs, project, examples[:8])
    handlers.start("default", 1, None, None, None, CHINESE)
    assert wait_until_over(handlers)["state"] == "done"
    output = jobs.folder / "default-1"
    for name in ("comparison.json", "training.json"):
        (output / name).unlink()
    assert find_trained_models(jobs.folder, "default") == []
    value, *_ = handlers.refresh_job("default", CHINESE)
    assert value["state"] == "comparing"
    assert wait_until_over(handlers)["comparison"]
    (model,) = find_trained_models(jobs.folder, "default")
    assert model.about["base"] == "tiny"


def test_the_learning_curve_has_a_point_for_each_part_of_the_corrections(
    handlers, project, jobs, examples
):
    give_dev_file(jobs, project, examples[:8])
    curve, _plot, job, *_rest = handlers.start_curve("default", CHINESE)
    assert not curve["can_start"]
    assert job["kind"] == "curve"
    assert wait_until_over(handlers)["state"] == "done"
    _data, _models, curve, plot, *_rest = handlers.refresh("default", CHINESE)
    # None is the model itself; an eighth and a quarter of 16 sentences would be too few.
    assert [point["num_sentences"] for point in curve["points"]] == [0, 8, 16]
    assert all(point["low"] <= point["f1"] <= point["high"] for point in curve["points"])
    assert (curve["base"], curve["num_dev"], curve["num_measured"]) == ("tiny", 8, 16)
    assert curve["can_start"]
    assert plot.visible
    assert not list(jobs.folder.glob("*.run"))


def test_a_model_that_cannot_be_compared_says_why_and_can_be_used_all_the_same(
    handlers, models, jobs, project, examples, tiny_checkpoint
):
    give_dev_file(jobs, project, examples[:8])
    handlers.start("default", 1, None, None, None, CHINESE)
    assert wait_until_over(handlers)["state"] == "done"
    (jobs.folder / "default-1" / "comparison.json").unlink()
    shutil.rmtree(tiny_checkpoint)  # somebody tidied up
    over = wait_until_over(handlers)
    assert over["state"] == "done"
    assert over["comparison"] is None
    assert "tiny" in over["reason"]
    handlers.use("default", event(name="default-1"), CHINESE)
    assert models.default.name == "default-1"


def test_what_was_compared_is_not_compared_again(tiny_checkpoint, tmp_path, project, jobs):
    jobs.folder.mkdir()
    path = Path(shutil.copytree(tiny_checkpoint, jobs.folder / "mine-1"))
    (path / "comparison.json").write_text(json.dumps({"verdict": "better"}), encoding="utf-8")
    (path / "metrics.json").write_text('{"dev": {"micro": {"f1": 0.5}}}', encoding="utf-8")
    about = {"read_at": "2026-01-01T00:00:00+00:00", "base_source": "nowhere"}
    model = finish_training(
        jobs.folder, Job("mine-1", "training", "", (), "default", about), project
    )
    assert model is not None
    assert model.comparison == {"verdict": "better"}


# What is refused


def test_too_few_texts_are_refused_with_their_number(models, jobs, tmp_path):
    with AnnotationStore.open(tmp_path / "empty.db") as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument("长江", (), "", "accepted")])
        handlers = TrainHandlers(store, models, jobs, BackgroundReader(store, models))
        with pytest.raises(gr.Error, match="至少需要 5 条"):
            handlers.start("default", None, None, None, None, CHINESE)
    assert not jobs.folder.exists()


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ((0, None, None, None), "“最多轮数”应在 1 到 200 之间"),
        ((None, 11, None, None), "“学习率倍数”应在 0.001 到 10 之间"),
        (("2", "11", "", " "), "“学习率倍数”应在 0.001 到 10 之间"),
        (("", "nan", "", ""), "“学习率倍数”应在 0.001 到 10 之间"),
        (("", "", "", "1e400"), "“随机种子”应在"),
        ((None, None, "x", None), "“每条纠正混入的原始句数”应在"),
        ((None, None, None, True), "“随机种子”应在"),
    ],
)
def test_a_number_out_of_range_is_refused_by_its_name(handlers, numbers, message):
    with pytest.raises(gr.Error, match=message):
        handlers.start("default", *numbers, CHINESE)


@pytest.mark.parametrize("name", ["gone", "../tiny", None, 3, ["tiny"]])
def test_only_models_that_are_there_can_be_put_to_use(handlers, models, name):
    with pytest.raises(gr.Error, match="没有模型"):
        handlers.use("default", event(name=name), CHINESE)
    assert models.generation == 0


def test_a_model_that_is_gone_is_passed_over_when_the_app_starts(models, jobs):
    project = Project("default", CLUENER, ProjectSettings(model="default-7"))
    (problem,) = restore_models(models, jobs.folder, [project])
    assert "uses model 'default-7', which is not on offer" in problem
    assert models.names == ("tiny",)


def test_a_model_without_a_directory_cannot_be_trained_on(store, jobs, tiny_checkpoint):
    models = ModelChoice([Predictor.load(tiny_checkpoint)])
    handlers = TrainHandlers(store, models, jobs, BackgroundReader(store, models))
    data, *_ = handlers.refresh("default", CHINESE)
    assert data["plan"] is None
    with pytest.raises(gr.Error, match="不是检查点目录"):
        handlers.start("default", None, None, None, None, CHINESE)


def test_no_training_is_offered_without_something_to_learn_from(models, jobs, tmp_path, examples):
    with AnnotationStore.open(tmp_path / "empty.db") as store:
        store.create_project("default", CLUENER)
        handlers = TrainHandlers(store, models, jobs, BackgroundReader(store, models))
        *_, button, beside = handlers.refresh("default", CHINESE)
        assert not button.interactive
        assert beside["lack"].startswith("至少需要 5 条可训练的已接受文本，现在有 0 条")
        store.add(NewDocument(it.text, it.spans, it.id, "accepted") for it in examples)
        *_, button, beside = handlers.refresh("default", CHINESE)
        assert button.interactive
        assert beside["lack"] is None
