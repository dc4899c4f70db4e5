"""A checkpoint that was not trained but computed from others: balanced, or averaged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from ner_core.checkpoint import CARD_FILE, WEIGHTS_FILE, Checkpoint, save_checkpoint
from ner_core.model_directory import find_directory


def save_derived(
    checkpoint: Checkpoint,
    sources: Sequence[str | Path],
    output: Path,
    *,
    metrics: Mapping[str, Any],
    section: Sequence[str],
) -> None:
    """Write a checkpoint in the precision of those it was computed from, the finest of them.

    Args:
        checkpoint: What to write, but for its metrics.
        sources: Directories or Hub ids of what it was computed from.
        output: Where to.
        metrics: Of `metrics.json`.
        section: Lines that follow the model card of the first source, which says where it all
            comes from.

    Raises:
        OSError: The directory cannot be written; nothing is left behind.
    """
    directories = [find_directory(source) for source in sources]
    card_path = directories[0] / CARD_FILE
    card = card_path.read_text(encoding="utf-8") if card_path.is_file() else ""
    save_checkpoint(
        replace(checkpoint, metrics=metrics),
        output,
        card="\n".join([card, *section, ""]),
        weights_dtype=reduce(torch.promote_types, map(_stored_dtype, directories)),
    )


def _stored_dtype(directory: Path) -> torch.dtype:
    """What a checkpoint's weights are stored as."""
    path = directory / WEIGHTS_FILE
    if not path.is_file():  # a model of the Hub may be pickled, or in parts
        return torch.float32
    with safe_open(path, framework="pt") as weights:
        dtype: torch.dtype = weights.get_tensor("classifier.bias").dtype
    return dtype
