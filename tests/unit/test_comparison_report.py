import json

import pytest

from ner_core.comparison_report import ComparisonReport
from ner_core.evaluation import Counts, SpanCounts
from ner_core.significance import compare


def report_on(right_of_a, right_of_b):
    """A report on texts with one gold span and one prediction each; 1 where it is right."""

    def counts(right):
        return [SpanCounts(("PER",), (Counts(tp, 1, 1),), (Counts(tp, 1, 1),), 1) for tp in right]

    return ComparisonReport("old", "new", compare(counts(right_of_a), counts(right_of_b)))


HALF = [0] * 50 + [1] * 50
BETTER = [1] * 30 + HALF[30:]
ONE_MORE = [1, *HALF[1:]]


@pytest.mark.parametrize(
    ("right_of_a", "right_of_b", "conclusion"),
    [
        (
            HALF,
            BETTER,
            "B is better than A by 30.00 points of micro F1, more than chance is likely to explain",
        ),
        (
            BETTER,
            HALF,
            "B is worse than A by 30.00 points of micro F1, more than chance is likely to explain",
        ),
        (
            HALF,
            ONE_MORE,
            "B is not shown to be better than A: B scores 1.00 points of micro F1 above A, which"
            " chance can explain",
        ),
        (
            ONE_MORE,
            HALF,
            "B is not shown to be better than A: A scores 1.00 points of micro F1 above B, which"
            " chance can explain",
        ),
        (HALF, HALF, "B is not better than A: their micro F1 is the same (p = 1, 100 texts)."),
        (HALF, HALF[::-1], "B is not better than A: their micro F1 is the same (p = "),
    ],
)
def test_the_conclusion_says_whether_b_is_really_better(right_of_a, right_of_b, conclusion):
    report = report_on(right_of_a, right_of_b)
    assert report.conclusion.startswith(conclusion)
    assert report.conclusion in report.format_tables()


def test_the_json_form_agrees_with_the_conclusion():
    found = json.loads(json.dumps(report_on(HALF, BETTER).to_json()))
    assert (found["verdict"], found["is_better"]) == ("better", True)
    assert found["difference"] == pytest.approx(0.3)
    assert found["a"]["micro"]["f1"] == 0.5
    assert found["b"]["checkpoint"] == "new"
    assert found["per_label"]["PER"]["difference"] == pytest.approx(0.3)
    assert report_on(BETTER, HALF).to_json()["is_better"] is False
    assert report_on(HALF, ONE_MORE).to_json()["verdict"] == "not shown"


def test_the_table_names_both_checkpoints_and_shows_the_difference():
    lines = report_on(HALF, BETTER).format_tables().splitlines()
    assert lines[:2] == ["A  old", "B  new"]
    (label,) = (line for line in lines if line.startswith("PER"))
    assert label.split()[:4] == ["PER", "0.5000", "0.8000", "+0.3000"]
