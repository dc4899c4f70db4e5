"""Other mentions in the same sentences: training windows drawn anew for each epoch.

Mention replacement, Dai and Adel 2020, https://aclanthology.org/2020.coling-main.343: a mention
gives way to another one of its label from anywhere in the training data, so that what is learned is
the sentence around it too, not the name alone. What is drawn is a function of seed, epoch and the
training data: a run goes on exactly, and every process draws the same.
"""

import random
from collections.abc import Mapping, Sequence

from ner_core.dataset import EncodedWindow
from ner_core.labels import LabelSet
from ner_core.preprocessing import CharacterVocabulary

# Label, and the marks that a mention begins and ends with, 0 for none.
_Kind = tuple[str, int, int]
_TokenIds = tuple[int, ...]


class MentionReplacer:
    """Draws the windows of an epoch.

    Every mention is as likely as any other of its label, itself included, however often it occurs.
    One with marks around it, such as 《》, gives way to one with the same marks, since the text
    around does not change. What holds a character that the vocabulary lacks stays and is lent to no
    other place, and so do windows whose gold leaves a choice (partial labels).

    Args:
        windows: As they stand in the training data.
        labels: Of their tags.
        vocabulary: Of their token ids.
        probability: That a mention gives way.
        max_characters: A window that would grow longer stays as it is.
        seed: Of all draws.
    """

    def __init__(
        self,
        windows: Sequence[EncodedWindow],
        labels: LabelSet,
        vocabulary: CharacterVocabulary,
        *,
        probability: float,
        max_characters: int,
        seed: int,
    ) -> None:
        self._windows = windows
        self._labels = labels
        self._probability = probability
        self._max_characters = max_characters
        self._seed = seed
        self._unknown = vocabulary.unk_token_id
        self._marks = {
            token_id
            for token, token_id in vocabulary.token_ids.items()
            if len(token) == 1 and not token.isalnum()
        }
        self._mentions = self._collect()

    def draw(self, epoch: int) -> tuple[EncodedWindow, ...]:
        """All windows, some of their mentions replaced; in the same order.

        Args:
            epoch: Any number; together with the seed it decides the draw.
        """
        # Of a string, since that seeds alike in every process and version.
        draw = random.Random(f"{self._seed} {epoch}")
        return tuple(self._replace(window, draw) for window in self._windows)

    def _collect(self) -> Mapping[_Kind, Sequence[_TokenIds]]:
        """All different mentions of each kind, in order of first occurrence."""
        found: dict[_Kind, dict[_TokenIds, None]] = {}
        for window in self._windows:
            if window.label_map is None:
                for span in self._labels.tags_to_spans(window.tag_ids):
                    mention = window.token_ids[span.start : span.end]
                    if self._unknown not in mention:
                        found.setdefault(self._kind(span.label, mention), {})[mention] = None
        return {kind: tuple(mentions) for kind, mentions in found.items()}

    def _kind(self, label: str, mention: _TokenIds) -> _Kind:
        first, last = (
            token_id if token_id in self._marks else 0 for token_id in (mention[0], mention[-1])
        )
        return label, first, last

    def _replace(self, window: EncodedWindow, draw: random.Random) -> EncodedWindow:
        if window.label_map is not None:
            return window
        token_ids: list[int] = []
        tag_ids: list[int] = []
        end = 0
        for span in self._labels.tags_to_spans(window.tag_ids):
            if draw.random() >= self._probability:
                continue
            mention = window.token_ids[span.start : span.end]
            if self._unknown in mention:
                continue
            new = draw.choice(self._mentions[self._kind(span.label, mention)])
            begin = self._labels.tag_ids[f"B-{span.label}"]
            token_ids += (*window.token_ids[end : span.start], *new)
            tag_ids += (*window.tag_ids[end : span.start], begin, *[begin + 1] * (len(new) - 1))
            end = span.end
        token_ids += window.token_ids[end:]
        tag_ids += window.tag_ids[end:]
        if not end or len(token_ids) > self._max_characters:
            return window
        return EncodedWindow(tuple(token_ids), tuple(tag_ids))
