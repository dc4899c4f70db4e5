"""Find what gold data usually hide: python -m ner_core.lint.

The same string labelled here and not there, or with two labels; half of 《》 or （） inside a span;
blanks or punctuation at a border; with --checkpoint also labels that the model contradicts with
high probability. See `ner_core.findings.FindingKind`. Findings are ranked: the most suspicious
first. They are suspicions; nothing is changed.
"""

import json
import sys
from argparse import Namespace
from collections.abc import Sequence, Set
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ner_core.command_line import CommandLineParser, number_between, run_command
from ner_core.conll import parse_conll
from ner_core.findings import Finding, FindingKind, count_kinds, rank_findings
from ner_core.formats import DataFormatError, decode_text, parse_cluener
from ner_core.lint_borders import lint_borders
from ner_core.lint_model import ModelOpinion, lint_by_model
from ner_core.lint_strings import lint_strings
from ner_core.spans import Example, Span

if TYPE_CHECKING:
    from ner_core.prediction import Predictor

PROG = "python -m ner_core.lint"
MIN_PROBABILITY: Final = 0.95
"""How sure a model must be to contradict."""
# Characters of the text around a finding.
_CONTEXT: Final = 12


def lint(
    examples: Sequence[Example],
    opinions: Sequence[ModelOpinion] | None = None,
    *,
    min_probability: float = MIN_PROBABILITY,
) -> tuple[Finding, ...]:
    """Everything suspicious in labelled data, the most suspicious first.

    Args:
        examples: The data; all of it at once, because it is compared with itself.
        opinions: What a model says of each example; None to go without.
        min_probability: How sure the model must be to contradict.

    Raises:
        ValueError: There is not one opinion for each example.
    """
    findings = [*lint_borders(examples), *lint_strings(examples)]
    if opinions is not None:
        findings += lint_by_model(examples, opinions, min_probability=min_probability)
    return rank_findings(findings)


