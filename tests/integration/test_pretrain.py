"""Pretraining from a text file to an encoder that the trainer takes, and whatever comes between."""

import json
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from transformers import RobertaConfig

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.checkpoint import load_checkpoint, load_encoder
from ner_core.labels import CLUENER
from ner_core.prediction import Predictor
from trainer import finetune, pretrain, pretraining
from trainer.corpus import CorpusLine
from trainer.line_encoder import split_sides
from trainer.pretraining import Pretraining
from trainer.pretraining_run import PretrainingStepper

ROOT = Path(__file__).parents[2]
NEWS = ROOT / "tests" / "data" / "news.txt"
SIZE = ["--num-layers", "1", "--hidden-size", "16", "--num-heads", "2"]
COMMON = [
    *(*SIZE, "--window-tokens", "32", "--min-count", "1", "--held-out-fraction", "0.2"),
    *("--batch-size", "8", "--learning-rate", "1e-2", "--device", "cpu"),
]
# Without dropout, which each rank draws for itself.
EXACT = [*COMMON, "--dropout", "0"]


def flags(output: Path, *more: str) -> list[str]:
    return ["--corpus", str(NEWS), *COMMON, *more, "--output", str(output)]


def read_records(output: Path, event: str) -> list[dict[str, Any]]:
    lines = (output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["event"] == event]


def load_weights(output: Path) -> dict[str, Tensor]:
    return load_file(output / "model.safetensors")


