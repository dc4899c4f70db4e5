"""Items that a thread makes ahead."""

import threading
from collections.abc import Iterator

import pytest

from trainer.prefetch import prefetch


def test_items_come_in_order_and_end() -> None:
    with prefetch(iter(range(100))) as items:
        assert list(items) == list(range(100))


def test_an_error_comes_where_its_item_would_have() -> None:
    def fail_third() -> Iterator[int]:
        yield from (1, 2)
        raise ValueError("third")

    with prefetch(fail_third()) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(ValueError, match="third"):
            next(items)


def test_the_thread_ends_with_the_block_and_makes_few_in_vain() -> None:
    made: list[int] = []

    def count() -> Iterator[int]:
        while True:
            made.append(len(made))
            yield made[-1]

    with prefetch(count(), num_ahead=2) as items:
        assert next(items) == 0
    assert len(made) <= 5
    assert not [thread for thread in threading.enumerate() if thread.name == "prefetch"]
