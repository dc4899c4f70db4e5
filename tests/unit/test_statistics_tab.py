"""The page Statistics without a browser: what its cards show, and the CSV files."""

import csv
from datetime import date, timedelta
from pathlib import Path

import gradio as gr
import pytest

from annotation_store.documents import STATUSES
from annotation_store.statistics import DayProgress, LabelCount, LengthCount
from annotation_store.store import AnnotationStore, NewDocument
from annotation_store.working_time import AnnotatorWork, DayPace
from ner_core.labels import CLUENER
from ner_core.spans import Span
from webui.label_style import LabelStyle, style_labels
from webui.settings import Settings
from webui.statistics_cards import (
    labels_card,
    lengths_card,
    name_labels,
    pace_card,
    progress_card,
    work_card,
)
from webui.statistics_tab import CARDS, StatisticsHandlers
from webui.texts import TEXTS

ENGLISH = gr.Request(headers={"accept-language": "en"})
WORDS = TEXTS["en"]
MONDAY = date(2026, 11, 16)


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


@pytest.fixture
def handlers(store, tmp_path):
    return StatisticsHandlers(store, Settings(tmp_path))


def event(**data):
    return gr.EventData(None, {"utc_offset_min": 480} | data)


def accept(store, text, spans, annotator="Lin"):
    (document_id,) = store.add([NewDocument(text)]).added_ids
    store.save(document_id, base_revision=0, spans=spans, status="accepted", annotator=annotator)


# Cards


def test_an_empty_project_has_cards_without_rows_and_charts(handlers):
    figures, *answers = handlers.show("default", event(), ENGLISH)
    assert figures["num_texts"] == figures["num_compared"] == 0
    assert figures["per_hour"] is None
    charts, tables = answers[::2], answers[1::2]
    assert len(charts) == len(tables) == len(CARDS)
    assert not any(chart.visible for chart in charts)
    assert all(table["rows"] == () and not table["chart"] for table in tables)


def test_a_chart_holds_the_numbers_of_its_table(handlers, store):
    accept(store, "浙商银行叶老桂", [Span(0, 4, "company"), Span(4, 7, "name")])
    accept(store, "叶老桂", [Span(0, 3, "name")])
    _figures, *answers = handlers.show("default", event(), ENGLISH)
    place = 2 * list(CARDS).index("labels")
    chart, table = answers[place : place + 2]
    drawn = {label: count for label, count, _ in chart.value["data"]}
    assert drawn == {row[0]: row[1] for row in table["rows"]}
    assert {label: count for label, count in drawn.items() if count} == {"company": 1, "name": 2}
    assert [row[2] for row in table["rows"] if row[1]] == [1 / 3, 2 / 3]


def test_days_without_work_stand_in_the_line_of_progress():
    days = (DayProgress(MONDAY, 2), DayProgress(MONDAY + timedelta(days=3), 5))
    card = progress_card(days, WORDS)
    assert [row[1:] for row in card.rows] == [(2, 2), (0, 2), (0, 2), (5, 7)]
    assert card.chart is not None
    assert [point[:2] for point in card.chart.points][:2] == [("11-15", 0), ("11-16", 2)]


@pytest.mark.parametrize(
    ("num_days", "heading", "num_rows"),
    [(31, "Day", 31), (32, "Week of", 5), (400, "Month of", 14)],
)
def test_a_long_project_is_counted_in_weeks_and_months(num_days, heading, num_rows):
    days = [DayProgress(MONDAY + timedelta(days=n), 1) for n in range(num_days)]
    card = progress_card(days, WORDS)
    assert card.columns[0].heading == heading
    assert len(card.rows) == num_rows
    assert card.rows[-1][2] == num_days


def test_two_labels_of_one_name_are_told_apart():
    styles = [LabelStyle(label, "#000000", "机构", "org") for label in ("ORG", "company")]
    assert name_labels(styles, language="zh") == {"ORG": "机构 (ORG)", "company": "机构 (company)"}


