"""What each card of the page Statistics shows: a table, and a chart of the same numbers.

Plain functions from counts to values, in the visitor's words; `webui.statistics_tab` draws them.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

from annotation_store.corrections import Corrections
from annotation_store.documents import STATUSES, Status
from annotation_store.statistics import DayProgress, LabelCount, LengthCount
from annotation_store.working_time import AnnotatorWork, DayPace
from webui.label_style import LabelStyle

Words = Mapping[str, str]
"""Key to word in the visitor's language: `TEXTS[language]`."""

Cell = str | int | float | None
Kind = Literal["text", "count", "decimal", "percent"]

# At least 3:1 on a white card and on a dark one (WCAG 2.2, 1.4.11).
STATUS_COLORS: Final[Mapping[Status, str]] = {
    "new": "#7F8899",
    "accepted": "#3C9A52",
    "rejected": "#D2554C",
    "ignored": "#A27BD0",
    "flagged": "#D07A2C",
}
SERIES_COLORS: Final = ("#3B6EF5", "#D07A2C", "#2E9C95", "#B5589F", "#8A7A1E", "#7F8899")
_KEPT_COLOR, _ADDED_COLOR, _REMOVED_COLOR = "#3C9A52", "#3B6EF5", "#D2554C"

_MAX_BUCKETS: Final = 31
_MAX_BARS: Final = 20
# The longest texts share the last bar, so that one book does not flatten all sentences.
_SHARE_IN_BARS: Final = 0.99
_MAX_ANNOTATOR_COLUMNS: Final = 4


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its heading, and how its numbers are written."""

    heading: str
    kind: Kind = "count"


@dataclass(frozen=True, slots=True)
class Chart:
    """The points of a chart.

    Attributes:
        x: Title of the horizontal axis, whose values are names in the order of the points.
        y: Title of the vertical axis.
        points: (x, y, series).
        series: Title of the legend; "" when the colours say nothing that x does not.
        colors: Series to colour, in the order of the legend.
    """

    x: str
    y: str
    points: tuple[tuple[str, float, str], ...]
    series: str
    colors: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Card:
    """A table and its chart.

    Attributes:
        columns: One for each cell of a row.
        rows: Empty when there is nothing to count.
        chart: None when there is nothing to draw.
        note_values: What the words in braces of the card's note stand for.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    chart: Chart | None
    note_values: Mapping[str, str | int]


def status_card(counts: Mapping[Status, int], words: Words) -> Card:
    """Texts of each status."""
    names = {status: words[f"annotate.status_{status}"] for status in STATUSES}
    total = sum(counts.values())
    x, y = words["statistics.status"], words["statistics.texts"]
    columns = (Column(x, "text"), Column(y), Column(words["statistics.share"], "percent"))
    if not total:
        return Card(columns, (), None, {})
    return Card(
        columns,
        tuple((names[status], counts[status], counts[status] / total) for status in STATUSES),
        Chart(
            x,
            y,
            tuple((names[status], counts[status], names[status]) for status in STATUSES),
            series="",
            colors={names[status]: STATUS_COLORS[status] for status in STATUSES},
        ),
        {},
    )


def progress_card(days: Sequence[DayProgress], words: Words) -> Card:
    """Texts that are done, added up over days, weeks or months."""
    unit, starts = _group_days([each.day for each in days])
    new: Counter[date] = Counter()
    for each in days:
        new[starts[each.day]] += each.num_documents
    x, y = words[f"statistics.{unit}"], words["statistics.total_done"]
    columns = (Column(x, "text"), Column(words["statistics.new_done"]), Column(y))
    rows: list[tuple[str, int, int]] = []
    total = 0
    for start in _all_starts(unit, new):
        total += new[start]
        rows.append((start.isoformat(), new[start], total))
    if not rows:
        return Card(columns, (), None, {})
    # A line has to begin somewhere: at nothing, before the first text was done.
    before = (min(new) - timedelta(days=1)).isoformat()
    names = _shorten([before, *(row[0] for row in rows)])
    points = tuple(zip(names, (0, *(row[2] for row in rows)), [y] * len(names), strict=True))
    chart = Chart(x, y, points, series="", colors={y: SERIES_COLORS[0]})
    return Card(columns, tuple(rows), chart, {})


