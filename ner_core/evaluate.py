"""Measure a checkpoint on a labelled file, or compare two: python -m ner_core.evaluate.

Reports strict precision, recall and F1 for each label and over all (micro and macro), CLUENER's
official macro score (see `ner_core.evaluation`), the 95 % interval of micro F1
(`ner_core.significance`), and what kinds of errors there are (`ner_core.error_analysis`). With the
training data also the scores on seen and unseen mentions (`ner_core.seen_mentions`); with --html a
page to read the worst texts on. Gold spans that overlap all count, though a tagger can find only
one of them.

--compare says whether checkpoint B is better than checkpoint A on the same file.
"""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ner_core.command_line import CommandLineParser, check_output_file, number_between, run_command
from ner_core.conll import parse_conll
from ner_core.error_analysis import ErrorCounts, ExampleErrors, pair_spans
from ner_core.evaluation import SpanCounts, count_spans
from ner_core.formats import Corpus, DataFormatError, decode_text, parse_cluener, write_lines
from ner_core.labels import LabelSet
from ner_core.seen_mentions import collect_mentions, score_seen
from ner_core.spans import Example, Span

if TYPE_CHECKING:
    from ner_core.prediction import Predictor

PROG = "python -m ner_core.evaluate"
LANGUAGES = ("en", "zh")
# Fewer resamples make an interval that moves with the seed, more only cost time.
_FEWEST_RESAMPLES, _MOST_RESAMPLES = 100, 100_000


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, or see `ner_core.command_line`.
    """
    parser = _build_parser()
    arguments = parser.parse_args(argv)
    if arguments.compare:
        for flag in ("--train-data", "--html", "--language"):
            if getattr(arguments, flag.strip("-").replace("-", "_")) is not None:
                parser.error(f"argument {flag}: not allowed with argument --compare")
        return run_command(PROG, lambda: _compare(arguments))
    if arguments.language is not None and arguments.html is None:
        parser.error("argument --language: allowed only with argument --html")
    return run_command(PROG, lambda: _evaluate(arguments))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Measure a checkpoint on a labelled file, or compare two.")
    checkpoints = parser.add_mutually_exclusive_group(required=True)
    checkpoints.add_argument("--checkpoint", metavar="DIR", help="checkpoint directory or Hub id")
    checkpoints.add_argument(
        "--compare",
        nargs=2,
        metavar=("A", "B"),
        help="two checkpoints of the same labels: is B really better than A?",
    )
    parser.add_argument(
        "--data", required=True, metavar="FILE", help="labelled texts, UTF-8 or GB18030"
    )
    parser.add_argument(
        "--format",
        choices=("cluener", "conll"),
        default="cluener",
        help="CLUENER JSON lines, or a character and its BIO tag in each line; of all files",
    )
    parser.add_argument(
        "--train-data",
        action="append",
        metavar="FILE",
        help="what the model was trained on, to score seen and unseen mentions apart; repeatable",
    )
    parser.add_argument(
        "--bootstrap",
        type=number_between(int, _FEWEST_RESAMPLES, _MOST_RESAMPLES),
        default=1000,
        metavar="N",
        help="resamples of the texts behind the 95 %% interval",
    )
    parser.add_argument("--html", metavar="FILE", help="write a page with the 50 worst texts")
    parser.add_argument("--language", choices=LANGUAGES, help="language of the page (default: en)")
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")
    return parser


def _evaluate(arguments: Namespace) -> None:
    # A wrong file is found before the seconds that torch and the model take.
    if arguments.html is not None:
        check_output_file(Path(arguments.html), "--html")
    parse_data = _read(arguments.data, arguments.format)
    parse_train_data = [_read(path, arguments.format) for path in arguments.train_data or ()]
    from ner_core.evaluation_report import EvaluationReport
    from ner_core.prediction import Predictor
    from ner_core.significance import f1_interval

    predictor = Predictor.load(arguments.checkpoint)
    labels = predictor.labels
    examples = parse_data(labels)
    train_examples = [example for parse in parse_train_data for example in parse(labels)]
    texts = [example.text for example in examples]
    gold = [example.spans for example in examples]
    predictor.predict(texts[:1])  # the first call also pays for what torch sets up once
    started = time.perf_counter()
    predicted = _predict(predictor, examples)
    examples_per_second = len(examples) / (time.perf_counter() - started)

    counts = count_spans(gold, predicted, texts, labels)
    judged = tuple(
        ExampleErrors(example, number, pair_spans(example.spans, spans))
        for number, (example, spans) in enumerate(zip(examples, predicted, strict=True), start=1)
    )
    seen = None
    if arguments.train_data is not None:
        seen = score_seen(gold, predicted, texts, collect_mentions(train_examples))
    report = EvaluationReport(
        checkpoint=predictor.name,
        data=Path(arguments.data).name,
        evaluation=sum(counts, SpanCounts.zero(labels)).evaluation(),
        interval=f1_interval(counts, num_resamples=arguments.bootstrap),
        num_resamples=arguments.bootstrap,
        errors=ErrorCounts.of((pair for it in judged for pair in it.pairs), labels.labels),
        examples=judged,
        seen=seen,
    )
    if arguments.html is not None:
        from ner_core.error_page import render_error_page

        page = render_error_page(report, language=arguments.language or "en")
        write_lines(arguments.html, [page])
    if arguments.json:
        print(json.dumps({**report.to_json(), "examples_per_second": examples_per_second}))
    else:
        print(report.format_tables())
        print(f"\n{examples_per_second:.1f} texts/s ({predictor.name} on {predictor.device_name})")


def _compare(arguments: Namespace) -> None:
    parse_data = _read(arguments.data, arguments.format)
    from ner_core.comparison_report import ComparisonReport
    from ner_core.prediction import Predictor
    from ner_core.significance import compare

    predictor_a, predictor_b = (Predictor.load(checkpoint) for checkpoint in arguments.compare)
    labels = predictor_a.labels
    if set(labels.labels) != set(predictor_b.labels.labels):
        raise ValueError(
            f"expected two checkpoints of the same labels, got {', '.join(labels.labels)}"
            f" ({arguments.compare[0]}) and {', '.join(predictor_b.labels.labels)}"
            f" ({arguments.compare[1]})"
        )
    examples = parse_data(labels)
    texts = [example.text for example in examples]
    gold = [example.spans for example in examples]
    counts_a, counts_b = (
        count_spans(gold, _predict(predictor, examples), texts, labels)
        for predictor in (predictor_a, predictor_b)
    )
    checkpoint_a, checkpoint_b = arguments.compare
    comparison = compare(counts_a, counts_b, num_resamples=arguments.bootstrap)
    report = ComparisonReport(checkpoint_a, checkpoint_b, comparison)
    print(json.dumps(report.to_json()) if arguments.json else report.format_tables())


def _predict(predictor: "Predictor", examples: Sequence[Example]) -> list[tuple[Span, ...]]:
    predictions = predictor.predict([example.text for example in examples])
    return [prediction.spans for prediction in predictions]


def _read(path: str, format_name: str) -> Callable[[LabelSet], tuple[Example, ...]]:
    """Read a file at once; parse it when the labels that may occur are known."""
    text = decode_text(Path(path).read_bytes(), path)
    return lambda labels: _parse(text, path, format_name, labels).examples


def _parse(text: str, source: str, format_name: str, labels: LabelSet) -> Corpus:
    parse = parse_conll if format_name == "conll" else parse_cluener
    corpus = parse(text, source=source, labels=labels)
    if not corpus.examples:
        raise DataFormatError(source, None, "expected at least one labelled text, got none")
    if corpus.num_unlabelled:
        raise DataFormatError(
            source,
            None,
            f'expected "label" in every line, got {corpus.num_unlabelled} lines without it',
        )
    return corpus


if __name__ == "__main__":
    sys.exit(main())
