"""A checkpoint directory, written whole or not at all, and the encoders that training starts from.

A checkpoint holds `config.json` (the encoder's, plus `architecture`, `labels`, `format_version` and
the tagger's own settings), `model.safetensors`, the encoder's tokenizer files, `metrics.json` and a
model card. Hub models for token classification load as softmax taggers.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoModelForTokenClassification,
    PretrainedConfig,
    PreTrainedModel,
)

from ner_core import lexicon_encoder as lexicon_encoder  # known to AutoModel once imported
from ner_core.labels import LabelSet
from ner_core.model_directory import CONFIG_FILE as CONFIG_FILE
from ner_core.model_directory import CheckpointError as CheckpointError
from ner_core.model_directory import find_directory
from ner_core.models import Tagger, TaggerConfig
from ner_core.preprocessing import CharacterVocabulary
from ner_core.pretrained import (
    check_vocabulary,
    first_line,
    load_pretrained,
    max_encoder_tokens,
    quiet_transformers,
)

FORMAT_VERSION = 1
WEIGHTS_FILE = "model.safetensors"
METRICS_FILE = "metrics.json"
CARD_FILE = "README.md"
_TOKENIZER_FILES = ("vocab.txt", "tokenizer.json", "tokenizer_config.json")
# Keys of config.json that are the tagger's, not the encoder's.
_TAGGER_KEYS = (
    "format_version",
    "architecture",
    "labels",
    "context_hidden_size",
    "context_num_layers",
    "tagger_dropout",
    "max_window_tokens",
    "output_tags",
)


@dataclass(frozen=True)
class Encoder:
    """An encoder with its vocabulary, ready to carry a tagger.

    Attributes:
        model: The encoder itself.
        vocabulary: Characters to its token ids.
        tokenizer_files: File name to content, handed on to the checkpoints made from it.
        checkpoint: The tagger it was taken from, when it was one of this project's checkpoints.
    """

    model: PreTrainedModel
    vocabulary: CharacterVocabulary
    tokenizer_files: Mapping[str, bytes]
    checkpoint: "Checkpoint | None" = None


@dataclass(frozen=True)
class Checkpoint:
    """A tagger and everything that is saved with it.

    Attributes:
        tagger: The model, in evaluation mode after loading.
        vocabulary: Characters to the encoder's token ids.
        tokenizer_files: File name to content, as the encoder came with them.
        name: The directory's name, or the last part of a Hub id.
        metrics: What was measured when it was made; see `metrics.json`.
    """

    tagger: Tagger
    vocabulary: CharacterVocabulary
    tokenizer_files: Mapping[str, bytes]
    name: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)


def load_checkpoint(path_or_hub_id: str | Path) -> Checkpoint:
    """Load a checkpoint directory of this project, or a Hub model for token classification.

    Raises:
        CheckpointError: Not there, damaged, of a newer format, or no tagger.
    """
    directory = find_directory(path_or_hub_id)
    settings = _read_config(directory)
    vocabulary = _load_vocabulary(directory)
    if "format_version" in settings:
        tagger = _load_own_tagger(directory, settings)
    else:
        tagger = _load_hub_tagger(directory, settings)
    check_vocabulary(vocabulary, tagger.encoder, directory)
    return Checkpoint(
        tagger=tagger.eval(),
        vocabulary=vocabulary,
        tokenizer_files=_read_tokenizer_files(directory),
        name=Path(path_or_hub_id).resolve().name,
        metrics=_read_metrics(directory),
    )


def load_encoder(path_or_hub_id: str | Path) -> Encoder:
    """Load an encoder directory, a Hub encoder, or the encoder inside a checkpoint.

    Raises:
        CheckpointError: Not there, damaged, or its weights do not cover the model.
    """
    directory = find_directory(path_or_hub_id)
    settings = _read_config(directory)
    if "format_version" in settings:
        checkpoint = load_checkpoint(directory)
        return Encoder(
            checkpoint.tagger.encoder,
            checkpoint.vocabulary,
            checkpoint.tokenizer_files,
            checkpoint,
        )
    vocabulary = _load_vocabulary(directory)
    model = load_pretrained(AutoModel, directory)
    check_vocabulary(vocabulary, model, directory)
    return Encoder(model, vocabulary, _read_tokenizer_files(directory))


def save_checkpoint(
    checkpoint: Checkpoint,
    directory: Path,
    *,
    card: str,
    weights_dtype: torch.dtype = torch.float32,
) -> None:
    """Write a checkpoint to a temporary sibling and rename it into place.

    Args:
        checkpoint: What to write; its name is ignored.
        directory: Where to; a checkpoint that is there already is replaced.
        card: Text of the model card.
        weights_dtype: How encoder and context layer are stored. Half the bytes with float16; the
            CRF stays float32, its log-likelihoods need it.

    Raises:
        OSError: The directory cannot be written; nothing is left behind.
    """
    tagger = checkpoint.tagger
    config = {**_describe_encoder(tagger.encoder.config), **_describe_tagger(tagger.config)}
    temporary = directory.with_name(f".{directory.name}.{uuid4().hex}")
    temporary.mkdir(parents=True)
    try:
        for name, content in checkpoint.tokenizer_files.items():
            (temporary / name).write_bytes(content)
        _write_json(temporary / CONFIG_FILE, config)
        _write_json(temporary / METRICS_FILE, checkpoint.metrics)
        (temporary / CARD_FILE).write_text(card, encoding="utf-8")
        # Not save_file: that one makes the weights readable for their owner only.
        (temporary / WEIGHTS_FILE).write_bytes(save(_collect_weights(tagger, weights_dtype)))
        _sync(temporary)
        _replace_directory(temporary, directory)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _read_config(directory: Path) -> dict[str, Any]:
    path = directory / CONFIG_FILE
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(
            f"expected a checkpoint with {CONFIG_FILE}, found none in {directory}"
        ) from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"expected JSON in {path}, got: {error}") from error
    if not isinstance(settings, dict):
        raise CheckpointError(f"expected a JSON object in {path}, got {type(settings).__name__}")
    version = settings.get("format_version", FORMAT_VERSION)
    if version != FORMAT_VERSION:
        raise CheckpointError(
            f"expected format_version {FORMAT_VERSION}, got {version!r} (in {path});"
            f" a newer version of this program wrote it"
        )
    return settings


def _load_vocabulary(directory: Path) -> CharacterVocabulary:
    try:
        return CharacterVocabulary.load(directory)
    except (OSError, ValueError) as error:
        raise CheckpointError(str(error)) from error


def _read_tokenizer_files(directory: Path) -> dict[str, bytes]:
    paths = [directory / name for name in _TOKENIZER_FILES]
    return {path.name: path.read_bytes() for path in paths if path.is_file()}


def _read_metrics(directory: Path) -> dict[str, Any]:
    path = directory / METRICS_FILE
    if not path.is_file():
        return {}
    try:
        metrics: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise CheckpointError(f"expected JSON in {path}, got: {error}") from error
    return metrics


def _load_own_tagger(directory: Path, settings: dict[str, Any]) -> Tagger:
    path = directory / WEIGHTS_FILE
    try:
        config = _read_tagger_config(settings)
        encoder_settings = {k: v for k, v in settings.items() if k not in _TAGGER_KEYS}
        with quiet_transformers():
            encoder = AutoModel.from_config(
                AutoConfig.for_model(**encoder_settings), trust_remote_code=False
            )
        tagger = Tagger(encoder, config)
        if config.max_window_tokens > max_encoder_tokens(encoder):
            raise ValueError(
                f"max_window_tokens {config.max_window_tokens}, more than the encoder's"
                f" {max_encoder_tokens(encoder)} positions"
            )
    except Exception as error:  # a model class may answer a wrong setting with any error at all
        raise CheckpointError(
            f"expected a tagger's settings in {directory / CONFIG_FILE}, got {first_line(error)}"
        ) from error
    try:
        weights = load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"expected weights in {path}, found no such file") from None
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"expected undamaged weights in {path}, got: {error}") from error
    _load_weights(tagger, weights, path)
    return tagger


def _read_tagger_config(settings: dict[str, Any]) -> TaggerConfig:
    """The tagger's part of `config.json`.

    Raises:
        ValueError: A setting is missing, of another type, or out of range.
    """
    missing = [key for key in _TAGGER_KEYS if key not in settings]
    if missing:
        raise ValueError(f"no {missing[0]!r}")
    for key in ("labels", "output_tags"):
        value = settings[key]
        if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
            if key == "output_tags" and value is None:
                continue
            raise ValueError(f"{value!r} as {key!r} where a list of strings belongs")
    for key in ("context_hidden_size", "context_num_layers", "max_window_tokens"):
        value = settings[key]
        if type(value) is not int and (value is not None or key == "max_window_tokens"):
            raise ValueError(f"{value!r} as {key!r} where a whole number belongs")
    return TaggerConfig(
        architecture=settings["architecture"],
        labels=LabelSet(tuple(settings["labels"])),
        context_hidden_size=settings["context_hidden_size"],
        context_num_layers=settings["context_num_layers"],
        dropout=settings["tagger_dropout"],
        max_window_tokens=settings["max_window_tokens"],
        output_tags=tuple(settings["output_tags"]) if settings["output_tags"] else None,
    )


def _load_weights(tagger: nn.Module, weights: dict[str, Tensor], path: Path) -> None:
    for name, weight in weights.items():
        if not torch.isfinite(weight).all():
            raise CheckpointError(f"expected finite weights in {path}, got NaN or infinity: {name}")
    try:
        tagger.load_state_dict(
            {
                name: weight.float() if weight.is_floating_point() else weight
                for name, weight in weights.items()
            }
        )
    except RuntimeError as error:
        reasons = [line.strip() for line in str(error).splitlines()[1:]]
        raise CheckpointError(
            f"expected the weights that {path.with_name(CONFIG_FILE)} describes, got {path}:"
            f" {reasons[0]}"
        ) from error


def _load_hub_tagger(directory: Path, settings: dict[str, Any]) -> Tagger:
    names = settings.get("architectures") or []
    if not any(str(name).endswith("ForTokenClassification") for name in names):
        raise CheckpointError(
            f"expected a tagger, got {', '.join(map(str, names)) or 'an unknown model'}"
            f" (in {directory}); an encoder alone must be fine-tuned first"
            f" (trainer.finetune --encoder)"
        )
    model = load_pretrained(AutoModelForTokenClassification, directory)
    output_tags = tuple(str(model.config.id2label[i]) for i in range(model.config.num_labels))
    classifier = getattr(model, "classifier", None)
    if not isinstance(classifier, nn.Linear):
        raise CheckpointError(
            f"expected one linear classifier on the encoder, got {type(classifier).__name__}"
            f" (in {directory})"
        )
    try:
        config = TaggerConfig(
            architecture="bert-softmax",
            labels=LabelSet.from_tags(output_tags),
            max_window_tokens=max_encoder_tokens(model.base_model),
            output_tags=output_tags,
        )
        tagger = Tagger(model.base_model, config)
    except ValueError as error:
        raise CheckpointError(f"{error} (in {directory / CONFIG_FILE})") from error
    tagger.classifier.load_state_dict(classifier.state_dict())
    return tagger


def _describe_encoder(config: PretrainedConfig) -> dict[str, Any]:
    """The encoder's settings, less what is true only of where it came from."""
    foreign = ("_name_or_path", "architectures", "id2label", "label2id", "num_labels")
    return {key: value for key, value in config.to_dict().items() if key not in foreign}


