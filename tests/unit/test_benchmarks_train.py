import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest
import torch

from benchmarks import train, training_speed
from benchmarks.reference_loop import (
    MAX_CHARACTERS,
    WIDTH,
    ReferenceLoop,
    ReferenceTagger,
    pad_windows,
)
from benchmarks.training_speed import Speed, compare, read_speed, take_turns, time_reference
from benchmarks.training_task import (
    MODEL_SIZES,
    ModelSize,
    Task,
    make_sentences,
    read_sentences,
    write_task,
)
from ner_core.checkpoint import Checkpoint
from ner_core.crf import CRF
from ner_core.dataset import TaggingDataset
from ner_core.formats import read_cluener, write_cluener
from ner_core.labels import CLUENER
from ner_core.models import Tagger, TaggerConfig
from ner_core.spans import Example
from trainer.data import load_training_data
from trainer.distributed import World
from trainer.fit import build_checkpoint

TINY = ModelSize(hidden_size=8, num_layers=1, encoder_dropout=0.0)
CPU = torch.device("cpu")
ALONE = World(0, 1, CPU)


@pytest.fixture
def task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Task:
    monkeypatch.setitem(MODEL_SIZES, "tiny", TINY)
    return write_task(tmp_path / "tiny", "tiny", make_sentences(20), batch_size=8)


@pytest.fixture
def checkpoint(task: Task) -> Checkpoint:
    settings = task.settings(Path("unused"), "--dropout", "0")
    return build_checkpoint(settings, load_training_data(settings.data))


@pytest.fixture
def dataset(task: Task, checkpoint: Checkpoint) -> TaggingDataset:
    return encode(task.examples, checkpoint)


def encode(examples: Sequence[Example], checkpoint: Checkpoint) -> TaggingDataset:
    return TaggingDataset.from_examples(
        examples, CLUENER, checkpoint.vocabulary, max_characters=MAX_CHARACTERS
    )


def make_reference(checkpoint: Checkpoint, dataset: TaggingDataset) -> ReferenceLoop:
    return ReferenceLoop(
        checkpoint.tagger, dataset, checkpoint.vocabulary, batch_size=8, device=CPU
    )


def test_made_up_sentences_are_as_long_as_cluener_s() -> None:
    lengths = sorted(len(example.text) for example in make_sentences(4000))
    assert (lengths[0], lengths[-1]) == (2, 50)
    assert fmean(lengths) == pytest.approx(37.4, abs=0.6)
    assert lengths[2000] == pytest.approx(41, abs=1)
    assert lengths[400] == pytest.approx(20, abs=1)


def test_sentences_of_a_file_are_drawn_alike_every_time(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    written = make_sentences(30)
    write_cluener(path, written)
    drawn = read_sentences(path, 10)
    assert drawn == read_sentences(path, 10)
    assert {example.text for example in drawn} < {example.text for example in written}
    assert [example.text for example in drawn] != [example.text for example in written[:10]]
    assert len(read_sentences(path, 99)) == 30


def test_a_file_without_sentences_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match=r"expected sentences, got none \(in .*train\.json\)"):
        read_sentences(path, 10)


def test_the_recipe_is_the_trainer_s_own_unless_a_batch_size_is_given(
    task: Task, tmp_path: Path
) -> None:
    assert task.settings(Path("unused")).optimization.batch_size == 8
    table = write_task(tmp_path / "table", "small-bilstm", make_sentences(9), batch_size=None)
    settings = table.settings(Path("unused"))
    assert settings.recipe == "embeddings"
    assert settings.optimization.batch_size == 16
    assert read_cluener(tmp_path / "table" / "train.json").examples == table.examples


