import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_core.spans import Example, Span, check_text, drop_overlaps, find_overlaps

SPANS = st.builds(
    lambda start, length, label: Span(start, start + length, label),
    st.integers(0, 20),
    st.integers(1, 8),
    st.sampled_from(("name", "company", "scene")),
)


@pytest.mark.parametrize(
    ("start", "end", "label", "score", "message"),
    [
        (-1, 2, "name", None, "0 <= start < end, got start -1, end 2"),
        (2, 2, "name", None, "0 <= start < end, got start 2, end 2"),
        (3, 2, "name", None, "0 <= start < end, got start 3, end 2"),
        (0, 2, "", None, "expected a label, got an empty one"),
        (0, 2, "name", 1.01, "between 0 and 1, got 1.01"),
        (0, 2, "name", -0.01, "between 0 and 1, got -0.01"),
        (0, 2, "name", float("nan"), "between 0 and 1, got nan"),
    ],
)
def test_a_span_that_cannot_be_is_refused(start, end, label, score, message):
    with pytest.raises(ValueError, match=message):
        Span(start, end, label, score)


def test_a_predicted_span_equals_the_gold_span_it_found():
    assert Span(0, 2, "name", 0.7) == Span(0, 2, "name")
    assert {Span(0, 2, "name", 0.7)} == {Span(0, 2, "name")}


def test_spans_sort_by_start_then_end_then_label():
    first, second, third = Span(0, 1, "b"), Span(0, 2, "a"), Span(0, 2, "b")
    assert sorted([third, second, first]) == [first, second, third]


def test_an_example_sorts_its_spans_and_drops_repeated_ones():
    example = Example("", "北京上海", (Span(2, 4, "address"), Span(0, 2, "address")) * 2)
    assert example.spans == (Span(0, 2, "address"), Span(2, 4, "address"))


@pytest.mark.parametrize(
    "text", ["", "　 \t\r\n", "e\u0301", "👨\u200d👩\u200d👧", "𠮷\U0010ffff", "\ufeff\x85\u2028"]
)
def test_an_example_keeps_any_text_that_utf8_can_hold(text):
    assert Example("", text).text == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("中\x00", r"got NUL \(U\+0000\) at character 1"),
        ("\ud83d\ude00", r"got a lone surrogate \(U\+D83D\) at character 0"),
        ("中国\udfff", r"got a lone surrogate \(U\+DFFF\) at character 2"),
    ],
)
def test_text_that_no_file_can_hold_is_refused_with_its_position(text, message):
    with pytest.raises(ValueError, match=message):
        check_text(text)
    with pytest.raises(ValueError, match=message):
        Example("", text)


def test_offsets_count_code_points_not_utf16_units():
    assert Example("", "😀𠮷", (Span(1, 2, "name"),)).spans == (Span(1, 2, "name"),)
    with pytest.raises(ValueError, match="inside the text of 2 characters, got 2:3"):
        Example("", "😀𠮷", (Span(2, 3, "name"),))


def test_adjacent_spans_do_not_overlap():
    first, second = Span(0, 2, "name"), Span(2, 4, "name")
    assert not first.overlaps(second)
    assert not second.overlaps(first)
    assert drop_overlaps([first, second]) == ((first, second), ())


@given(st.lists(SPANS, max_size=8, unique=True))
def test_overlaps_are_the_pairs_that_share_a_character(spans):
    expected = {
        (first, second)
        for first in spans
        for second in spans
        if first < second
        and set(range(first.start, first.end)) & set(range(second.start, second.end))
    }
    found = find_overlaps(spans)
    assert set(found) == expected
    assert len(found) == len(expected)


@given(st.lists(SPANS, max_size=8, unique=True))
def test_dropping_overlaps_keeps_the_longest_and_loses_no_other(spans):
    kept, dropped = drop_overlaps(spans)
    assert sorted((*kept, *dropped)) == sorted(spans)
    assert find_overlaps(kept) == []
    for span in dropped:
        winners = [other for other in kept if other.overlaps(span)]
        assert any(other.end - other.start >= span.end - span.start for other in winners)


def test_of_equally_long_spans_the_earlier_and_then_the_first_label_stays():
    kept, dropped = drop_overlaps([Span(1, 3, "a"), Span(0, 2, "b"), Span(0, 2, "a")])
    assert kept == (Span(0, 2, "a"),)
    assert dropped == (Span(0, 2, "b"), Span(1, 3, "a"))
