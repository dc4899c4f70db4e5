"""An encoder for a processor: what a character is, what a tagger knows of it, which words hold it.

Three sources side by side, joined by the context layer on top of it (choose an architecture that
has one):

- an embedding of each character;
- a small bidirectional GRU over the text, whose weights come from a tagger that was trained on much
  more text than anybody has labelled with entities (`trainer.lac_weights`);
- the words of a lexicon at each character (`ner_core.soft_lexicon`).

It is a model of the transformers library like any other: `--encoder` takes its directory, and
`AutoModel` loads it once this module is imported.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import BaseModelOutput

from ner_core import soft_lexicon
from ner_core.recurrent import run_bidirectional
from ner_core.soft_lexicon import SoftLexicon


class LexiconEncoderConfig(PretrainedConfig):
    """Sizes of a `LexiconEncoder`.

    Args:
        vocab_size: Tokens.
        embedding_size: Width of the characters' embedding.
        gru_size: Width of the GRU's own embedding and of each of its directions; 0 for no GRU.
        gru_num_layers: Stacked layers of the GRU.
        num_words: Words of the lexicon; 0 for no lexicon.
        num_vectors: See `SoftLexicon`.
        vector_size: See `SoftLexicon`.
        types: Names of the types of words, in order.
        embedding_dropout: Probability behind the characters' embedding.
        word_dropout: See `SoftLexicon`.
        tie_word_embeddings: Whether a head that guesses characters compares with their embedding.
    """

    model_type = "lexicon"

    def __init__(
        self,
        vocab_size: int = 6,
        embedding_size: int = 200,
        gru_size: int = 128,
        gru_num_layers: int = 2,
        num_words: int = 0,
        num_vectors: int = 0,
        vector_size: int = 64,
        types: tuple[str, ...] = (),
        embedding_dropout: float = 0.2,
        word_dropout: float = 0.2,
        tie_word_embeddings: bool = True,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        self.vocab_size = vocab_size
        self.embedding_size = embedding_size
        self.gru_size = gru_size
        self.gru_num_layers = gru_num_layers
        self.num_words = num_words
        self.num_vectors = num_vectors
        self.vector_size = vector_size
        self.types = list(types)
        self.embedding_dropout = embedding_dropout
        self.word_dropout = word_dropout
        self.tie_word_embeddings = tie_word_embeddings
        self.hidden_size = embedding_size + 2 * gru_size
        if num_words:
            self.hidden_size += soft_lexicon.output_size(vector_size, len(self.types))


class LexiconModel(PreTrainedModel):
    """What models with a `LexiconEncoder` have in common."""

    config_class = LexiconEncoderConfig
    config: LexiconEncoderConfig
    base_model_prefix = "encoder"

    def _init_weights(self, module: nn.Module) -> None:
        """Each part starts as torch or `SoftLexicon` starts it."""


class LexiconEncoder(LexiconModel):
    """See the module's description. B windows, L characters in the longest, H `hidden_size`."""

    def __init__(self, config: LexiconEncoderConfig) -> None:
        super().__init__(config)
        self.embeddings = nn.Embedding(config.vocab_size, config.embedding_size)
        self.embedding_norm = nn.LayerNorm(config.embedding_size)
        self.embedding_dropout = nn.Dropout(config.embedding_dropout)
        self.gru: nn.GRU | None = None
        self.lexicon: SoftLexicon | None = None
        if config.gru_size:
            self.gru_embeddings = nn.Embedding(config.vocab_size, config.gru_size)
            self.gru = nn.GRU(
                config.gru_size,
                config.gru_size,
                num_layers=config.gru_num_layers,
                batch_first=True,
                bidirectional=True,
            )
        if config.num_words:
            self.lexicon = SoftLexicon(
                num_words=config.num_words,
                num_vectors=config.num_vectors,
                vector_size=config.vector_size,
                num_types=len(config.types),
                word_dropout=config.word_dropout,
            )
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The characters' embedding."""
        return self.embeddings

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Replace the characters' embedding."""
        self.embeddings = value  # type: ignore[assignment]

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> BaseModelOutput:
        """Shape: (B, L + 2) twice -> `last_hidden_state` (B, L + 2, H).

        [CLS] and [SEP] get zeros: neither the GRU nor the lexicon knows them.

        Raises:
            ValueError: The mask is more than a mask of padding.
        """
        if attention_mask.dim() != 2:
            raise ValueError("it reads one text in each row")
        characters = input_ids[:, 1:-1]
        # True at characters: two tokens of each row are none. Shape: (B, L)
        mask = attention_mask[:, 2:].bool()
        parts = [self.embedding_dropout(self.embedding_norm(self.embeddings(characters)))]
        if self.gru is not None:
            parts.append(run_bidirectional(self.gru, self.gru_embeddings(characters), mask))
        if self.lexicon is not None:
            parts.append(self.lexicon(characters))
        # Shape: (B, L, H)
        hidden = torch.cat(parts, dim=-1)
        return BaseModelOutput(last_hidden_state=nn.functional.pad(hidden, (0, 0, 1, 1)))


AutoConfig.register(LexiconEncoderConfig.model_type, LexiconEncoderConfig)
AutoModel.register(LexiconEncoderConfig, LexiconEncoder)
