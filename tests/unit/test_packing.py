"""Lines into rows."""

from hypothesis import given
from hypothesis import strategies as st

from trainer.packing import pack_lines

LENGTHS = st.lists(st.integers(1, 32), max_size=200)


@given(lengths=LENGTHS)
def test_every_line_is_in_one_row_and_every_row_holds_its_lines(lengths: list[int]) -> None:
    rows = pack_lines(lengths, 32)
    assert sorted(line for row in rows for line in row) == list(range(len(lengths)))
    assert all(0 < sum(lengths[line] for line in row) <= 32 for row in rows)


@given(lengths=LENGTHS)
def test_at_most_one_row_is_half_empty(lengths: list[int]) -> None:
    # Of two of them the lines of the second would have gone into the first.
    rows = pack_lines(lengths, 32)
    assert sum(sum(lengths[line] for line in row) <= 16 for row in rows) <= 1


def test_a_line_goes_where_it_leaves_the_least_room() -> None:
    assert pack_lines([6, 7, 3, 4], 10) == [[0, 3], [1, 2]]
