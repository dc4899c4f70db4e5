"""The mean of checkpoints: what it is, and which have none."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ner_core.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from ner_core.labels import LabelSet
from ner_core.models import Tagger
from ner_core.preprocessing import CharacterVocabulary
from trainer import average

OTHER_LABELS = tuple(f"label{number}" for number in range(10))


def write_variant(
    source: Path, directory: Path, *, seed: int | None = None, dtype: torch.dtype = torch.float32
) -> Checkpoint:
    """A copy of a checkpoint, with noise on its weights if there is a seed."""
    checkpoint = load_checkpoint(source)
    if seed is not None:
        torch.manual_seed(seed)
        with torch.no_grad():
            for weight in checkpoint.tagger.parameters():
                weight += torch.randn_like(weight)
    metrics = {"dev": {"micro": {"f1": 0.5}}}
    named = replace(checkpoint, metrics=metrics)
    save_checkpoint(named, directory, card=f"# {directory.name}\n", weights_dtype=dtype)
    return checkpoint


def run(*checkpoints: Path, output: Path, weights: tuple[str, ...] = ()) -> int:
    given = [part for path in checkpoints for part in ("--checkpoint", str(path))]
    more = ("--weights", *weights) if weights else ()
    return average.main([*given, "--output", str(output), *more])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_the_mean_of_a_checkpoint_and_itself_is_itself(
    tiny_checkpoint: Path, tmp_path: Path, dtype: torch.dtype
):
    source = tmp_path / "source"
    write_variant(tiny_checkpoint, source, seed=3, dtype=dtype)
    assert run(source, source, source, output=tmp_path / "mean", weights=("1", "2", "4")) == 0
    before, after = (load_file(tmp_path / n / "model.safetensors") for n in ("source", "mean"))
    assert before.keys() == after.keys()
    for name, weight in before.items():
        assert after[name].dtype == weight.dtype, name
        assert torch.equal(after[name], weight), name


def test_weights_are_shares_of_the_mean_and_the_card_tells_them(
    tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    a, b = tmp_path / "a", tmp_path / "b"
    states = [
        write_variant(tiny_checkpoint, path, seed=seed).tagger.state_dict()
        for seed, path in ((1, a), (2, b))
    ]
    output = tmp_path / "mean"
    assert run(a, b, output=output, weights=("3", "1")) == 0
    mean = load_checkpoint(output)
    for name, weight in mean.tagger.state_dict().items():
        expected = 0.75 * states[0][name] + 0.25 * states[1][name]
        torch.testing.assert_close(weight, expected.to(weight.dtype))
    assert mean.metrics == {
        "averaged": [
            {"checkpoint": "a", "share": 0.75, "dev_f1": 0.5},
            {"checkpoint": "b", "share": 0.25, "dev_f1": 0.5},
        ]
    }
    card = (output / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# a\n")
    assert "| a | 0.75 | 0.5000 |" in card and "| b | 0.25 | 0.5000 |" in card
    assert "the mean of a, b" in capsys.readouterr().out


def test_one_part_in_full_precision_keeps_the_mean_in_full_precision(
    tiny_checkpoint: Path, tmp_path: Path
):
    half, full = tmp_path / "half", tmp_path / "full"
    write_variant(tiny_checkpoint, half, dtype=torch.float16)
    write_variant(tiny_checkpoint, full)
    assert run(half, full, output=tmp_path / "mean") == 0
    weights = load_file(tmp_path / "mean" / "model.safetensors")
    assert weights["classifier.weight"].dtype == torch.float32


def test_a_checkpoint_without_card_and_scores_is_averaged_too(
    tiny_checkpoint: Path, tmp_path: Path
):
    (tiny_checkpoint / "README.md").unlink()
    (tiny_checkpoint / "metrics.json").unlink()
    assert run(tiny_checkpoint, tiny_checkpoint, output=tmp_path / "mean") == 0
    assert "| tiny | 0.5 | – |" in (tmp_path / "mean" / "README.md").read_text(encoding="utf-8")


def test_other_dropout_is_no_difference(tiny_checkpoint: Path, tmp_path: Path):
    other = tmp_path / "other"
    write_variant(tiny_checkpoint, other)
    edit_config(other, tagger_dropout=0.4, hidden_dropout_prob=0.3)
    assert run(tiny_checkpoint, other, output=tmp_path / "mean") == 0


def edit_config(directory: Path, **changes: object) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), encoding="utf-8")


def give_other_labels(directory: Path) -> None:
    edit_config(directory, labels=list(OTHER_LABELS))


def give_other_architecture(directory: Path) -> None:
    checkpoint = load_checkpoint(directory)
    config = replace(checkpoint.tagger.config, architecture="bert-crf", context_hidden_size=None)
    tagger = Tagger(checkpoint.tagger.encoder, config)
    save_checkpoint(replace(checkpoint, tagger=tagger), directory, card="")


def give_other_activation(directory: Path) -> None:
    edit_config(directory, hidden_act="relu")


def swap_two_tokens(directory: Path) -> None:
    path = directory / "vocab.txt"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[-1], lines[-2] = lines[-2], lines[-1]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (give_other_labels, "expected the labels address, book"),
        (give_other_architecture, "expected architecture 'bert-bilstm-crf' as in tiny"),
        (give_other_activation, "expected hidden_act 'gelu' as in tiny, got 'relu' (in other)"),
        (swap_two_tokens, "expected the token "),
    ],
)
def test_what_differs_is_named_and_nothing_is_written(
    tiny_checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[Path], None],
    message: str,
):
    other = tmp_path / "other"
    write_variant(tiny_checkpoint, other)
    change(other)
    assert run(tiny_checkpoint, other, output=tmp_path / "mean") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "mean").exists()


def test_whole_numbers_in_the_weights_must_be_equal(tiny_checkpoint: Path):
    """As the words of a lexicon encoder are, which no mean has a meaning for."""
    first, other = load_checkpoint(tiny_checkpoint), load_checkpoint(tiny_checkpoint)
    for number, checkpoint in enumerate((first, other)):
        keys = torch.tensor([7, 8 + number])
        checkpoint.tagger.encoder.register_buffer("keys", keys)
    with pytest.raises(ValueError, match=r"expected encoder.keys to be the same as in tiny"):
        average.average([first, other])
    assert torch.equal(average.average([first, first])["encoder.keys"], torch.tensor([7, 8]))


def test_label_sets_and_vocabularies_decide_before_weights(tiny_checkpoint: Path):
    first = load_checkpoint(tiny_checkpoint)
    labels = replace(first.tagger.config, labels=LabelSet(OTHER_LABELS))
    other = replace(first, tagger=Tagger(first.tagger.encoder, labels), name="other")
    with pytest.raises(ValueError, match="label9 "):
        average.check_alike(first, other)
    grown = CharacterVocabulary.from_token_ids({**first.vocabulary.token_ids, "新": 4})
    with pytest.raises(ValueError, match="'新' with number None as in tiny, got 4"):
        average.check_alike(first, replace(first, vocabulary=grown))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--checkpoint", "a"), "expected two or more, got one"),
        (("--weights", "1", "2", "3"), "expected one for each of 2 checkpoints, got 3"),
        (("--weights", "1", "0"), "expected a number above 0"),
        (("--checkpoint", "nowhere"), "nowhere"),
        (("--output", "."), "expected a directory that does not exist yet"),
    ],
)
def test_wrong_flags_are_answered_in_one_line(
    tiny_checkpoint: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    message: str,
):
    two = ("--checkpoint", str(tiny_checkpoint), "--checkpoint", str(tiny_checkpoint))
    output = ("--output", str(tmp_path / "mean"))
    given = (*output, *arguments) if "two or more" in message else (*output, *two, *arguments)
    try:
        status = average.main(list(given))
    except SystemExit as stopped:
        status = stopped.code
    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "mean").exists()