def test_the_reference_pads_every_window_to_128_tokens_and_tags_cls_and_sep_o(
    checkpoint: Checkpoint, dataset: TaggingDataset
) -> None:
    vocabulary = checkpoint.vocabulary
    input_ids, attention_mask, tag_ids = pad_windows(dataset, vocabulary).tensors
    assert input_ids.shape == attention_mask.shape == tag_ids.shape == (20, WIDTH)
    for row, window in enumerate(dataset.windows):
        num_tokens = len(window.token_ids) + 2
        assert attention_mask[row].sum() == num_tokens
        assert input_ids[row, 0] == vocabulary.cls_token_id
        assert input_ids[row, num_tokens - 1] == vocabulary.sep_token_id
        assert (input_ids[row, num_tokens:] == vocabulary.pad_token_id).all()
        assert tag_ids[row].tolist() == [0, *window.tag_ids, *[0] * (WIDTH - num_tokens + 1)]


def test_the_reference_refuses_windows_that_it_would_cut(checkpoint: Checkpoint) -> None:
    dataset = encode([Example("", "长" * MAX_CHARACTERS)], checkpoint)
    assert pad_windows(dataset, checkpoint.vocabulary).tensors[1].all()
    (window,) = dataset.windows
    longer = replace(window, token_ids=(*window.token_ids, 5), tag_ids=(*window.tag_ids, 0))
    with pytest.raises(ValueError, match="expected windows of at most 126 characters, got 127"):
        pad_windows(replace(dataset, windows=(longer,)), checkpoint.vocabulary)


def test_the_reference_has_the_trainer_s_model(
    checkpoint: Checkpoint, dataset: TaggingDataset
) -> None:
    ours = dict(checkpoint.tagger.named_parameters())
    reference = dict(make_reference(checkpoint, dataset).model.named_parameters())
    assert {name: weight.shape for name, weight in reference.items()} == {
        name: weight.shape for name, weight in ours.items()
    }
    shared = [name for name in ours if not name.startswith("crf.")]
    assert all(torch.equal(ours[name], reference[name]) for name in shared)
    # A copy: training the one must not train the other.
    assert all(ours[name] is not reference[name] for name in shared)


def test_the_reference_needs_a_crf(checkpoint: Checkpoint) -> None:
    config = TaggerConfig(architecture="bert-softmax", labels=CLUENER)
    with pytest.raises(ValueError, match="expected a tagger with a CRF, got bert-softmax"):
        ReferenceTagger(Tagger(checkpoint.tagger.encoder, config))


@pytest.mark.parametrize("architecture", ["bert-crf", "bert-bilstm-crf", "bert-tcn-crf"])
def test_the_reference_s_loss_is_the_crf_s_mean_over_the_padded_batch(
    architecture: str, checkpoint: Checkpoint, dataset: TaggingDataset
) -> None:
    config = TaggerConfig(architecture=architecture, labels=CLUENER, dropout=0.0)
    tagger = Tagger(checkpoint.tagger.encoder, config)
    reference = ReferenceTagger(tagger).eval()
    input_ids, mask, tag_ids = pad_windows(dataset, checkpoint.vocabulary).tensors
    hidden = tagger.encoder(input_ids=input_ids, attention_mask=mask.long()).last_hidden_state
    if tagger.context is not None:
        hidden = tagger.context(hidden, torch.ones_like(mask))
    crf = CRF(CLUENER.num_tags, batch_first=True)
    crf.load_state_dict(reference.crf.state_dict(), strict=False)
    expected = -crf(tagger.classifier(hidden), tag_ids, mask, reduction="mean")
    assert reference(input_ids, mask, tag_ids).item() == pytest.approx(expected.item(), rel=1e-5)


def test_the_reference_learns_and_draws_its_batches_anew(
    checkpoint: Checkpoint, dataset: TaggingDataset
) -> None:
    loop = make_reference(checkpoint, dataset)
    first, second = [[row for batch in loop.batches for row in batch[0].tolist()] for _ in "ab"]
    assert first != second
    assert sorted(first) == sorted(second)
    assert len(first) == 20
    losses = [loop.train(loop.batches) for _ in range(6)]
    assert losses[-1] < losses[0]


