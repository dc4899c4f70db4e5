import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from benchmarks import quality
from benchmarks.labelled_data import DATA_SETS
from benchmarks.published_results import PUBLISHED_RESULTS
from ner_core.conll import read_conll
from ner_core.evaluation import SpanCounts, count_spans
from ner_core.formats import read_cluener
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.prediction import Prediction
from ner_core.significance import f1_interval
from ner_core.spans import Span
from trainer.silver_labels import load_lac

DATA = Path(__file__).parents[1] / "data"
CLUENER_FILE = DATA / "cluener.json"
MSRA_FILE = DATA / "msra.txt"
FILES = ("--data", f"cluener={CLUENER_FILE}", "--data", f"msra={MSRA_FILE}")


class FixedPredictor:
    """Finds its label in the first three characters of texts that begin with a character of its."""

    def __init__(self, name: str, labels: LabelSet, label: str, characters: str) -> None:
        self.name = name
        self.labels = labels
        self._label = label
        self._characters = characters

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        span = Span(0, 3, self._label, 0.75)
        return [
            Prediction(text, (span,) if len(text) > 3 and text[0] in self._characters else ())
            for text in texts
        ]


# Right about 王小明 in the first sentence of cluener.json, wrong about "他...".
FINE = FixedPredictor("fine", CLUENER, "name", "王他")


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Two models, of CLUENER's and of MSRA's labels, in place of the bundled ones."""
    predictors = {
        "fine": FINE,
        "coarse": FixedPredictor("coarse", MSRA, "PER", "囧"),
    }

    def load(checkpoint: Path, *, device: str) -> FixedPredictor:
        assert device == "cpu"
        return predictors[checkpoint.name]

    for name in predictors:
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_bytes(b"{}")
        (tmp_path / name / "weights").write_bytes(bytes(1_499_998))
    monkeypatch.setattr(quality.Predictor, "load", load)
    monkeypatch.setattr(quality, "MODELS", tmp_path)
    return tmp_path


Run = Callable[..., str]


@pytest.fixture
def run(models: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line on the two models and gives what it printed."""

    def run_it(*arguments: str) -> str:
        assert quality.main(arguments) == 0
        return capsys.readouterr().out

    return run_it


def test_one_command_measures_every_bundled_model_on_the_data_of_its_labels(run: Run) -> None:
    report = json.loads(run(*FILES, "--json"))
    models = [(it["checkpoint"], it["data_set"]) for it in report["measured_here"]]
    assert models == [("coarse", "msra"), ("fine", "cluener")]
    assert {result["data_set"] for result in report["quoted"]} == {"cluener", "msra"}
    assert report["num_threads"] >= 1


def test_the_scores_are_those_of_the_evaluation(run: Run, models: Path) -> None:
    report = json.loads(run(*FILES, "--checkpoint", str(models / "fine"), "--json"))
    (measured,) = report["measured_here"]
    examples = read_cluener(CLUENER_FILE).examples
    texts = [example.text for example in examples]
    predicted = [it.spans for it in FINE.predict(texts)]
    counts = count_spans([it.spans for it in examples], predicted, texts, CLUENER)
    evaluation = sum(counts, SpanCounts.zero(CLUENER)).evaluation()
    assert evaluation.micro.f1 > 0
    for key, value in evaluation.to_json().items():
        assert measured[key] == value
    interval = f1_interval(counts)
    assert measured["micro_f1_interval"] == {"low": interval.low, "high": interval.high}
    assert measured["sentences_per_second"] > 0
    assert {result["data_set"] for result in report["quoted"]} == {"cluener"}


def test_the_size_is_that_of_all_files_of_the_checkpoint(run: Run) -> None:
    report = json.loads(run(*FILES, "--json"))
    assert [it["megabytes"] for it in report["measured_here"]] == [1.5, 1.5]


def test_false_alarms_are_counted_by_sentence_and_listed(run: Run, models: Path) -> None:
    report = json.loads(run(*FILES, "--checkpoint", str(models / "fine"), "--json"))
    (measured,) = report["measured_here"]
    alarms = measured["false_alarms"]
    assert measured["num_sentences_without_entities"] == 300
    assert measured["false_alarm_rate"] == len(alarms) / 300 > 0
    assert alarms[0] == {
        "kind": "everyday and news language",
        "text": "他说话的声音很小，坐在后排的人听不见。",
        "found": [{"mention": "他说话", "label": "name", "probability": 0.75}],
    }


def test_the_tables_mark_every_row_as_measured_or_quoted(run: Run) -> None:
    out = run(*FILES)
    rows = [line for line in out.splitlines() if line.startswith("| ") and "---" not in line]
    headers = [row for row in rows if row.startswith(("| model |", "| label |"))]
    labels = [row for row in rows if row.split(" | ")[0][2:] in CLUENER.labels + MSRA.labels]
    results = [row for row in rows if row not in headers and row not in labels]
    assert (len(headers), len(labels)) == (4, 13)
    assert sum("| measured here, " in row for row in results) == 2
    assert sum("| quoted: " in row for row in results) == len(PUBLISHED_RESULTS)
    assert len(results) == 2 + len(PUBLISHED_RESULTS)
    assert len({row.count(" | ") for row in results}) == 1
    assert "| BERT-base | 0.946 to 0.953 |  |" in out
    assert "| BERT-base |  | 0.788 |" in out
    assert "1.5 MB" in out
    assert "- everyday and news language: 他说话的声音很小，坐在后排的人听不见。" in out
    assert "-> '他说话' name 0.75" in out


