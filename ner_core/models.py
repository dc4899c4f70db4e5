"""The taggers: encoder -> no context layer, BiLSTM or TCN -> emissions -> softmax or CRF.

Shapes: B windows, L characters in the longest, K tags, H encoder width, C width behind the context
layer. The encoder reads L + 2 tokens, [CLS] and [SEP] included; they never reach the CRF.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import PreTrainedModel

from ner_core.crf import CRF, check_allowed_tags
from ner_core.labels import LabelSet

ARCHITECTURES = ("bert-softmax", "bert-crf", "bert-bilstm-crf", "bert-tcn-crf")

_TCN_KERNEL_SIZE = 3


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


class BiLSTM(nn.Module):
    """A bidirectional LSTM that never reads padding.

    Args:
        input_size: Width of its input.
        hidden_size: Width of each direction.
        num_layers: Stacked layers.
        dropout: Probability between layers.
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, num_layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.output_size = 2 * hidden_size
        self.lstm = nn.LSTM(
            input_size,
            hidden_size,
            num_layers=num_layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if num_layers > 1 else 0.0,
        )

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Shape: (B, L, H) and (B, L) -> (B, L, 2 * hidden_size)."""
        if hidden.device.type == "cpu":
            return self._run_by_direction(hidden, mask)
        # Packing, since the backward direction of a padded batch would start in the padding.
        packed = pack_padded_sequence(
            hidden, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False
        )
        output, _ = self.lstm(packed)
        unpacked, _ = pad_packed_sequence(output, batch_first=True, total_length=mask.shape[1])
        return unpacked

    def _run_by_direction(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """The same on a processor: 1.7 times faster in training, 1.4 times in prediction.

        There a packed batch is no fused kernel but a loop, whose backward pass fills a tensor of
        the whole batch for every position. Here each direction of each layer is one kernel over the
        padded batch, for which the backward direction turns every row around within its length.
        """
        batch_size, width = mask.shape
        # Shape: (L, 1)
        position = torch.arange(width).unsqueeze(1)
        # Shape: (L, B)
        mirrored = torch.where(mask.T, mask.sum(dim=1) - 1 - position, position)
        # Shape: (L * B,)
        rows = (mirrored * batch_size + torch.arange(batch_size)).flatten()

        def turn(features: Tensor) -> Tensor:
            return features.flatten(0, 1).index_select(0, rows).unflatten(0, mask.T.shape)

        # Shape: (L, B, H)
        features = hidden.transpose(0, 1)
        state = hidden.new_zeros(1, batch_size, self.lstm.hidden_size)
        for layer in range(self.lstm.num_layers):
            if layer > 0:
                features = nn.functional.dropout(features, self.lstm.dropout, self.training)
            past_weights, future_weights = self.lstm.all_weights[2 * layer : 2 * layer + 2]
            past = _run_lstm(features, state, past_weights)
            future = turn(_run_lstm(turn(features), state, future_weights))
            # Shape: (L, B, 2 * hidden_size)
            features = torch.cat((past, future), dim=-1)
        return features.transpose(0, 1)


def _run_lstm(features: Tensor, state: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """One layer in one direction. Shape: (L, B, H) -> (L, B, hidden_size)."""
    output, _, _ = torch.lstm(
        features,
        (state, state),
        list(weights),
        has_biases=True,
        num_layers=1,
        dropout=0.0,
        train=True,
        bidirectional=False,
        batch_first=False,
    )
    return output


class TCN(nn.Module):
    """Two stacks of dilated convolutions: one sees the past, the other the future.

    Bai et al. 2018, https://arxiv.org/abs/1803.01271. The dilation doubles with each level; a level
    holds two convolutions, so n levels of kernel 3 see 4 * (2^n - 1) characters to either side. The
    second stack pads on the right instead of flipping its input: a flip of a padded batch puts the
    padding in front, and a flip of the wrong axis sees no future at all.

    Args:
        input_size: Width of its input.
        hidden_size: Width of each direction.
        num_levels: Residual blocks in each direction.
        dropout: Probability behind each convolution.
    """

    def __init__(
        self, input_size: int, hidden_size: int, *, num_levels: int, dropout: float
    ) -> None:
        super().__init__()
        self.output_size = 2 * hidden_size

        def build_stack(*, sees_future: bool) -> nn.ModuleList:
            return nn.ModuleList(
                TCNBlock(
                    input_size if level == 0 else hidden_size,
                    hidden_size,
                    dilation=2**level,
                    dropout=dropout,
                    sees_future=sees_future,
                )
                for level in range(num_levels)
            )

        self.past = build_stack(sees_future=False)
        self.future = build_stack(sees_future=True)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Shape: (B, L, H) and (B, L) -> (B, L, 2 * hidden_size)."""
        # Shape: (B, 1, L)
        keep = mask.unsqueeze(1)
        # Shape: (B, H, L)
        features = hidden.transpose(1, 2) * keep
        past = future = features
        for past_block, future_block in zip(self.past, self.future, strict=True):
            past = past_block(past, keep)
            future = future_block(future, keep)
        # Shape: (B, L, 2 * hidden_size)
        return torch.cat((past, future), dim=1).transpose(1, 2)


class TCNBlock(nn.Module):
    """Two dilated convolutions and a residual path; padding stays zero behind every step."""

    def __init__(
        self,
        input_size: int,
        output_size: int,
        *,
        dilation: int,
        dropout: float,
        sees_future: bool,
    ) -> None:
        super().__init__()
        reach = (_TCN_KERNEL_SIZE - 1) * dilation
        self.padding = (0, reach) if sees_future else (reach, 0)
        self.first = nn.Conv1d(input_size, output_size, _TCN_KERNEL_SIZE, dilation=dilation)
        self.second = nn.Conv1d(output_size, output_size, _TCN_KERNEL_SIZE, dilation=dilation)
        self.residual = (
            nn.Identity() if input_size == output_size else nn.Conv1d(input_size, output_size, 1)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, features: Tensor, keep: Tensor) -> Tensor:
        """Shape: (B, input_size, L) and (B, 1, L) -> (B, output_size, L)."""
        output = features
        for convolution in (self.first, self.second):
            padded = nn.functional.pad(output, self.padding)
            output = self.dropout(torch.relu(convolution(padded))) * keep
        return torch.relu(output + self.residual(features)) * keep


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
