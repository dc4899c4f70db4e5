"""Which texts of an annotation database judge, and which a model learns from.

Decided by each text itself, so that it stays where it is while a project grows: a model that was
trained last week has not learned from what next week's is judged on, and the two can be compared.
The page Train and the command line take the same ones.
"""

from typing import Final

from annotation_store.documents import digest_text

# The usual share; of smaller and larger ones, the smaller is always part of the larger.
_TENTHS: Final = 10
_CHOOSING_DIGITS: Final = 8


def is_held_out(text: str, fraction: float = 1 / _TENTHS) -> bool:
    """Whether a text belongs to the share of all texts that judges, from 0 to 1."""
    return rank_held_out(text) < fraction


def rank_held_out(text: str) -> float:
    """Where a text stands, from 0 up to 1: the ones below a share are held out."""
    digest = digest_text(text)
    tenth = int(digest[:_CHOOSING_DIGITS], 16) % _TENTHS
    within = int(digest[-_CHOOSING_DIGITS:], 16) / 16**_CHOOSING_DIGITS
    return (tenth + within) / _TENTHS