def ask_model(
    predictor: "Predictor",
    examples: Sequence[Example],
    predictions: Sequence[tuple[Span, ...]] | None = None,
    *,
    known_labels: Set[str] | None = None,
) -> list[ModelOpinion]:
    """A model's opinion on each example.

    Args:
        predictor: The model.
        examples: The data.
        predictions: What the model finds in each, where that is known already.
        known_labels: The labels on which it has something to say; None for all of its own.
    """
    if predictions is None:
        found = predictor.predict([example.text for example in examples])
        predictions = [prediction.spans for prediction in found]
    known = set(predictor.labels.labels) if known_labels is None else known_labels
    # Only what no prediction touches has to be weighed: a few texts are read a second time.
    untouched = [
        [span for span in example.spans if not any(map(span.overlaps, predicted))]
        for example, predicted in zip(examples, predictions, strict=True)
    ]
    asked = [index for index, spans in enumerate(untouched) if spans]
    weighed = predictor.outside_probabilities(
        [examples[index].text for index in asked], [untouched[index] for index in asked]
    )
    outside: dict[tuple[int, Span], float] = {
        (index, span): probability
        for index, probabilities in zip(asked, weighed, strict=True)
        for span, probability in zip(untouched[index], probabilities, strict=True)
    }
    return [
        ModelOpinion(
            predicted,
            tuple(
                outside.get((index, span), 0.0) if span.label in known else None
                for span in example.spans
            ),
        )
        for index, (example, predicted) in enumerate(zip(examples, predictions, strict=True))
    ]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0 whatever is found, or see `ner_core.command_line`.
    """
    arguments = _build_parser().parse_args(argv)
    return run_command(PROG, lambda: _lint(arguments))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Find what is probably wrong in labelled data.")
    parser.add_argument(
        "--data", required=True, metavar="FILE", help="labelled texts, UTF-8 or GB18030"
    )
    parser.add_argument(
        "--format",
        choices=("cluener", "conll"),
        default="cluener",
        help="CLUENER JSON lines, or a character and its BIO tag in each line",
    )
    parser.add_argument(
        "--checkpoint", metavar="DIR", help="a model to contradict: checkpoint directory or Hub id"
    )
    parser.add_argument(
        "--min-probability",
        type=number_between(float, 0.5, 1.0),
        metavar="P",
        help=f"how sure the model must be to contradict (default: {MIN_PROBABILITY})",
    )
    parser.add_argument(
        "--limit",
        type=number_between(int, 0, 10_000_000),
        default=50,
        metavar="N",
        help="findings to list; all are counted, and --json lists all",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object, no list")
    return parser


def _lint(arguments: Namespace) -> None:
    if arguments.min_probability is not None and arguments.checkpoint is None:
        raise ValueError("expected --checkpoint with --min-probability, got none")
    examples = _read(arguments.data, arguments.format)
    opinions = None
    if arguments.checkpoint is not None:
        from ner_core.prediction import Predictor

        opinions = ask_model(Predictor.load(arguments.checkpoint), examples)
    findings = lint(
        examples, opinions, min_probability=arguments.min_probability or MIN_PROBABILITY
    )
    counts = count_kinds(findings)
    if opinions is None:
        del counts[FindingKind.CONTRADICTED]
    if arguments.json:
        report = {
            "num_examples": len(examples),
            "num_spans": sum(len(example.spans) for example in examples),
            "counts": counts,
            "findings": [_to_json(finding, examples[finding.index]) for finding in findings],
        }
        print(json.dumps(report, ensure_ascii=False))
        return
    for finding in findings[: arguments.limit]:
        print(_format_finding(finding, examples[finding.index]))
    num_hidden = len(findings) - arguments.limit
    if findings:
        more = f"\n... and {num_hidden} more: --limit {len(findings)} lists all\n"
        print(more if num_hidden > 0 else "")
    for kind, count in counts.items():
        print(f"{count:7d}  {kind}")
    print(f"{len(findings):7d}  findings in {len(examples)} texts")


def _read(path: str, format_name: str) -> tuple[Example, ...]:
    parse = parse_conll if format_name == "conll" else parse_cluener
    corpus = parse(decode_text(Path(path).read_bytes(), path), source=path)
    if corpus.num_unlabelled or not corpus.examples:
        got = f"{corpus.num_unlabelled} lines without it" if corpus.num_unlabelled else "none"
        raise DataFormatError(path, None, f"expected labelled texts, got {got}")
    return corpus.examples


def _to_json(finding: Finding, example: Example) -> dict[str, object]:
    return {
        "kind": finding.kind,
        "text": finding.index + 1,
        "id": example.id,
        "mention": example.text[finding.place.start : finding.place.end],
        "span": _span_to_json(finding.span),
        "proposal": _span_to_json(finding.proposal),
        "suspicion": round(finding.suspicion, 6),
        "num_like": finding.num_like,
        "num_other": finding.num_other,
    }


def _span_to_json(span: Span | None) -> dict[str, object] | None:
    return {"start": span.start, "end": span.end, "label": span.label} if span else None


def _format_finding(finding: Finding, example: Example) -> str:
    """One line: place, kind, what stands there and what is proposed, and the text around it."""
    place, text = finding.place, example.text
    before = text[max(0, place.start - _CONTEXT) : place.start]
    after = text[place.end : place.end + _CONTEXT]
    change = f"{_name(finding.span, text)} -> {_name(finding.proposal, text)}"
    context = f"{before}[{text[place.start : place.end]}]{after}".replace("\n", "⏎")
    number = f"text {finding.index + 1}:{place.start}-{place.end}"
    return f"{finding.suspicion:.2f}  {number}  {finding.kind}  {change}  |  {context}"


def _name(span: Span | None, text: str) -> str:
    return f"{text[span.start : span.end]!r} {span.label}" if span else "?"


if __name__ == "__main__":
    sys.exit(main())
