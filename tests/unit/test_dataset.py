"""Training windows and batches."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ner_core.dataset import (
    Batch,
    EncodedWindow,
    TaggingDataset,
    collate,
    split_training_windows,
)
from ner_core.label_map import LabelMap
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.preprocessing import CharacterVocabulary
from ner_core.spans import Example, Span, drop_overlaps

VOCABULARY = CharacterVocabulary.from_token_ids(
    {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "甲": 4, "乙": 5}
)


def test_a_batch_is_padded_and_masked_to_its_longest_window() -> None:
    batch = collate([EncodedWindow((4, 5, 4), (1, 2, 0)), EncodedWindow((5,), (3,))], VOCABULARY)
    assert batch.input_ids.tolist() == [[2, 4, 5, 4, 3], [2, 5, 3, 0, 0]]
    assert batch.attention_mask.int().tolist() == [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
    assert batch.mask.int().tolist() == [[1, 1, 1], [1, 0, 0]]
    assert batch.tag_ids is not None
    assert batch.tag_ids.tolist() == [[1, 2, 0], [3, 0, 0]]
    assert batch.num_characters == 4


def test_a_batch_without_gold_has_no_tags() -> None:
    assert collate([EncodedWindow((4,))], VOCABULARY).tag_ids is None


def test_a_batch_moves_as_a_whole() -> None:
    moved = make_mapped_batch().to(torch.device("meta"))
    assert moved.allowed_tags is not None
    tensors = (moved.input_ids, moved.attention_mask, moved.mask, moved.allowed_tags)
    assert all(tensor.is_meta for tensor in tensors)


def make_mapped_batch() -> Batch:
    """A window of ORG and two outside characters, and one of full gold."""
    label_map = LabelMap.parse(
        "PER=name,LOC=address|scene,ORG=company|government", source=MSRA, target=CLUENER
    )
    org = MSRA.tag_ids["B-ORG"]
    coarse = EncodedWindow((4, 5, 4), (org, org + 1, 0), label_map)
    return collate([coarse, EncodedWindow((5,), (CLUENER.tag_ids["B-book"],))], VOCABULARY)


def test_a_coarse_window_allows_what_its_map_says_and_full_gold_one_tag() -> None:
    batch = make_mapped_batch()
    assert batch.tag_ids is None
    assert batch.allowed_tags is not None
    assert batch.allowed_tags.shape == (2, 3, CLUENER.num_tags)

    def allowed(row: int, position: int) -> set[str]:
        assert batch.allowed_tags is not None
        found = batch.allowed_tags[row, position].nonzero().flatten().tolist()
        return {CLUENER.tags[tag_id] for tag_id in found}

    assert allowed(0, 0) == {"B-company", "B-government"}
    assert allowed(0, 1) == {"I-company", "I-government"}
    assert {"O", "B-book", "I-organization"} <= allowed(0, 2)
    assert not allowed(0, 2) & {"B-name", "I-address", "B-scene", "I-company", "B-government"}
    assert allowed(1, 0) == {"B-book"}
    assert allowed(1, 1) == allowed(1, 2) == set()


def test_a_coarse_window_without_gold_beside_it_has_no_allowed_tags() -> None:
    label_map = LabelMap(LabelSet(("x",)), CLUENER, {"x": ("book", "game")})
    batch = collate([EncodedWindow((4,), (1,), label_map), EncodedWindow((4,))], VOCABULARY)
    assert batch.allowed_tags is None
    assert batch.tag_ids is None


def test_mapped_examples_keep_their_own_tags_and_share_one_map() -> None:
    label_map = LabelMap(MSRA, CLUENER, {"PER": ("name",), "LOC": ("scene",), "ORG": ("O",)})
    examples = [
        Example("", "甲乙甲", (Span(1, 3, "ORG"),)),
        Example("", "乙", (Span(0, 1, "PER"),)),
    ]
    dataset = TaggingDataset.from_examples(
        examples, CLUENER, VOCABULARY, max_characters=10, label_map=label_map
    )
    assert [MSRA.tags_to_spans(window.tag_ids) for window in dataset.windows] == [
        (Span(1, 3, "ORG"),),
        (Span(0, 1, "PER"),),
    ]
    assert all(window.label_map is label_map for window in dataset.windows)


def test_a_map_that_leaves_no_choice_gives_full_gold() -> None:
    source, target = LabelSet(("LOC", "PERSON", "DATE")), LabelSet(("PER", "LOC"))
    label_map = LabelMap(source, target, {"LOC": ("LOC",), "PERSON": ("PER",), "DATE": ("O",)})
    spans = (Span(0, 2, "PERSON"), Span(2, 3, "DATE"), Span(3, 4, "LOC"))
    dataset = TaggingDataset.from_examples(
        [Example("", "甲乙甲乙", spans)], target, VOCABULARY, max_characters=10, label_map=label_map
    )
    assert dataset[0].label_map is None
    assert target.tags_to_spans(dataset[0].tag_ids) == (Span(0, 2, "PER"), Span(3, 4, "LOC"))


def test_a_label_outside_the_maps_source_is_refused_with_its_example() -> None:
    label_map = LabelMap(LabelSet(("PER",)), CLUENER, {"PER": ("name",)})
    with pytest.raises(ValueError, match=r"the labels PER, got 'name' .*\(example 1\)"):
        TaggingDataset.from_examples(
            [Example("", "甲", (Span(0, 1, "name"),))],
            CLUENER,
            VOCABULARY,
            max_characters=10,
            label_map=label_map,
        )


def test_joined_data_sets_number_their_examples_through() -> None:
    overlapping = (Span(0, 3, "name"), Span(2, 4, "company"))
    first = [Example("", ""), Example("", "甲乙甲乙", overlapping), Example("", "甲" * 12)]
    second = [Example("", "乙"), Example("", "")]
    third = [Example("", "甲乙甲乙", overlapping)]
    datasets = [
        TaggingDataset.from_examples(examples, CLUENER, VOCABULARY, max_characters=10)
        for examples in (first, second, third)
    ]
    joined = TaggingDataset.join(datasets)
    assert joined.example_numbers == (1, 2, 2, 3, 5)
    assert joined.num_examples == 6
    assert joined.num_dropped_overlaps == 2
    examples = [*first, *second, *third]
    for window, number in zip(joined.windows, joined.example_numbers, strict=True):
        assert len(window.token_ids) in (len(examples[number].text), 10, 2)
    assert joined.windows == tuple(window for dataset in datasets for window in dataset.windows)


def test_a_long_sentence_is_cut_before_the_entity_in_the_way() -> None:
    windows = split_training_windows("甲" * 12, [Span(4, 8, "name")], 6)
    assert [(w.start, w.end, spans) for w, spans in windows] == [
        (0, 4, ()),
        (4, 10, (Span(0, 4, "name"),)),
        (10, 12, ()),
    ]


def test_an_entity_longer_than_a_window_is_cut_and_continues_as_its_own() -> None:
    windows = split_training_windows("甲" * 10, [Span(1, 9, "name")], 6)
    assert [spans for _, spans in windows] == [
        (),
        (Span(0, 6, "name"),),
        (Span(0, 2, "name"),),
    ]


@st.composite
def texts_with_spans(draw: st.DrawFn) -> tuple[str, tuple[Span, ...]]:
    text = draw(st.text(alphabet="甲乙。\n", min_size=1, max_size=80))
    bounds = st.tuples(st.integers(0, len(text) - 1), st.integers(1, 12))
    spans = [
        Span(start, min(len(text), start + length), draw(st.sampled_from(CLUENER.labels)))
        for start, length in draw(st.lists(bounds, max_size=8))
    ]
    return text, drop_overlaps(spans)[0]


@given(texts_with_spans(), st.integers(12, 30))
def test_windows_cover_the_text_and_cut_no_entity_that_fits(
    example: tuple[str, tuple[Span, ...]], limit: int
) -> None:
    text, spans = example
    windows = split_training_windows(text, spans, limit)
    assert "".join(text[w.start : w.end] for w, _ in windows) == text
    assert all(window.num_characters <= limit for window, _ in windows)
    found = [
        Span(span.start + window.start, span.end + window.start, span.label)
        for window, window_spans in windows
        for span in window_spans
    ]
    assert tuple(sorted(found)) == spans


def test_overlapping_spans_are_dropped_and_counted() -> None:
    example = Example("", "甲乙甲乙", (Span(0, 3, "name"), Span(2, 4, "company")))
    dataset = TaggingDataset.from_examples([example], CLUENER, VOCABULARY, max_characters=10)
    assert dataset.num_dropped_overlaps == 1
    assert CLUENER.tags_to_spans(dataset[0].tag_ids) == (Span(0, 3, "name"),)


@pytest.mark.parametrize(("example_id", "name"), [("a7", "a7"), ("", "2")])
def test_an_unknown_label_names_its_example_and_never_its_text(example_id: str, name: str) -> None:
    examples = [Example("", "甲"), Example(example_id, "甲乙", (Span(0, 1, "river"),))]
    with pytest.raises(ValueError, match=rf"'river'.*\(example {name}\)") as caught:
        TaggingDataset.from_examples(examples, CLUENER, VOCABULARY, max_characters=10)
    assert "甲" not in str(caught.value)
