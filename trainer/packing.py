"""Lines of unequal length into rows of one length, with little room left over."""

from collections.abc import Sequence


def pack_lines(lengths: Sequence[int], capacity: int) -> list[list[int]]:
    """Put each line, in order, into the row in which it leaves the least room (best fit).

    Args:
        lengths: Of the lines, each at least 1 and at most the capacity.
        capacity: Of a row.

    Returns:
        For each row the numbers of its lines.
    """
    rows: list[list[int]] = []
    # rows_by_room[n] are the rows with room for n; bit n of `rooms` says whether there are any.
    rows_by_room: list[list[int]] = [[] for _ in range(capacity + 1)]
    rooms = 0
    for number, length in enumerate(lengths):
        assert 1 <= length <= capacity
        fitting = rooms >> length << length
        if fitting:
            room = (fitting & -fitting).bit_length() - 1
            row = rows_by_room[room].pop()
            if not rows_by_room[room]:
                rooms &= ~(1 << room)
        else:
            room, row = capacity, len(rows)
            rows.append([])
        rows[row].append(number)
        left = room - length
        if left:
            rows_by_room[left].append(row)
            rooms |= 1 << left
    return rows
