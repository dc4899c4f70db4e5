"""What a comparison of two checkpoints found, in words, as a table and as a JSON object."""

from dataclasses import asdict, dataclass

from ner_core.significance import LEVEL, Comparison


@dataclass(frozen=True, slots=True)
class ComparisonReport:
    """Two checkpoints on one file.

    Attributes:
        checkpoint_a: What the user calls checkpoint A.
        checkpoint_b: What the user calls checkpoint B.
        comparison: What was measured.
    """

    checkpoint_a: str
    checkpoint_b: str
    comparison: Comparison

    def to_json(self) -> dict[str, object]:
        """Scores of "a" and "b", the "difference" of micro F1 (B minus A) and its test.

        "is_better" is true only where B is better than A at the 5 % level; "verdict" is "better",
        "worse" or "not shown".
        """
        comparison = self.comparison
        return {
            "a": {"checkpoint": self.checkpoint_a, **comparison.a.to_json()},
            "b": {"checkpoint": self.checkpoint_b, **comparison.b.to_json()},
            "difference": comparison.difference,
            "confidence_interval": {
                **asdict(comparison.interval),
                "level": LEVEL,
                "num_resamples": comparison.num_resamples,
            },
            "p_value": comparison.p_value,
            "verdict": comparison.verdict,
            "is_better": comparison.verdict == "better",
            "conclusion": self.conclusion,
            "per_label": {label: asdict(it) for label, it in comparison.per_label.items()},
            "num_examples": comparison.a.num_examples,
        }

    @property
    def conclusion(self) -> str:
        """Whether B is really better, in one or two sentences."""
        comparison = self.comparison
        points = f"{abs(100 * comparison.difference):.2f} points of micro F1"
        chance = f"p = {comparison.p_value:.2g}, {comparison.a.num_examples} texts"
        if comparison.verdict == "better":
            return (
                f"B is better than A by {points}, more than chance is likely to explain ({chance})."
            )
        if comparison.verdict == "worse":
            return (
                f"B is worse than A by {points}, more than chance is likely to explain ({chance})."
            )
        if comparison.difference == 0:
            return f"B is not better than A: their micro F1 is the same ({chance})."
        higher, lower = ("B", "A") if comparison.difference > 0 else ("A", "B")
        return (
            f"B is not shown to be better than A: {higher} scores {points} above {lower}, which"
            f" chance can explain ({chance})."
        )

    def format_tables(self) -> str:
        """Scores side by side, the difference, and the conclusion."""
        comparison = self.comparison
        a, b = comparison.a, comparison.b
        rows = [
            f"A  {self.checkpoint_a}",
            f"B  {self.checkpoint_b}",
            "",
            f"{'F1':<16}{'A':>10}{'B':>10}{'B - A':>10}   95 % interval",
        ]
        for label, it in comparison.per_label.items():
            rows.append(
                f"{label:<16}{it.f1_a:>10.4f}{it.f1_b:>10.4f}{it.difference:>+10.4f}"
                f"   {it.interval.low:+.4f} to {it.interval.high:+.4f}"
            )
        rows.append(
            f"{'all (micro)':<16}{a.micro.f1:>10.4f}{b.micro.f1:>10.4f}"
            f"{comparison.difference:>+10.4f}"
            f"   {comparison.interval.low:+.4f} to {comparison.interval.high:+.4f}"
        )
        for name, f1_a, f1_b in (
            ("all (macro)", a.macro_f1, b.macro_f1),
            ("official macro", a.official_macro_f1, b.official_macro_f1),
        ):
            rows.append(f"{name:<16}{f1_a:>10.4f}{f1_b:>10.4f}{f1_b - f1_a:>+10.4f}")
        rows += [
            "",
            self.conclusion,
            f"Paired bootstrap with {comparison.num_resamples} resamples. It tells what other texts"
            f" would change, not what another training seed would.",
        ]
        return "\n".join(rows)
