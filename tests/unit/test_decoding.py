"""From emissions to spans. Shapes: L characters of a segment, K tags."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from ner_core.crf import CRF
from ner_core.decoding import decode_spans, merge_windows
from ner_core.labels import MSRA, LabelSet
from ner_core.preprocessing import split_windows
from ner_core.spans import Span, find_overlaps

PERSON = LabelSet(("PER",))
SEEDS = st.integers(0, 2**32)


def make_crf(labels: LabelSet, *, seed: int = 0) -> CRF:
    crf = CRF.for_labels(labels)
    generator = torch.Generator().manual_seed(seed)
    for parameter in crf.parameters():
        parameter.data.normal_(generator=generator)
    return crf


def make_emissions(length: int, labels: LabelSet, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 2 * torch.randn(length, labels.num_tags, generator=generator)


def emissions_for(tags: str, labels: LabelSet = MSRA, *, margin: float = 30.0) -> Tensor:
    """Emissions that favour the named tags, one for each character."""
    emissions = torch.zeros(len(tags.split()), labels.num_tags)
    for position, tag in enumerate(tags.split()):
        emissions[position, labels.tag_ids[tag]] = margin
    return emissions


# Windows


@given(st.data(), st.integers(1, 60), st.integers(1, 12))
def test_each_character_comes_from_the_window_in_which_it_is_farthest_from_an_edge(
    data, num_characters, max_characters
):
    stride = data.draw(st.integers(1, max_characters))
    windows = split_windows(num_characters, max_characters, stride)
    # Each emission says which window and which character it belongs to.
    emissions = [
        torch.tensor([[index, character] for character in range(window.start, window.end)])
        for index, window in enumerate(windows)
    ]
    merged = merge_windows(windows, emissions)
    assert merged[:, 1].tolist() == list(range(num_characters))

    def distance_from_edges(index: int, character: int) -> float:
        # Where the segment itself begins and ends, nothing is missing.
        window = windows[index]
        before = character - window.start if window.start > 0 else math.inf
        after = window.end - 1 - character if window.end < num_characters else math.inf
        return min(before, after)

    for character, (chosen, _) in enumerate(merged.tolist()):
        farthest = max(
            distance_from_edges(index, character)
            for index, window in enumerate(windows)
            if window.start <= character < window.end
        )
        assert distance_from_edges(chosen, character) == farthest


def test_a_segment_of_one_window_keeps_its_emissions():
    emissions = make_emissions(5, MSRA)
    assert merge_windows(split_windows(5, 10, 5), [emissions]).equal(emissions)


def test_windows_without_their_emissions_are_refused():
    with pytest.raises(ValueError, match="shorter"):
        merge_windows(split_windows(9, 4, 2), [make_emissions(4, MSRA)])


# Spans


def test_tags_become_spans_with_half_open_ranges_and_labels():
    emissions = emissions_for("O B-PER I-PER O B-ORG I-ORG I-ORG")
    [spans] = decode_spans(make_crf(MSRA), MSRA, [emissions])
    assert spans == (Span(1, 3, "PER"), Span(4, 7, "ORG"))
    assert all(span.score == pytest.approx(1.0, abs=1e-6) for span in spans)


def test_adjacent_entities_of_one_label_stay_separate():
    emissions = emissions_for("B-LOC I-LOC B-LOC I-LOC")
    [spans] = decode_spans(make_crf(MSRA), MSRA, [emissions])
    assert spans == (Span(0, 2, "LOC"), Span(2, 4, "LOC"))


def test_emissions_of_an_inside_tag_that_continues_nothing_give_a_valid_tagging():
    emissions = emissions_for("I-LOC I-LOC O I-PER I-ORG", margin=5.0)
    [spans] = decode_spans(make_crf(MSRA), MSRA, [emissions])
    tag_ids = MSRA.spans_to_tags(spans, 5)
    assert MSRA.tags_to_spans(tag_ids) == spans
    assert spans[0] == Span(0, 2, "LOC")


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 5), min_size=1, max_size=4), SEEDS)
def test_the_score_is_the_share_of_all_valid_taggings_that_hold_the_span(lengths, seed):
    crf = make_crf(PERSON, seed=seed)
    segments = [make_emissions(length, PERSON, seed=seed + length) for length in lengths]
    start, end = crf.start_transitions.tolist(), crf.end_transitions.tolist()
    transitions = crf.transitions.tolist()
    for segment, spans in zip(segments, decode_spans(crf, PERSON, segments), strict=True):
        weights = {}
        for tags in itertools.product(range(PERSON.num_tags), repeat=len(segment)):
            pairs = list(itertools.pairwise(tags))
            if PERSON.is_allowed_start(tags[0]) and all(
                itertools.starmap(PERSON.is_allowed_transition, pairs)
            ):
                score = start[tags[0]] + sum(transitions[i][j] for i, j in pairs) + end[tags[-1]]
                score += sum(row[tag] for row, tag in zip(segment.tolist(), tags, strict=True))
                weights[tags] = math.exp(score)
        assert spans == PERSON.tags_to_spans(max(weights, key=weights.__getitem__))
        for span in spans:
            holding = (w for tags, w in weights.items() if span in PERSON.tags_to_spans(tags))
            assert span.score == pytest.approx(sum(holding) / sum(weights.values()), abs=1e-5)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 12), min_size=2, max_size=5), SEEDS)
def test_a_segment_alone_gives_what_it_gives_beside_longer_ones(lengths, seed):
    crf = make_crf(MSRA, seed=seed)
    segments = [make_emissions(length, MSRA, seed=seed + i) for i, length in enumerate(lengths)]
    for segment, spans in zip(segments, decode_spans(crf, MSRA, segments), strict=True):
        [alone] = decode_spans(crf, MSRA, [segment])
        assert alone == spans
        assert [s.score for s in alone] == pytest.approx([s.score for s in spans], abs=1e-12)
        assert spans == tuple(sorted(spans))
        assert find_overlaps(spans) == []


def test_an_entity_at_the_end_of_20000_characters_is_found():
    tags = " ".join(["O"] * 19_997 + ["B-PER", "I-PER", "O"])
    [spans] = decode_spans(make_crf(MSRA), MSRA, [emissions_for(tags)])
    assert spans == (Span(19_997, 19_999, "PER"),)
    assert spans[0].score == pytest.approx(1.0, abs=1e-6)


def test_no_segments_give_no_results():
    assert decode_spans(make_crf(MSRA), MSRA, []) == []
