from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities

from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.spans import Span, drop_overlaps

TAG_IDS = st.lists(st.integers(0, MSRA.num_tags - 1), max_size=12)


def test_outside_is_0_and_the_labels_follow_in_order():
    assert MSRA.tags == ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "B-ORG", "I-ORG")
    assert CLUENER.num_tags == 21
    assert CLUENER.tags[19:] == ("B-scene", "I-scene")
    assert all(CLUENER.tags[tag_id] == tag for tag, tag_id in CLUENER.tag_ids.items())


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ((), "at least one label"),
        (("",), "without blanks, got ''"),
        (("a b",), "without blanks, got 'a b'"),
        (("a\u3000",), "without blanks"),
        (("a", "b", "a"), "got a more than once"),
    ],
)
def test_labels_that_cannot_be_tags_are_refused(labels, message):
    with pytest.raises(ValueError, match=message):
        LabelSet(labels)


def test_a_label_set_comes_from_a_list_of_tags_in_order_of_first_mention():
    assert LabelSet.from_tags(["O", "B-b", "I-b", "B-a", "I-a"]) == LabelSet(("b", "a"))
    assert LabelSet.from_tags(CLUENER.tags) == CLUENER


def test_only_an_inside_tag_needs_something_to_continue():
    allowed = {
        (first, second)
        for first in MSRA.tags
        for second in MSRA.tags
        if not second.startswith("I-") or first[1:] == second[1:]
    }
    for first_id, first in enumerate(MSRA.tags):
        assert MSRA.is_allowed_start(first_id) == (not first.startswith("I-"))
        for second_id, second in enumerate(MSRA.tags):
            is_allowed = MSRA.is_allowed_transition(first_id, second_id)
            assert is_allowed == ((first, second) in allowed), (first, second)


def test_an_unknown_label_is_named_with_its_place_and_the_labels_expected():
    with pytest.raises(ValueError, match=r"PER, LOC, ORG, got 'GPE' \(span 2:4\)"):
        MSRA.check_spans([Span(0, 1, "PER"), Span(2, 4, "GPE")])


def test_tags_of_adjacent_entities_of_one_label_stay_separate():
    spans = (Span(0, 2, "LOC"), Span(2, 4, "LOC"))
    tag_ids = MSRA.spans_to_tags(spans, 4)
    assert [MSRA.tags[tag_id] for tag_id in tag_ids] == ["B-LOC", "I-LOC", "B-LOC", "I-LOC"]
    assert MSRA.tags_to_spans(tag_ids) == spans


def test_spans_that_overlap_have_no_tags_and_both_are_named():
    with pytest.raises(ValueError, match=r"overlap, got Span\(start=0, .*Span\(start=1, "):
        MSRA.spans_to_tags([Span(1, 3, "LOC"), Span(0, 2, "PER")], 4)


def test_a_span_behind_the_text_has_no_tags():
    with pytest.raises(ValueError, match="inside 4 characters"):
        MSRA.spans_to_tags([Span(3, 5, "LOC")], 4)


def test_an_inside_tag_that_continues_nothing_begins_a_span():
    tags = ["I-PER", "I-PER", "O", "B-LOC", "I-ORG", "I-ORG"]
    found = MSRA.tags_to_spans([MSRA.tag_ids[tag] for tag in tags])
    assert found == (Span(0, 2, "PER"), Span(3, 4, "LOC"), Span(4, 6, "ORG"))


@given(st.data())
def test_spans_come_back_from_their_tags(data):
    num_characters = data.draw(st.integers(1, 15))
    spans = data.draw(
        st.lists(
            st.builds(
                lambda start, length, label: Span(
                    start, min(start + length, num_characters), label
                ),
                st.integers(0, num_characters - 1),
                st.integers(1, 5),
                st.sampled_from(MSRA.labels),
            ),
            max_size=6,
        )
    )
    kept, _ = drop_overlaps(set(spans))
    assert MSRA.tags_to_spans(MSRA.spans_to_tags(kept, num_characters)) == kept


@given(TAG_IDS)
def test_any_tag_sequence_reads_as_seqeval_reads_it(tag_ids):
    tags = [MSRA.tags[tag_id] for tag_id in tag_ids]
    expected = {Span(start, last + 1, label) for label, start, last in get_entities(tags)}
    assert set(MSRA.tags_to_spans(tag_ids)) == expected


@given(TAG_IDS)
def test_exactly_the_sequences_of_allowed_transitions_come_back_from_their_spans(tag_ids):
    is_allowed = all(map(MSRA.is_allowed_start, tag_ids[:1])) and all(
        MSRA.is_allowed_transition(first, second) for first, second in pairwise(tag_ids)
    )
    spans = MSRA.tags_to_spans(tag_ids)
    assert (MSRA.spans_to_tags(spans, len(tag_ids)) == tag_ids) == is_allowed