def labels_card(
    counts: Sequence[LabelCount], styles: Sequence[LabelStyle], words: Words, *, language: str
) -> Card:
    """Entities of each label, in all and by annotator."""
    names = name_labels(styles, language=language)
    num_spans: Counter[str] = Counter()
    num_texts: Counter[str] = Counter()
    by_annotator: dict[str, Counter[str]] = defaultdict(Counter)
    for each in counts:
        num_spans[each.label] += each.num_spans
        num_texts[each.label] += each.num_documents
        by_annotator[each.annotator][each.label] += each.num_spans
    annotators = sorted(by_annotator, key=lambda name: (-by_annotator[name].total(), name))
    shown = annotators[:_MAX_ANNOTATOR_COLUMNS] if len(annotators) > 1 else []
    columns = (
        Column(words["statistics.label"], "text"),
        Column(words["statistics.entities"]),
        Column(words["statistics.share"], "percent"),
        Column(words["statistics.texts"]),
        *(Column(name_annotator(annotator, words)) for annotator in shown),
    )
    total = num_spans.total()
    if not total:
        return Card(columns, (), None, {})
    # A label that was removed from the project may still be in its texts.
    labels = [*names, *sorted(num_spans.keys() - names.keys())]
    colors = {style.label: style.color for style in styles}
    named = {label: names.get(label, label) for label in labels}
    chart = Chart(
        words["statistics.label"],
        words["statistics.entities"],
        tuple((named[label], num_spans[label], named[label]) for label in labels),
        series="",
        colors={named[label]: colors.get(label, SERIES_COLORS[-1]) for label in labels},
    )
    rows: list[tuple[Cell, ...]] = []
    for label in labels:
        counts_of_shown = (by_annotator[annotator][label] for annotator in shown)
        share = num_spans[label] / total
        rows.append((named[label], num_spans[label], share, num_texts[label], *counts_of_shown))
    return Card(columns, tuple(rows), chart, {})


def work_card(work: Sequence[AnnotatorWork], words: Words, *, pause_s: float) -> Card:
    """What each person did, and how fast."""
    columns = (
        Column(words["statistics.annotator"], "text"),
        Column(words["statistics.texts"]),
        Column(words["statistics.entities"]),
        Column(words["statistics.saves"]),
        Column(words["statistics.changes"]),
        Column(words["statistics.minutes"], "decimal"),
        Column(words["statistics.per_hour"], "decimal"),
    )
    note_values = {"minutes": round(pause_s / 60)}
    if not work:
        return Card(columns, (), None, note_values)
    ordered = sorted(work, key=lambda each: (-sum(each.num_documents.values()), each.annotator))
    rows = tuple(
        (
            name_annotator(each.annotator, words),
            sum(each.num_documents.values()),
            each.num_spans,
            each.num_revisions,
            each.num_changes,
            each.seconds / 60,
            each.documents_per_hour,
        )
        for each in ordered
    )
    # A legend of all statuses is wider than a phone.
    status_names = {
        status: words[f"annotate.status_{status}"]
        for status in STATUSES
        if any(each.num_documents[status] for each in work)
    }
    chart = Chart(
        words["statistics.annotator"],
        words["statistics.texts"],
        tuple(
            (name_annotator(each.annotator, words), each.num_documents[status], name)
            for each in ordered
            for status, name in status_names.items()
        ),
        series=words["statistics.status"],
        colors={name: STATUS_COLORS[status] for status, name in status_names.items()},
    )
    return Card(columns, rows, chart, note_values)


def pace_card(paces: Sequence[DayPace], words: Words) -> Card:
    """Texts per hour of each person, over days, weeks or months; a chart from two of them on."""
    unit, starts = _group_days([each.day for each in paces])
    num_texts: Counter[tuple[date, str]] = Counter()
    seconds: defaultdict[tuple[date, str], float] = defaultdict(float)
    for each in paces:
        num_texts[starts[each.day], each.annotator] += each.num_timed_documents
        seconds[starts[each.day], each.annotator] += each.seconds
    x, y = words[f"statistics.{unit}"], words["statistics.per_hour"]
    columns = (
        Column(x, "text"),
        Column(words["statistics.annotator"], "text"),
        Column(words["statistics.timed_texts"]),
        Column(words["statistics.minutes"], "decimal"),
        Column(y, "decimal"),
    )
    rows: list[tuple[str, str, int, float, float | None]] = []
    for start, annotator in sorted(num_texts):
        key = start, annotator
        per_hour = num_texts[key] / seconds[key] * 3600 if seconds[key] else None
        name = name_annotator(annotator, words)
        rows.append((start.isoformat(), name, num_texts[key], seconds[key] / 60, per_hour))
    days = _shorten([row[0] for row in rows])
    points = tuple(
        (day, row[4], row[1]) for day, row in zip(days, rows, strict=True) if row[4] is not None
    )
    if len({point[0] for point in points}) < 2:
        return Card(columns, tuple(rows), None, {})
    names = sorted({point[2] for point in points})
    colors = {name: SERIES_COLORS[i % len(SERIES_COLORS)] for i, name in enumerate(names)}
    series = words["statistics.annotator"] if len(names) > 1 else ""
    return Card(columns, tuple(rows), Chart(x, y, points, series, colors), {})


