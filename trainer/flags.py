"""The trainer's command line; imports no torch, so that `--help` and wrong flags answer at once."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, TypeVar, get_type_hints

from ner_core.command_line import CommandLineParser, number_between
from ner_core.label_map import parse_images
from ner_core.labels import OUTSIDE, LabelSet
from trainer.config import (
    SOURCE_NAMES,
    DataSettings,
    DataSource,
    ModelSettings,
    OptimizationSettings,
    RunSettings,
    Settings,
)
from trainer.recipes import RECIPES, Recipe, choose_recipe

PROG = "python -m trainer.finetune"

_SomeSettings = TypeVar("_SomeSettings", ModelSettings, OptimizationSettings, RunSettings)


def parse_settings(
    arguments: Sequence[str] | None, read_encoder_config: Callable[[str], Mapping[str, Any]]
) -> Settings:
    """Read the command line; on a wrong flag print one line and exit with status 2.

    Args:
        arguments: Without the program's name; None takes the process's own.
        read_encoder_config: From `--encoder` to the `config.json` there, which decides the recipe.

    Raises:
        ValueError: There is no such encoder.
    """
    parser = _build_parser()
    given = parser.parse_args(arguments)
    data = _collect_data_settings(given, parser)
    _check_combinations(given, parser)
    if given.recipe == "auto":
        recipe = choose_recipe(read_encoder_config(given.encoder))
    else:
        recipe = RECIPES[given.recipe]
    return Settings(
        data=data,
        model=_fill(ModelSettings, given, recipe),
        optimization=_fill(OptimizationSettings, given, recipe),
        run=_fill(RunSettings, given, recipe),
        recipe=recipe.name,
    )


def _collect_data_settings(given: argparse.Namespace, parser: CommandLineParser) -> DataSettings:
    try:
        labels = None if given.labels is None else LabelSet(tuple(given.labels.split(",")))
    except ValueError as error:
        parser.error(f"argument --labels: {error}")
    if labels is not None and OUTSIDE in labels.labels:
        parser.error(f"argument --labels: expected labels other than {OUTSIDE!r}, no entity")
    for flag, pairs in (("--map", given.map), ("--weight", given.weight)):
        names = [name for name, _ in pairs]
        repeated = next((name for name in names if names.count(name) > 1), None)
        if repeated is not None:
            parser.error(f"argument {flag}: expected {repeated!r} once, got it twice")
    return DataSettings(
        train=tuple(given.train),
        dev=given.dev[0] if given.dev else None,
        dev_fraction=given.dev_fraction,
        labels=labels,
        maps=dict(given.map),
        weights=dict(given.weight),
        allow_shared_texts=given.allow_shared_texts,
    )


def _check_combinations(given: argparse.Namespace, parser: CommandLineParser) -> None:
    """Refuse flags that contradict each other."""
    if given.dev and len(given.dev) > 1:
        parser.error(f"argument --dev: expected one source, got {len(given.dev)}")
    if given.freeze_encoder and given.freeze_layers:
        parser.error("expected one of --freeze-encoder and --freeze-layers, got both")
    if given.fgm_epsilon and (given.freeze_encoder or given.freeze_layers):
        parser.error(
            "argument --fgm-epsilon: expected embeddings that are trained, got a frozen encoder"
        )
    if given.label_smoothing and given.architecture != "bert-softmax":
        parser.error(
            f"argument --label-smoothing: expected --architecture bert-softmax,"
            f" got {given.architecture}"
        )


def _fill(settings_class: type[_SomeSettings], given: argparse.Namespace, recipe: Recipe) -> Any:
    """Settings whose fields are all flags of the same name, or else the recipe's."""
    values = {}
    for item in fields(settings_class):
        value = getattr(given, item.name)
        if value is None and hasattr(recipe, item.name):
            value = getattr(recipe, item.name)
        values[item.name] = value
    return settings_class(**values)


def _parse_map(argument: str) -> tuple[str, dict[str, tuple[str, ...]]]:
    """Read `NAME:LABEL=LABEL|LABEL,...`."""
    name, separator, images = argument.partition(":")
    if not separator:
        raise argparse.ArgumentTypeError(f"expected NAME:LABEL=A|B,LABEL=C,..., got {argument!r}")
    try:
        return name, parse_images(images)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _parse_weight(argument: str) -> tuple[str, float]:
    """Read `NAME=NUMBER`."""
    name, separator, number = argument.partition("=")
    if not separator:
        raise argparse.ArgumentTypeError(f"expected NAME=NUMBER, got {argument!r}")
    return name, number_between(float, 0.0, 1000.0, above_low=True)(number)


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(
        PROG,
        "Fine-tune a tagger, alone or under torchrun (torchrun --nproc-per-node N -m"
        " trainer.finetune). The same command again goes on with a run that was interrupted.",
    )
    source: dict[str, Any] = {"type": DataSource.parse, "metavar": "NAME=PATH"}
    data = parser.add_argument_group("data")
    data.add_argument(
        "--train",
        action="append",
        required=True,
        **source,
        help=f"training data, repeatable; NAME is one of {', '.join(SOURCE_NAMES)}",
    )
    data.add_argument(
        "--dev", action="append", **source, help="data on which the best epoch is chosen"
    )
    data.add_argument(
        "--dev-fraction",
        type=number_between(float, 0.0, 0.5, above_low=True),
        default=0.1,
        help="share of each source that serves as dev without --dev: the end of a file; of an"
        " annotation database the texts that the page Train holds out, too",
    )
    data.add_argument(
        "--labels",
        metavar="A,B,...",
        help="label set (default: that of the first source without a map)",
    )
    data.add_argument(
        "--map",
        action="append",
        type=_parse_map,
        default=[],
        metavar="NAME:A=B|C,...",
        help="what labels of a source in another label set stand for; repeatable",
    )
    data.add_argument(
        "--weight",
        action="append",
        type=_parse_weight,
        default=[],
        metavar="NAME=NUMBER",
        help="how often an epoch reads a source; repeatable",
    )
    data.add_argument(
        "--allow-shared-texts",
        action="store_true",
        help="train even if dev holds texts of the training data",
    )
    add_flags(parser.add_argument_group("model"), ModelSettings)
    how = parser.add_argument_group("optimization")
    how.add_argument(
        "--recipe",
        choices=("auto", *RECIPES),
        default="auto",
        help="defaults of the flags that name none; auto: by the encoder's size",
    )
    add_flags(how, OptimizationSettings)
    add_flags(parser.add_argument_group("run"), RunSettings)
    return parser


def add_flags(group: Any, settings_class: type[Any]) -> None:
    """A flag for each field of a settings class, from what the field declares (`config.flag`)."""
    hints = get_type_hints(settings_class)
    # Its own ones first: what kinds of training share is seldom set.
    own = settings_class.__annotations__
    for item in sorted(fields(settings_class), key=lambda item: item.name not in own):
        options = dict(item.metadata)
        name = f"--{item.name.replace('_', '-')}"
        if hints[item.name] is bool:
            group.add_argument(name, action="store_true", help=options["help"])
            continue
        if options["type"] is None:
            del options["type"]
        if item.default is not MISSING:
            options["default"] = item.default
        elif hasattr(Recipe, item.name):
            values = ", ".join(f"{getattr(r, item.name):g} {r.name}" for r in RECIPES.values())
            options["help"] += f" (default by recipe: {values})"
        group.add_argument(name, **options)
