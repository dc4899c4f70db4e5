"""The trainer's command line: what it fills in and what it refuses."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from ner_core import models
from ner_core.labels import LabelSet
from trainer.config import ARCHITECTURES, DataSource, Settings
from trainer.flags import parse_settings
from trainer.recipes import BASE, EMBEDDINGS, LEXICON, RECIPES, SMALL, Recipe, choose_recipe

REQUIRED = ["--train", "cluener=a.json", "--output", "out"]


def parse(arguments: list[str], encoder_config: Mapping[str, Any] | None = None) -> Settings:
    return parse_settings(arguments, lambda _: encoder_config or {})


def test_sources_repeat_and_keep_their_order() -> None:
    settings = parse([*REQUIRED, "--train", "annotations=sqlite:///x.db?a=b"])
    assert settings.data.train == (
        DataSource("cluener", "a.json"),
        DataSource("annotations", "sqlite:///x.db?a=b"),
    )


def test_the_default_encoder_is_the_published_one_with_its_rates() -> None:
    settings = parse(REQUIRED)
    assert settings.model.encoder == "hfl/chinese-bert-wwm-ext"
    assert settings.recipe == "base"
    assert settings.optimization.encoder_learning_rate == 3e-5
    assert settings.model.dropout == 0.1


@pytest.mark.parametrize(
    ("encoder_config", "recipe"),
    [
        ({"num_hidden_layers": 0, "hidden_size": 200}, EMBEDDINGS),
        ({"num_hidden_layers": 6, "hidden_size": 384}, SMALL),
        ({"n_layers": 4, "dim": 312}, SMALL),
        ({"model_type": "lexicon", "hidden_size": 816}, LEXICON),
        ({"num_hidden_layers": 12, "hidden_size": 768}, BASE),
        ({}, BASE),
    ],
)
def test_the_recipe_follows_the_encoder(encoder_config: dict[str, object], recipe: Recipe) -> None:
    assert choose_recipe(encoder_config) is recipe
    optimization = parse(REQUIRED, encoder_config).optimization
    assert (optimization.epochs, optimization.batch_size) == (recipe.epochs, recipe.batch_size)


def test_a_flag_wins_over_the_recipe() -> None:
    settings = parse([*REQUIRED, "--recipe", "small", "--ema-decay", "0.5", "--dropout", "0"])
    assert settings.optimization.ema_decay == 0.5
    assert settings.model.dropout == 0.0
    assert settings.optimization.encoder_learning_rate == SMALL.encoder_learning_rate


def test_every_value_of_a_recipe_reaches_its_setting() -> None:
    for recipe in RECIPES.values():
        settings = parse([*REQUIRED, "--recipe", recipe.name])
        values = {**asdict(settings.model), **asdict(settings.optimization)}
        for name, value in asdict(recipe).items():
            assert name == "name" or values[name] == value


def test_labels_are_given_by_comma() -> None:
    assert parse([*REQUIRED, "--labels", "a,b"]).data.labels == LabelSet(("a", "b"))


def test_maps_and_weights_are_kept_by_source() -> None:
    arguments = [*REQUIRED, "--train", "msra=m", "--train", "conll=c", "--weight", "conll=0.5"]
    data = parse([*arguments, "--map", "msra:PER=name,ORG=company|government"]).data
    assert data.maps == {"msra": {"PER": ("name",), "ORG": ("company", "government")}}
    assert data.weights == {"conll": 0.5}


def test_the_architectures_are_those_of_the_taggers() -> None:
    assert ARCHITECTURES == models.ARCHITECTURES


def test_the_output_is_a_path() -> None:
    assert parse(REQUIRED).run.output == Path("out")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--output", "x"], "--train"),
        (["--train", "cluener=a"], "--output"),
        (["--train", "a.json", "--output", "x"], "expected NAME=PATH with a name of cluener"),
        (["--train", "conll2003=a", "--output", "x"], "got 'conll2003=a'"),
        ([*REQUIRED, "--epochs", "0"], "expected a whole number from 1 to 1e+06, got '0'"),
        ([*REQUIRED, "--epochs", "2.5"], "expected a whole number from 1 to 1e+06, got '2.5'"),
        ([*REQUIRED, "--dropout", "nan"], "expected a number from 0 to 0.9, got 'nan'"),
        ([*REQUIRED, "--head-learning-rate", "inf"], "got 'inf'"),
        ([*REQUIRED, "--dev-fraction", "0"], "expected a number above 0 to 0.5"),
        ([*REQUIRED, "--encoder-learning-rate", "2"], "expected a number from 0 to 1, got '2'"),
        ([*REQUIRED, "--layer-decay", "0"], "expected a number above 0 to 1, got '0'"),
        ([*REQUIRED, "--context-hidden-size", "100000000"], "from 1 to 8192, got '100000000'"),
        ([*REQUIRED, "--seed", "18446744073709551616"], "got '18446744073709551616'"),
        ([*REQUIRED, "--architecture", "bert"], "invalid choice: 'bert'"),
        ([*REQUIRED, "--precision", "int8"], "invalid choice: 'int8'"),
        ([*REQUIRED, "--recipe", "tiny"], "invalid choice: 'tiny'"),
        ([*REQUIRED, "--labels", "a,a"], "expected every label once"),
        ([*REQUIRED, "--labels", "a,,b"], "expected labels without blanks, got ''"),
        ([*REQUIRED, "--learning-rate", "1"], "unrecognized arguments: --learning-rate 1"),
        ([*REQUIRED, "--map", "cluener"], "expected NAME:LABEL=A|B,LABEL=C,..., got 'cluener'"),
        ([*REQUIRED, "--map", "cluener:a=b|"], "got 'a=b|'"),
        ([*REQUIRED, "--map", "cluener:a=b,a=c"], "expected each label once, got 'a' twice"),
        (
            [*REQUIRED, "--map", "cluener:a=b", "--map", "cluener:a=c"],
            "argument --map: expected 'cluener' once, got it twice",
        ),
        ([*REQUIRED, "--dev", "cluener=a", "--dev", "cluener=b"], "expected one source, got 2"),
        ([*REQUIRED, "--labels", "O,name"], "expected labels other than 'O'"),
        ([*REQUIRED, "--weight", "cluener"], "expected NAME=NUMBER, got 'cluener'"),
        ([*REQUIRED, "--weight", "cluener=0"], "expected a number above 0 to 1000, got '0'"),
        (
            [*REQUIRED, "--freeze-encoder", "--freeze-layers", "2"],
            "expected one of --freeze-encoder and --freeze-layers, got both",
        ),
        (
            [*REQUIRED, "--freeze-encoder", "--fgm-epsilon", "1"],
            "expected embeddings that are trained, got a frozen encoder",
        ),
        (
            [*REQUIRED, "--label-smoothing", "0.1"],
            "expected --architecture bert-softmax, got bert-bilstm-crf",
        ),
    ],
)
def test_a_wrong_flag_gives_one_line_and_status_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(arguments)
    assert caught.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