def test_a_model_without_false_alarms_has_no_list_of_them(run: Run, models: Path) -> None:
    out = run(*FILES, "--checkpoint", str(models / "coarse"))
    assert out.endswith("was found\n\ncoarse: 0.0% of 300 sentences\n")
    assert "## CLUENER" not in out


def test_lac_is_measured_like_a_model(run: Run, models: Path) -> None:
    report = json.loads(run(*FILES, "--checkpoint", str(models / "fine"), "--lac", "--json"))
    lac = report["measured_here"][1]
    assert (lac["checkpoint"], lac["data_set"]) == ("LAC", "msra")
    assert {result["data_set"] for result in report["quoted"]} == {"cluener", "msra"}
    # Its network alone; what it says of these sentences is what its own package says.
    assert 30 < lac["megabytes"] < 40
    examples = read_conll(MSRA_FILE, labels=MSRA).examples
    package = load_lac()
    found = [
        [(word, tag) for word, tag in package.run(example.text) if tag in MSRA.labels]
        for example in examples
    ]
    gold = [[(it.text[s.start : s.end], s.label) for s in it.spans] for it in examples]
    num_right = sum(len(set(a) & set(b)) for a, b in zip(found, gold, strict=True))
    assert num_right > 0
    assert lac["micro"]["precision"] == num_right / sum(map(len, found))
    assert lac["micro"]["recall"] == num_right / sum(map(len, gold))


def test_a_false_alarm_without_a_probability_is_listed_without_one(run: Run, models: Path) -> None:
    out = run(*FILES, "--checkpoint", str(models / "coarse"), "--lac")
    alarms = out[out.index("\nLAC: ") :].splitlines()[3:]
    assert alarms
    assert all(re.search(r" -> '.+?' (PER|LOC|ORG)(; '.+?' (PER|LOC|ORG))*$", it) for it in alarms)


def test_a_missing_data_file_is_named_with_the_flag_that_mends_it(
    models: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = tmp_path / "dev.json"
    data = ["--data", f"cluener={missing}", "--data", f"msra={MSRA_FILE}"]
    assert quality.main(data) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"expected a labelled file of CLUENER, got {missing}, which is not there" in line
    assert "--data cluener=FILE" in line


def test_data_that_no_model_needs_may_be_missing(run: Run, models: Path, tmp_path: Path) -> None:
    run(*FILES[2:], "--data", f"cluener={tmp_path / 'no'}", "--checkpoint", str(models / "coarse"))


def test_without_a_file_the_data_beside_the_project_is_meant() -> None:
    root = Path(quality.__file__).parents[1]
    for data_set in DATA_SETS.values():
        assert data_set.default_path.parents[2] == root.parent / "shared"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected at least one labelled sentence, got none"),
        ('{"text": "他"}\n', 'expected "label" in every line, got 1 lines without it'),
        ('{"text": "他", "label": {"animal": {"他": [[0, 0]]}}}\n', "dev.json:1: "),
    ],
)
def test_a_file_that_cannot_be_measured_on_is_refused(
    models: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    content: str,
    message: str,
) -> None:
    file = tmp_path / "dev.json"
    file.write_text(content, encoding="utf-8")
    fine = str(models / "fine")
    assert quality.main(["--data", f"cluener={file}", "--checkpoint", fine]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_a_checkpoint_that_is_no_directory_is_refused(
    models: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quality.main([*FILES, "--checkpoint", "no/model"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "expected a checkpoint directory, got no/model" in line


def test_a_model_of_other_labels_is_refused(
    models: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = FixedPredictor("fine", LabelSet(("drug", "dose")), "drug", "他")
    monkeypatch.setattr(quality.Predictor, "load", lambda *_, **__: other)
    assert quality.main([*FILES, "--checkpoint", str(models / "fine")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "expected a model with the labels of CLUENER or MSRA, got drug, dose" in line


@pytest.mark.parametrize("data", ["dev.json", "cluener=", "conll=dev.txt"])
def test_data_without_a_known_name_is_refused(
    data: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        quality.main(["--data", data])
    assert f"expected NAME=FILE with a name of cluener, msra, got '{data}'" in (
        capsys.readouterr().err
    )


def test_published_results_are_shares_and_say_where_they_come_from() -> None:
    for result in PUBLISHED_RESULTS:
        assert result.data_set in DATA_SETS
        assert result.source
        assert result.measured_on
        scores = [*result.micro_f1, result.official_macro_f1]
        values = [score for score in scores if score is not None]
        assert values
        assert values == sorted(values)
        assert all(0.5 < value < 1 for value in values)
