"""What is pretrained: an encoder under a head that guesses characters, and one for silver tags.

Shapes: B rows, W tokens in each, H the encoder's width, V tokens in the vocabulary, N tokens that
are masked, K silver tags.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ner_core.pretrained import first_line
from trainer.masked_batches import MaskedBatch
from trainer.masking import IGNORED

# Heads that take the encoder's output as it is: BERT's and its kin's, RoBERTa's and its kin's.
_HEAD_NAMES = ("cls", "lm_head")
# What two lines of one row may differ from the same lines alone, from rounding.
_PACKING_TOLERANCE = 1e-3


class PretrainingOutput(NamedTuple):
    """What a model in pretraining returns; sums, so that processes can share a batch.

    Attributes:
        mask_loss: Negative log-likelihood of what stood under the masks. Shape: ()
        num_right: Masked tokens whose first guess is right. Shape: ()
        tag_loss: Negative log-likelihood of the silver tags; 0 without. Shape: ()
    """

    mask_loss: Tensor
    num_right: Tensor
    tag_loss: Tensor


class PretrainingModel(nn.Module):
    """An encoder with the head that the transformers library has for it, and the losses of a batch.

    Args:
        masked_lm: An `AutoModelForMaskedLM`.
        num_tags: Silver tags; 0 without.
        is_packed: Whether rows hold several lines, which then must not see each other.
    """

    def __init__(self, masked_lm: PreTrainedModel, num_tags: int, *, is_packed: bool) -> None:
        super().__init__()
        self.masked_lm = masked_lm
        self.is_packed = is_packed
        hidden_size: int = masked_lm.config.hidden_size
        self.tag_head = nn.Linear(hidden_size, num_tags) if num_tags else None
        self._head_name = next((name for name in _HEAD_NAMES if hasattr(masked_lm, name)), None)

    @property
    def encoder(self) -> PreTrainedModel:
        """What is pretrained, without heads."""
        return self.masked_lm.base_model

    def forward(self, batch: MaskedBatch) -> PretrainingOutput:
        """The losses of a batch."""
        is_asked = batch.targets != IGNORED
        lines = describe_lines(batch, self.encoder, is_packed=self.is_packed)
        if self._head_name is not None:
            hidden = self.encoder(input_ids=batch.token_ids, **lines).last_hidden_state
            # The head costs as much as a layer or more: only where something is asked.
            # Shape: (N, V)
            logits = getattr(self.masked_lm, self._head_name)(hidden[is_asked])
        else:
            output = self.masked_lm(input_ids=batch.token_ids, output_hidden_states=True, **lines)
            logits, hidden = output.logits[is_asked], output.hidden_states[-1]
        targets = batch.targets[is_asked]
        mask_loss = nn.functional.cross_entropy(logits.float(), targets, reduction="sum")
        num_right = (logits.argmax(dim=-1) == targets).sum()
        return PretrainingOutput(mask_loss, num_right, self._sum_tag_loss(hidden, batch))

    def _sum_tag_loss(self, hidden: Tensor, batch: MaskedBatch) -> Tensor:
        """The loss on silver tags, summed.

        Args:
            hidden: The encoder's output. Shape: (B, W, H)
            batch: With the tags.
        """
        if self.tag_head is None or batch.tag_ids is None:
            return hidden.new_zeros((), dtype=torch.float32)
        # Shape: (B, W, K)
        logits = self.tag_head(hidden)
        return nn.functional.cross_entropy(
            logits.flatten(0, 1).float(),
            batch.tag_ids.flatten(),
            reduction="sum",
            ignore_index=IGNORED,
        )


def describe_lines(
    batch: MaskedBatch, encoder: PreTrainedModel, *, is_packed: bool
) -> dict[str, Tensor]:
    """What tells an encoder which tokens belong together, and where in their line they are.

    Args:
        batch: The rows.
        encoder: For how it counts positions.
        is_packed: Whether rows hold several lines. Without, the plain mask serves every encoder.
    """
    lines = batch.line_numbers
    if not is_packed:
        return {"attention_mask": (lines > 0).long()}
    # Padding sees padding: a row of the softmax without any place would be no number.
    # Shape: (B, 1, W, W)
    same_line = (lines[:, :, None] == lines[:, None, :])[:, None]
    return {
        "attention_mask": same_line,
        "position_ids": batch.position_ids + find_first_position(encoder),
    }


def find_first_position(encoder: PreTrainedModel) -> int:
    """The position of [CLS]: 0, but behind the padding's own in RoBERTa and its kin."""
    for name, module in encoder.named_modules():
        is_table = name.endswith("position_embeddings") and isinstance(module, nn.Embedding)
        if is_table and module.padding_idx is not None:
            return int(module.padding_idx) + 1
    return 0


@torch.no_grad()
def check_packing(encoder: PreTrainedModel) -> None:
    """Find out whether an encoder reads two lines of a row as if each stood alone.

    Raises:
        ValueError: It does not.
    """
    encoder.eval()
    device = encoder.get_input_embeddings().weight.device
    ids = torch.arange(5, 10, device=device) % encoder.get_input_embeddings().num_embeddings
    lines = torch.tensor([1, 1, 2, 2, 2], device=device)
    places = torch.tensor([0, 1, 0, 1, 2], device=device)

    def encode(part: slice) -> Tensor:
        batch = _probe(ids[part], lines[part], places[part])
        output = encoder(
            input_ids=batch.token_ids, **describe_lines(batch, encoder, is_packed=True)
        )
        hidden: Tensor = output.last_hidden_state[0]
        return hidden

    try:
        alone = torch.cat((encode(slice(0, 2)), encode(slice(2, 5))))
        difference = (encode(slice(0, 5)) - alone).abs().max().item()
        reason = f"they differ by {difference:.2g} from the lines alone"
        is_fine = difference < _PACKING_TOLERANCE
    except Exception as error:  # a model class may answer a mask it does not know with any error
        reason, is_fine = first_line(error), False
    if not is_fine:
        raise ValueError(
            f"expected an encoder that can keep the lines of a packed row apart, got"
            f" {encoder.config.model_type} ({reason}); --no-packing takes a row for each line"
        )


def _probe(ids: Tensor, lines: Tensor, places: Tensor) -> MaskedBatch:
    return MaskedBatch(ids[None], lines[None], places[None], torch.full_like(ids, IGNORED)[None])
