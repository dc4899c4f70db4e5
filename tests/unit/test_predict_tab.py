"""The page Predict without a browser: its handlers, its batches, its examples."""

import json
import re
from pathlib import Path

import gradio as gr
import pytest

from annotation_store.store import AnnotationStore
from annotation_store.uploads import parse_upload
from ner_core.formats import read_cluener
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.prediction import Prediction
from ner_core.spans import Span
from webui import uploads
from webui.batch import tag_upload
from webui.examples import examples_for
from webui.model_choice import ModelChoice
from webui.predict_tab import PredictHandlers, describe_offer, find_or_add
from webui.predict_view import describe_models, describe_result
from webui.settings import Settings


class BankPredictor:
    """Finds 浙商银行; stands in for `ner_core.prediction.Predictor`."""

    name = "banks"
    labels = CLUENER
    device_name = "CPU"

    def predict(self, texts, *, batch_size=32):
        return [
            Prediction(
                text,
                tuple(
                    Span(found.start(), found.end(), "company", 0.75)
                    for found in re.finditer("浙商银行", text)
                ),
            )
            for text in texts
        ]


class PlacePredictor:
    """Finds 杭州, with other labels."""

    name = "places"
    labels = MSRA
    device_name = "CPU"

    def predict(self, texts, *, batch_size=32):
        return [
            Prediction(
                text,
                tuple(Span(m.start(), m.end(), "LOC", 0.5) for m in re.finditer("杭州", text)),
            )
            for text in texts
        ]


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


@pytest.fixture
def models():
    return ModelChoice([BankPredictor(), PlacePredictor()])


@pytest.fixture
def handlers(store, models, tmp_path):
    return PredictHandlers(store, models, Settings(tmp_path))


CHINESE = gr.Request(headers={"accept-language": "zh-CN,zh;q=0.9"})
ENGLISH = gr.Request(headers={"accept-language": "de,en;q=0.9"})


def event(**data):
    return gr.EventData(None, data)


# The text


def test_the_value_of_the_result_holds_text_spans_and_time(handlers):
    value = handlers.predict("😀浙商银行", "banks", CHINESE)
    assert value.pop("seconds") >= 0
    assert value == {
        "text": "😀浙商银行",
        "model": "banks",
        "spans": [{"start": 1, "end": 5, "label": "company", "score": 0.75}],
    }


@pytest.mark.parametrize("text", ["", " ", "\n\u3000\t", None])
def test_a_text_without_words_is_a_warning_in_the_visitors_language(handlers, text):
    with pytest.warns(UserWarning, match="没有可识别的文字"):
        assert handlers.predict(text, "banks", CHINESE) == gr.skip()
    with pytest.warns(UserWarning, match="There is nothing to read"):
        handlers.predict(text, "banks", ENGLISH)


def test_blanks_around_a_text_are_kept():
    assert describe_result(Prediction("  a\n", ()), "banks", 0.5)["text"] == "  a\n"


# The model


def test_each_model_finds_its_own_entities_in_the_same_text(handlers):
    text = "浙商银行在杭州"
    first = handlers.predict(text, "banks", CHINESE)
    again = handlers.predict_again(event(text=text, model="places"), CHINESE)
    assert [span["label"] for span in first["spans"]] == ["company"]
    assert [span["label"] for span in again["spans"]] == ["LOC"]
    assert (again["text"], again["model"]) == (text, "places")


@pytest.mark.parametrize("name", ["<b>", None, 3, ["banks"], "x" * 1_000_000])
def test_a_model_that_is_not_there_is_refused_with_those_that_are(handlers, name):
    with pytest.raises(gr.Error, match="banks、places。请刷新页面") as caught:
        handlers.predict("浙商银行", name, CHINESE)
    assert "<b>" not in caught.value.message
    assert len(caught.value.message) < 200
    with pytest.raises(gr.Error, match=r"only banks, places\. Reload the page"):
        handlers.predict_again(event(text="浙商银行", model=name), ENGLISH)
    with pytest.raises(gr.Error, match="Reload the page"):
        handlers.choose_example(event(index=0, model=name), ENGLISH)


