"""What the tests of pretraining share: flags of a small run, and how to read what it wrote."""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

ROOT = Path(__file__).parents[2]
NEWS = ROOT / "tests" / "data" / "news.txt"
SIZE = ["--num-layers", "1", "--hidden-size", "16", "--num-heads", "2"]
COMMON = [
    *(*SIZE, "--window-tokens", "32", "--min-count", "1", "--held-out-fraction", "0.2"),
    *("--batch-size", "8", "--learning-rate", "1e-2", "--device", "cpu"),
]
# Without dropout, which each rank draws for itself.
EXACT = [*COMMON, "--dropout", "0"]


def flags(output: Path, *more: str) -> list[str]:
    return ["--corpus", str(NEWS), *COMMON, *more, "--output", str(output)]


def read_records(output: Path, event: str) -> list[dict[str, Any]]:
    lines = (output / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return [record for record in map(json.loads, lines) if record["event"] == event]


def load_weights(output: Path) -> dict[str, Tensor]:
    return load_file(output / "model.safetensors")


def differ(first: Path, second: Path) -> float:
    """The largest difference of any weight."""
    one, other = load_weights(first), load_weights(second)
    assert one.keys() == other.keys()
    return max((weight - other[name]).abs().max().item() for name, weight in one.items())
