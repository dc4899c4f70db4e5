"""Tag the texts of a file: python -m ner_core.predict.

Input: JSON lines if the file's name ends in .jsonl or .json, or if its first line is a JSON object
with a "text" string; the objects' "text" and "id" are read. Otherwise plain text: each line is one
text, empty lines too, so that output line n belongs to input line n. UTF-8 or GB18030.

Output: CLUENER JSON lines in UTF-8, ends inclusive. With --scores each object also has "scores",
which has the shape of "label" and holds a probability where "label" holds a position.
"""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from ner_core.command_line import CommandLineParser, check_output_file, run_command
from ner_core.formats import (
    DataFormatError,
    decode_text,
    format_cluener_line,
    format_json_line,
    parse_json_line,
    parse_text_line,
    split_lines,
    write_lines,
)
from ner_core.spans import Example, Span

PROG = "python -m ner_core.predict"
_STANDARD_STREAM = "-"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, or see `ner_core.command_line`.
    """
    arguments = _build_parser().parse_args(argv)
    return run_command(PROG, lambda: _predict(arguments))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Tag the texts of a file; writes CLUENER JSON lines.")
    parser.add_argument(
        "--checkpoint", required=True, metavar="DIR", help="checkpoint directory or Hub id"
    )
    parser.add_argument(
        "--input",
        required=True,
        metavar="FILE",
        help='plain text, one text in each line, or JSON lines with "text"; - for standard input',
    )
    parser.add_argument(
        "--output",
        required=True,
        metavar="FILE",
        help="written whole or not at all; - for standard output",
    )
    parser.add_argument(
        "--scores",
        action="store_true",
        help='add "scores": the probability of each entity, in the shape of "label"',
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="where the model runs"
    )
    return parser


def _predict(arguments: Namespace) -> None:
    # What can be wrong without the model is found before the seconds that torch and the model take.
    if arguments.output != _STANDARD_STREAM:
        check_output_file(Path(arguments.output), "--output")
    examples = _read_input(arguments.input)
    from ner_core.prediction import Predictor

    predictor = Predictor.load(arguments.checkpoint, device=arguments.device)
    started = time.perf_counter()
    predictions = predictor.predict([example.text for example in examples])
    seconds = time.perf_counter() - started
    lines = [
        _format_line(Example(example.id, example.text, prediction.spans), arguments.scores)
        for example, prediction in zip(examples, predictions, strict=True)
    ]
    if arguments.output == _STANDARD_STREAM:
        sys.stdout.buffer.write("".join(f"{line}\n" for line in lines).encode())
    else:
        write_lines(arguments.output, lines)
    num_spans = sum(len(prediction.spans) for prediction in predictions)
    print(
        f"{len(examples)} texts, {num_spans} entities, {seconds:.1f} s"
        f" ({predictor.name} on {predictor.device_name})",
        file=sys.stderr,
    )


def _read_input(path: str) -> list[Example]:
    if path == _STANDARD_STREAM:
        data, source = sys.stdin.buffer.read(), "<stdin>"
    else:
        data, source = Path(path).read_bytes(), path
    lines = split_lines(decode_text(data, source))
    numbered = list(enumerate(lines, start=1))
    if Path(source).suffix in (".jsonl", ".json") or _begins_as_json_lines(lines):
        return [
            parse_text_line(line, source=source, line_number=line_number)
            for line_number, line in numbered
            if line.strip()
        ]
    examples = []
    for line_number, line in numbered:
        try:
            examples.append(Example("", line))
        except ValueError as error:
            raise DataFormatError(source, line_number, str(error)) from None
    return examples


def _begins_as_json_lines(lines: Sequence[str]) -> bool:
    first_line = next((line for line in lines if line.strip()), "")
    try:
        record = parse_json_line(first_line, source="", line_number=1)
    except DataFormatError:
        return False
    return isinstance(record.get("text"), str)


def _format_line(example: Example, with_scores: bool) -> str:
    line = format_cluener_line(example)
    if not with_scores:
        return line
    scores: dict[str, dict[str, list[float | None]]] = {}
    for span in sorted(example.spans, key=lambda span: (span.label, span)):
        mention = example.text[span.start : span.end]
        scores.setdefault(span.label, {}).setdefault(mention, []).append(_round(span))
    return format_json_line({**json.loads(line), "scores": scores})


def _round(span: Span) -> float | None:
    return None if span.score is None else round(span.score, 6)


if __name__ == "__main__":
    sys.exit(main())
