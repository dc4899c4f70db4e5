"""Precision and recall of a trained tagger, balanced on labelled texts."""

import json
from pathlib import Path

import pytest
import torch

from ner_core.checkpoint import load_checkpoint
from ner_core.prediction import Predictor
from trainer import balance
from trainer.balance import choose, measure_offsets
from trainer.config import DataSource
from trainer.sources import read_source

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "cluener-small"
DATA = ROOT / "tests" / "data" / "cluener.json"


def test_a_higher_score_of_outside_finds_fewer_entities_and_leaves_the_tagger_as_it_was() -> None:
    checkpoint = load_checkpoint(MODEL)
    bias = checkpoint.tagger.classifier.bias.detach().clone()
    examples = read_source(DataSource("cluener", str(DATA)), None).corpus.examples
    measured = measure_offsets(checkpoint, examples, [-30.0, 0.0, 30.0])
    texts = [example.text for example in examples]
    predicted = Predictor(checkpoint, torch.device("cpu")).predict(texts)
    assert torch.equal(checkpoint.tagger.classifier.bias, bias)
    recalls = [one.evaluation.micro.recall for one in measured]
    assert recalls[2] == 0.0 < recalls[1]
    gold = {(i, s.start, s.end, s.label) for i, e in enumerate(examples) for s in e.spans}
    found = {(i, s.start, s.end, s.label) for i, p in enumerate(predicted) for s in p.spans}
    assert recalls[1] == pytest.approx(len(gold & found) / len(gold))
    # Without O every character is inside some entity.
    assert measured[0].evaluation.micro.precision < measured[1].evaluation.micro.precision


def test_the_best_f1_is_written_with_the_offset_in_the_bias(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # Moved off its balance by hand, so that there is something to find.
    checkpoint = load_checkpoint(MODEL)
    with torch.no_grad():
        checkpoint.tagger.classifier.bias[0] += 0.7
    from ner_core.checkpoint import save_checkpoint

    save_checkpoint(checkpoint, tmp_path / "moved", card="# moved\n", weights_dtype=torch.float16)
    arguments = ["--checkpoint", str(tmp_path / "moved"), "--dev", f"cluener={DATA}"]
    assert balance.main([*arguments, "--output", str(tmp_path / "balanced")]) == 0
    scores = json.loads(capsys.readouterr().out)
    examples = read_source(DataSource("cluener", str(DATA)), None).corpus.examples
    measured = measure_offsets(load_checkpoint(tmp_path / "moved"), examples)
    best = choose(measured)
    assert scores["after"]["f1"] == max(one.evaluation.micro.f1 for one in measured)
    assert scores["after"]["offset"] == best.offset
    written = load_checkpoint(tmp_path / "balanced")
    moved = load_checkpoint(tmp_path / "moved")
    difference = written.tagger.classifier.bias - moved.tagger.classifier.bias
    assert float(difference.detach()[0]) == pytest.approx(best.offset, abs=0.01)
    assert not difference[1:].any()
    assert written.metrics["dev"]["micro"]["f1"] == best.evaluation.micro.f1
    # The bundled model had been balanced before.
    earlier = checkpoint.metrics["outside_offset"]
    assert written.metrics["outside_offset"] == pytest.approx(earlier + best.offset)
    sizes = [(tmp_path / n / "model.safetensors").stat().st_size for n in ("moved", "balanced")]
    assert sizes[0] == sizes[1]
    card = (tmp_path / "balanced" / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# moved\n")
    assert f"{best.offset:+.1f} on the score of O" in card


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--output": "."}, "expected a directory that does not exist yet"),
        ({"--checkpoint": "nowhere"}, "nowhere"),
        ({"--dev": "cluener=nowhere.json"}, "nowhere.json"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], message: str
) -> None:
    given = {"--checkpoint": str(MODEL), "--dev": f"cluener={DATA}"}
    given |= {"--output": str(tmp_path / "out")} | changes
    assert balance.main([part for pair in given.items() for part in pair]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
