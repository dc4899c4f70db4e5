"""Rows as batches: who reads which row, in which order, and where each line of it begins."""

from itertools import product

import numpy as np
import pytest
import torch

from ner_core.preprocessing import CharacterVocabulary, build_vocabulary
from trainer.corpus import CorpusLine
from trainer.distributed import World
from trainer.line_encoder import LineEncoder
from trainer.masked_batches import MaskedBatch, MaskedBatches, build_mask_tokens
from trainer.masking import IGNORED

CHARACTERS = "".join(map(chr, range(0x4E00, 0x4E00 + 23)))
WORDS = ("我们", "喜欢", "北京", "音乐")
TOKENS = build_vocabulary([CHARACTERS, *WORDS])
VOCABULARY = CharacterVocabulary.from_token_ids({t: i for i, t in enumerate(TOKENS)})


class Rows:
    """Stands in for the rows of a prepared corpus."""

    def __init__(self, lines: list[str], *, is_packed: bool = False) -> None:
        encoder = LineEncoder(
            VOCABULARY,
            {character for line in lines for character in line},
            tags=(),
            window_tokens=8,
            held_out_fraction=1e-9,
            is_packed=is_packed,
        )
        self._rows = encoder.encode(map(CorpusLine, lines)).train

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, numbers: np.ndarray) -> np.ndarray:
        return self._rows[numbers]


def make_batches(
    rows: Rows,
    *,
    rank: int = 0,
    world_size: int = 1,
    mask_fraction: float = 0.0,
    by_length: bool = False,
) -> MaskedBatches:
    return MaskedBatches(
        rows=rows,  # type: ignore[arg-type]
        vocabulary=VOCABULARY,
        tokens=build_mask_tokens(VOCABULARY),
        world=World(rank, world_size, torch.device("cpu")),
        batch_size=5,
        mask_fraction=mask_fraction,
        seed=1,
        by_length=by_length,
    )


def characters_of(batches: MaskedBatches, numbers: range) -> list[list[int]]:
    """The character that each row of some batches consists of."""
    return [batches.read(number).token_ids[:, 1].tolist() for number in numbers]


# A row for each character, so that the character tells which row it is.
ROWS = Rows(list(CHARACTERS))


def test_an_epoch_reads_each_row_once_in_batches_of_like_size() -> None:
    batches = make_batches(ROWS)
    assert batches.num_batches == 5
    epoch = characters_of(batches, range(5))
    assert sorted(map(len, epoch)) == [4, 4, 5, 5, 5]
    read = [character for batch in epoch for character in batch]
    assert sorted(read) == sorted(VOCABULARY.encode(CHARACTERS))
    again = [character for batch in characters_of(batches, range(5, 10)) for character in batch]
    assert sorted(again) == sorted(read) and again != read


def many_lines() -> list[str]:
    """Different lines of one to six characters, for 92 batches."""
    pairs = product(CHARACTERS[:20], CHARACTERS)
    return [first + second * (number % 6) for number, (first, second) in enumerate(pairs)]


def lines_of(batch: MaskedBatch) -> list[str]:
    rows = batch.token_ids[:, 1:].tolist()
    return ["".join(TOKENS[i] for i in row if len(TOKENS[i]) == 1) for row in rows]


def test_rows_of_a_batch_are_of_like_length() -> None:
    batches = make_batches(Rows(many_lines()), by_length=True)
    epoch = [batches.read(number) for number in range(batches.num_batches)]
    assert len(epoch) == 92
    assert sorted(line for batch in epoch for line in lines_of(batch)) == sorted(many_lines())
    num_padding = sum(int((batch.line_numbers == 0).sum()) for batch in epoch)
    assert num_padding < 0.05 * sum(batch.token_ids.numel() for batch in epoch)
    # The short ones do not come first.
    lengths = [(batch.line_numbers > 0).sum(dim=1) for batch in epoch]
    halves = [torch.cat(half).double().mean().item() for half in (lengths[:46], lengths[46:])]
    assert halves[0] == pytest.approx(halves[1], rel=0.15)
    firsts = [int(length[0]) for length in lengths[:16]]
    assert firsts != sorted(firsts)


@pytest.mark.parametrize("world_size", [1, 3])
def test_rows_of_like_length_meet_alike_in_every_process_and_from_every_batch_on(
    world_size: int,
) -> None:
    rows = Rows(many_lines())
    # Across the borders of groups, and of the epoch.
    for start in (0, 14, 17, 90):
        shares = [
            make_batches(rows, rank=rank, world_size=world_size, by_length=True).read_from(start)
            for rank in range(world_size)
        ]
        for number in range(start, start + 5):
            read = sorted(line for share in shares for line in lines_of(next(share)))
            whole = make_batches(rows, by_length=True).read(number)
            assert read == sorted(lines_of(whole))


@pytest.mark.parametrize("world_size", [2, 3])
def test_processes_share_the_batches_of_one(world_size: int) -> None:
    shares = [
        characters_of(make_batches(ROWS, rank=rank, world_size=world_size), range(7))
        for rank in range(world_size)
    ]
    for number, batch in enumerate(characters_of(make_batches(ROWS), range(7))):
        shared = [character for share in shares for character in share[number]]
        assert sorted(shared) == sorted(batch)


def test_batches_from_a_number_on_are_those_that_were_to_come() -> None:
    batches = make_batches(ROWS)
    going_on = batches.read_from(4)
    for number in (4, 5, 6):
        assert torch.equal(next(going_on).token_ids, batches.read(number).token_ids)


def test_the_sample_to_measure_on_comes_from_everywhere_and_is_always_the_same() -> None:
    def sample(rank: int = 0, world_size: int = 1) -> list[int]:
        batches = make_batches(ROWS, rank=rank, world_size=world_size)
        return [c for batch in batches.read_sample(12) for c in batch.token_ids[:, 1].tolist()]

    read = sample()
    assert len(set(read)) == 12 and read == sample()
    # Not the first rows: those are all of the first file of a corpus.
    assert set(read) & set(VOCABULARY.encode(CHARACTERS[12:]))
    assert sorted(sample(0, 2) + sample(1, 2)) == sorted(read)


def test_words_are_masked_whole_and_others_in_each_epoch() -> None:
    line = "".join(WORDS[:3])
    batches = make_batches(Rows([line]), mask_fraction=0.3)
    masks = torch.cat([batches.read(epoch).targets != IGNORED for epoch in range(200)])
    # Behind [CLS], two characters a word.
    words = masks[:, 1:7].reshape(200, 3, 2)
    assert torch.equal(words[..., 0], words[..., 1])
    assert len({tuple(mask) for mask in words[..., 0].tolist()}) == 8
    assert not masks[:, [0, 7]].any()


def test_each_line_of_a_row_counts_its_own_positions_and_padding_is_nobodys() -> None:
    (batch,) = make_batches(Rows(["一丁", "丂"], is_packed=True)).read_sample(1)
    # [CLS] 一 丁 [SEP] [CLS] 丂 [SEP], and a column of padding that is cut off.
    assert batch.line_numbers.tolist() == [[1, 1, 1, 1, 2, 2, 2]]
    assert batch.position_ids.tolist() == [[0, 1, 2, 3, 0, 1, 2]]
    uneven = next(make_batches(Rows(["一丁丂", "七"])).read_sample(2))
    assert sorted(uneven.line_numbers.tolist()) == [[1, 1, 1, 0, 0], [1, 1, 1, 1, 1]]
    assert sorted(uneven.position_ids.tolist()) == [[0, 1, 2, 0, 0], [0, 1, 2, 3, 4]]
