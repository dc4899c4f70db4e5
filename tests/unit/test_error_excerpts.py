import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_core.error_analysis import ExampleErrors, Outcome, pair_spans
from ner_core.error_excerpts import cut_excerpts
from ner_core.spans import Example, Span

LABELS = ("name", "company")


def judged(text, gold, predicted):
    return ExampleErrors(Example("", text, tuple(gold)), 1, pair_spans(gold, predicted))


def text_of(part):
    return "".join(run.text for run in part.runs)


@st.composite
def judged_texts(draw):
    length = draw(st.integers(1, 400))
    starts = st.integers(0, length - 1)
    spans = st.lists(
        st.builds(
            lambda start, size, label: Span(start, min(length, start + size), label),
            starts,
            st.integers(1, 30) | st.integers(1, 400),
            st.sampled_from(LABELS),
        ),
        max_size=8,
    )
    text = "".join(chr(0x4E00 + position) for position in range(length))
    return judged(text, draw(spans), draw(spans))


def test_a_short_text_is_shown_whole_in_runs_between_borders():
    gold, predicted = [Span(2, 4, "name")], [Span(2, 5, "name")]
    excerpts = cut_excerpts(judged("一二三四五六", gold, predicted))
    (part,) = excerpts.parts
    assert [run.text for run in part.runs] == ["一二", "三四", "五", "六"]
    assert (part.is_start, part.is_end, excerpts.num_hidden_errors) == (True, True, 0)
    both, only_predicted = part.runs[1], part.runs[2]
    (gold_mark,), (predicted_mark,) = both.gold, both.predicted
    assert (gold_mark.is_first, gold_mark.is_last) == (True, True)
    assert (predicted_mark.is_first, predicted_mark.is_last) == (True, False)
    assert (both.is_continued, only_predicted.is_continued) == (True, False)
    assert only_predicted.gold == ()
    assert gold_mark.outcome is Outcome.WRONG_BORDERS
    assert gold_mark.number == predicted_mark.number == 1
    assert not part.runs[0].is_marked


def test_a_right_pair_has_no_number_and_its_label_once():
    span = Span(0, 2, "name")
    (part,) = cut_excerpts(judged("一二三", [span], [span])).parts
    (gold_mark,), (predicted_mark,) = part.runs[0].gold, part.runs[0].predicted
    assert gold_mark.number is predicted_mark.number is None
    assert (gold_mark.is_labelled, predicted_mark.is_labelled) == (True, False)


def test_spans_that_overlap_on_one_side_have_lanes_of_their_own():
    gold = [Span(0, 4, "company"), Span(2, 9, "name"), Span(4, 6, "company")]
    (part,) = cut_excerpts(judged("一二三四五六七八九", gold, [])).parts
    lanes = {mark.label + run.text: mark.lane for run in part.runs for mark in run.gold}
    assert lanes["company一二"] == lanes["company五六"] == 0
    assert lanes["name三四"] == lanes["name七八九"] == 1


def test_a_long_text_is_cut_around_its_errors():
    text = "无" * 20_000
    spans = [Span(5_000, 5_003, "name"), Span(19_990, 19_995, "name")]
    first, last = cut_excerpts(judged(text, spans, [])).parts
    assert (first.start, first.end) == (4_960, 5_043)
    assert (first.is_start, first.is_end) == (False, False)
    assert (last.start, last.end, last.is_end) == (19_950, 20_000, True)


def test_no_cut_hides_fewer_than_ten_characters():
    def shown(start):
        (part,) = cut_excerpts(judged("无" * 300, [Span(start, start + 2, "name")], [])).parts
        return part.start, part.end

    assert shown(49) == (0, 91)
    assert shown(50) == (10, 92)
    assert shown(248) == (208, 290)
    assert shown(249) == (209, 300)


def test_errors_close_together_share_an_excerpt():
    spans = [Span(1_000, 1_002, "name"), Span(1_050, 1_052, "name")]
    (part,) = cut_excerpts(judged("无" * 2_000, spans, [])).parts
    assert (part.start, part.end) == (960, 1_092)


def test_of_a_text_full_of_errors_the_first_are_shown_and_the_rest_counted():
    spans = [Span(start, start + 2, "name") for start in range(0, 20_000, 100)]
    excerpts = cut_excerpts(judged("无" * 20_000, spans, []))
    assert len(excerpts.errors) + excerpts.num_hidden_errors == 200
    assert excerpts.errors[0].gold == spans[0]
    assert 5 <= len(excerpts.errors) <= 10


@pytest.mark.parametrize("side", [0, 1])
def test_a_span_as_long_as_a_long_text_does_not_bring_all_of_it(side):
    sides = [[], []]
    sides[side] = [Span(0, 20_000, "name")]
    excerpts = cut_excerpts(judged("无" * 20_000, *sides))
    assert sum(part.end - part.start for part in excerpts.parts) < 300
    assert len(excerpts.errors) == 1


@given(judged_texts())
def test_excerpts_say_what_the_text_says_and_show_the_errors_they_list(example):
    text = example.example.text
    excerpts = cut_excerpts(example)
    shown = 0
    for part in excerpts.parts:
        assert text_of(part) == text[part.start : part.end]
        assert all(run.text for run in part.runs)
        shown += part.end - part.start
    assert shown <= max(160, 600)
    assert len(excerpts.errors) + excerpts.num_hidden_errors == len(example.errors)
    numbers = {
        mark.number
        for part in excerpts.parts
        for run in part.runs
        for mark in (*run.gold, *run.predicted)
    }
    assert numbers - {None} == set(range(1, len(excerpts.errors) + 1))


@given(judged_texts())
def test_marks_of_one_lane_never_meet_and_cover_exactly_their_spans(example):
    covered = set()
    for part in cut_excerpts(example).parts:
        position = part.start
        for run in part.runs:
            for marks in (run.gold, run.predicted):
                assert len({mark.lane for mark in marks}) == len(marks)
            for mark in (*run.gold, *run.predicted):
                covered |= {(mark.is_gold, mark.label, position + i) for i in range(len(run.text))}
            position += len(run.text)
    if len(example.example.text) <= 160:
        assert covered == {
            (is_gold, span.label, position)
            for pair in example.pairs
            for is_gold, span in ((True, pair.gold), (False, pair.predicted))
            if span
            for position in range(span.start, span.end)
        }
