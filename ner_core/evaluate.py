"""Measure a checkpoint on a labelled file: python -m ner_core.evaluate.

Reports strict precision, recall and F1 for each label and over all, and CLUENER's official macro
score (see `ner_core.evaluation`). Gold spans that overlap all count, though a tagger can find only
one of them.
"""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from ner_core.command_line import CommandLineParser, run_command
from ner_core.conll import parse_conll
from ner_core.evaluation import Evaluation, Scores, evaluate
from ner_core.formats import Corpus, DataFormatError, decode_text, parse_cluener
from ner_core.labels import LabelSet

PROG = "python -m ner_core.evaluate"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, or see `ner_core.command_line`.
    """
    arguments = _build_parser().parse_args(argv)
    return run_command(PROG, lambda: _evaluate(arguments))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Measure a checkpoint on a labelled file.")
    parser.add_argument(
        "--checkpoint", required=True, metavar="DIR", help="checkpoint directory or Hub id"
    )
    parser.add_argument(
        "--data", required=True, metavar="FILE", help="labelled texts, UTF-8 or GB18030"
    )
    parser.add_argument(
        "--format",
        choices=("cluener", "conll"),
        default="cluener",
        help="CLUENER JSON lines, or a character and its BIO tag in each line",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, no table")
    return parser


def _evaluate(arguments: Namespace) -> None:
    # A wrong file is found before the seconds that torch and the model take.
    text = decode_text(Path(arguments.data).read_bytes(), arguments.data)
    from ner_core.prediction import Predictor

    predictor = Predictor.load(arguments.checkpoint)
    corpus = _parse(text, arguments.data, arguments.format, predictor.labels)
    texts = [example.text for example in corpus.examples]
    predictor.predict(texts[:1])  # the first call also pays for what torch sets up once
    started = time.perf_counter()
    predictions = predictor.predict(texts)
    examples_per_second = len(texts) / (time.perf_counter() - started)
    evaluation = evaluate(
        gold=[example.spans for example in corpus.examples],
        predicted=[prediction.spans for prediction in predictions],
        texts=texts,
        labels=predictor.labels,
    )
    if arguments.json:
        print(json.dumps({**evaluation.to_json(), "examples_per_second": examples_per_second}))
    else:
        print(_format_table(evaluation))
        print(f"{examples_per_second:.1f} texts/s ({predictor.name} on {predictor.device_name})")


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


def _format_table(evaluation: Evaluation) -> str:
    rows = [f"{'label':<16}{'precision':>10}{'recall':>10}{'f1':>10}{'support':>10}"]
    rows += [_format_row(label, scores) for label, scores in evaluation.per_label.items()]
    rows += [
        _format_row("all (micro)", evaluation.micro),
        f"macro F1 {evaluation.macro_f1:.4f}, official CLUENER macro F1"
        f" {evaluation.official_macro_f1:.4f}, {evaluation.num_examples} texts",
    ]
    return "\n".join(rows)


def _format_row(name: str, scores: Scores) -> str:
    numbers = "".join(f"{n:>10.4f}" for n in (scores.precision, scores.recall, scores.f1))
    return f"{name:<16}{numbers}{scores.support:>10}"


if __name__ == "__main__":
    sys.exit(main())
