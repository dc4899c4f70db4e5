"""Training runs: memorise eight sentences, the same on two processes, and close the loop."""

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from annotation_store.exchange import export_file
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.checkpoint import load_checkpoint
from ner_core.evaluation import Counts, SpanCounts, evaluate
from ner_core.formats import read_cluener, write_cluener
from ner_core.labels import CLUENER
from ner_core.models import ARCHITECTURES
from ner_core.prediction import Predictor
from ner_core.spans import Example, Span
from trainer import finetune, training
from trainer.command import mask_password

ROOT = Path(__file__).parents[2]


# A random encoder must learn from nothing, hence the high rates.
QUICK = [
    *("--encoder-learning-rate", "5e-3", "--head-learning-rate", "2e-2"),
    *("--crf-learning-rate", "2e-2", "--dropout", "0", "--batch-size", "4", "--device", "cpu"),
]


def same_train_and_dev(path: Path) -> list[str]:
    """Train on a file and choose the best epoch on it: for models that shall learn it by heart."""
    return ["--train", f"cluener={path}", "--dev", f"cluener={path}", "--allow-shared-texts"]


def read_epochs(output: Path) -> list[dict[str, Any]]:
    """The lines of metrics.jsonl behind the epochs."""
    lines = (output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["event"] == "epoch"]


def f1_of(checkpoint: Path, examples: Sequence[Example]) -> float:
    predictor = Predictor.load(checkpoint, device="cpu")
    texts = [example.text for example in examples]
    predictions = predictor.predict(texts)
    gold = [example.spans for example in examples]
    return evaluate(gold, [p.spans for p in predictions], texts, CLUENER).micro.f1


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_tiny_model_memorises_eight_sentences(
    architecture: str,
    training_file: Path,
    eight_sentences: tuple[Example, ...],
    tiny_encoder: Path,
    tmp_path: Path,
) -> None:
    output = tmp_path / "model"
    status = finetune.main(
        [
            *same_train_and_dev(training_file),
            *("--encoder", str(tiny_encoder), "--architecture", architecture, *QUICK),
            *("--epochs", "25", "--patience", "25", "--output", str(output)),
        ]
    )
    assert status == 0
    assert f1_of(output, eight_sentences) == 1.0
    assert not output.with_name("model.run").exists()
    records = read_epochs(output)
    assert records[-1]["loss"] < records[0]["loss"] / 10
    assert "Epoch 025: loss" in (output / "train.log").read_text(encoding="utf-8")
    assert (output / "curves.png").read_bytes().startswith(b"\x89PNG")
    metrics = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["dev"]["micro"]["f1"] == 1.0
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "python -m trainer.finetune" in card
    assert "8 sentences" in card


def test_corrections_are_exported_trained_on_and_predicted(
    eight_sentences: tuple[Example, ...], tiny_encoder: Path, tmp_path: Path
) -> None:
    database = tmp_path / "annotations.db"
    with AnnotationStore.open(database) as store:
        store.create_project("default", CLUENER)
        store.add(
            NewDocument(text=e.text, spans=e.spans, status="accepted") for e in eight_sentences
        )
        store.add([NewDocument(text="没有人看过的一句")])
        export_file(store, tmp_path / "export.json", format="cluener")
    assert {e.text: e.spans for e in read_cluener(tmp_path / "export.json").examples} == {
        e.text: e.spans for e in eight_sentences
    }
    common = [
        *("--dev", f"cluener={tmp_path / 'export.json'}", "--allow-shared-texts"),
        *QUICK,
        "--epochs",
        "25",
    ]
    for name, source in (("db", f"annotations={database}"), ("file", "cluener=export.json")):
        source = source.replace("export.json", str(tmp_path / "export.json"))
        output = tmp_path / name
        arguments = ["--train", source, "--encoder", str(tiny_encoder), "--output", str(output)]
        assert finetune.main([*arguments, *common, "--patience", "25"]) == 0
        assert f1_of(output, eight_sentences) > 0.9


