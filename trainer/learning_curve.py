"""F1 against the number of training sentences: python -m trainer.learning_curve.

Trains once on each of some nested parts of a source, an eighth, a quarter, a half and all of it,
each time from the same encoder or checkpoint, and scores every one on dev, with the 95 % interval
over the texts of dev. Where the curve still rises at its end, more annotation pays.

A part is always the same sentences, drawn by their text. Flags behind `--` go to `trainer.finetune`
(few epochs suffice: what counts is the shape). OUTPUT/curve.json appears when all is done; until
then OUTPUT.run keeps every point and the state of the training under way, and the same command goes
on from there.
"""

import hashlib
import json
import shutil
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.command_line import STATUS_INTERRUPTED, CommandLineParser, run_command
from ner_core.evaluation import SpanCounts, count_spans
from ner_core.labels import LabelSet
from ner_core.model_directory import CheckpointError
from ner_core.prediction import Predictor
from ner_core.significance import f1_interval
from ner_core.spans import Example
from trainer import finetune
from trainer.config import DataSource
from trainer.sources import SourceContent, read_source

PROG = "python -m trainer.learning_curve"
CURVE_FILE = "curve.json"
_POINTS_FILE = "points.jsonl"
_SHARES = (8, 4, 2, 1)
_FEWEST_SENTENCES = 5


@dataclass(frozen=True, slots=True)
class Point:
    """A point of the curve.

    Attributes:
        num_sentences: Trained on; 0 for the checkpoint that all trainings begin from.
        f1: Strict micro F1 on dev, of the best epoch.
        low: Where it lies with 95 % confidence, over the texts of dev.
        high: Likewise.
    """

    num_sentences: int
    f1: float
    low: float
    high: float


def choose_sizes(num_sentences: int) -> list[int]:
    """How many sentences each point has, rising."""
    sizes = {num_sentences // share for share in _SHARES}
    return sorted(size for size in sizes if size >= min(_FEWEST_SENTENCES, num_sentences))


def order_examples(examples: Sequence[Example]) -> list[Example]:
    """The order from whose start every part is taken: as good as random, and always the same."""
    return sorted(examples, key=lambda it: hashlib.sha256(it.text.encode()).digest())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status is 0, or see `ner_core.command_line`."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    # Not argparse's own reading of `--`, which would need a positional argument.
    end = arguments.index("--") if "--" in arguments else len(arguments)
    given = _build_parser().parse_args(arguments[:end])
    return run_command(PROG, lambda: _measure(given, arguments[end + 1 :]))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "F1 against training sentences; -- begins trainer flags.")
    for flag, text in (("--train", "what parts are taken of"), ("--dev", "what is scored on")):
        parser.add_argument(
            flag, type=DataSource.parse, required=True, metavar="NAME=PATH", help=text
        )
    parser.add_argument("--encoder", required=True, help="encoder or checkpoint to begin from")
    parser.add_argument("--output", type=Path, required=True, help="directory to write")
    return parser


def _measure(given: Namespace, flags: Sequence[str]) -> None:
    output: Path = given.output
    if output.exists():
        raise ValueError(
            f"expected an output directory that does not exist yet, got {output};"
            f" give another --output"
        )
    train, dev = read_source(given.train, None), read_source(given.dev, None)
    labels = train.labels or LabelSet(train.found_labels)
    examples = order_examples(train.corpus.examples)
    work = output.with_name(f"{output.name}.run")
    work.mkdir(parents=True, exist_ok=True)
    lock = FileLock(work / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ValueError(f"expected no other run of the same output, found one in {work}") from None
    try:
        points = _read_points(work)
        known = {point.num_sentences for point in points}
        for size in (0, *choose_sizes(len(examples))):
            if size in known:
                continue
            checkpoint = given.encoder
            if size:
                checkpoint = str(work / f"part-{size}")
                _train(given, examples[:size], labels, Path(checkpoint), flags)
            point = _score(checkpoint, size, dev, labels)
            if point is not None:
                with (work / _POINTS_FILE).open("a", encoding="utf-8") as file:
                    file.write(f"{json.dumps(asdict(point))}\n")
                print(f"{size} sentences: dev F1 {point.f1:.4f}", flush=True)
            if size:
                shutil.rmtree(checkpoint)
        curve = {
            "encoder": given.encoder,
            "num_dev": len(dev.corpus.examples),
            "points": [asdict(point) for point in _read_points(work)],
        }
        finished = work / "finished"
        finished.mkdir(exist_ok=True)
        (finished / CURVE_FILE).write_text(json.dumps(curve, indent=2) + "\n", encoding="utf-8")
        finished.rename(output)
    finally:
        lock.release()
    shutil.rmtree(work)


def _train(
    given: Namespace,
    examples: Sequence[Example],
    labels: LabelSet,
    checkpoint: Path,
    flags: Sequence[str],
) -> None:
    if checkpoint.exists():  # the run before was ended between training and scoring
        return
    database = checkpoint.with_suffix(".db")
    with AnnotationStore.open(database) as store:
        store.create_project("default", labels)
        store.add(NewDocument(it.text, it.spans, it.id, "accepted") for it in examples)
    status = finetune.main(
        [
            *("--train", f"annotations={database}"),
            *("--dev", f"{given.dev.name}={given.dev.path}"),
            *("--encoder", given.encoder, *flags, "--output", str(checkpoint)),
        ]
    )
    if status == STATUS_INTERRUPTED:
        raise KeyboardInterrupt
    if status:
        raise ValueError(f"expected a complete training, got exit status {status} ({checkpoint})")


def _score(checkpoint: str, size: int, dev: SourceContent, labels: LabelSet) -> Point | None:
    """The point of a checkpoint; None for the first when it is no tagger of these labels."""
    try:
        predictor = Predictor.load(checkpoint)
    except CheckpointError:
        if size:
            raise
        return None
    if set(predictor.labels.labels) != set(labels.labels):
        return None
    examples = dev.corpus.examples
    texts = [example.text for example in examples]
    predicted = [prediction.spans for prediction in predictor.predict(texts)]
    counts = count_spans([example.spans for example in examples], predicted, texts, labels)
    interval = f1_interval(counts)
    f1 = sum(counts, SpanCounts.zero(labels)).evaluation().micro.f1
    return Point(size, f1, interval.low, interval.high)


def _read_points(work: Path) -> list[Point]:
    path = work / _POINTS_FILE
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [Point(**json.loads(line)) for line in lines if line.endswith("\n")]


if __name__ == "__main__":
    sys.exit(main())
