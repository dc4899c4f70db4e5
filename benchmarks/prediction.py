"""How fast a checkpoint loads and tags, and what batching by length is worth.

    OMP_NUM_THREADS=2 python -m benchmarks.prediction [--checkpoint DIR] [--json]

- load_s: `Predictor.load` in a fresh process, imports not counted; import_s: the imports.
- latency_ms: one sentence of 40 characters, probabilities of its spans included.
- sentences_per_second, ours: 512 sentences through `Predictor.predict`, probabilities included.
- sentences_per_second, reference: the same sentences in batches of 32 as they come, all padded to
  128 characters, decoded by pytorch-crf, without probabilities.

Sentences are drawn from a fixed seed; their lengths spread evenly from 10 to 50 characters, which
is about CLUENER's spread. What is tagged does not matter to the time. Each repeat times ours and
the reference one after the other; reported are the medians of three repeats, and the ratio is the
reference's time over ours: above 1 is faster.
"""

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
import torchcrf

from ner_core.checkpoint import Checkpoint, load_checkpoint
from ner_core.dataset import EncodedWindow, collate
from ner_core.prediction import Predictor

NUM_SENTENCES = 512
NUM_REPEATS = 3
REFERENCE_BATCH_SIZE = 32
REFERENCE_WIDTH = 128
DEFAULT_CHECKPOINT = Path(__file__).parents[1] / "models" / "cluener-small"
_LOAD_PROGRAM = """
import sys, time
began = time.perf_counter()
from ner_core.prediction import Predictor
imported = time.perf_counter()
Predictor.load(sys.argv[1], device="cpu")
print(imported - began, time.perf_counter() - imported)
"""


@dataclass(frozen=True, slots=True)
class Timings:
    """What was measured; see the top of the module."""

    checkpoint: str
    megabytes: float
    num_threads: int
    import_s: float
    load_s: float
    latency_ms: float
    sentences_per_second: float
    reference_sentences_per_second: float
    ratio: float


def measure(directory: Path) -> Timings:
    """Time loading, one sentence, and many sentences against the reference."""
    loads = [_time_load(directory) for _ in range(NUM_REPEATS)]
    checkpoint = load_checkpoint(directory)
    predictor = Predictor(checkpoint, torch.device("cpu"))
    sentences = make_sentences(checkpoint, NUM_SENTENCES)
    forty = (max(sentences, key=len) * 2)[:40]
    tag_padded = _make_reference(checkpoint, sentences)
    predictor.predict([forty])
    latencies = [_time(lambda: predictor.predict([forty])) for _ in range(20 * NUM_REPEATS)]
    times = [
        (_time(tag_padded), _time(lambda: predictor.predict(sentences))) for _ in range(NUM_REPEATS)
    ]
    return Timings(
        checkpoint=checkpoint.name,
        megabytes=sum(path.stat().st_size for path in directory.iterdir()) / 1e6,
        num_threads=torch.get_num_threads(),
        import_s=median(import_s for import_s, _ in loads),
        load_s=median(load_s for _, load_s in loads),
        latency_ms=1000 * median(latencies),
        sentences_per_second=NUM_SENTENCES / median(ours for _, ours in times),
        reference_sentences_per_second=NUM_SENTENCES / median(padded for padded, _ in times),
        ratio=median(padded / ours for padded, ours in times),
    )


def make_sentences(checkpoint: Checkpoint, num_sentences: int) -> list[str]:
    """Random characters of the vocabulary, 10 to 50 in a sentence."""
    generator = random.Random(0)
    characters = [token for token in checkpoint.vocabulary.token_ids if len(token) == 1]
    return [
        "".join(generator.choices(characters, k=10 + index % 41)) for index in range(num_sentences)
    ]


def _make_reference(checkpoint: Checkpoint, sentences: Sequence[str]) -> Callable[[], object]:
    tagger = checkpoint.tagger
    crf = torchcrf.CRF(tagger.config.labels.num_tags, batch_first=True)
    crf.load_state_dict(tagger.crf.state_dict())
    # One window as long as the padding, dropped after collating, pads every batch to that width.
    filler = EncodedWindow((checkpoint.vocabulary.pad_token_id,) * REFERENCE_WIDTH)

    @torch.inference_mode()
    def tag_padded() -> None:
        for start in range(0, len(sentences), REFERENCE_BATCH_SIZE):
            texts = sentences[start : start + REFERENCE_BATCH_SIZE]
            windows = [EncodedWindow(tuple(checkpoint.vocabulary.encode(text))) for text in texts]
            batch = collate([*windows, filler], checkpoint.vocabulary)
            mask = batch.mask[:-1]
            emissions = tagger(batch.input_ids[:-1], batch.attention_mask[:-1], mask).emissions
            crf.decode(emissions, mask)

    return tag_padded


def _time(call: Callable[[], object]) -> float:
    began = perf_counter()
    call()
    return perf_counter() - began


def _time_load(directory: Path) -> tuple[float, float]:
    """Seconds to import and to load, in a process of its own."""
    command = [sys.executable, "-c", _LOAD_PROGRAM, str(directory)]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    import_s, load_s = map(float, output.split())
    return import_s, load_s


def main(arguments: list[str] | None = None) -> int:
    """Print the timings, as text or as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.prediction", description="Time loading and tagging."
    )
    parser.add_argument("--checkpoint", type=Path, default=DEFAULT_CHECKPOINT, help="directory")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    timings = asdict(measure(given.checkpoint))
    if given.json:
        print(json.dumps(timings, indent=2))
    else:
        for name, value in timings.items():
            print(f"{name:32} {value:.3g}" if isinstance(value, float) else f"{name:32} {value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