def test_the_reference_s_timing_leaves_out_building_and_two_steps(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = 0.0
    trained: list[int] = []

    class Loop:
        batches = (1, 2, 3, 4)

        def __init__(self, *_: Any, **__: Any) -> None:
            nonlocal clock
            clock += 100.0

        def train(self, batches: Sequence[int]) -> None:
            nonlocal clock
            trained.append(len(list(batches)))
            clock += 10.0 if len(trained) == 1 else 4.0

    monkeypatch.setattr(training_speed, "ReferenceLoop", Loop)
    monkeypatch.setattr(training_speed, "perf_counter", lambda: clock)
    assert time_reference(task, CPU) == Speed(20 / 4.0, None)
    assert trained == [2, 4]


def test_the_trainer_s_speed_is_that_of_its_last_epoch_in_sentences(
    task: Task, tmp_path: Path
) -> None:
    records = [
        {"event": "epoch", "characters_per_second": 1.0},
        {"event": "epoch", "characters_per_second": float(task.num_characters)},
        {"event": "step", "loss": 0.1},
    ]
    lines = "\n".join(map(json.dumps, records))
    (tmp_path / "metrics.jsonl").write_text(lines, encoding="utf-8")
    assert read_speed(tmp_path, task) == pytest.approx(20)


def test_calls_take_turns() -> None:
    made: list[str] = []

    def call(name: str) -> Speed:
        made.append(name)
        return Speed(float(len(made)), None)

    speeds = take_turns({"a": partial(call, "a"), "b": partial(call, "b")}, 3)
    assert "".join(made) == "ababab"
    assert [speed.samples_per_second for speed in speeds["b"]] == [2.0, 4.0, 6.0]


def test_the_ratio_is_that_of_the_medians(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, reference = iter((30.0, 90.0, 60.0)), iter((10.0, 20.0, 40.0))
    monkeypatch.setattr(
        training_speed, "time_trainer", lambda *_, precision: Speed(next(ours), None)
    )
    monkeypatch.setattr(training_speed, "time_reference", lambda *_: Speed(next(reference), None))
    (comparison,) = compare(task, ALONE, num_rounds=3)
    assert (comparison.model, comparison.precision, comparison.batch_size) == ("tiny", "fp32", 8)
    assert comparison.samples_per_second == 60.0
    assert comparison.reference_samples_per_second == 20.0
    assert comparison.ratio == 3.0
    assert comparison.round_ratios == (3.0, 4.5, 1.5)


def test_the_command_trains_for_real_and_prints_one_json_object(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(MODEL_SIZES, "small-bilstm", TINY)
    started: list[tuple[int, int]] = []

    def time_world(_: Task, world_size: int, num_threads: int, *, uses_cuda: bool) -> float:
        started.append((world_size, num_threads))
        return 100.0 * world_size

    monkeypatch.setattr(train, "_time_world", time_world)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    arguments = ["--models", "small-bilstm", "--num-sentences", "20", "--rounds", "2"]
    assert train.main([*arguments, "--device", "cpu", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert {"device", "num_cores", "num_threads", "load_average", "torch"} <= set(report["machine"])
    assert report["data"]["num_sentences"] == 20
    (row,) = report["against_reference"]
    assert row["ratio"] == row["samples_per_second"] / row["reference_samples_per_second"] > 0
    assert len(row["round_ratios"]) == 2
    assert row["peak_memory_mib"] is None
    assert started == [(1, 4), (2, 2)] * 2
    processes = [(it["world_size"], it["num_threads"], it["gain"]) for it in report["processes"]]
    assert processes == [(1, 4, 1.0), (2, 2, 2.0)]


def test_a_world_is_the_trainer_under_torchrun_with_its_share_of_the_threads(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(command: list[str], *, env: dict[str, str], **_: Any) -> Any:
        assert command[1:6] == [
            *("-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m"),
        ]
        assert command[6] == "trainer.finetune"
        assert env["OMP_NUM_THREADS"] == "3"
        output = Path(command[-1])
        output.mkdir()
        record = {"event": "epoch", "characters_per_second": 2.0 * task.num_characters}
        (output / "metrics.jsonl").write_text(json.dumps(record), encoding="utf-8")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert train._time_world(task, 2, 3, uses_cuda=False) == pytest.approx(40)


def test_a_file_that_is_not_there_gives_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--data", "nowhere.json", "--device", "cpu"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m benchmarks.train: nowhere.json")
