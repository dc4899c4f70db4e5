"""Recurrent layers in both directions that never read padding.

Shapes: B windows, L characters in the longest, I features of the input, H the size of the state.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


def run_bidirectional(layers: nn.LSTM | nn.GRU, features: Tensor, mask: Tensor) -> Tensor:
    """Run stacked bidirectional layers over the characters of each row.

    Args:
        layers: With `batch_first` and `bidirectional`.
        features: Shape: (B, L, I)
        mask: True at characters, a contiguous prefix of each row. Shape: (B, L)

    Returns:
        The states of both directions; of no use at padding. Shape: (B, L, 2 * H)
    """
    if features.device.type == "cpu":
        return _run_by_direction(layers, features, mask)
    # Packing, since the backward direction of a padded batch would start in the padding.
    packed = pack_padded_sequence(
        features, mask.sum(dim=1).cpu(), batch_first=True, enforce_sorted=False
    )
    output, _ = layers(packed)
    unpacked, _ = pad_packed_sequence(output, batch_first=True, total_length=mask.shape[1])
    return unpacked


def _run_by_direction(layers: nn.LSTM | nn.GRU, features: Tensor, mask: Tensor) -> Tensor:
    """The same on a processor: for an LSTM 1.7 times faster in training, 1.4 in prediction.

    There a packed batch is no fused kernel but a loop, whose backward pass fills a tensor of the
    whole batch for every position. Here each direction of each layer is one kernel over the padded
    batch, for which the backward direction turns every row around within its length.
    """
    batch_size, width = mask.shape
    # Shape: (L, 1)
    position = torch.arange(width).unsqueeze(1)
    # Shape: (L, B)
    mirrored = torch.where(mask.T, mask.sum(dim=1) - 1 - position, position)
    # Shape: (L * B,)
    rows = (mirrored * batch_size + torch.arange(batch_size)).flatten()

    def turn(hidden: Tensor) -> Tensor:
        return hidden.flatten(0, 1).index_select(0, rows).unflatten(0, mask.T.shape)

    # Shape: (L, B, I)
    hidden = features.transpose(0, 1)
    for layer in range(layers.num_layers):
        if layer > 0:
            hidden = nn.functional.dropout(hidden, layers.dropout, layers.training)
        past_weights, future_weights = layers.all_weights[2 * layer : 2 * layer + 2]
        past = _run_layer(layers, hidden, past_weights)
        future = turn(_run_layer(layers, turn(hidden), future_weights))
        # Shape: (L, B, 2 * H)
        hidden = torch.cat((past, future), dim=-1)
    return hidden.transpose(0, 1)


def _run_layer(layers: nn.LSTM | nn.GRU, features: Tensor, weights: Sequence[Tensor]) -> Tensor:
    """One layer in one direction. Shape: (L, B, I) -> (L, B, H)."""
    state = features.new_zeros(1, features.shape[1], layers.hidden_size)
    # Biases, one layer, no dropout, with gradients, one direction, positions first.
    settings = (True, 1, 0.0, True, False, False)
    if isinstance(layers, nn.LSTM):
        return torch.lstm(features, (state, state), tuple(weights), *settings)[0]
    return torch.gru(features, state, tuple(weights), *settings)[0]