def run_on_two_processes(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    return subprocess.run(
        [*command, "-m", "trainer.finetune", *arguments],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=120,
    )


def test_training_continues_from_a_checkpoint_with_its_head(
    training_file: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    arguments = [
        *same_train_and_dev(training_file),
        *("--encoder", str(tiny_checkpoint), "--freeze-encoder", "--epochs", "1"),
        *("--head-learning-rate", "0", "--crf-learning-rate", "0", "--output", str(output)),
    ]
    assert finetune.main([*arguments, "--device", "cpu"]) == 0
    before = load_checkpoint(tiny_checkpoint).tagger.state_dict()
    after = load_checkpoint(output).tagger.state_dict()
    assert all((before[name] == after[name]).all() for name in before)


def test_a_frozen_encoder_stays_as_it_was(
    training_file: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    output = tmp_path / "model"
    arguments = [
        *same_train_and_dev(training_file),
        *("--encoder", str(tiny_checkpoint), "--freeze-encoder", "--epochs", "2"),
    ]
    assert finetune.main([*arguments, "--device", "cpu", "--output", str(output)]) == 0
    before = load_checkpoint(tiny_checkpoint).tagger.state_dict()
    after = load_checkpoint(output).tagger.state_dict()
    changed = {name for name in before if not (before[name] == after[name]).all()}
    assert changed
    assert not any(name.startswith("encoder.") for name in changed)


def test_averaged_weights_are_the_ones_that_are_saved(
    training_file: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    def train(name: str, *extra: str) -> dict[str, object]:
        arguments = [
            *same_train_and_dev(training_file),
            *("--encoder", str(tiny_encoder), *QUICK, "--epochs", "1", *extra),
        ]
        assert finetune.main([*arguments, "--output", str(tmp_path / name)]) == 0
        return dict(load_checkpoint(tmp_path / name).tagger.state_dict())

    plain, again, averaged = train("a"), train("b"), train("c", "--ema-decay", "0.5")
    assert all((plain[name] == again[name]).all() for name in plain)
    assert any((plain[name] != averaged[name]).any() for name in plain)


def test_the_best_epoch_is_saved_and_patience_ends_the_run(
    training_file: Path,
    tiny_encoder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    num_right = iter([2, 8, 8, 5])

    def evaluate_as_told(*_: Any, batch_size: int) -> SpanCounts:
        counts = SpanCounts.zero(CLUENER)
        return replace(counts, spans=(Counts(next(num_right), 10, 10), *counts.spans[1:]))

    monkeypatch.setattr(training, "evaluate_tagger", evaluate_as_told)
    output = tmp_path / "model"
    arguments = ["--train", f"cluener={training_file}", "--encoder", str(tiny_encoder), *QUICK]
    flags = ["--epochs", "9", "--patience", "2", "--output", str(output)]
    assert finetune.main([*arguments, *flags]) == 0
    metrics = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["best_epoch"] == 3  # of equals the later one
    assert len(read_epochs(output)) == 4


def test_msra_and_conll_files_train_too(tiny_encoder: Path, tmp_path: Path) -> None:
    msra = tmp_path / "msra.txt"
    msra.write_text("叶\tB-PER\n老\tI-PER\n来\tO\n\n京\tI-LOC\n好\tO\n", encoding="utf-8")
    conll = tmp_path / "own.bio"
    conll.write_text("长\tB-river\n江\tI-river\n", encoding="utf-8")
    common = ["--encoder", str(tiny_encoder), "--epochs", "1", "--half-precision"]
    for source, labels in ((f"msra={msra}", ("PER", "LOC", "ORG")), (f"conll={conll}", ("river",))):
        output = tmp_path / labels[0]
        flags = [
            "--train",
            source,
            "--dev",
            source,
            "--allow-shared-texts",
            "--output",
            str(output),
        ]
        assert finetune.main([*flags, *common]) == 0
        assert load_checkpoint(output).tagger.config.labels.labels == labels
    card = (tmp_path / "PER" / "README.md").read_text(encoding="utf-8")
    assert re.search(r"^repaired tags +1 +1$", card, re.MULTILINE)


def test_a_checkpoint_with_other_labels_gives_its_encoder_and_context_layer(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    conll = tmp_path / "own.bio"
    conll.write_text("长\tB-river\n江\tI-river\n", encoding="utf-8")
    source = f"conll={conll}"
    arguments = ["--train", source, "--dev", source, "--allow-shared-texts"]
    arguments += ["--encoder", str(tiny_checkpoint), "--freeze-encoder", "--epochs", "1"]
    arguments += ["--head-learning-rate", "0"]
    before = load_checkpoint(tiny_checkpoint).tagger

    def kept_weights(output: Path) -> set[str]:
        after = load_checkpoint(output).tagger
        assert after.config.labels.labels == ("river",)
        old, new = before.state_dict(), after.state_dict()
        return {n for n in old.keys() & new.keys() if torch.equal(old[n], new[n])}

    same, wider = tmp_path / "same", tmp_path / "wider"
    assert finetune.main([*arguments, "--output", str(same)]) == 0
    names = {n for n in before.state_dict() if n.startswith(("encoder.", "context."))}
    assert kept_weights(same) >= names
    size = str(2 * before.encoder.config.hidden_size)
    assert finetune.main([*arguments, "--context-hidden-size", size, "--output", str(wider)]) == 0
    assert load_checkpoint(wider).tagger.config.context_hidden_size == int(size)


def test_dropout_is_changed_everywhere_when_a_head_is_kept(
    training_file: Path, tiny_checkpoint: Path, tmp_path: Path
) -> None:
    arguments = ["--train", f"cluener={training_file}", "--encoder", str(tiny_checkpoint)]
    output = tmp_path / "model"
    flags = ["--dropout", "0.45", "--epochs", "1", "--output", str(output)]
    assert finetune.main([*arguments, *flags]) == 0
    assert load_checkpoint(output).tagger.config.dropout == 0.45


def test_more_processes_than_examples_end_in_a_line_and_leave_nothing(
    eight_sentences: tuple[Example, ...], tiny_encoder: Path, tmp_path: Path
) -> None:
    write_cluener(tmp_path / "one.json", eight_sentences[:1])
    source = f"cluener={tmp_path / 'one.json'}"
    arguments = [
        "--train",
        source,
        "--dev",
        source,
        "--allow-shared-texts",
        "--encoder",
        str(tiny_encoder),
    ]
    flags = ["--device", "cpu", "--output", str(tmp_path / "model")]
    done = run_on_two_processes([*arguments, *flags])
    assert done.returncode != 0
    assert "expected at least one window for each of 2 processes" in done.stderr
    assert not list(tmp_path.glob("model*"))


def test_dev_is_carved_off_the_end_when_none_is_given(
    training_file: Path, tiny_encoder: Path, tmp_path: Path
) -> None:
    arguments = ["--train", f"cluener={training_file}", "--encoder", str(tiny_encoder)]
    output = tmp_path / "model"
    status = finetune.main(
        [*arguments, *QUICK, "--epochs", "1", "--dev-fraction", "0.25", "--output", str(output)]
    )
    assert status == 0
    metrics = json.loads((output / "metrics.json").read_text(encoding="utf-8"))
    assert metrics["dev"]["num_examples"] == 2


def test_the_card_names_its_data_by_checksum_and_hides_passwords(
    training_file: Path, tiny_encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = AnnotationStore.open(tmp_path / "annotations.db")
    store.create_project("default", CLUENER)
    store.add([NewDocument(text="叶老桂", spans=(Span(0, 3, "name"),), status="accepted")])
    # Stands in for a server: only the URL's way into the card is looked at here.
    monkeypatch.setattr(AnnotationStore, "open", lambda _, must_exist: store)
    arguments = [
        *("--train", "annotations=postgresql://lin:geheim@localhost/ner"),
        *("--train", f"cluener={training_file}", "--encoder", str(tiny_encoder)),
    ]
    output = tmp_path / "model"
    assert finetune.main([*arguments, *QUICK, "--epochs", "1", "--output", str(output)]) == 0
    card = (output / "README.md").read_text(encoding="utf-8")
    assert "geheim" not in card
    assert "postgresql://***@localhost/ner" in card
    assert hashlib.sha256(training_file.read_bytes()).hexdigest()[:16] in card


@pytest.mark.parametrize(
    "argument",
    [
        "annotations=postgresql://lin:ge@heim@host/ner",
        "annotations=postgresql://:geheim@host/ner",
        "annotations=postgresql://lin@host/ner?password=geheim",
        "annotations=postgresql://host/ner?user=lin&PASSWORD=geheim&x=1",
        "annotations=postgresql://lin:ge heim@host/ner",
    ],
)
def test_no_form_of_a_password_is_shown(argument: str) -> None:
    masked = mask_password(argument)
    assert "heim" not in masked
    assert "host/ner" in masked


def write_bad_label(path: Path) -> str:
    path.write_text('{"text": "长江", "label": {"river": {"长江": [[0, 1]]}}}\n', encoding="utf-8")
    return r"bad\.json:1: expected one of the labels address, .* got 'river'"


def write_wrong_offset(path: Path) -> str:
    path.write_text('{"text": "长江", "label": {"scene": {"长江": [[1, 2]]}}}\n', encoding="utf-8")
    return r"bad\.json:1: "


def write_unlabelled(path: Path) -> str:
    path.write_text('{"text": "长江"}\n', encoding="utf-8")
    return 'expected lines with "label", got 1 without'


def write_nothing(path: Path) -> str:
    path.write_text("", encoding="utf-8")
    return "expected training examples, got none"


@pytest.mark.parametrize(
    "write", [write_bad_label, write_wrong_offset, write_unlabelled, write_nothing]
)
def test_bad_training_data_gives_one_line_and_leaves_no_output(
    write: object, tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert callable(write)
    message = write(tmp_path / "bad.json")
    output = tmp_path / "model"
    arguments = ["--train", f"cluener={tmp_path / 'bad.json'}", "--encoder", str(tiny_encoder)]
    assert finetune.main([*arguments, "--output", str(output)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert re.search(message, line), line
    assert not list(tmp_path.glob("model*"))


@pytest.mark.parametrize(
    ("flag", "value", "message"),
    [
        ("--train", "cluener=nowhere.json", "nowhere.json"),
        ("--train", "annotations=nowhere.db", "nowhere.db"),
        ("--train", "annotations=sqlite:///nowhere.db", "nowhere.db"),
        ("--encoder", "nowhere", "expected a checkpoint directory or a Hub id"),
        ("--output", ".", "expected an output directory that does not exist yet"),
    ],
)
def test_a_missing_file_gives_one_line(
    flag: str,
    value: str,
    message: str,
    training_file: Path,
    tiny_encoder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = {
        "--train": f"cluener={training_file}",
        "--encoder": str(tiny_encoder),
        "--output": str(tmp_path / "model"),
        flag: value,
    }
    assert finetune.main([part for pair in given.items() for part in pair]) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]
    assert not (tmp_path / "model").exists()
    assert not Path("nowhere.db").exists()
