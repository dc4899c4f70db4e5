"""The pretrainer's command line."""

from pathlib import Path

import pytest

from trainer.pretrain_config import Settings
from trainer.pretrain_flags import parse_settings

REQUIRED = ["--corpus", "a.txt", "--output", "out"]


def parse(*arguments: str) -> Settings:
    return parse_settings([*REQUIRED, *arguments])


def test_sources_keep_their_order() -> None:
    settings = parse("--corpus", "b.txt.xz", "annotations=sqlite:///x.db", "--silver-labels", "s")
    assert settings.corpus.texts == ("a.txt", "b.txt.xz", "annotations=sqlite:///x.db")
    assert settings.corpus.silver_labels == (Path("s"),)


def test_defaults_are_those_of_the_settings() -> None:
    settings = parse()
    assert settings.pretraining.mask_fraction == 0.15
    assert settings.corpus.is_packed
    assert settings.encoder.encoder is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--corpus", "a.json"], "expected a plain text file (.txt or .txt.xz) or annotations="),
        (["--corpus", "annotations="], "expected a plain text file"),
        (["--corpus", "a.txt"], "expected 'a.txt' once, got it twice"),
        (["--encoder", "x", "--num-layers", "2"], "argument --num-layers: expected no size beside"),
        (["--encoder", "x", "--encoder-config", "y"], "expected one of --encoder and"),
        (["--epochs", "2", "--steps", "3"], "expected one of --epochs and --steps, got both"),
        (["--keep-head"], "argument --keep-head: expected --silver-labels, got none"),
        (
            ["--prepared", "new", "--keep-head"],
            "argument --keep-head: expected --silver-labels, got none",
        ),
        (["--mask-fraction", "0"], "expected a number above 0 to 0.5, got '0'"),
    ],
)
def test_contradictions_are_refused_in_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(*arguments)
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("python -m trainer.pretrain: ")
    assert message in line


def test_a_corpus_is_required(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_settings(["--output", "out"])
    assert "arguments are required: --corpus, or --prepared" in capsys.readouterr().err