def test_a_label_that_the_project_no_longer_has_is_counted_all_the_same():
    counts = [LabelCount("gone", "Lin", 3, 2)]
    card = labels_card(counts, style_labels(CLUENER, None), WORDS, language="en")
    assert card.rows[-1] == ("gone", 3, 1.0, 2)


def test_each_annotator_has_a_column_of_labels():
    counts = [LabelCount("name", "", 3, 2), LabelCount("name", "Lin", 1, 1)]
    card = labels_card(counts, style_labels(CLUENER, None), WORDS, language="en")
    assert [column.heading for column in card.columns[-2:]] == ["(no name)", "Lin"]
    assert next(row for row in card.rows if row[0] == "name") == ("name", 4, 1.0, 3, 3, 1)


def test_who_did_most_comes_first_and_an_unknown_speed_is_none():
    counts = dict.fromkeys(STATUSES, 0)
    little = AnnotatorWork("a", 1, 0, counts | {"accepted": 1}, 0, 0, 0.0)
    much = AnnotatorWork("b", 9, 4, counts | {"accepted": 2}, 5, 2, 60.0)
    card = work_card([little, much], WORDS, pause_s=300)
    assert [(row[0], row[-1]) for row in card.rows] == [("b", 120.0), ("a", None)]
    assert card.note_values == {"minutes": 5}
    assert card.chart is not None
    assert list(card.chart.colors) == ["Accepted"]  # nobody has a text of another status


def test_a_line_of_one_day_is_left_to_the_table():
    pace = DayPace(MONDAY, "Lin", 10, 600.0)
    assert pace_card([pace], WORDS).chart is None
    assert pace_card([pace], WORDS).rows == (("2026-11-16", "Lin", 10, 10.0, 60.0),)
    later = DayPace(MONDAY + timedelta(days=1), "Lin", 1, 60.0)
    assert pace_card([pace, later], WORDS).chart is not None


def test_one_book_does_not_flatten_the_sentences():
    card = lengths_card(
        [LengthCount(n, 50) for n in range(1, 41)] + [LengthCount(90_000, 1)], WORDS
    )
    assert card.rows[0][:2] == ("1–2", 100)
    assert card.rows[-1][:2] == ("over 40", 1)
    assert sum(row[1] for row in card.rows) == 2001
    assert card.note_values == {"median": 21, "longest": 90_000}


def test_bars_of_one_character_are_named_by_it():
    card = lengths_card([LengthCount(1, 2), LengthCount(3, 1)], WORDS)
    assert [row[:2] for row in card.rows] == [("1", 2), ("2", 0), ("3", 1)]


# CSV


@pytest.mark.parametrize("name", CARDS)
def test_every_card_can_be_downloaded_even_when_it_is_empty(handlers, name):
    path = Path(handlers.download("default", event(card=name), ENGLISH))
    assert path.name == f"{name}.csv"
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    (heading,) = csv.reader(path.read_text(encoding="utf-8-sig").splitlines())
    assert all(heading)


def test_a_name_that_a_spreadsheet_would_run_is_disarmed(handlers, store):
    accept(store, "叶老桂", [], annotator='=HYPERLINK("http://x","y")')
    path = Path(handlers.download("default", event(card="work"), ENGLISH))
    _heading, row = csv.reader(path.read_text(encoding="utf-8-sig").splitlines())
    assert row[0] == '\'=HYPERLINK("http://x","y")'


# Bad requests


@pytest.mark.parametrize("card", [None, "no such card", 5])
def test_an_unknown_card_is_refused(handlers, card):
    with pytest.raises(gr.Error, match="expected one of the cards status, progress"):
        handlers.download("default", event(card=card), ENGLISH)


@pytest.mark.parametrize("offset", [None, "480", True, 841, 1e9])
def test_a_clock_that_is_none_is_refused(handlers, offset):
    with pytest.raises(gr.Error, match="expected minutes from UTC, got"):
        handlers.show("default", event(utc_offset_min=offset), ENGLISH)


def test_an_unknown_project_is_refused(handlers):
    with pytest.raises(gr.Error):
        handlers.show("no such project", event(), ENGLISH)
