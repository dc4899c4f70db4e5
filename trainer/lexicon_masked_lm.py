"""A lexicon encoder that guesses masked characters: how `trainer.pretrain` goes on with one.

Where [MASK] stands the words of the lexicon are silent, since none holds it: what is learned there
is the GRU's, of the characters around, and the vectors of all characters, which the guesses are
compared with.
"""

from typing import Any, ClassVar

from torch import Tensor, nn
from transformers import AutoModelForMaskedLM
from transformers.modeling_outputs import MaskedLMOutput

from ner_core.lexicon_encoder import LexiconEncoder, LexiconEncoderConfig, LexiconModel


class LexiconForMaskedLM(LexiconModel):
    """See the module's description. B windows, L characters in the longest, V tokens."""

    _tied_weights_keys: ClassVar = {"lm_head.decoder.weight": "encoder.embeddings.weight"}

    def __init__(self, config: LexiconEncoderConfig) -> None:
        super().__init__(config)
        self.encoder = LexiconEncoder(config)
        self.lm_head = MaskedCharacterHead(config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The characters' embedding."""
        return self.encoder.get_input_embeddings()

    def get_output_embeddings(self) -> nn.Linear:
        """What a guess is compared with: the weights of the characters' embedding."""
        return self.lm_head.decoder

    def set_output_embeddings(self, new_embeddings: nn.Linear) -> None:
        """Replace them."""
        self.lm_head.decoder = new_embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor, **_: Any) -> MaskedLMOutput:
        """Shape: (B, L + 2) twice -> `logits` (B, L + 2, V)."""
        hidden = self.encoder(input_ids, attention_mask).last_hidden_state
        return MaskedLMOutput(logits=self.lm_head(hidden))


class MaskedCharacterHead(nn.Module):
    """From the encoder's output to a score for each token, as BERT's head does it.

    Args:
        config: The encoder's.
    """

    def __init__(self, config: LexiconEncoderConfig) -> None:
        super().__init__()
        self.dense = nn.Linear(config.hidden_size, config.embedding_size)
        self.norm = nn.LayerNorm(config.embedding_size)
        self.decoder = nn.Linear(config.embedding_size, config.vocab_size)

    def forward(self, hidden: Tensor) -> Tensor:
        """Shape: (..., H) -> (..., V)."""
        scores: Tensor = self.decoder(self.norm(nn.functional.gelu(self.dense(hidden))))
        return scores


AutoModelForMaskedLM.register(LexiconEncoderConfig, LexiconForMaskedLM)
