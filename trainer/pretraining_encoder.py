"""The encoder that a pretraining run begins with, and the directory that it becomes."""

import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForMaskedLM,
    BertConfig,
    PretrainedConfig,
    PreTrainedModel,
)

from ner_core.checkpoint import CARD_FILE, METRICS_FILE, load_encoder
from ner_core.model_directory import find_directory
from ner_core.preprocessing import CharacterVocabulary
from ner_core.pretrained import (
    first_line,
    max_encoder_tokens,
    quiet_transformers,
)
from trainer import lexicon_masked_lm  # noqa: F401  teaches transformers a kind of encoder
from trainer.encoder_directory import describe_tokenizer
from trainer.pretrain_config import DEFAULT_WINDOW_TOKENS, NEW_ENCODER, EncoderSettings

# BERT's width of one attention head.
_HEAD_SIZE = 64

logger = logging.getLogger("trainer")


@dataclass(frozen=True)
class StartingEncoder:
    """What pretraining starts from.

    Attributes:
        model: The encoder with a head for masked characters.
        vocabulary: Characters to its token ids.
        tokenizer_files: File name to content, handed on to the output.
    """

    model: PreTrainedModel
    vocabulary: CharacterVocabulary
    tokenizer_files: Mapping[str, bytes]


def settle_window(
    settings: EncoderSettings, older: StartingEncoder | None, window_tokens: int | None
) -> int:
    """The length of a row: what was asked for, or what suits the encoder.

    Args:
        settings: Which encoder.
        older: The one to continue; None for a new one.
        window_tokens: What was asked for.

    Raises:
        ValueError: The encoder has not that many positions.
    """
    if older is not None:
        limit = max_encoder_tokens(older.model.base_model)
    elif settings.encoder_config is not None:
        model = _build_from_config(settings.encoder_config, num_tokens=8)
        limit = max_encoder_tokens(model.base_model)
    else:
        return window_tokens or DEFAULT_WINDOW_TOKENS
    if window_tokens is not None and window_tokens > limit:
        raise ValueError(
            f"expected --window-tokens of at most the encoder's {limit} positions,"
            f" got {window_tokens}"
        )
    return window_tokens or min(DEFAULT_WINDOW_TOKENS, limit)


def load_starting_encoder(path_or_hub_id: str, dropout: float | None) -> StartingEncoder:
    """An encoder to continue, with its own head where it has one.

    Args:
        path_or_hub_id: An encoder's directory or Hub id, or a checkpoint's, whose encoder is taken.
        dropout: In the encoder from now on; None leaves its own.

    Raises:
        ValueError: There is none, or there is no head for its kind.
    """
    encoder = load_encoder(path_or_hub_id)
    if encoder.checkpoint is None:
        directory = find_directory(path_or_hub_id)
        with _explain_lack_of_head(encoder.model.config):
            model, report = AutoModelForMaskedLM.from_pretrained(
                directory, output_loading_info=True, dtype=torch.float32, trust_remote_code=False
            )
        if not report["missing_keys"]:
            _set_dropout(model, dropout)
            return StartingEncoder(model, encoder.vocabulary, encoder.tokenizer_files)
    logger.info("%s has no head for masked characters: beginning with a new one", path_or_hub_id)
    model = _build_head(encoder.model.config)
    if getattr(encoder.model, "pooler", None) is not None:
        # It would get no gradient, and DDP's reducer waits for every parameter.
        encoder.model.pooler = None
    setattr(model, model.base_model_prefix, encoder.model)
    model.tie_weights()
    _set_dropout(model, dropout)
    return StartingEncoder(model, encoder.vocabulary, encoder.tokenizer_files)


def make_starting_encoder(
    settings: EncoderSettings, tokens: tuple[str, ...], window_tokens: int
) -> StartingEncoder:
    """A new encoder with random weights, of torch's current seed.

    Args:
        settings: Its size.
        tokens: The vocabulary by id.
        window_tokens: As many positions as it gets: no other would ever be trained.

    Raises:
        ValueError: The sizes do not fit together.
    """
    if settings.encoder_config is not None:
        model = _build_from_config(settings.encoder_config, num_tokens=len(tokens))
        _set_dropout(model, settings.dropout)
    else:
        model = _build_head(_describe_bert(settings, len(tokens), window_tokens))
    token_ids = {token: token_id for token_id, token in enumerate(tokens)}
    vocabulary = CharacterVocabulary.from_token_ids(token_ids)
    return StartingEncoder(model, vocabulary, describe_tokenizer(tokens))