def differ(first: Path, second: Path) -> float:
    """The largest difference of any weight."""
    one, other = load_weights(first), load_weights(second)
    assert one.keys() == other.keys()
    return max((weight - other[name]).abs().max().item() for name, weight in one.items())


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder that has learned a small language."""
    directory = tmp_path_factory.mktemp("pretrained")
    (directory / "text").mkdir()
    write_combinations(directory / "text" / "combined.txt")
    arguments = ["--corpus", str(directory / "text" / "combined.txt"), *COMMON, "--dropout", "0"]
    more = ["--steps", "150", "--corpus-note", "made by hand, CC0", "--evaluations", "4"]
    output = directory / "encoder"
    assert pretrain.main([*arguments, *more, "--output", str(output)]) == 0
    return output


def write_combinations(path: Path) -> None:
    """Sixty-four sentences of four subjects, four places and four verbs."""
    subjects, places = ("老师", "学生", "医生", "记者"), ("北京", "上海", "广州", "深圳")
    sentences = product(subjects, ("在",), places, ("开会", "唱歌", "读书", "散步"))
    path.write_text("".join(f"{''.join(words)}\n" for words in sentences), encoding="utf-8")


def test_the_loss_falls_and_held_out_text_is_guessed_better_than_by_chance(encoder: Path) -> None:
    losses = [record["loss"] for record in read_records(encoder, "step")]
    assert losses[-1] < 0.6 * losses[0]
    evaluations = read_records(encoder, "evaluation")
    assert [record["step"] for record in evaluations] == [38, 75, 113, 150]
    # One of four words where chance has one of some thirty characters.
    assert evaluations[-1]["held_out_perplexity"] < 8
    assert evaluations[-1]["held_out_accuracy"] > 0.15


def test_the_output_is_an_ordinary_encoder_directory(encoder: Path) -> None:
    names = {path.name for path in encoder.iterdir()}
    files = ["config.json", "model.safetensors", "vocab.txt", "tokenizer_config.json", "README.md"]
    assert names == {*files, "metrics.json", "metrics.jsonl", "train.log"}
    assert {path.name for path in encoder.parent.iterdir()} == {"encoder", "text"}
    loaded = load_encoder(encoder)
    assert loaded.model.config.max_position_embeddings == 32
    assert loaded.vocabulary.encode("京") != [loaded.vocabulary.unk_token_id]


def test_the_card_names_corpus_licence_command_and_perplexity(encoder: Path) -> None:
    card = (encoder / "README.md").read_text(encoding="utf-8")
    perplexity = json.loads((encoder / "metrics.json").read_text("utf-8"))["held_out"]
    assert f"{perplexity['held_out_perplexity']:.2f}" in card
    assert "made by hand, CC0" in card
    assert "python -m trainer.pretrain --corpus" in card
    assert "combined.txt: 64 lines, 448 characters, SHA-256 " in card


def test_the_trainer_takes_the_encoder(encoder: Path, training_file: Path, tmp_path: Path) -> None:
    source = f"cluener={training_file}"
    arguments = ["--train", source, "--dev", source, "--allow-shared-texts", "--epochs", "1"]
    output = tmp_path / "tagger"
    more = ["--encoder", str(encoder), "--device", "cpu", "--output", str(output)]
    assert finetune.main([*arguments, *more]) == 0
    assert load_checkpoint(output).tagger.config.max_window_tokens == 32


def test_pretraining_goes_on_from_its_own_output_with_its_head(
    encoder: Path, tmp_path: Path
) -> None:
    output = tmp_path / "adapted"
    text = encoder.parent / "text" / "combined.txt"
    arguments = ["--corpus", str(text), "--encoder", str(encoder), "--steps", "1"]
    more = ["--held-out-fraction", "0.2", "--learning-rate", "0", "--device", "cpu"]
    assert pretrain.main([*arguments, *more, "--output", str(output)]) == 0
    assert differ(encoder, output) == 0
    (last,) = read_records(output, "evaluation")
    before = read_records(encoder, "evaluation")[-1]
    # The rows are packed alike, so that the masks are the same.
    assert last["held_out_loss"] == pytest.approx(before["held_out_loss"], abs=1e-4)
    assert (output / "vocab.txt").read_bytes() == (encoder / "vocab.txt").read_bytes()


def test_pretraining_goes_on_from_the_encoder_of_a_tagger(
    tiny_checkpoint: Path, tmp_path: Path
) -> None:
    output = tmp_path / "adapted"
    arguments = ["--corpus", str(NEWS), "--encoder", str(tiny_checkpoint), "--steps", "3"]
    more = ["--held-out-fraction", "0.2", "--device", "cpu", "--output", str(output)]
    assert pretrain.main([*arguments, *more]) == 0
    before = load_encoder(tiny_checkpoint).model.state_dict()
    after = load_encoder(output).model.state_dict()
    name = "encoder.layer.0.attention.self.query.weight"
    assert 0 < (before[name] - after[name]).abs().max() < 0.1


def test_the_texts_of_a_database_are_learned_from(tmp_path: Path) -> None:
    location = tmp_path / "annotations.db"
    with AnnotationStore.open(str(location)) as store:
        store.create_project("news", CLUENER)
        lines = NEWS.read_text(encoding="utf-8").splitlines()
        store.add([NewDocument(line) for line in lines if line], project="news")
    output = tmp_path / "encoder"
    corpus = f"annotations={location}"
    assert (
        pretrain.main(["--corpus", corpus, *COMMON, "--steps", "1", "--output", str(output)]) == 0
    )
    assert "annotations=annotations.db: 30 lines" in (output / "README.md").read_text("utf-8")


def test_one_project_of_a_database_is_learned_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    location = tmp_path / "annotations.db"
    lines = [line for line in NEWS.read_text(encoding="utf-8").splitlines() if line]
    with AnnotationStore.open(str(location)) as store:
        for project, texts in (("news", lines), ("notes", ["别的"])):
            store.create_project(project, CLUENER)
            store.add([NewDocument(text) for text in texts], project=project)
    output = tmp_path / "encoder"
    arguments = [*COMMON, "--steps", "1", "--output", str(output)]
    assert pretrain.main(["--corpus", f"annotations={location}#news", *arguments]) == 0
    card = (output / "README.md").read_text("utf-8")
    assert "annotations=annotations.db#news: 30 lines" in card
    other = ["--corpus", f"annotations={location}#none", *COMMON]
    assert pretrain.main([*other, "--output", str(tmp_path / "other")]) == 2
    assert "the project 'none', got news, notes (in" in capsys.readouterr().err


def test_half_precision_writes_each_weight_once(encoder: Path, tmp_path: Path) -> None:
    output = tmp_path / "half"
    text = encoder.parent / "text" / "combined.txt"
    arguments = ["--corpus", str(text), "--encoder", str(encoder), "--steps", "1"]
    more = ["--held-out-fraction", "0.2", "--device", "cpu", "--half-precision"]
    assert pretrain.main([*arguments, *more, "--output", str(output)]) == 0
    half = load_weights(output)
    assert {weight.dtype for weight in half.values()} == {torch.float16}
    assert half.keys() == load_weights(encoder).keys()


def test_a_prepared_corpus_serves_again_without_its_text(tmp_path: Path) -> None:
    prepared, text = tmp_path / "prepared", tmp_path / "news.txt"
    text.write_bytes(NEWS.read_bytes())
    more = ["--steps", "4", *EXACT, "--prepared", str(prepared)]
    first, second = tmp_path / "first", tmp_path / "second"
    assert pretrain.main(["--corpus", str(text), *more, "--output", str(first)]) == 0
    text.unlink()
    assert pretrain.main([*more, "--output", str(second)]) == 0
    assert differ(first, second) == 0


def test_a_prepared_corpus_that_is_not_what_is_asked_for_is_refused_before_the_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepared = ["--prepared", str(tmp_path / "prepared")]
    first = ["--corpus", str(NEWS), *COMMON, *prepared, "--steps", "1"]
    assert pretrain.main([*first, "--output", str(tmp_path / "first")]) == 0
    second = [*prepared, "--device", "cpu", "--steps", "1", "--output", str(tmp_path / "second")]
    for asked, message in (
        (["--keep-head"], "expected silver labels in the prepared corpus for --keep-head"),
        (["--held-out-fraction", "0.4"], "held_out_fraction 0.2 before, 0.4 now"),
        (["--no-packing"], "is_packed True before, False now"),
    ):
        assert pretrain.main([*second, *SIZE, "--window-tokens", "32", *asked]) == 2
        assert message in capsys.readouterr().err
        assert not (tmp_path / "second").exists()


def test_silver_labels_are_learned_beside_the_masks(tmp_path: Path) -> None:
    silver = tmp_path / "silver.bio"
    silver.write_text("在\tO\n北\tB-LOC\n京\tI-LOC\n开\tB-v\n会\tI-v\n\n" * 30, encoding="utf-8")
    output = tmp_path / "tagger"
    more = ("--silver-labels", str(silver), "--keep-head", "--epochs", "30", "--dropout", "0")
    assert pretrain.main(flags(output, *more)) == 0
    checkpoint = load_checkpoint(output)
    assert checkpoint.tagger.config.labels.labels == ("LOC", "v")
    card = (output / "README.md").read_text("utf-8")
    assert "pipeline_tag: token-classification" in card
    assert "a chinese tagger of the silver labels loc, v" in card.lower()
    (prediction,) = Predictor(checkpoint, torch.device("cpu")).predict(["在北京开会"])
    assert [(s.start, s.end, s.label) for s in prediction.spans] == [(1, 3, "LOC"), (3, 5, "v")]


def test_accumulated_batches_learn_as_one_large_batch(tmp_path: Path) -> None:
    arguments = ["--corpus", str(NEWS), *EXACT, "--steps", "3"]
    large, small = tmp_path / "large", tmp_path / "small"
    assert pretrain.main([*arguments, "--batch-size", "1000", "--output", str(large)]) == 0
    num_rows = 18
    assert f" {num_rows} rows of 32 tokens to learn from" in (large / "README.md").read_text(
        "utf-8"
    )
    more = ["--batch-size", str(num_rows // 2 + 1), "--accumulation", "2"]
    assert pretrain.main([*arguments, *more, "--output", str(small)]) == 0
    assert differ(large, small) < 1e-4


@pytest.mark.usefixtures("bfloat16_processor")
def test_bf16_learns_nearly_what_fp32_does(tmp_path: Path) -> None:
    losses = {}
    for precision in ("fp32", "bf16"):
        output = tmp_path / precision
        arguments = ["--corpus", str(NEWS), *EXACT, "--steps", "8", "--precision", precision]
        assert pretrain.main([*arguments, "--output", str(output)]) == 0
        losses[precision] = [record["loss"] for record in read_records(output, "step")]
        # The weights themselves stay in full precision.
        assert {weight.dtype for weight in load_weights(output).values()} == {torch.float32}
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.02)


def test_an_epoch_reads_every_character_that_is_not_held_out_once(tmp_path: Path) -> None:
    output = tmp_path / "encoder"
    assert pretrain.main(flags(output, "--epochs", "2")) == 0
    read = [record["num_tokens"] for record in read_records(output, "step")]
    lines = [line for line in NEWS.read_text(encoding="utf-8").splitlines() if line]
    parts = [part for line in lines for part in split_sides(CorpusLine(line), 0.2)]
    trained = sum(len(part.text) for part, is_out in parts if not is_out)
    assert 0 < trained < sum(map(len, lines))
    assert read[-1] == 2 * trained
    for record in read_records(output, "evaluation"):
        assert record["held_out_perplexity"] == pytest.approx(math.exp(record["held_out_loss"]))


def test_an_encoder_of_any_configuration_is_pretrained(tmp_path: Path) -> None:
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = RobertaConfig(**sizes, intermediate_size=24, max_position_embeddings=64)
    config.save_pretrained(tmp_path / "roberta")
    output = tmp_path / "encoder"
    arguments = ["--corpus", str(NEWS), "--encoder-config", str(tmp_path / "roberta")]
    more = [*COMMON[len(SIZE) :], "--steps", "2", "--output", str(output)]
    assert pretrain.main([*arguments, *more]) == 0
    model = load_encoder(output).model
    assert model.config.model_type == "roberta"
    assert (model.config.num_hidden_layers, model.config.intermediate_size) == (2, 24)


def test_activation_checkpointing_changes_no_result(tmp_path: Path) -> None:
    arguments = ["--corpus", str(NEWS), *COMMON, "--dropout", "0.2", "--steps", "3"]
    plain, sparing = tmp_path / "plain", tmp_path / "sparing"
    assert pretrain.main([*arguments, "--output", str(plain)]) == 0
    more = ["--activation-checkpointing", "--tensorboard", "--output", str(sparing)]
    assert pretrain.main([*arguments, *more]) == 0
    assert differ(plain, sparing) < 1e-5
    assert len(list((sparing / "tensorboard").iterdir())) == 1


# --- Nothing is lost ---

# Imports once, then runs in a forked child for each line that it reads.
DRIVER = """
import json, os, signal, sys
from pathlib import Path
from trainer import preparation, pretrain, pretrain_fit
from trainer.pretraining_run import PretrainingStepper
from trainer.run_directory import RunDirectory

