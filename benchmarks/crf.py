"""How much faster `ner_core.crf.CRF` is than pytorch-crf: loss with gradient, and decoding.

    OMP_NUM_THREADS=1 python -m benchmarks.crf [--json]

Both classes get the same parameters, emissions, tags and mask: 32 sequences of 21 tags (CLUENER's),
padded to 50 and to 128 positions, their lengths spread evenly from a quarter of that to all of it.
Emissions are normal with standard deviation 3, in float32. "loss" is the summed log likelihood and
its gradient by the emissions and all parameters.

Each repeat times the two classes one after the other, so that what else the machine does hits both;
a timing is the mean over as many calls as fill half a second of pytorch-crf, after one call to warm
up. Reported are the medians of three repeats, and the ratio is pytorch-crf's time over ours: above
1 is faster. On an idle machine ratios move by about a tenth between runs, on one with four times as
many busy processes as cores by up to a third, downwards.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter

import torch
import torchcrf
from torch import Tensor

from ner_core.crf import CRF

BATCH_SIZE = 32
NUM_TAGS = 21
NUM_POSITIONS = (50, 128)
NUM_REPEATS = 3
REFERENCE_TIME_S = 0.5


@dataclass(frozen=True, slots=True)
class Comparison:
    """One task at one size.

    Attributes:
        task: "loss" (with gradient) or "decode".
        num_positions: Padded length, in tokens.
        reference_ms: Median time of one call of pytorch-crf.
        ours_ms: Median time of one call of `ner_core.crf.CRF`.
        ratio: Median over the repeats of the one time divided by the other.
    """

    task: str
    num_positions: int
    reference_ms: float
    ours_ms: float
    ratio: float


def compare(task: str, num_positions: int) -> Comparison:
    """Time both classes on the same input."""
    generator = torch.Generator().manual_seed(0)
    shape = (BATCH_SIZE, num_positions)
    emissions = 3 * torch.randn(*shape, NUM_TAGS, generator=generator)
    tags = torch.randint(NUM_TAGS, shape, generator=generator)
    lengths = torch.linspace(num_positions // 4, num_positions, BATCH_SIZE).long()
    mask = torch.arange(num_positions) < lengths.unsqueeze(1)
    reference = torchcrf.CRF(NUM_TAGS, batch_first=True)
    ours = CRF(NUM_TAGS, batch_first=True)
    ours.load_state_dict(reference.state_dict())

    def make_call(crf: torchcrf.CRF) -> Callable[[], object]:
        if task == "decode":
            return lambda: crf.decode(emissions, mask)
        return lambda: _loss_and_gradient(crf, emissions, tags, mask)

    call_reference, call_ours = make_call(reference), make_call(ours)
    call_ours()
    num_calls = max(1, round(REFERENCE_TIME_S / min(_time(call_reference, 1) for _ in range(2))))
    times = [
        (_time(call_reference, num_calls), _time(call_ours, num_calls)) for _ in range(NUM_REPEATS)
    ]
    return Comparison(
        task=task,
        num_positions=num_positions,
        reference_ms=1000 * median(reference_s for reference_s, _ in times),
        ours_ms=1000 * median(ours_s for _, ours_s in times),
        ratio=median(reference_s / ours_s for reference_s, ours_s in times),
    )


def _loss_and_gradient(crf: torchcrf.CRF, emissions: Tensor, tags: Tensor, mask: Tensor) -> None:
    crf.zero_grad()
    (-crf(emissions.clone().requires_grad_(), tags, mask)).backward()


def _time(call: Callable[[], object], num_calls: int) -> float:
    """Seconds of one call."""
    start = perf_counter()
    for _ in range(num_calls):
        call()
    return (perf_counter() - start) / num_calls


def main(argv: Sequence[str] | None = None) -> int:
    """Print every comparison, as text or as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.crf", description="Time the CRF against pytorch-crf."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args(argv)
    comparisons = [compare(task, length) for length in NUM_POSITIONS for task in ("loss", "decode")]
    if arguments.json:
        report = {
            "batch_size": BATCH_SIZE,
            "num_tags": NUM_TAGS,
            "num_threads": torch.get_num_threads(),
            "comparisons": [asdict(comparison) for comparison in comparisons],
        }
        print(json.dumps(report, indent=2))
        return 0
    print(
        f"{BATCH_SIZE} sequences, {NUM_TAGS} tags, {torch.get_num_threads()} thread(s);"
        " milliseconds a call"
    )
    print("positions  task    pytorch-crf    ours   ratio")
    for it in comparisons:
        timings = f"{it.reference_ms:11.2f}  {it.ours_ms:6.2f}  {it.ratio:6.1f}"
        print(f"{it.num_positions:9}  {it.task:6}  {timings}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
