"""Default hyperparameters by kind of encoder: what suits a table of characters ruins a BERT.

The command line takes from here whatever is not given by a flag. Imports no torch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ner_core.model_directory import CONFIG_FILE, find_directory

# Below this width a pretrained encoder wants, and stands, higher learning rates.
_BASE_HIDDEN_SIZE = 512
# `ner_core.lexicon_encoder`, which imports torch.
_LEXICON_MODEL_TYPE = "lexicon"
# What model families call their number of layers and their width.
_NUM_LAYERS_KEYS = ("num_hidden_layers", "n_layers", "n_layer", "num_layers")
_HIDDEN_SIZE_KEYS = ("hidden_size", "dim", "d_model", "n_embd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Defaults of the flags of the same names; see `trainer.config` for what each means.

    Attributes:
        name: For the log and the model card.
    """

    name: str
    epochs: int
    patience: int
    batch_size: int
    dropout: float
    encoder_learning_rate: float
    head_learning_rate: float
    crf_learning_rate: float
    ema_decay: float


# What `models/cluener-small` of version 0.2.0 was made with, the best of the runs made for it.
# Embeddings learn with the rest and at the same rate, since nothing about them is more precious
# than about the BiLSTM. High dropout and averaged weights, since ten thousand sentences are soon
# learned by heart. Twelve epochs: F1 rose until the tenth; it may stand still for three while the
# rate is high, hence the patience. Small batches: as fast on a processor as larger ones, and more
# steps an epoch.
EMBEDDINGS = Recipe(
    name="embeddings",
    epochs=12,
    patience=4,
    batch_size=16,
    dropout=0.5,
    encoder_learning_rate=1e-3,
    head_learning_rate=1e-3,
    crf_learning_rate=5e-3,
    ema_decay=0.999,
)

# As for embeddings, but at half their rate, since the GRU comes with knowledge that is soon
# forgotten, and in half the epochs: it has little to learn from scratch. No averaging: on 2,000
# sentences, begun from `models/msra-small`, three seeds were no better with it (-0.2 points, 95 %
# -0.7 to 0.4).
LEXICON = Recipe(
    name="lexicon",
    epochs=6,
    patience=4,
    batch_size=16,
    dropout=0.5,
    encoder_learning_rate=5e-4,
    head_learning_rate=1e-3,
    crf_learning_rate=5e-3,
    ema_decay=0.0,
)

# Between the two: rates of small pretrained BERTs (Turc et al. 2019, https://arxiv.org/abs/1908.08962,
# choose among 5e-5, 1e-4 and 3e-4), more epochs than a large one, since they learn more slowly, and
# between the two dropouts. Batches of 32 and no averaging as for a large one. Chosen, not measured.
SMALL = Recipe(
    name="small",
    epochs=8,
    patience=3,
    batch_size=32,
    dropout=0.2,
    encoder_learning_rate=1e-4,
    head_learning_rate=1e-3,
    crf_learning_rate=5e-3,
    ema_decay=0.0,
)

# As published for `hfl/chinese-bert-wwm-ext` (Cui et al. 2019, https://arxiv.org/abs/1906.08101:
# 3e-5 for tagging) and BERT (Devlin et al. 2018: batches of 16 or 32, up to 4 epochs, dropout 0.1).
# Rates of head and CRF are those with which BERT-CRF taggers are usually reported (1e-3): the
# encoder's rate leaves transitions where they began. No averaging: published figures do without.
# Patience of three in four epochs: only a run that went wrong at once is cut short.
BASE = Recipe(
    name="base",
    epochs=4,
    patience=3,
    batch_size=32,
    dropout=0.1,
    encoder_learning_rate=3e-5,
    head_learning_rate=1e-3,
    crf_learning_rate=3e-3,
    ema_decay=0.0,
)

RECIPES = {recipe.name: recipe for recipe in (EMBEDDINGS, LEXICON, SMALL, BASE)}


def read_encoder_config(path_or_hub_id: str) -> Mapping[str, Any]:
    """The `config.json` of an encoder or checkpoint.

    Raises:
        ValueError: There is none.
    """
    path = find_directory(path_or_hub_id) / CONFIG_FILE
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"expected an encoder with {CONFIG_FILE}, got: {error}") from error
    if not isinstance(config, dict):
        raise ValueError(f"expected a JSON object in {path}, got {type(config).__name__}")
    return config


def choose_recipe(encoder_config: Mapping[str, Any]) -> Recipe:
    """The recipe for an encoder, by its `config.json`; `BASE` where that tells nothing."""
    if encoder_config.get("model_type") == _LEXICON_MODEL_TYPE:
        return LEXICON
    if _first(encoder_config, _NUM_LAYERS_KEYS) == 0:
        return EMBEDDINGS
    hidden_size = _first(encoder_config, _HIDDEN_SIZE_KEYS)
    return SMALL if hidden_size is not None and hidden_size < _BASE_HIDDEN_SIZE else BASE


def _first(config: Mapping[str, Any], keys: tuple[str, ...]) -> int | None:
    return next((config[key] for key in keys if isinstance(config.get(key), int)), None)