def lengths_card(counts: Sequence[LengthCount], words: Words) -> Card:
    """Texts by length, in bars of equal width and one for the longest."""
    x, y = words["statistics.characters"], words["statistics.texts"]
    columns = (Column(x, "text"), Column(y), Column(words["statistics.share"], "percent"))
    total = sum(each.num_documents for each in counts)
    if not total:
        return Card(columns, (), None, {"median": 0, "longest": 0})
    width = _bar_width(_quantile(counts, _SHARE_IN_BARS))
    bars: Counter[int] = Counter()
    for each in counts:
        bars[min((each.length - 1) // width, _MAX_BARS)] += each.num_documents
    names = [
        words["statistics.more_than"].format(length=f"{index * width:,}")
        if index == _MAX_BARS
        else str(index + 1)
        if width == 1
        else f"{index * width + 1}–{(index + 1) * width}"
        for index in range(max(bars) + 1)
    ]
    rows = tuple((name, bars[i], bars[i] / total) for i, name in enumerate(names))
    points = tuple((name, bars[i], y) for i, name in enumerate(names))
    return Card(
        columns,
        rows,
        Chart(x, y, points, series="", colors={y: SERIES_COLORS[0]}),
        {"median": _quantile(counts, 0.5), "longest": counts[-1].length},
    )


def corrections_card(
    found: Sequence[Corrections], styles: Sequence[LabelStyle], words: Words, *, language: str
) -> Card:
    """Suggestions that were kept, and spans that people added or removed, by label."""
    names = name_labels(styles, language=language)
    kinds = tuple(words[f"statistics.{kind}"] for kind in ("kept", "added", "removed"))
    columns = (
        Column(words["statistics.label"], "text"),
        *(Column(kind) for kind in kinds),
        Column(words["statistics.texts"]),
        Column(words["statistics.corrected_texts"]),
    )
    total, *of_labels = found
    if not total.num_documents:
        return Card(columns, (), None, {})
    order = {label: index for index, label in enumerate(names)}
    of_labels.sort(key=lambda each: (order.get(each.label or "", len(order)), each.label or ""))
    rows: list[tuple[Cell, ...]] = []
    for each in (*of_labels, total):
        label = each.label
        name = words["statistics.all_labels"] if label is None else names.get(label, label)
        counts = (each.num_kept, each.num_added, each.num_removed)
        rows.append((name, *counts, each.num_documents, each.num_corrected_documents))
    if not of_labels:
        return Card(columns, tuple(rows), None, {})
    points = tuple(
        (str(row[0]), float(row[index] or 0), kind)
        for row in rows[:-1]
        for index, kind in enumerate(kinds, start=1)
    )
    colors = dict(zip(kinds, (_KEPT_COLOR, _ADDED_COLOR, _REMOVED_COLOR), strict=True))
    chart = Chart(
        words["statistics.label"],
        words["statistics.entities"],
        points,
        words["statistics.kind"],
        colors,
    )
    return Card(columns, tuple(rows), chart, {})


def name_labels(styles: Iterable[LabelStyle], *, language: str) -> dict[str, str]:
    """What each label is called; two labels of one name are told apart by the label itself."""
    names = {style.label: style.chinese if language == "zh" else style.english for style in styles}
    uses = Counter(names.values())
    return {
        label: name if uses[name] == 1 else f"{name} ({label})" for label, name in names.items()
    }


def name_annotator(annotator: str, words: Words) -> str:
    """An annotator's name, or what stands for none."""
    return annotator or words["statistics.no_name"]


def _group_days(days: Sequence[date]) -> tuple[Literal["day", "week", "month"], dict[date, date]]:
    """The shortest unit of which the axis has room, and the start of each day's unit."""
    num_days = (max(days) - min(days)).days + 1 if days else 1
    if num_days <= _MAX_BUCKETS:
        return "day", {day: day for day in days}
    if num_days <= 7 * (_MAX_BUCKETS - 1):
        return "week", {day: day - timedelta(days=day.weekday()) for day in days}
    return "month", {day: day.replace(day=1) for day in days}


def _all_starts(unit: str, starts: Iterable[date]) -> list[date]:
    """The starts from the first to the last, those between them too."""
    ordered = sorted(starts)
    if not ordered:
        return []
    found = [ordered[0]]
    while found[-1] < ordered[-1]:
        # 32 days reach into the next month, from its first day on.
        step = {"day": 1, "week": 7, "month": 32}[unit]
        following = found[-1] + timedelta(days=step)
        found.append(following.replace(day=1) if unit == "month" else following)
    return found


def _shorten(days: Sequence[str]) -> list[str]:
    """Days as an axis has room for: without the year where all are of one."""
    years = {day[:4] for day in days}
    return [day[5:] for day in days] if len(years) == 1 else list(days)


def _quantile(counts: Sequence[LengthCount], share: float) -> int:
    """The shortest length that at least this share of the texts does not exceed."""
    wanted = share * sum(each.num_documents for each in counts)
    seen = 0
    for each in counts:
        seen += each.num_documents
        if seen >= wanted:
            return each.length
    return counts[-1].length


def _bar_width(longest: int) -> int:
    """The least of 1, 2, 5, 10, 20, 50, ... of which `_MAX_BARS` reach the longest."""
    width = 1
    while width * _MAX_BARS < longest:
        is_five = str(width).startswith("2")
        width = width * 5 // 2 if is_five else width * 2
    return width