def die():
    os.kill(os.getpid(), signal.SIGKILL)

for line in sys.stdin:
    trap, arguments = json.loads(line)
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        exec(trap)
        os._exit(pretrain.main(arguments))
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status), flush=True)
"""
RunAndKill = Callable[[list[str], str], None]


@pytest.fixture(scope="module")
def run_and_kill() -> Iterator[RunAndKill]:
    """Runs the command line in a process that some Python kills with `die()`."""
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        # Sums are cut in as many parts as there are threads: bits agree only for as many.
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    ) as driver:
        assert driver.stdin is not None
        assert driver.stdout is not None
        stdin, stdout = driver.stdin, driver.stdout

        def run(arguments: list[str], trap: str) -> None:
            stdin.write(json.dumps([trap, arguments]) + "\n")
            stdin.flush()
            assert int(stdout.readline()) == -signal.SIGKILL

        yield run
        stdin.close()


AT_STEP = """
take_step = PretrainingStepper.take_counted_step
def take_step_or_die(self, *given):
    if self.step == {step}:
        die()
    return take_step(self, *given)
PretrainingStepper.take_counted_step = take_step_or_die
"""
WHILE_PREPARING = """
write_rows = preparation._write_rows
def write_or_die(rows, path):
    if path.name == "000-00000.held-out":
        die()
    write_rows(rows, path)
