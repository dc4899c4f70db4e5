"""Models of the transformers library, from their directory.

Weights are read from safetensors; older models on the Hub with nothing but a pickle are read by
torch's `weights_only` loader, which runs no code.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import nn
from transformers import PreTrainedModel

from ner_core.model_directory import CheckpointError
from ner_core.preprocessing import CharacterVocabulary


def load_pretrained(auto_class: Any, directory: Path) -> PreTrainedModel:
    """Load all weights of a model, or none.

    Args:
        auto_class: `AutoModel` or one of its kin.
        directory: A Hugging Face model directory.

    Raises:
        CheckpointError: It is damaged, needs code of its own, or its weights do not cover it.
    """
    try:
        with quiet_transformers():
            model, report = auto_class.from_pretrained(
                directory, output_loading_info=True, dtype=torch.float32, trust_remote_code=False
            )
    except Exception as error:  # a model class may answer a wrong setting with any error at all
        raise CheckpointError(
            f"expected a Hugging Face model in {directory}, got: {first_line(error)}"
        ) from error
    # A pooler is thrown away anyway; anything else that is missing would be random.
    missing = sorted(key for key in report["missing_keys"] if "pooler" not in key)
    if missing:
        raise CheckpointError(
            f"expected weights for the whole encoder, {directory} lacks {len(missing)} of them,"
            f" for example {missing[0]}"
        )
    return model


@contextmanager
def quiet_transformers() -> Iterator[None]:
    """No progress bars and reports while a model loads: what is wrong with it is our error."""
    logging = transformers.utils.logging
    verbosity, had_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if had_bars:
            logging.enable_progress_bar()


def check_vocabulary(
    vocabulary: CharacterVocabulary, encoder: PreTrainedModel, directory: Path
) -> None:
    """Refuse a vocabulary that is not the encoder's.

    Raises:
        CheckpointError: A token id is beyond the embedding table.
    """
    num_embeddings = encoder.get_input_embeddings().num_embeddings
    highest = max(vocabulary.token_ids.values())
    if highest >= num_embeddings:
        raise CheckpointError(
            f"expected token ids below {num_embeddings}, the size of the encoder's embedding"
            f" table, got {highest} in the vocabulary (in {directory})"
        )


def first_line(error: Exception) -> str:
    """The first line of an error's text; a message of ours is one line."""
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__


def max_encoder_tokens(encoder: PreTrainedModel) -> int:
    """Longest input that an encoder's position embeddings allow, at most 512 tokens."""
    positions = getattr(encoder.config, "max_position_embeddings", None) or 512
    if positions < 0:  # XLNet's way to say that there is no limit
        return 512
    for name, module in encoder.named_modules():
        is_table = name.endswith("position_embeddings") and isinstance(module, nn.Embedding)
        if is_table and module.padding_idx is not None:
            # RoBERTa and its kin count positions from the padding id + 1.
            positions -= module.padding_idx + 1
            break
    return min(512, positions)
