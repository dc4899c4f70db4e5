"""What a measurement found, as a JSON object and as a table for the terminal. No torch."""

from dataclasses import asdict, dataclass

from ner_core.error_analysis import ERRORS, ErrorCounts, ExampleErrors, Outcome
from ner_core.evaluation import Evaluation, Scores
from ner_core.seen_mentions import SeenScores
from ner_core.significance import LEVEL, Interval

_NAMES = {outcome: outcome.value.replace("_", " ") for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class EvaluationReport:
    """Everything measured of one checkpoint on one file.

    Attributes:
        checkpoint: The checkpoint's name.
        data: Name of the labelled file.
        evaluation: Scores.
        interval: 95 % interval of micro F1.
        num_resamples: Resamples behind the interval.
        errors: How often each kind of error occurs.
        examples: Each text with its errors.
        seen: Scores on seen and on unseen mentions; None where nobody named the training data.
    """

    checkpoint: str
    data: str
    evaluation: Evaluation
    interval: Interval
    num_resamples: int
    errors: ErrorCounts
    examples: tuple[ExampleErrors, ...]
    seen: SeenScores | None

    def to_json(self) -> dict[str, object]:
        """The keys of `Evaluation.to_json` and those that this report adds.

        "confusion" counts gold spans by gold label, then predicted label, where the borders agree;
        "other_borders", "missed" and "spurious" hold the rest, so that each gold span is counted
        once by its gold label, and each predicted span once by its predicted label.
        """
        labels, errors = self.errors.labels, self.errors
        report = {
            **self.evaluation.to_json(),
            "macro": asdict(self.evaluation.macro),
            "confidence_interval": {
                **asdict(self.interval),
                "level": LEVEL,
                "num_resamples": self.num_resamples,
            },
            "errors": {outcome.value: errors.total(outcome) for outcome in Outcome},
            "f1_if_repaired": {outcome.value: errors.f1_if_repaired(outcome) for outcome in ERRORS},
            "confusion": {
                gold: {predicted: errors.confused(gold, predicted) for predicted in labels}
                for gold in labels
            },
            "other_borders": {
                "gold": {label: errors.found_elsewhere(label) for label in labels},
                "predicted": {label: errors.misplaced(label) for label in labels},
            },
            "missed": {label: errors.missed(label) for label in labels},
            "spurious": {label: errors.spurious(label) for label in labels},
        }
        if self.seen is not None:
            report |= asdict(self.seen)
        return report

    def format_tables(self) -> str:
        """Scores, kinds of errors and the table of confusions, as lines of text."""
        evaluation = self.evaluation
        rows = [f"{'label':<16}{'precision':>10}{'recall':>10}{'f1':>10}{'support':>10}"]
        rows += [_format_scores(label, scores) for label, scores in evaluation.per_label.items()]
        rows += [
            _format_scores("all (micro)", evaluation.micro),
            _format_scores("all (macro)", evaluation.macro),
        ]
        if self.seen is not None:
            rows += [
                _format_scores("seen mentions", self.seen.seen),
                _format_scores("unseen mentions", self.seen.unseen),
            ]
        rows += [
            f"micro F1 {evaluation.micro.f1:.4f}, 95 % interval {self.interval.low:.4f} to"
            f" {self.interval.high:.4f} ({self.num_resamples} bootstrap resamples)",
            f"official CLUENER macro F1 {evaluation.official_macro_f1:.4f},"
            f" {evaluation.num_examples} texts",
            "",
            *self._format_errors(),
            "",
            *self._format_confusions(),
        ]
        return "\n".join(rows)

    def _format_errors(self) -> list[str]:
        errors = self.errors
        rows = [f"{'error':<26}{'number':>10}{'share':>10}{'F1 without':>12}"]
        for outcome in ERRORS:
            total = errors.total(outcome)
            share = total / errors.num_errors if errors.num_errors else 0.0
            rows.append(
                f"{_NAMES[outcome]:<26}{total:>10}{share:>10.1%}"
                f"{errors.f1_if_repaired(outcome):>12.4f}"
            )
        return rows

    def _format_confusions(self) -> list[str]:
        """Rows are gold labels, columns predicted ones, named by the numbers of the rows."""
        labels, errors = self.errors.labels, self.errors
        width = 6
        head = "".join(f"{number:>{width}}" for number in range(1, len(labels) + 1))
        rows = [
            "gold labels in rows, predicted labels in columns, where the borders agree",
            f"{'':<20}{head}{'borders':>9}{'missed':>8}",
        ]
        for number, gold in enumerate(labels, start=1):
            cells = "".join(
                f"{errors.confused(gold, predicted) or '.':>{width}}" for predicted in labels
            )
            rows.append(
                f"{f'{number:>3} {gold}':<20}{cells}"
                f"{errors.found_elsewhere(gold):>9}{errors.missed(gold):>8}"
            )
        for name, count in (("borders", errors.misplaced), ("spurious", errors.spurious)):
            cells = "".join(f"{count(label):>{width}}" for label in labels)
            rows.append(f"{f'    {name}':<20}{cells}")
        return rows


def _format_scores(name: str, scores: Scores) -> str:
    numbers = "".join(f"{n:>10.4f}" for n in (scores.precision, scores.recall, scores.f1))
    return f"{name:<16}{numbers}{scores.support:>10}"
