"""The page 统计 / Statistics: how far a project is, what is in it, and how fast the work goes.

Each card shows one query of the store, as a chart and as a table.
"""

import csv
import reprlib
import secrets
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import gradio as gr
import pandas as pd

from annotation_store.corrections import Corrections, count_corrections
from annotation_store.documents import Status
from annotation_store.moments import MAX_UTC_OFFSET_MIN
from annotation_store.projects import Project
from annotation_store.statistics import (
    DayProgress,
    LabelCount,
    LengthCount,
    count_labels,
    count_lengths,
    count_progress,
)
from annotation_store.store import AnnotationStore
from annotation_store.working_time import (
    PAUSE_S,
    AnnotatorWork,
    DayPace,
    count_pace,
    count_work,
)
from webui.label_style import style_labels
from webui.messages import refuse, reports_errors
from webui.page_language import language_of
from webui.project_choice import find_project
from webui.settings import Settings
from webui.statistics_cards import (
    Card,
    Cell,
    Chart,
    corrections_card,
    labels_card,
    lengths_card,
    pace_card,
    progress_card,
    status_card,
    work_card,
)
from webui.texts import TEXTS, Language
from webui.wording.statistics import STATISTICS

_ASSETS: Final = Path(__file__).parent / "page"
_CHART_HEIGHT_PX: Final = 260
# Names below an axis that are longer than this together are slanted, so that a phone has room for
# them; in Latin characters, of which a Chinese one takes two.
_MAX_LEVEL_WIDTH: Final = 30

CARDS: Final[Mapping[str, type[gr.BarPlot] | type[gr.LinePlot]]] = {
    "status": gr.BarPlot,
    "progress": gr.LinePlot,
    "labels": gr.BarPlot,
    "work": gr.BarPlot,
    "pace": gr.LinePlot,
    "lengths": gr.BarPlot,
    "corrections": gr.BarPlot,
}
"""The cards in their order, each with its kind of chart."""


class ProjectCounts:
    """The counts of a project: each is one query, made when somebody first asks for it."""

    def __init__(self, store: AnnotationStore, project: Project, utc_offset_min: int) -> None:
        self.project = project
        self._store = store
        self._offset = utc_offset_min
        self._source: dict[str, Any] = {"database": store.database, "project": project.name}

    @cached_property
    def status(self) -> dict[Status, int]:
        """Texts of each status."""
        return self._store.counts(project=self.project.name)

    @cached_property
    def progress(self) -> tuple[DayProgress, ...]:
        """See `count_progress`."""
        return count_progress(**self._source, utc_offset_min=self._offset)

    @cached_property
    def labels(self) -> tuple[LabelCount, ...]:
        """See `count_labels`; of accepted texts, which are what an export and training take."""
        return count_labels(**self._source, status="accepted")

    @cached_property
    def work(self) -> tuple[AnnotatorWork, ...]:
        """See `count_work`."""
        return count_work(**self._source)

    @cached_property
    def pace(self) -> tuple[DayPace, ...]:
        """See `count_pace`."""
        return count_pace(**self._source, utc_offset_min=self._offset)

    @cached_property
    def lengths(self) -> tuple[LengthCount, ...]:
        """See `count_lengths`."""
        return count_lengths(**self._source)

    @cached_property
    def corrections(self) -> tuple[Corrections, ...]:
        """See `count_corrections`."""
        return count_corrections(**self._source)


def make_card(name: str, counts: ProjectCounts, language: Language) -> Card:
    """One of the `CARDS` in a visitor's language."""
    words = TEXTS[language]
    styles = style_labels(counts.project.labels, counts.project.settings)
    match name:
        case "status":
            return status_card(counts.status, words)
        case "progress":
            return progress_card(counts.progress, words)
        case "labels":
            return labels_card(counts.labels, styles, words, language=language)
        case "work":
            return work_card(counts.work, words, pause_s=PAUSE_S)
        case "pace":
            return pace_card(counts.pace, words)
        case "lengths":
            return lengths_card(counts.lengths, words)
        case "corrections":
            return corrections_card(counts.corrections, styles, words, language=language)
    raise refuse(f"expected one of the cards {', '.join(CARDS)}, got {reprlib.repr(name)}")


