"""The taggers: encoder -> no context layer, BiLSTM or TCN -> emissions -> softmax or CRF.

Shapes: B windows, L characters in the longest, K tags, H encoder width, C width behind the context
layer. The encoder reads L + 2 tokens, [CLS] and [SEP] included; they never reach the CRF.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from ner_core.context import TCN, BiLSTM
from ner_core.crf import CRF, check_allowed_tags
from ner_core.labels import LabelSet

ARCHITECTURES = ("bert-softmax", "bert-crf", "bert-bilstm-crf", "bert-tcn-crf")


@dataclass(frozen=True, kw_only=True)
class TaggerConfig:
    """What a checkpoint must remember to build its tagger again.

    Attributes:
        architecture: One of `ARCHITECTURES`.
        labels: The label set that the tags are made from.
        context_hidden_size: Width of the context layer in each direction; None takes half of the
            encoder's, so that the context layer hands on as many features as it got.
        context_num_layers: Layers of the BiLSTM or levels of the TCN; None takes one layer or three
            levels, as the report that this project starts from.
        dropout: Probability, before and behind the context layer.
        max_window_tokens: Longest input of the encoder, [CLS] and [SEP] included.
        output_tags: Tags of the classifier's outputs where they are not the label set's own: a Hub
            model's order, prefixes (S-, E-, M-) or padding. None for models trained here.

    Raises:
        ValueError: A value is out of range; the message names it.
    """

    architecture: str
    labels: LabelSet
    context_hidden_size: int | None = None
    context_num_layers: int | None = None
    dropout: float = 0.1
    max_window_tokens: int = 512
    output_tags: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if self.architecture not in ARCHITECTURES:
            raise ValueError(
                f"expected an architecture of {', '.join(ARCHITECTURES)}, got {self.architecture!r}"
            )
        if self.context_hidden_size is not None and self.context_hidden_size < 1:
            raise ValueError(
                f"expected a positive context_hidden_size, got {self.context_hidden_size}"
            )
        if self.context_num_layers is not None and self.context_num_layers < 1:
            raise ValueError(
                f"expected a positive context_num_layers, got {self.context_num_layers}"
            )
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"expected a dropout in [0, 1), got {self.dropout}")
        if self.max_window_tokens < 4:
            raise ValueError(f"expected max_window_tokens >= 4, got {self.max_window_tokens}")

    @property
    def max_window_characters(self) -> int:
        """Longest window, in characters."""
        return self.max_window_tokens - 2


class TaggerOutput(NamedTuple):
    """What `Tagger.forward` returns.

    Attributes:
        emissions: Scores of the tags; log-odds for a CRF, logits for softmax. Shape: (B, L, K)
        loss: Negative log-likelihood of the gold or allowed tags, *summed* over all characters of
            the batch; None without gold. Divide by a global count: a mean per process would bias
            DDP.
    """

    emissions: Tensor
    loss: Tensor | None


class Tagger(nn.Module):
    """A pretrained encoder with a context layer and a tag decoder on top.

    Softmax taggers carry a CRF too: one whose transition scores are frozen at zero. Its hard
    constraints make their decoding valid, and its forward-backward pass gives exact probabilities
    of spans under those constraints.

    Args:
        encoder: Any `AutoModel` whose output has `last_hidden_state`.
        config: Everything else.
    """

    def __init__(self, encoder: PreTrainedModel, config: TaggerConfig) -> None:
        super().__init__()
        # A pooler gets no gradient here, and DDP's reducer waits for every parameter.
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        self.config = config
        self.encoder = encoder
        hidden_size: int = encoder.config.hidden_size
        self.context = _build_context(config, hidden_size)
        self.dropout = nn.Dropout(config.dropout)
        context_size = hidden_size if self.context is None else self.context.output_size
        tags = config.labels.tags if config.output_tags is None else config.output_tags
        self.classifier = nn.Linear(context_size, len(tags))
        self.output_merge = None if tags == config.labels.tags else OutputMerge(tags, config.labels)
        self.crf = CRF.for_labels(config.labels)
        self._label_smoothing = 0.0
        if config.architecture == "bert-softmax":
            for parameter in self.crf.parameters():
                nn.init.zeros_(parameter)
                parameter.requires_grad_(False)

    @property
    def uses_crf_loss(self) -> bool:
        """Whether transitions are learned: all architectures but softmax."""
        return self.config.architecture != "bert-softmax"

    @property
    def label_smoothing(self) -> float:
        """Share of the loss that asks for all tags alike; for training, not kept in a checkpoint.

        Raises:
            ValueError: On setting: it is not in [0, 1), or above 0 for an architecture with a CRF.
        """
        return self._label_smoothing

    @label_smoothing.setter
    def label_smoothing(self, value: float) -> None:
        if not 0.0 <= value < 1.0:
            raise ValueError(f"expected a label_smoothing in [0, 1), got {value}")
        if value > 0.0 and self.uses_crf_loss:
            raise ValueError(
                f"expected a label_smoothing of 0 for {self.config.architecture}, got {value}:"
                f" only bert-softmax has a loss of single tags to smooth"
            )
        self._label_smoothing = value

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor,
        mask: Tensor,
        tag_ids: Tensor | None = None,
        allowed_tags: Tensor | None = None,
    ) -> TaggerOutput:
        """Score tags and, given gold, sum the loss. Arguments are the fields of a `Batch`.

        Args:
            input_ids: Shape: (B, L + 2)
            attention_mask: Shape: (B, L + 2)
            mask: True at characters, a contiguous prefix of each row. Shape: (B, L)
            tag_ids: Gold tags. Shape: (B, L)
            allowed_tags: Gold that leaves a choice: which tags may stand where. Counts instead of
                `tag_ids`. Shape: (B, L, K)

        Raises:
            ValueError: No tag is allowed at some character.
        """
        encoded = self.encoder(input_ids=input_ids, attention_mask=attention_mask.long())
        # Shape: (B, L, H); drops [CLS] and the last column, and `mask` hides the earlier [SEP]s
        hidden = encoded.last_hidden_state[:, 1:-1]
        if self.context is not None:
            # Shape: (B, L, C)
            hidden = self.context(self.dropout(hidden), mask)
        # Shape: (B, L, K)
        emissions = self.classifier(self.dropout(hidden))
        if self.output_merge is not None:
            emissions = self.output_merge(emissions)
        loss: Tensor | None = None
        if allowed_tags is not None:
            loss = self._sum_partial_loss(emissions, allowed_tags, mask)
        elif tag_ids is not None:
            loss = self._sum_loss(emissions, tag_ids, mask)
        return TaggerOutput(emissions, loss)

    def _sum_loss(self, emissions: Tensor, tag_ids: Tensor, mask: Tensor) -> Tensor:
        if self.uses_crf_loss:
            loss: Tensor = -self.crf(emissions, tag_ids, mask, reduction="sum")
            return loss
        return nn.functional.cross_entropy(
            emissions[mask].float(),
            tag_ids[mask],
            reduction="sum",
            label_smoothing=self.label_smoothing,
        )

    def _sum_partial_loss(self, emissions: Tensor, allowed_tags: Tensor, mask: Tensor) -> Tensor:
        if self.uses_crf_loss:
            return -self.crf.partial_log_likelihood(emissions, allowed_tags, mask)
        check_allowed_tags(allowed_tags, mask, emissions.shape[2])
        # Shape: (characters, K)
        log_probabilities = emissions[mask].float().log_softmax(dim=1)
        allowed = log_probabilities.masked_fill(~allowed_tags[mask], -torch.inf)
        loss = -allowed.logsumexp(dim=1).sum()
        # As cross_entropy smooths: https://arxiv.org/abs/1512.00567, section 7.
        uniform_loss = -log_probabilities.mean(dim=1).sum()
        return torch.lerp(loss, uniform_loss, self.label_smoothing)


class OutputMerge(nn.Module):
    """Joins a foreign classifier's outputs into the tags of a label set.

    Hub models mark single characters (S-, U-), middles (M-) and ends (E-, L-) or hold a padding
    class. The probability of a tag is the sum of its outputs', hence the log-sum-exp; outputs that
    fit no tag are left out.

    Args:
        output_tags: The classifier's tags, by output.
        labels: The label set to arrive at.

    Raises:
        ValueError: A tag of the label set has no output.
    """

    def __init__(self, output_tags: Sequence[str], labels: LabelSet) -> None:
        super().__init__()
        prefixes = {"S": "B", "U": "B", "M": "I", "E": "I", "L": "I"}
        is_part = torch.zeros(len(output_tags), labels.num_tags, dtype=torch.bool)
        for output, tag in enumerate(output_tags):
            prefix, _, label = tag.partition("-")
            name = f"{prefixes.get(prefix, prefix)}-{label}" if label else tag
            if name in labels.tag_ids:
                is_part[output, labels.tag_ids[name]] = True
        missing = [
            tag for tag, found in zip(labels.tags, is_part.any(dim=0), strict=True) if not found
        ]
        if missing:
            raise ValueError(
                f"expected an output for every tag, found none for {', '.join(missing)}"
                f" (outputs: {', '.join(output_tags)})"
            )
        self.is_part: Tensor
        # Shape: (outputs, K)
        self.register_buffer("is_part", is_part, persistent=False)

    def forward(self, logits: Tensor) -> Tensor:
        """Shape: (B, L, outputs) -> (B, L, K)."""
        # Shape: (B, L, outputs, K)
        parts = logits.unsqueeze(-1).masked_fill(~self.is_part, torch.finfo(logits.dtype).min)
        return parts.logsumexp(dim=-2)


def _build_context(config: TaggerConfig, hidden_size: int) -> BiLSTM | TCN | None:
    width = config.context_hidden_size or max(1, hidden_size // 2)
    if config.architecture == "bert-bilstm-crf":
        return BiLSTM(
            hidden_size, width, num_layers=config.context_num_layers or 1, dropout=config.dropout
        )
    if config.architecture == "bert-tcn-crf":
        return TCN(
            hidden_size, width, num_levels=config.context_num_layers or 3, dropout=config.dropout
        )
    return None