def write_encoder(
    model: PreTrainedModel,
    directory: Path,
    *,
    tokenizer_files: Mapping[str, bytes],
    card: str,
    metrics: Mapping[str, object],
    weights_dtype: torch.dtype,
) -> None:
    """Write an encoder's directory; whoever is to see it whole renames it afterwards.

    Raises:
        OSError: It cannot be written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    converted: dict[tuple[int, torch.Size], torch.Tensor] = {}
    weights = {
        # Weights that are one stay one: transformers writes them once.
        name: converted.setdefault(
            (weight.data_ptr(), weight.shape),
            weight.to(weights_dtype) if weight.is_floating_point() else weight,
        )
        for name, weight in model.state_dict().items()
    }
    with quiet_transformers():
        model.save_pretrained(directory, state_dict=weights)
    for name, content in tokenizer_files.items():
        (directory / name).write_bytes(content)
    (directory / CARD_FILE).write_text(card, encoding="utf-8")
    text = json.dumps(metrics, ensure_ascii=False, indent=2, sort_keys=True)
    (directory / METRICS_FILE).write_text(f"{text}\n", encoding="utf-8")
    for path in directory.iterdir():
        # Not as save_pretrained leaves the weights, for their owner only.
        path.chmod(0o644)
        with path.open("rb") as file:
            os.fsync(file.fileno())


def _describe_bert(settings: EncoderSettings, num_tokens: int, window_tokens: int) -> BertConfig:
    hidden_size = settings.hidden_size or int(NEW_ENCODER["hidden_size"])
    num_heads = settings.num_heads or max(1, hidden_size // _HEAD_SIZE)
    if hidden_size % num_heads:
        raise ValueError(
            f"expected a --hidden-size that {num_heads} heads can share, got {hidden_size}"
        )
    dropout = NEW_ENCODER["dropout"] if settings.dropout is None else settings.dropout
    return BertConfig(
        vocab_size=num_tokens,
        hidden_size=hidden_size,
        num_hidden_layers=settings.num_layers or int(NEW_ENCODER["num_layers"]),
        num_attention_heads=num_heads,
        intermediate_size=settings.intermediate_size or 4 * hidden_size,
        max_position_embeddings=window_tokens,
        type_vocab_size=1,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        pad_token_id=0,
    )


def _build_from_config(path_or_hub_id: str, *, num_tokens: int) -> PreTrainedModel:
    directory = find_directory(path_or_hub_id)
    try:
        with quiet_transformers():
            config = AutoConfig.from_pretrained(directory, trust_remote_code=False)
    except Exception as error:  # of a wrong config.json transformers raises whatever it meets
        raise ValueError(
            f"expected a config.json of a Hugging Face model in {directory},"
            f" got: {first_line(error)}"
        ) from error
    config.vocab_size = num_tokens
    # The first token of a new vocabulary is [PAD].
    config.pad_token_id = 0
    return _build_head(config)


def _build_head(config: PretrainedConfig) -> PreTrainedModel:
    with _explain_lack_of_head(config):
        return AutoModelForMaskedLM.from_config(config, trust_remote_code=False)


@contextmanager
def _explain_lack_of_head(config: PretrainedConfig) -> Iterator[None]:
    """Say in one line that a kind of model cannot guess masked characters, or not with its sizes.

    Raises:
        ValueError: In the place of whatever the block raises.
    """
    try:
        with quiet_transformers():
            yield
    except Exception as error:  # a model class may answer a wrong setting with any error at all
        raise ValueError(
            f"expected an encoder with a head for masked characters, as BERT and its kin have, got"
            f" one of type {config.model_type!r}: {first_line(error)}"
        ) from error


def _set_dropout(model: PreTrainedModel, dropout: float | None) -> None:
    """In the layers and in the settings that are written."""
    if dropout is None:
        return
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = dropout
        elif isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = dropout
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "embedding_dropout"):
        if hasattr(model.config, name):
            setattr(model.config, name, dropout)
