"""The trainer's command line: what it fills in and what it refuses."""

import subprocess
import sys

import pytest

from ner_core.labels import LabelSet
from trainer.config import DataSource, parse_settings

REQUIRED = ["--train", "cluener=a.json", "--output", "out"]


def test_sources_repeat_and_keep_their_order() -> None:
    settings = parse_settings([*REQUIRED, "--train", "annotations=sqlite:///x.db?a=b"])
    assert settings.data.train == (
        DataSource("cluener", "a.json"),
        DataSource("annotations", "sqlite:///x.db?a=b"),
    )


def test_the_default_encoder_is_the_published_one() -> None:
    settings = parse_settings(REQUIRED)
    assert settings.model.encoder == "hfl/chinese-bert-wwm-ext"
    assert settings.optimization.encoder_learning_rate == 3e-5


def test_labels_are_given_by_comma() -> None:
    assert parse_settings([*REQUIRED, "--labels", "a,b"]).data.labels == LabelSet(("a", "b"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "x"], "--train"),
        (["--train", "a.json", "--output", "x"], "expected NAME=PATH with a name of cluener"),
        (["--train", "conll2003=a", "--output", "x"], "got 'conll2003=a'"),
        ([*REQUIRED, "--epochs", "0"], "expected a whole number from 1 to 1e+06, got '0'"),
        ([*REQUIRED, "--epochs", "2.5"], "expected a whole number from 1 to 1e+06, got '2.5'"),
        ([*REQUIRED, "--dropout", "nan"], "expected a number from 0 to 0.9, got 'nan'"),
        ([*REQUIRED, "--head-learning-rate", "inf"], "got 'inf'"),
        ([*REQUIRED, "--dev-fraction", "0"], "expected a number above 0 to 0.5"),
        ([*REQUIRED, "--encoder-learning-rate", "2"], "expected a number from 0 to 1, got '2'"),
        ([*REQUIRED, "--context-hidden-size", "100000000"], "from 1 to 8192, got '100000000'"),
        ([*REQUIRED, "--seed", "18446744073709551616"], "got '18446744073709551616'"),
        ([*REQUIRED, "--architecture", "bert"], "invalid choice: 'bert'"),
        ([*REQUIRED, "--labels", "a,a"], "expected every label once"),
        ([*REQUIRED, "--labels", "a,,b"], "expected labels without blanks, got ''"),
        ([*REQUIRED, "--learning-rate", "1"], "unrecognized arguments: --learning-rate 1"),
    ],
)
def test_a_wrong_flag_gives_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse_settings(arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_the_command_line_is_read_without_torch() -> None:
    code = "import sys, trainer.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
