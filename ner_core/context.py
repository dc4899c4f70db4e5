"""Context layers between encoder and classifier: every character sees the sentence, no padding.

Shapes: B windows, L characters in the longest, H encoder width. Both layers take (B, L, H) and hand
on twice their hidden size, one half for each direction.
"""

import torch
from torch import Tensor, nn

from ner_core.recurrent import run_bidirectional

_TCN_KERNEL_SIZE = 3


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
        return run_bidirectional(self.lstm, hidden, mask)


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
