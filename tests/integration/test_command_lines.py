"""`python -m ner_core.predict` and `python -m ner_core.evaluate`, on a tiny checkpoint."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ner_core import evaluate, predict
from ner_core.checkpoint import Checkpoint, load_checkpoint, load_encoder, save_checkpoint
from ner_core.conll import write_conll
from ner_core.evaluation import evaluate as evaluate_spans
from ner_core.formats import cluener_to_spans, parse_cluener, read_cluener
from ner_core.labels import CLUENER, MSRA
from ner_core.models import Tagger, TaggerConfig
from ner_core.prediction import Predictor

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
TEXTS = ["浙商银行的叶老桂博士😀𠮷", "", "　北京市e\u0301 \t王小明\u2028完。"]


@pytest.fixture(scope="module")
def predictor(shared_tiny_checkpoint):
    return Predictor.load(shared_tiny_checkpoint, device="cpu")


@pytest.fixture
def run_predict(shared_tiny_checkpoint, tmp_path, monkeypatch, capsys):
    """Runs the command line on an input; returns status, output (None: no file), error lines."""

    def run(data, *flags, input_name="input.txt", checkpoint=shared_tiny_checkpoint):
        output = tmp_path / "output.jsonl"
        if input_name == "-":
            monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        else:
            (tmp_path / input_name).write_bytes(data)
            input_name = str(tmp_path / input_name)
        fixed = ["--checkpoint", str(checkpoint), "--device", "cpu"]
        status = predict.main([*fixed, "--input", input_name, "--output", str(output), *flags])
        written = output.read_text("utf-8") if output.exists() else None
        return status, written, capsys.readouterr().err.splitlines()

    return run


@pytest.fixture
def run_evaluate(shared_tiny_checkpoint, capsys):
    def run(path, *flags, checkpoint=shared_tiny_checkpoint):
        status = evaluate.main(["--checkpoint", str(checkpoint), "--data", str(path), *flags])
        captured = capsys.readouterr()
        return status, captured.out, captured.err.splitlines()

    return run


def exit_of(main, *flags):
    """Status and error lines of a run that argparse ends."""
    with pytest.raises(SystemExit) as caught:
        main(list(flags))
    return caught.value.code


# predict


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_each_line_of_plain_text_gets_a_line_of_cluener_json(
    run_predict, predictor, encoding, line_end
):
    data = "".join(text + line_end for text in TEXTS).encode(encoding)
    status, written, errors = run_predict(data)
    assert (status, len(errors)) == (0, 1)
    examples = parse_cluener(written, source="output", labels=CLUENER).examples
    assert [example.text for example in examples] == TEXTS
    expected = [prediction.spans for prediction in predictor.predict(TEXTS)]
    assert [example.spans for example in examples] == expected
    assert any(expected)


def test_json_lines_keep_their_id_and_lose_their_old_label(run_predict):
    lines = [
        {"id": "a", "text": TEXTS[0], "label": {"name": {"浙商": [[0, 1]]}}, "source": "x"},
        {"id": 7, "text": TEXTS[2], "label": [[0, 2, "LOC"]]},
    ]
    data = "\n\n".join(json.dumps(line) for line in lines).encode()
    for input_name in ("texts.jsonl", "texts.json", "texts.txt", "-"):
        status, written, _ = run_predict(data, input_name=input_name)
        assert status == 0
        records = [json.loads(line) for line in written.splitlines()[:2]]
        assert [record["id"] for record in records] == ["a", 7]
        assert [record["text"] for record in records] == [TEXTS[0], TEXTS[2]]
        assert all(record.keys() == {"id", "text", "label"} for record in records)


def test_plain_text_that_only_looks_like_json_is_plain_text(run_predict):
    data = '{"name": "王小明"}\n[1]\n'.encode()
    status, written, _ = run_predict(data, input_name="-")
    assert status == 0
    assert [json.loads(line)["text"] for line in written.splitlines()] == [
        '{"name": "王小明"}',
        "[1]",
    ]


def test_scores_have_the_shape_of_the_label_object(run_predict, predictor):
    _, written, _ = run_predict(TEXTS[0].encode(), "--scores")
    record = json.loads(written)
    (prediction,) = predictor.predict(TEXTS[:1])
    assert cluener_to_spans(record["text"], record["label"]) == prediction.spans
    scores = {
        (label, start): score
        for label, mentions in record["label"].items()
        for mention, positions in mentions.items()
        for (start, _), score in zip(positions, record["scores"][label][mention], strict=True)
    }
    assert scores == {
        (span.label, span.start): pytest.approx(span.score, abs=1e-6) for span in prediction.spans
    }


def test_no_input_makes_an_empty_output(run_predict):
    status, written, errors = run_predict(b"")
    assert (status, written) == (0, "")
    assert errors[0].startswith("0 texts, 0 entities")


def test_standard_input_and_output_are_a_pipe(shared_tiny_checkpoint):
    command = [
        sys.executable,
        "-m",
        "ner_core.predict",
        "--checkpoint",
        str(shared_tiny_checkpoint),
    ]
    done = subprocess.run(
        [*command, "--input", "-", "--output", "-"],
        cwd=ROOT,
        input="".join(f"{text}\n" for text in TEXTS).encode(),
        capture_output=True,
        timeout=150,
        check=True,
        # The output is UTF-8 wherever it runs.
        env={"PYTHONIOENCODING": "ascii", "OMP_NUM_THREADS": "1"},
    )
    assert [json.loads(line)["text"] for line in done.stdout.decode().split("\n")[:-1]] == TEXTS
    assert done.stderr.decode().count("\n") == 1


@pytest.mark.parametrize(
    ("data", "input_name", "message"),
    [
        (
            b"ok\na\x00b\n",
            "in.txt",
            r"in.txt:2: expected text that UTF-8 can hold, got NUL (U+0000)",
        ),
        (
            b"ab\n\xff\xfe",
            "in.txt",
            "in.txt:2: expected UTF-8 or GB18030, got byte 0xFF at offset 3",
        ),
        (b'{"text": "a"}\nb\n', "in.txt", 'in.txt:2: expected a JSON object, got "b"'),
        (b"a\n", "in.jsonl", 'in.jsonl:1: expected a JSON object, got "a"'),
        (b'{"text": "\\ud800"}', "in.jsonl", "in.jsonl:1: expected text that UTF-8 can hold"),
        (b'{"text": 1}', "in.jsonl", 'in.jsonl:1: expected a string as "text", got 1'),
        (b"a\x00\n", "-", "<stdin>:1: expected text that UTF-8 can hold"),
    ],
)
def test_bad_input_gets_one_line_and_no_output(run_predict, data, input_name, message):
    status, written, errors = run_predict(data, input_name=input_name)
    assert (status, written) == (2, None)
    (error,) = errors
    assert message in error


def test_a_run_that_fails_leaves_the_old_output_alone(run_predict, tmp_path):
    run_predict(b"a\n")
    before = (tmp_path / "output.jsonl").read_bytes()
    status, _, _ = run_predict(b"b\x00\n")
    assert status == 2
    assert (tmp_path / "output.jsonl").read_bytes() == before


def test_a_checkpoint_that_is_missing_or_damaged_gets_one_line(
    run_predict, run_evaluate, tiny_checkpoint, tmp_path
):
    weights = tiny_checkpoint / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    empty = tmp_path / "empty"
    empty.mkdir()
    for checkpoint in (tmp_path / "nowhere", empty, tiny_checkpoint):
        status, written, errors = run_predict(b"a\n", checkpoint=checkpoint)
        assert (status, written, len(errors)) == (2, None, 1)
        assert str(checkpoint) in errors[0]
        status, out, errors = run_evaluate(DATA / "cluener.json", checkpoint=checkpoint)
        assert (status, out, len(errors)) == (2, "", 1)
        assert str(checkpoint) in errors[0]


def test_files_that_are_not_there_are_named_before_the_model_is_loaded(tmp_path, capsys):
    here = tmp_path / "in.txt"
    here.write_text("a\n")
    cases = {
        ("nowhere.txt", "out.jsonl"): "nowhere.txt: No such file or directory",
        (".", "out.jsonl"): f"{tmp_path}: Is a directory",
        ("in.txt", "."): f"expected a file to write, got the directory {tmp_path}",
        ("in.txt", "missing/out.jsonl"): "expected a file in a directory that exists, got",
    }
    for (source, target), message in cases.items():
        files = ["--input", str(tmp_path / source), "--output", str(tmp_path / target)]
        assert predict.main(["--checkpoint", "nowhere", *files]) == 2
        (error,) = capsys.readouterr().err.splitlines()
        assert message in error
    assert list(tmp_path.iterdir()) == [here]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_cuda_where_there_is_none_gets_one_line(run_predict):
    status, written, errors = run_predict(b"a\n", "--device", "cuda")
    assert (status, written) == (2, None)
    assert "expected a CUDA device, found none" in errors[0]


def test_an_interrupted_run_ends_in_one_line_and_writes_nothing(run_predict, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(Predictor, "predict", interrupt)
    status, written, errors = run_predict(b"a\n")
    assert (status, written) == (130, None)
    assert errors == ["python -m ner_core.predict: interrupted"]


@pytest.mark.parametrize(
    ("main", "flags", "message"),
    [
        (predict.main, [], "the following arguments are required: --checkpoint, --input, --output"),
        (predict.main, ["--chekpoint", "x"], "arguments are required"),
        (predict.main, ["--device", "tpu"], "argument --device: invalid choice: 'tpu'"),
        (evaluate.main, [], "the following arguments are required: --data"),
        (
            evaluate.main,
            ["--data", "x"],
            "one of the arguments --checkpoint --compare is required",
        ),
        (evaluate.main, ["--format", "xml"], "argument --format: invalid choice: 'xml'"),
        (evaluate.main, ["--language", "de"], "argument --language: invalid choice: 'de'"),
        (evaluate.main, ["--compare", "a"], "argument --compare: expected 2 arguments"),
        (
            evaluate.main,
            ["--bootstrap", "10"],
            "argument --bootstrap: expected a whole number from 100 to 100000, got '10'",
        ),
        (evaluate.main, ["--bootstrap", "1e4"], "expected a whole number from 100 to 100000"),
        (
            evaluate.main,
            ["--data", "x", "--checkpoint", "x", "--compare", "a", "b"],
            "argument --compare: not allowed with argument --checkpoint",
        ),
        (
            evaluate.main,
            ["--data", "x", "--compare", "a", "b", "--html", "page.html"],
            "argument --html: not allowed with argument --compare",
        ),
        (
            evaluate.main,
            ["--data", "x", "--compare", "a", "b", "--train-data", "x"],
            "argument --train-data: not allowed with argument --compare",
        ),
        (
            evaluate.main,
            ["--data", "x", "--compare", "a", "b", "--language", "zh"],
            "argument --language: not allowed with argument --compare",
        ),
        (
            evaluate.main,
            ["--data", "x", "--checkpoint", "x", "--language", "zh"],
            "argument --language: allowed only with argument --html",
        ),
        (
            evaluate.main,
            ["--checkpoint", "x", "--data", "x", "--jso"],
            "unrecognized arguments: --jso",
        ),
    ],
)
def test_a_wrong_flag_gets_one_line_and_status_2(main, flags, message, capsys):
    assert exit_of(main, *flags) == 2
    (error,) = capsys.readouterr().err.splitlines()
    assert message in error


# evaluate


def test_json_holds_exactly_what_was_promised(run_evaluate, predictor):
    status, out, errors = run_evaluate(DATA / "cluener.json", "--json")
    assert (status, errors) == (0, [])
    measured = json.loads(out)
    assert measured["examples_per_second"] > 0
    examples = read_cluener(DATA / "cluener.json").examples
    texts = [example.text for example in examples]
    expected = evaluate_spans(
        [example.spans for example in examples],
        [prediction.spans for prediction in predictor.predict(texts)],
        texts,
        CLUENER,
    )
    promised = ["micro", "per_label", "official_macro_f1", "num_examples"]
    assert {key: measured[key] for key in promised} == expected.to_json()
    assert list(measured["per_label"]) == list(CLUENER.labels)
    assert measured["macro"]["f1"] == expected.macro_f1
    assert measured.keys() == {
        *promised,
        "examples_per_second",
        "macro",
        "confidence_interval",
        "errors",
        "f1_if_repaired",
        "confusion",
        "other_borders",
        "missed",
        "spurious",
    }
    interval = measured["confidence_interval"]
    assert (interval["level"], interval["num_resamples"]) == (0.95, 1000)
    assert interval["low"] <= measured["micro"]["f1"] <= interval["high"]


def test_the_confusion_table_of_the_json_counts_every_gold_span_once(run_evaluate):
    _, out, _ = run_evaluate(DATA / "cluener.json", "--json")
    measured = json.loads(out)
    for label, scores in measured["per_label"].items():
        same_borders = sum(measured["confusion"][label].values())
        others = measured["other_borders"]["gold"][label] + measured["missed"][label]
        assert same_borders + others == scores["support"]
    errors = measured["errors"]
    assert sum(measured["missed"].values()) == errors["missed"]
    assert sum(measured["spurious"].values()) == errors["spurious"]
    assert sum(errors.values()) - errors["spurious"] == measured["micro"]["support"]


def test_training_data_splits_the_scores_into_seen_and_unseen(run_evaluate, tmp_path):
    path = DATA / "cluener.json"
    lines = path.read_text("utf-8").split("\n")
    first, second = tmp_path / "a.json", tmp_path / "b.json"
    first.write_text(lines[0], "utf-8")
    second.write_text(lines[1], "utf-8")
    _, out, _ = run_evaluate(path, "--json", "--train-data", str(first))
    measured = json.loads(out)
    num_seen = measured["seen"]["support"]
    assert 3 <= num_seen < measured["micro"]["support"]
    assert num_seen + measured["unseen"]["support"] == measured["micro"]["support"]
    # A second file shows the model more.
    _, out, _ = run_evaluate(
        path, "--json", "--train-data", str(first), "--train-data", str(second)
    )
    assert json.loads(out)["seen"]["support"] > num_seen
    _, out, _ = run_evaluate(path, "--json", "--train-data", str(path))
    assert json.loads(out)["unseen"]["support"] == 0
    _, out, _ = run_evaluate(path, "--train-data", str(first))
    assert {"seen", "unseen"} <= {line.split()[0] for line in out.splitlines() if line}


def test_the_page_is_written_whole_in_the_language_asked_for(run_evaluate, tmp_path):
    page = tmp_path / "errors.html"
    status, out, errors = run_evaluate(DATA / "cluener.json", "--html", str(page))
    assert (status, errors) == (0, [])
    assert "12 texts" in out
    html = page.read_text("utf-8")
    assert html.startswith("<!DOCTYPE html>")
    assert html.endswith("</html>\n")
    assert "What tiny gets wrong" in html
    run_evaluate(DATA / "cluener.json", "--html", str(page), "--language", "zh")
    assert "tiny 错在哪里" in page.read_text("utf-8")


def test_a_page_that_cannot_be_written_is_refused_before_the_model_is_loaded(tmp_path, capsys):
    cases = {
        ".": f"expected a file to write, got the directory {tmp_path}",
        "missing/page.html": "expected a file in a directory that exists, got",
    }
    for target, message in cases.items():
        flags = ["--data", str(DATA / "cluener.json"), "--html", str(tmp_path / target)]
        assert evaluate.main(["--checkpoint", "nowhere", *flags]) == 2
        (error,) = capsys.readouterr().err.splitlines()
        assert message in error
        assert error.endswith("(--html)")


def test_wrong_training_data_gets_one_line(run_evaluate, tmp_path):
    page, train = tmp_path / "page.html", tmp_path / "train.json"
    cases = {
        '{"text": "a"}\n': 'expected "label" in every line, got 1 lines without it',
        '{"text": "国", "label": {"GPE": {"国": [[0, 0]]}}}\n': "train.json:1: expected one of the",
        "": "train.json: expected at least one labelled text, got none",
    }
    for content, message in cases.items():
        train.write_text(content, "utf-8")
        flags = ["--train-data", str(train), "--html", str(page)]
        status, out, errors = run_evaluate(DATA / "cluener.json", *flags)
        assert (status, out, page.exists()) == (2, "", False)
        (error,) = errors
        assert message in error
    status, _, errors = run_evaluate(DATA / "cluener.json", "--train-data", "nowhere.json")
    assert (status, len(errors)) == (2, 1)
    assert "nowhere.json: No such file or directory" in errors[0]


def test_the_table_has_a_row_for_each_label(run_evaluate):
    status, out, _ = run_evaluate(DATA / "cluener.json")
    assert status == 0
    first_words = [line.split()[0] for line in out.splitlines() if line]
    assert first_words[:12] == ["label", *CLUENER.labels, "all"]
    assert "12 texts" in out


def test_conll_data_scores_like_the_same_data_in_cluener_json(run_evaluate, tmp_path):
    cluener, conll = tmp_path / "dev.json", tmp_path / "dev.txt"
    lines = (DATA / "cluener.json").read_text("utf-8").split("\n")
    del lines[4]  # the one with overlaps, which CoNLL cannot express
    cluener.write_text("\n".join(lines), "utf-8")
    write_conll(conll, read_cluener(cluener).examples)
    results = []
    for path, format_name in ((cluener, "cluener"), (conll, "conll")):
        _, out, _ = run_evaluate(path, "--format", format_name, "--json")
        results.append(json.loads(out))
        del results[-1]["examples_per_second"]
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("content", "format_name", "message"),
    [
        ("", "cluener", "dev.txt: expected at least one labelled text, got none"),
        ('{"text": "a"}\n', "cluener", 'expected "label" in every line, got 1 lines without it'),
        ("中\tO\n", "cluener", "dev.txt:1: expected a JSON object"),
        ('{"text": "a"}\n', "conll", "dev.txt:1: expected a character"),
        ("中\tB-PER\n", "conll", "dev.txt:1: expected one of the labels address, book"),
        (
            '{"text": "中国", "label": {"name": {"中": [[1, 1]]}}}',
            "cluener",
            'dev.txt:1: expected "中" at [1, 1] (end inclusive), got "国"',
        ),
    ],
)
def test_bad_data_gets_one_line(run_evaluate, tmp_path, content, format_name, message):
    path = tmp_path / "dev.txt"
    path.write_text(content, "utf-8")
    status, out, errors = run_evaluate(path, "--format", format_name)
    assert (status, out) == (2, "")
    (error,) = errors
    assert message in error


def test_a_missing_data_file_is_named(run_evaluate, tmp_path):
    status, _, errors = run_evaluate(tmp_path / "nowhere.json")
    assert status == 2
    assert errors == [
        f"python -m ner_core.evaluate: {tmp_path}/nowhere.json: No such file or directory"
    ]


# evaluate --compare


@pytest.fixture(scope="module")
def other_checkpoint(shared_tiny_checkpoint, tmp_path_factory):
    """The tiny checkpoint with other transition scores, which tags otherwise."""
    checkpoint = load_checkpoint(shared_tiny_checkpoint)
    with torch.no_grad():
        checkpoint.tagger.crf.transitions.add_(
            3 * torch.randn(CLUENER.num_tags, CLUENER.num_tags, generator=torch.manual_seed(0))
        )
    directory = tmp_path_factory.mktemp("other") / "other"
    save_checkpoint(checkpoint, directory, card="# other\n")
    return directory


@pytest.fixture
def run_compare(capsys):
    def run(a, b, *flags, data=DATA / "cluener.json"):
        status = evaluate.main(["--compare", str(a), str(b), "--data", str(data), *flags])
        captured = capsys.readouterr()
        return status, captured.out, captured.err.splitlines()

    return run


def test_a_comparison_as_json_holds_both_scores_and_the_test(
    run_compare, run_evaluate, shared_tiny_checkpoint, other_checkpoint
):
    status, out, errors = run_compare(shared_tiny_checkpoint, other_checkpoint, "--json")
    assert (status, errors) == (0, [])
    compared = json.loads(out)
    measured = {}
    for name, checkpoint in (("a", shared_tiny_checkpoint), ("b", other_checkpoint)):
        _, out, _ = run_evaluate(DATA / "cluener.json", "--json", checkpoint=checkpoint)
        measured[name] = json.loads(out)
        assert compared[name]["checkpoint"] == str(checkpoint)
        assert compared[name]["micro"] == measured[name]["micro"]
        assert compared[name]["per_label"] == measured[name]["per_label"]
    difference = measured["b"]["micro"]["f1"] - measured["a"]["micro"]["f1"]
    assert compared["difference"] == pytest.approx(difference)
    interval = compared["confidence_interval"]
    assert interval["low"] <= compared["difference"] <= interval["high"]
    assert 0 < compared["p_value"] <= 1
    assert compared["verdict"] in ("better", "worse", "not shown")
    assert compared["is_better"] == (compared["verdict"] == "better")
    assert list(compared["per_label"]) == list(CLUENER.labels)
    assert compared["num_examples"] == 12


def test_a_checkpoint_is_not_better_than_itself(run_compare, shared_tiny_checkpoint):
    status, out, errors = run_compare(shared_tiny_checkpoint, shared_tiny_checkpoint)
    assert (status, errors) == (0, [])
    assert "B is not better than A: their micro F1 is the same (p = 1, 12 texts)." in out
    first_words = [line.split()[0] for line in out.splitlines() if line]
    assert first_words[:2] == ["A", "B"]
    assert first_words[2:14] == ["F1", *CLUENER.labels, "all"]


def test_the_number_of_resamples_can_be_chosen(run_compare, run_evaluate, shared_tiny_checkpoint):
    pair = (shared_tiny_checkpoint, shared_tiny_checkpoint)
    _, out, _ = run_compare(*pair, "--json", "--bootstrap", "250")
    assert json.loads(out)["confidence_interval"]["num_resamples"] == 250
    _, out, _ = run_evaluate(DATA / "cluener.json", "--bootstrap", "250")
    assert "(250 bootstrap resamples)" in out


def test_checkpoints_of_other_labels_are_refused_with_both_sets(
    run_compare, shared_tiny_checkpoint, tiny_encoder, tmp_path
):
    encoder = load_encoder(tiny_encoder)
    config = TaggerConfig(architecture="bert-softmax", labels=MSRA, max_window_tokens=64)
    tagger = Tagger(encoder.model, config)
    directory = tmp_path / "msra"
    save_checkpoint(
        Checkpoint(tagger, encoder.vocabulary, encoder.tokenizer_files), directory, card="# msra\n"
    )
    status, out, errors = run_compare(shared_tiny_checkpoint, directory)
    assert (status, out) == (2, "")
    (error,) = errors
    assert "expected two checkpoints of the same labels, got address, book" in error
    assert f"({shared_tiny_checkpoint}) and PER, LOC, ORG ({directory})" in error


def test_a_checkpoint_or_file_to_compare_that_is_missing_is_named(
    run_compare, shared_tiny_checkpoint, tmp_path
):
    nowhere = tmp_path / "nowhere"
    for pair in ((nowhere, shared_tiny_checkpoint), (shared_tiny_checkpoint, nowhere)):
        status, out, errors = run_compare(*pair)
        assert (status, out, len(errors)) == (2, "", 1)
        assert str(nowhere) in errors[0]
    status, out, errors = run_compare(nowhere, nowhere, data=tmp_path / "dev.json")
    assert (status, out) == (2, "")
    (error,) = errors
    assert f"{tmp_path}/dev.json: No such file or directory" in error


# both


@pytest.mark.skipif(shutil.which("head") is None, reason="needs the program head")
def test_a_reader_that_goes_away_ends_the_run_quietly():
    program = (
        "import sys; from ner_core.command_line import run_command;"
        " sys.exit(run_command('prog', lambda: print('x' * 1_000_000)))"
    )
    done = subprocess.run(
        f'"{sys.executable}" -c "{program}" | head -c 1; exit ${{PIPESTATUS[0]}}',
        shell=True,
        executable="/bin/bash",
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (141, b"x", b"")