def _describe_tagger(config: TaggerConfig) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "architecture": config.architecture,
        "labels": list(config.labels.labels),
        "context_hidden_size": config.context_hidden_size,
        "context_num_layers": config.context_num_layers,
        "tagger_dropout": config.dropout,
        "max_window_tokens": config.max_window_tokens,
        "output_tags": list(config.output_tags) if config.output_tags else None,
    }


def _collect_weights(tagger: Tagger, dtype: torch.dtype) -> dict[str, Tensor]:
    return {
        name: (
            weight.to(dtype)
            if weight.is_floating_point() and not name.startswith("crf.")
            else weight
        )
        .detach()
        .cpu()
        .contiguous()
        for name, weight in tagger.state_dict().items()
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")


def _sync(directory: Path) -> None:
    """Wait until the files are on the disk: after a power cut a rename may outlive its content."""
    for path in (*directory.iterdir(), directory):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _replace_directory(temporary: Path, directory: Path) -> None:
    """Rename the finished directory into place; the old one leaves only when the new one is in."""
    old = directory.with_name(f".{directory.name}.{uuid4().hex}.old")
    if directory.exists():
        directory.rename(old)
    try:
        temporary.rename(directory)
    except OSError:
        if old.exists():
            old.rename(directory)
        raise
    shutil.rmtree(old, ignore_errors=True)