@pytest.mark.parametrize("data", [None, [], "text"])
def test_what_is_no_request_to_tag_again_is_refused(handlers, data):
    with pytest.raises(gr.Error, match="Reload the page"):
        handlers.predict_again(gr.EventData(None, data), ENGLISH)


def test_the_browser_learns_each_models_labels_and_examples(handlers):
    first, second = describe_models(ModelChoice([BankPredictor(), PlacePredictor()]))
    assert (first["name"], second["name"]) == ("banks", "places")
    assert len(first["labels"]) == 10
    assert [style["chinese"] for style in second["labels"]] == ["人名", "地名", "机构名"]
    assert len({style["color"] for style in second["labels"]}) == 3
    assert [e["text"] for e in second["examples"]] == [e.text for e in examples_for(MSRA)]


# Examples


@pytest.mark.parametrize("labels", [CLUENER, MSRA])
def test_there_is_an_example_for_each_label_and_two_for_all(labels):
    examples = examples_for(labels)
    assert [example.label for example in examples] == [*labels.labels, None, None]
    assert any(ord(character) > 0xFFFF for character in examples[-1].text)


def test_labels_without_an_example_get_none():
    assert [example.label for example in examples_for(LabelSet(("gene",)))] == [None, None]


def test_the_text_of_an_example_comes_from_the_server(handlers):
    chosen = handlers.choose_example(event(index=2, model="banks"), CHINESE)
    assert chosen == examples_for(CLUENER)[2].text
    chosen = handlers.choose_example(event(index=2, model="places"), CHINESE)
    assert chosen == examples_for(MSRA)[2].text


@pytest.mark.parametrize("index", [-1, 12, 99, "0", None, True])
def test_an_index_that_no_button_has_is_refused(handlers, index):
    with pytest.raises(gr.Error, match="expected the index of an example below 12"):
        handlers.choose_example(event(index=index, model="banks"), CHINESE)


# The models on offer


def test_a_page_that_is_opened_gets_the_models_on_offer_now(
    handlers, models, shared_tiny_checkpoint
):
    models.use(shared_tiny_checkpoint)
    model, batch_model, result = handlers.refresh_offer("default", CHINESE)
    assert [it["name"] for it in model["models"]] == ["tiny", "banks", "places"]
    assert batch_model["models"] == model["models"]
    assert model["visible"] is True
    assert model["chosen"] is None  # the visitor's choice stays
    assert result["suggesting"] == "tiny"


def test_a_model_put_to_use_is_chosen_for_whoever_did_it(store, models):
    (project,) = store.projects()
    assert describe_offer(models, project, chosen="banks")[0]["chosen"] == "banks"


def test_a_single_model_leaves_no_choice(store):
    (project,) = store.projects()
    model, batch_model, result = describe_offer(ModelChoice([PlacePredictor()]), project)
    assert model["visible"] == "hidden"
    assert batch_model["visible"] == "hidden"
    assert result["suggesting"] is None  # it knows none of the project's labels


# "Correct this"


def test_a_text_to_correct_is_added_once(handlers, store):
    first = handlers.add_for_correction("default", event(text="浙商银行"), CHINESE)
    assert store.get(first).text == "浙商银行"
    assert store.get(first).revision is None  # the editor asks the model when it opens it
    assert handlers.add_for_correction("default", event(text="浙商银行"), CHINESE) == first
    assert store.page().num_total == 1


def test_a_text_to_correct_goes_into_the_visitors_project(handlers, store):
    store.create_project("mine", MSRA)
    added = handlers.add_for_correction("mine", event(text="浙商银行"), CHINESE)
    assert store.get(added).project == "mine"
    with pytest.raises(gr.Error, match="gone"):
        handlers.add_for_correction("gone", event(text="浙商银行"), CHINESE)


def test_a_text_is_found_among_many_that_begin_alike(store):
    beginning = "长" * 300 + "%_"
    ids = [find_or_add(store, f"{beginning}{n}", project="default") for n in range(60)]
    assert find_or_add(store, f"{beginning}57", project="default") == ids[57]