preparation._write_rows = write_or_die
"""
BEFORE_MANIFEST = """
preparation.Preparation.write_manifest = lambda self, directory: die()
"""
DURING_SAVE = """
replace = Path.replace
def die_before_replacing(self, target):
    if Path(target).name == "last.pt" and Path(target).exists():
        die()
    return replace(self, target)
Path.replace = die_before_replacing
"""
BEFORE_OUTPUT = """
RunDirectory.publish = lambda self, step: die()
"""
BEFORE_TIDYING = """
RunDirectory.discard = lambda self: die()
"""


@pytest.fixture(scope="module")
def disturbed_flags() -> list[str]:
    """Five steps of two batches, over more than an epoch, with dropout, saved after each."""
    more = ("--steps", "5", "--accumulation", "2", "--dropout", "0.3", "--save-every-s", "0")
    return ["--corpus", str(NEWS), *COMMON, *more, "--batch-size", "6"]


@pytest.fixture(scope="module")
def undisturbed(disturbed_flags: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("undisturbed") / "encoder"
    assert pretrain.main([*disturbed_flags, "--output", str(output)]) == 0
    return output


@pytest.mark.parametrize(
    "trap",
    [
        pytest.param(WHILE_PREPARING, id="while the corpus is prepared"),
        pytest.param(BEFORE_MANIFEST, id="when all parts are there"),
        pytest.param(AT_STEP.format(step=0), id="before the first step"),
        pytest.param(AT_STEP.format(step=3), id="in the middle"),
        pytest.param(DURING_SAVE, id="while the state is replaced"),
        pytest.param(BEFORE_OUTPUT, id="before the output is made"),
        pytest.param(BEFORE_TIDYING, id="when only tidying up was left"),
    ],
)
def test_a_killed_run_goes_on_to_the_same_weights_bit_by_bit(
    trap: str,
    run_and_kill: RunAndKill,
    undisturbed: Path,
    disturbed_flags: list[str],
    tmp_path: Path,
) -> None:
    arguments = [*disturbed_flags, "--output", str(tmp_path / "encoder")]
    run_and_kill(arguments, trap)
    assert (tmp_path / "encoder.run").exists()
    assert pretrain.main(arguments) == 0
    assert differ(undisturbed, tmp_path / "encoder") == 0
    assert {path.name for path in tmp_path.iterdir()} == {"encoder"}
    expected, resumed = (
        [(record["step"], record["num_tokens"], record["loss"]) for record in records]
        for records in (
            read_records(undisturbed, "step"),
            read_records(tmp_path / "encoder", "step"),
        )
    )
    assert resumed == expected


def test_other_settings_are_refused_and_named(
    run_and_kill: RunAndKill,
    disturbed_flags: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [*disturbed_flags, "--output", str(tmp_path / "encoder")]
    run_and_kill(arguments, AT_STEP.format(step=3))
    assert pretrain.main([*arguments, "--seed", "7"]) == 2
    assert "(seed 42 before, 7 now)" in capsys.readouterr().err
    assert pretrain.main([*arguments, "--min-count", "2"]) == 2
    assert "(min_count 1 before, 2 now)" in capsys.readouterr().err
    assert pretrain.main([*arguments, "--min-count", "2", "--restart"]) == 0


# --- The number of processes makes no difference ---


def test_two_processes_learn_as_one_does(tmp_path: Path) -> None:
    corpus = tmp_path / "news.txt"
    corpus.write_text(NEWS.read_text("utf-8") * 4, encoding="utf-8")
    arguments = ["--corpus", str(corpus), *EXACT, "--steps", "6", "--evaluations", "3"]
    one, two = tmp_path / "one", tmp_path / "two"
    assert pretrain.main([*arguments, "--output", str(one)]) == 0
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*command, "-m", "trainer.pretrain", *arguments, "--output", str(two)],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    assert differ(one, two) < 1e-5
    for event, names in (
        ("step", ("loss", "num_tokens", "learning_rate")),
        ("evaluation", ("held_out_loss", "held_out_accuracy", "num_masked")),
    ):
        alone, together = read_records(one, event), read_records(two, event)
        assert len(alone) == len(together) > 0
        for first, second in zip(alone, together, strict=True):
            for name in names:
                assert first[name] == pytest.approx(second[name], abs=1e-5), (event, name)


# --- What can go wrong ---


def test_a_loss_that_is_no_number_ends_the_run_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sum_loss = PretrainingStepper._sum_loss

    def spoil(self: PretrainingStepper, batch: Any) -> tuple[Tensor, Tensor]:
        loss, penalty = sum_loss(self, batch)
        return (loss * torch.nan if self.step == 2 else loss), penalty

    monkeypatch.setattr(PretrainingStepper, "_sum_loss", spoil)
    output = tmp_path / "encoder"
    assert pretrain.main(flags(output, "--steps", "4", "--save-every-s", "0")) == 1
    (line,) = [x for x in capsys.readouterr().err.splitlines() if x.startswith(pretrain.PROG)]
    assert "expected a finite loss and gradient" in line
    assert "in step 3 of 4; the state saved last is in" in line
    assert (tmp_path / "encoder.run" / "last.pt").exists()


def test_a_full_disk_is_told_and_the_run_can_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "encoder"
    arguments = flags(output, "--steps", "2")
    with monkeypatch.context() as patched:
        patched.setattr("trainer.preparation.os.fsync", fail)
        assert pretrain.main(arguments) == 1
    error = capsys.readouterr().err
    assert "expected to write the prepared corpus" in error
    assert "No space left on device" in error
    assert pretrain.main(arguments) == 0


def fail(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_lack_of_memory_is_told_with_what_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(PretrainingStepper, "_sum_loss", lambda *_: torch.empty(2**58))
    assert pretrain.main(flags(tmp_path / "encoder", "--steps", "1")) == 1
    assert "out of memory in a batch of 8 windows of up to 32" in capsys.readouterr().err


def test_a_dry_run_says_what_the_run_would_cost_and_writes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert pretrain.main(flags(tmp_path / "encoder", "--steps", "100", "--dry-run")) == 0
    assert "dry run: about 18 rows of 32 tokens, 100 steps of" in caplog.text
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--corpus", "nowhere.txt"], "nowhere.txt: No such file"),
        (["--held-out-fraction", "1e-9"], "expected lines to hold out, got none"),
        (["--precision", "fp16"], "half precision is for graphics cards"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(
    changes: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain.main(flags(tmp_path / "encoder", *changes)) == 2
    assert message in capsys.readouterr().err.splitlines()[-1]


def test_an_encoder_that_cannot_be_built_is_refused_before_the_corpus_is_prepared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain.main(flags(tmp_path / "encoder", "--num-heads", "3")) == 2
    assert "a --hidden-size that 3 heads can share, got 16" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_evaluations_are_as_many_as_asked_for_and_take_no_time_of_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_step, evaluate = Pretraining._take_step, pretraining.evaluate_held_out
    now = 0.0

    def take_long(self: Pretraining, batches: list[Any]) -> None:
        nonlocal now
        now += 0.05
        take_step(self, batches)

    def evaluate_longer(*arguments: Any) -> tuple[float, float, int]:
        nonlocal now
        now += 0.2
        return evaluate(*arguments)

    monkeypatch.setattr(pretraining, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(Pretraining, "_take_step", take_long)
    monkeypatch.setattr(pretraining, "evaluate_held_out", evaluate_longer)
    monkeypatch.setattr(pretraining, "_NUM_STEP_RECORDS", 3)
    output = tmp_path / "encoder"
    assert pretrain.main(flags(output, "--steps", "12", "--evaluations", "5")) == 0
    evaluations = read_records(output, "evaluation")
    assert [record["step"] for record in evaluations] == [3, 5, 8, 10, 12]
    steps = read_records(output, "step")
    assert [record["step"] for record in steps] == [4, 8, 12]
    num_tokens = [0, *(record["num_tokens"] for record in steps)]
    for before, now, record in zip(num_tokens, num_tokens[1:], steps, strict=False):
        seconds = (now - before) / record["tokens_per_second"]
        # Four steps of 50 ms, without the 200 ms of an evaluation.
        assert seconds == pytest.approx(0.2), record


def test_an_output_that_is_there_already_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pretrain.main(flags(tmp_path)) == 2
    assert "expected an output directory that does not exist yet" in capsys.readouterr().err


def test_a_longer_row_than_the_encoder_has_positions_is_refused(
    tiny_encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--corpus", str(NEWS), "--encoder", str(tiny_encoder), "--window-tokens", "128"]
    assert pretrain.main([*arguments, "--output", str(tmp_path / "encoder")]) == 2
    assert "at most the encoder's 64 positions, got 128" in capsys.readouterr().err
