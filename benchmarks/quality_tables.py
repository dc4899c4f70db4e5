"""Measured and published scores side by side, as Markdown tables: those of the README."""

from collections.abc import Iterable, Iterator, Sequence

from benchmarks.entity_free import FalseAlarm, FalseAlarms
from benchmarks.labelled_data import DataSet
from benchmarks.model_quality import Quality
from benchmarks.published_results import PublishedResult
from ner_core.spans import Span

_COLUMNS = (
    "model",
    "strict micro F1",
    "official macro F1",
    "size",
    "sentences/s",
    "false alarms",
    "measured here or quoted",
)


def format_results(
    data_set: DataSet, measured: Sequence[Quality], published: Iterable[PublishedResult]
) -> str:
    """A table of the models of one data set, one row each, and one of their labels.

    Args:
        data_set: Which; rows of other data sets are left out.
        measured: Of any data set.
        published: Of any data set.
    """
    here = [quality for quality in measured if quality.data_set == data_set.name]
    quoted = [result for result in published if result.data_set == data_set.name]
    rows = [*map(_measured_row, here), *map(_quoted_row, quoted)]
    header = ("label", *(quality.checkpoint for quality in here), "entities")
    return "\n\n".join((_table(_COLUMNS, rows), _table(header, _label_rows(here))))


def format_false_alarms(quality: Quality) -> str:
    """How many sentences of each kind fooled a model, and what it found in each of them."""
    alarms = quality.false_alarms
    kinds = (
        f"{kind} {number} of {alarms.num_sentences[kind]}"
        for kind, number in alarms.num_alarms.items()
    )
    summary = f"{quality.checkpoint}: {_share(alarms)}"
    if not alarms.alarms:
        return summary
    return "\n".join((f"{summary}: {', '.join(kinds)}", "", *map(_alarm_line, alarms.alarms)))


def _measured_row(quality: Quality) -> tuple[str, ...]:
    evaluation, interval = quality.evaluation, quality.micro_f1_interval
    return (
        f"`{quality.checkpoint}`",
        f"**{evaluation.micro.f1:.3f}** ({interval.low:.3f} to {interval.high:.3f})",
        f"{evaluation.official_macro_f1:.3f}",
        f"{quality.megabytes:.1f} MB",
        f"{quality.sentences_per_second:.0f}",
        _share(quality.false_alarms),
        f"measured here, {evaluation.num_examples:,} sentences",
    )


def _quoted_row(result: PublishedResult) -> tuple[str, ...]:
    micro_f1 = " to ".join(f"{value:.3f}" for value in result.micro_f1)
    macro_f1 = "" if result.official_macro_f1 is None else f"{result.official_macro_f1:.3f}"
    origin = f"quoted: {result.source}; {result.measured_on}"
    return (result.model, micro_f1, macro_f1, "", "", "", origin)


def _label_rows(measured: Sequence[Quality]) -> Iterator[tuple[str, ...]]:
    first = measured[0].evaluation.per_label
    for label, scores in first.items():
        f1 = (f"{quality.evaluation.per_label[label].f1:.3f}" for quality in measured)
        yield (label, *f1, f"{scores.support:,}")


def _share(alarms: FalseAlarms) -> str:
    num_sentences = sum(alarms.num_sentences.values())
    return f"{alarms.rate:.1%} of {num_sentences} sentences"


def _alarm_line(alarm: FalseAlarm) -> str:
    text = alarm.sentence.text
    found = "; ".join(_describe_span(span, text) for span in alarm.spans)
    return f"- {alarm.sentence.kind}: {text} -> {found}"


def _describe_span(span: Span, text: str) -> str:
    described = f"{text[span.start : span.end]!r} {span.label}"
    return described if span.score is None else f"{described} {span.score:.2f}"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (header, ["---"] * len(header), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