class StatisticsHandlers:
    """The event handlers of the page, over its store."""

    def __init__(self, store: AnnotationStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    @reports_errors
    def show(self, project: object, event: gr.EventData, request: gr.Request) -> tuple[Any, ...]:
        """Everything on the page: the figures, then the chart and the table of each card."""
        language = language_of(request)
        counts = self._count(project, event, language)
        answer: list[Any] = []
        for name, plot in CARDS.items():
            card = make_card(name, counts, language)
            answer += [_draw(card.chart, plot), asdict(card) | {"chart": card.chart is not None}]
        return (_sum_up(counts), *answer)

    @reports_errors
    def download(self, project: object, event: gr.EventData, request: gr.Request) -> str:
        """Write the table of a card as a CSV file; the file's path."""
        name = _read(event).get("card")
        language = language_of(request)
        card = make_card(str(name), self._count(project, event, language), language)
        # In a folder of its own, so that two visitors may have files of one name.
        path = self._settings.download_folder / secrets.token_hex(8) / f"{name}.csv"
        path.parent.mkdir()
        write_csv(card, path)
        return str(path)

    def _count(self, project: object, event: gr.EventData, language: Language) -> ProjectCounts:
        offset = _read(event).get("utc_offset_min")
        if type(offset) is not int or abs(offset) > MAX_UTC_OFFSET_MIN:
            raise refuse(f"expected minutes from UTC, got {reprlib.repr(offset)}")
        return ProjectCounts(self._store, find_project(self._store, project, language), offset)


def write_csv(card: Card, path: Path) -> None:
    """Write a card's table for spreadsheets: UTF-8 with a byte order mark, which Excel needs.

    A text that a spreadsheet would take for a formula gets an apostrophe before it
    (owasp.org/www-community/attacks/CSV_Injection): annotators choose their names.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(column.heading for column in card.columns)
        writer.writerows([_disarm(cell) for cell in row] for row in card.rows)


def _disarm(cell: Cell) -> Cell:
    is_formula = isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    return f"'{cell}" if is_formula else cell


def _read(event: gr.EventData) -> dict[str, Any]:
    return event._data if isinstance(event._data, dict) else {}


def _sum_up(counts: ProjectCounts) -> dict[str, int | float | None]:
    """The figures at the top of the page, which cost no query of their own."""
    num_texts = sum(counts.status.values())
    seconds = sum(each.seconds for each in counts.work)
    num_timed = sum(each.num_timed_documents for each in counts.work)
    of_all_labels = counts.corrections[0]
    return {
        "num_texts": num_texts,
        "num_done": num_texts - counts.status["new"],
        "num_accepted": counts.status["accepted"],
        "num_entities": sum(each.num_spans for each in counts.labels),
        "minutes": seconds / 60,
        "per_hour": num_timed / seconds * 3600 if seconds else None,
        "num_compared": of_all_labels.num_documents,
        "num_untouched": of_all_labels.num_documents - of_all_labels.num_corrected_documents,
    }


def _draw(chart: Chart | None, plot: type[gr.BarPlot] | type[gr.LinePlot]) -> Any:
    """The chart as an update of its component, hidden where there is nothing to draw."""
    if chart is None:
        return plot(visible=False)
    names = list(dict.fromkeys(x for x, _, _ in chart.points))
    # The legend is a column of its own: a series may be called as an axis is.
    series = chart.series or "\u00a0"
    width = sum(len(name.encode("gb18030", "replace")) for name in names)
    frame = pd.DataFrame(chart.points, columns=[chart.x, chart.y, series])
    return plot(
        value=frame,
        x=chart.x,
        y=chart.y,
        color=series,
        x_title=chart.x,
        y_title=chart.y,
        color_title=chart.series,
        color_map=dict(chart.colors),
        colors_in_legend=list(chart.colors) if chart.series else [],
        sort=names,
        x_label_angle=-40 if width > _MAX_LEVEL_WIDTH else 0,
        y_lim=[0, 1.05 * (_height(chart, is_stacked=plot is gr.BarPlot) or 1)],
        visible=True,
    )


def _height(chart: Chart, *, is_stacked: bool) -> float:
    """The highest point, of bars that stand on each other or of lines."""
    heights: defaultdict[str, float] = defaultdict(float)
    for x, y, _ in chart.points:
        heights[x] = heights[x] + y if is_stacked else max(heights[x], y)
    return max(heights.values())


def build(
    store: AnnotationStore, settings: Settings, *, current_project: gr.State
) -> StatisticsHandlers:
    """Build the page inside the current Gradio context."""
    handlers = StatisticsHandlers(store, settings)
    summary = _view("summary", "statistics-summary")
    outputs: list[gr.components.Component] = [summary]
    titles = []
    with gr.Row(elem_classes="statistics-cards"):
        for name, plot in CARDS.items():
            with gr.Column(elem_classes="card statistic", elem_id=f"statistic-{name}", min_width=0):
                titles.append(_view("statistic_title", f"statistic-{name}-title", card=name))
                chart = plot(height=_CHART_HEIGHT_PX, container=False, min_width=0, visible=False)
                table = _view("statistic_table", f"statistic-{name}-table", card=name)
                outputs += [chart, table]
    file = gr.DownloadButton("", visible="hidden", elem_id="statistics-download")

    summary.show(
        handlers.show,
        inputs=current_project,
        outputs=outputs,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
    )
    current_project.change(
        None,
        js="() => document.dispatchEvent(new CustomEvent('ner:statistics'))",
        api_visibility="private",
    )
    for title in titles:
        title.download(
            handlers.download,
            inputs=current_project,
            outputs=file,
            show_progress="hidden",
            api_visibility="private",
        ).success(
            None,
            js="() => document.querySelector('#statistics-download').click()",
            api_visibility="private",
        )
    return handlers


def _view(name: str, elem_id: str, **props: Any) -> gr.HTML:
    return gr.HTML(
        html_template=(_ASSETS / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load=(_ASSETS / f"{name}.js").read_text(encoding="utf-8"),
        texts={
            language: {key: table[key] for key in STATISTICS} for language, table in TEXTS.items()
        },
        apply_default_css=False,
        elem_id=elem_id,
        **props,
    )