@pytest.mark.parametrize("text", ["", "a\x00", None, 3, {"text": "x"}])
def test_what_is_no_text_is_not_added(handlers, store, text):
    with pytest.raises(gr.Error):
        handlers.add_for_correction("default", event(text=text), CHINESE)
    assert store.page().num_total == 0


# Batches


def test_a_batch_reports_its_progress_and_writes_cluener_lines(tmp_path):
    lines = "\n".join(f"第{n}家浙商银行" for n in range(70))
    upload = parse_upload(lines.encode("gb18030"), "a.txt")
    reports = list(tag_upload(BankPredictor(), upload, tmp_path, report_every_s=0))
    assert [report.done for report in reports] == [0, 32, 64, 70, 70]
    assert [report.state for report in reports] == ["running"] * 4 + ["done"]
    assert reports[-1].spans == 70
    examples = read_cluener(reports[-1].path, labels=CLUENER).examples
    assert [example.text for example in examples] == lines.split("\n")
    assert examples[11].spans == (Span(4, 8, "company"),)


def test_a_batch_that_is_not_taken_to_its_end_writes_nothing(tmp_path):
    upload = parse_upload("浙商银行\n".encode() * 100, "a.txt")
    steps = tag_upload(BankPredictor(), upload, tmp_path, report_every_s=0)
    next(steps)
    next(steps)
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_a_batch_lists_the_lines_it_could_not_read(tmp_path):
    upload = parse_upload(b'{"text": "a"}\n' + b"not json\n" * 25, "a.jsonl")
    report = list(tag_upload(BankPredictor(), upload, tmp_path))[-1]
    assert report.total == 1
    assert report.num_errors == 25
    assert len(report.errors) == 20
    assert report.errors[0].startswith("a.jsonl:2: expected")
    assert json.dumps(report.to_value())
    assert "path" not in report.to_value()


def test_a_file_of_errors_gives_no_result_file(handlers, tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"not json\n")
    value, cancel, download = list(handlers.predict_file(str(path), "banks", CHINESE))[-1]
    assert value["state"] == "done"
    assert value["total"] == 0
    assert not cancel["visible"]
    assert not download["visible"]


@pytest.mark.parametrize(("model", "label"), [("banks", "company"), ("places", "LOC")])
def test_a_file_is_read_by_the_chosen_model_and_the_report_names_it(
    handlers, tmp_path, model, label
):
    path = tmp_path / "a.txt"
    path.write_text("浙商银行在杭州", encoding="utf-8")
    *_, (value, _cancel, download) = handlers.predict_file(str(path), model, CHINESE)
    assert (value["model"], value["spans"]) == (model, 1)
    line = json.loads(Path(download["value"]).read_text(encoding="utf-8"))
    assert list(line["label"]) == [label]


def test_a_file_for_a_model_that_is_not_there_is_refused_and_deleted(handlers, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("浙商银行", encoding="utf-8")
    with pytest.raises(gr.Error, match="请刷新页面"):
        list(handlers.predict_file(str(path), "gone", CHINESE))
    assert not path.exists()


def test_an_upload_is_deleted_once_it_is_read(handlers, tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("浙商银行", encoding="utf-8")
    *_, (_value, _cancel, download) = handlers.predict_file(str(path), "banks", CHINESE)
    assert download["visible"]
    assert Path(download["value"]).read_text(encoding="utf-8").count("浙商银行") == 2
    assert not path.exists()


def test_an_upload_without_a_file_is_refused_and_the_last_report_is_gone(handlers):
    steps = handlers.predict_file(None, "banks", CHINESE)
    report, cancel, download = next(steps)
    assert report is None
    assert not cancel["visible"]
    assert not download["visible"]
    with pytest.raises(gr.Error, match="没有收到文件"):
        next(steps)


def test_a_file_that_is_too_big_is_refused_and_deleted(handlers, tmp_path, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_UPLOAD_BYTES", 1_000_000)
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * 1_500_000)
    with pytest.raises(gr.Error, match=r"文件有 1\.5 MB，最多 1 MB"):
        list(handlers.predict_file(str(path), "banks", CHINESE))
    assert not path.exists()
