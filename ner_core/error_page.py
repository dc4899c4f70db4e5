"""The errors of a checkpoint as one HTML page: no network, no script, light and dark.

What the page says stands in `error_page_texts`, how it is laid out in `error_page.html.jinja`, how
it looks in `error_page.css`. Jinja escapes every value; the page's content security policy would
stop a script all the same.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ner_core.error_analysis import ERRORS, Outcome, find_worst
from ner_core.error_excerpts import Run, cut_excerpts
from ner_core.error_page_texts import PAGE_TEXTS, PageLanguage
from ner_core.evaluation_report import EvaluationReport

NUM_WORST = 50
_TEMPLATE = "error_page.html.jinja"
# In CSS pixels, as in the style sheet.
_TEXT_SIZE, _LABEL_SIZE = 20, 11.5
_CLOSING_PUNCTUATION = re.compile("[、，。；：！？》〉）】」』”’…,.;:!?)]{1,3}")
_LONGEST_MENTION = 60  # characters; a wrong span may be as long as its text


def render_error_page(
    report: EvaluationReport, *, language: PageLanguage = "en", num_worst: int = NUM_WORST
) -> str:
    """The page: scores, kinds of errors, confusions, and the worst texts with their errors marked.

    Args:
        report: What was measured.
        language: Of the page's own words; labels stay as they are.
        num_worst: Texts shown at most (see `ner_core.error_analysis.find_worst`).
    """
    texts = PAGE_TEXTS[language]

    def say(key: str, **values: object) -> str:
        return texts[key].format(**values)

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=lambda share: f"{100 * share:.1f}",
        shorten=_shorten,
        lay_out=_lay_out,
    )
    worst = find_worst(report.examples, num_worst)
    errors = report.errors
    evaluation = report.evaluation
    num_gold = evaluation.micro.support
    page: str = environment.get_template(_TEMPLATE).render(
        language={"en": "en", "zh": "zh-Hans"}[language],
        say=say,
        report=report,
        evaluation=evaluation,
        errors=errors,
        error_kinds=ERRORS,
        num_predicted=num_gold - errors.total(Outcome.MISSED) + errors.total(Outcome.SPURIOUS),
        worst=[(example, cut_excerpts(example)) for example in worst],
    )
    return page


def _shorten(mention: str) -> str:
    """A mention for the list of errors; of a very long one the beginning and the end."""
    half = _LONGEST_MENTION // 2
    return mention if len(mention) <= _LONGEST_MENTION else f"{mention[:half]}…{mention[-half:]}"


@dataclass(frozen=True, slots=True)
class _LaidOutRun:
    """A run with what keeps it readable beside its neighbours.

    Attributes:
        run: What is shown.
        closing: Punctuation behind the run that must not begin a line.
        gap: Room to leave behind both, in CSS pixels, so that no label covers the next one.
        overhang: How far the run's labels reach beyond it, in CSS pixels.
    """

    run: Run
    closing: str = ""
    gap: int = 0
    overhang: int = 0

    @property
    def num_lanes_above(self) -> int:
        """Lanes of gold spans to leave room for."""
        return max((mark.lane + 1 for mark in self.run.gold), default=0)

    @property
    def num_lanes_below(self) -> int:
        """Lanes of predicted spans to leave room for."""
        return max((mark.lane + 1 for mark in self.run.predicted), default=0)


def _lay_out(runs: Sequence[Run]) -> list[_LaidOutRun]:
    """Browsers break lines before and after each marked run, and labels may be wider than runs."""
    laid_out: list[_LaidOutRun] = []
    position = 0.0
    label_ends: dict[tuple[bool, int], float] = {}  # by side and lane; widths are estimates
    for run in runs:
        labelled = [mark for mark in (*run.gold, *run.predicted) if mark.is_labelled]
        for mark in labelled:
            missing = ceil(label_ends.get((mark.is_gold, mark.lane), 0.0) - position)
            if missing > 0:
                laid_out[-1] = replace(laid_out[-1], gap=laid_out[-1].gap + missing)
                position += missing
        for mark in labelled:
            width = _width(mark.label) + 1.2 * bool(mark.number) + 0.7
            label_ends[mark.is_gold, mark.lane] = position + _LABEL_SIZE * width
        position += _TEXT_SIZE * _width(run.text)
        ends = [label_ends[mark.is_gold, mark.lane] for mark in labelled]
        closing = _CLOSING_PUNCTUATION.match(run.text)
        if closing and not run.is_marked and laid_out and laid_out[-1].run.is_marked:
            laid_out[-1] = replace(laid_out[-1], closing=closing.group())
            run = replace(run, text=run.text[closing.end() :])
        overhang = ceil(max(ends, default=position) - position)
        laid_out.append(_LaidOutRun(run, overhang=max(0, overhang)))
    return laid_out


def _width(text: str) -> float:
    """Width in em: 1 for a Chinese character, 0.6, a little more than the mean, for a Latin one."""
    num_wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return num_wide + 0.6 * (len(text) - num_wide)
