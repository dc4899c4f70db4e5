"""Training windows, batches and the bucketed sampler."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ner_core.dataset import (
    EncodedWindow,
    LengthBucketedBatchSampler,
    TaggingDataset,
    collate,
    split_training_windows,
)
from ner_core.labels import CLUENER
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


@given(
    st.lists(st.integers(1, 60), min_size=4, max_size=120),
    st.integers(4, 16),
    st.integers(1, 4),
    st.integers(0, 5),
)
def test_ranks_share_the_global_batches_of_a_run_on_one_process(
    lengths: list[int], batch_size: int, world_size: int, epoch: int
) -> None:
    def batches(rank: int, world: int) -> list[list[int]]:
        sampler = LengthBucketedBatchSampler(
            lengths, batch_size=batch_size, seed=3, rank=rank, world_size=world
        )
        sampler.set_epoch(epoch)
        drawn = list(sampler)
        assert len(sampler) == len(drawn)
        return drawn

    alone = batches(0, 1)
    assert sorted(i for batch in alone for i in batch) == list(range(len(lengths)))
    shares = [batches(rank, world_size) for rank in range(world_size)]
    assert len({len(share) for share in shares}) == 1
    assert all(batch for share in shares for batch in share)
    together = [sorted(i for part in parts for i in part) for parts in zip(*shares, strict=True)]
    assert sorted(i for batch in together for i in batch) == list(range(len(lengths)))
    if len(lengths) % batch_size == 0 or len(lengths) % batch_size >= world_size:
        assert together == [sorted(batch) for batch in alone]


def test_every_epoch_has_another_order_and_the_same_seed_the_same() -> None:
    def draw(seed: int, epoch: int) -> list[list[int]]:
        sampler = LengthBucketedBatchSampler(range(1, 101), batch_size=8, seed=seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert draw(1, 1) == draw(1, 1)
    assert draw(1, 1) != draw(1, 2)
    assert draw(1, 1) != draw(2, 1)


def test_batches_hold_windows_of_like_length() -> None:
    generator = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 50, (4000,), generator=generator).tolist()
    sampler = LengthBucketedBatchSampler(lengths, batch_size=16, seed=0)
    padded = sum(16 * max(lengths[i] for i in batch) for batch in sampler)
    assert sum(lengths) / padded > 0.95


def test_more_processes_than_windows_are_refused() -> None:
    with pytest.raises(ValueError, match="each of 4 processes in a batch, got 3 windows"):
        LengthBucketedBatchSampler([1, 2, 3], batch_size=8, seed=0, rank=0, world_size=4)
