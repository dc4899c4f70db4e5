"""Which queue a visitor works on: its order and its filters, as the browser sends them."""

import reprlib
from dataclasses import dataclass
from typing import Final, cast

from annotation_store.document_filter import DocumentFilter
from annotation_store.documents import Status
from annotation_store.queue import ORDERS, UNREVIEWED, Order

EVERYTHING: Final = "all"
"""In the place of a status: documents of every status."""
_MAX_NAME_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class QueueChoice:
    """An order and a filter.

    Attributes:
        order: One of `annotation_store.queue.ORDERS`.
        wanted: Which documents the queue holds.
    """

    order: Order = "path"
    wanted: DocumentFilter = UNREVIEWED

    @classmethod
    def from_payload(cls, payload: object) -> "QueueChoice":
        """Read what the browser sent; None stands for the default.

        The payload is {"order", "status", "label", "annotator", "query", "differs"}, of which all
        may be missing; "" stands for any label or annotator.

        Raises:
            ValueError: Names the field, what was expected and what came.
        """
        if payload is None:
            return cls()
        if not isinstance(payload, dict):
            raise ValueError(f"expected a queue as an object, got {type(payload).__name__}")
        order = payload.get("order", "path")
        if order not in ORDERS:
            raise ValueError(
                f"expected one of the orders {', '.join(ORDERS)}, got {reprlib.repr(order)}"
            )
        status = _string(payload, "status", "new")
        differs = payload.get("differs", False)
        if not isinstance(differs, bool):
            raise ValueError(f"expected differs to be true or false, got {type(differs).__name__}")
        return cls(
            order=order,
            wanted=DocumentFilter(
                status=None if status == EVERYTHING else cast(Status, status),
                label=_string(payload, "label") or None,
                annotator=_string(payload, "annotator") or None,
                query=_string(payload, "query", max_characters=1000),
                differs=differs,
            ),
        )


def _string(
    payload: dict[str, object],
    name: str,
    default: str = "",
    max_characters: int = _MAX_NAME_CHARACTERS,
) -> str:
    value = payload.get(name, default)
    if not isinstance(value, str) or len(value) > max_characters:
        raise ValueError(
            f"expected {name} as text of at most {max_characters} characters,"
            f" got {reprlib.repr(value)}"
        )
    return value
