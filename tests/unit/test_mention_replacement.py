"""Which mentions give way to which, and that every process and every resumed run draws the same."""

from collections.abc import Sequence

import pytest

from ner_core.dataset import EncodedWindow, TaggingDataset
from ner_core.label_map import LabelMap
from ner_core.labels import LabelSet
from ner_core.preprocessing import CharacterVocabulary, build_vocabulary
from ner_core.spans import Example, Span
from trainer.mention_replacement import MentionReplacer

LABELS = LabelSet(("name", "book"))
TEXTS = (
    ("叶老桂读《红楼梦》。", [(0, 3, "name"), (4, 9, "book")]),
    ("王明也读《围城》了", [(0, 2, "name"), (4, 8, "book")]),
    ("她读家，李四读", [(2, 3, "book"), (4, 6, "name")]),
    ("今天没有人读书", []),
)
EXAMPLES = tuple(
    Example(str(number), text, tuple(Span(*span) for span in spans))
    for number, (text, spans) in enumerate(TEXTS)
)
TOKENS = build_vocabulary([text for text, _ in TEXTS])
VOCABULARY = CharacterVocabulary.from_token_ids({t: i for i, t in enumerate(TOKENS)})
NAMES = {"叶老桂", "王明", "李四"}


def encode(examples: Sequence[Example], label_map: LabelMap | None = None) -> TaggingDataset:
    return TaggingDataset.from_examples(
        examples, LABELS, VOCABULARY, max_characters=50, label_map=label_map
    )


def make_replacer(
    windows: Sequence[EncodedWindow],
    *,
    probability: float = 1.0,
    max_characters: int = 50,
    seed: int = 3,
) -> MentionReplacer:
    return MentionReplacer(
        windows,
        LABELS,
        VOCABULARY,
        probability=probability,
        max_characters=max_characters,
        seed=seed,
    )


def read(window: EncodedWindow) -> tuple[str, list[tuple[str, str]]]:
    """Its text, and each mention with its label."""
    text = "".join(TOKENS[token_id] for token_id in window.token_ids)
    spans = LABELS.tags_to_spans(window.tag_ids)
    return text, [(text[span.start : span.end], span.label) for span in spans]


def test_mentions_give_way_to_others_of_their_label_and_the_text_around_stays() -> None:
    replacer = make_replacer(encode(EXAMPLES).windows)
    seen = set()
    for epoch in range(60):
        for window, (text, spans) in zip(replacer.draw(epoch), TEXTS, strict=True):
            new_text, mentions = read(window)
            assert [label for _, label in mentions] == [label for *_, label in spans]
            rest = new_text
            for mention, _ in mentions:
                rest = rest.replace(mention, "", 1)
            for start, end, _ in sorted(spans, reverse=True):
                text = text[:start] + text[end:]
            assert rest == text
            seen.update(mentions)
    books = {"《红楼梦》", "《围城》", "家"}
    assert seen == {(n, "name") for n in NAMES} | {(b, "book") for b in books}


def test_marks_around_a_mention_stay() -> None:
    replacer = make_replacer(encode(EXAMPLES).windows)
    for epoch in range(60):
        first, _, third, _ = (read(window) for window in replacer.draw(epoch))
        assert first[1][1][0] in ("《红楼梦》", "《围城》")
        assert third[1][0] == ("家", "book")


def test_about_the_share_asked_for_gives_way() -> None:
    names = [f"{first}{last}" for first in "赵钱孙李周吴郑王" for last in "甲乙丙丁戊己庚辛"]
    examples = [Example(name, name, (Span(0, 2, "name"),)) for name in names]
    tokens = build_vocabulary(names)
    vocabulary = CharacterVocabulary.from_token_ids({t: i for i, t in enumerate(tokens)})
    dataset = TaggingDataset.from_examples(examples, LABELS, vocabulary, max_characters=9)
    replacer = MentionReplacer(
        dataset.windows, LABELS, vocabulary, probability=0.3, max_characters=9, seed=1
    )
    drawn = [window for epoch in range(20) for window in replacer.draw(epoch)]
    changed = sum(new != old for new, old in zip(drawn, dataset.windows * 20, strict=True))
    assert changed / len(drawn) == pytest.approx(0.3, abs=0.04)


def test_a_draw_depends_on_seed_and_epoch_alone() -> None:
    windows = encode(EXAMPLES).windows
    replacer = make_replacer(windows)
    draws = [replacer.draw(epoch) for epoch in range(5)]
    assert make_replacer(windows).draw(3) == draws[3]
    assert len(set(draws)) > 1
    assert [make_replacer(windows, seed=4).draw(epoch) for epoch in range(5)] != draws


def test_a_window_that_would_grow_too_long_stays() -> None:
    windows = encode(EXAMPLES).windows
    longest = max(len(window.token_ids) for window in windows)
    replacer = make_replacer(windows, max_characters=longest)
    drawn = [window for epoch in range(60) for window in replacer.draw(epoch)]
    assert max(len(window.token_ids) for window in drawn) == longest
    assert any(new != old for new, old in zip(drawn, windows * 60, strict=True))


def test_a_mention_with_an_unknown_character_stays_and_is_lent_to_no_other_place() -> None:
    strange = Example("u", "龘靐走", (Span(0, 2, "name"),))
    windows = encode((*EXAMPLES, strange)).windows
    replacer = make_replacer(windows)
    for epoch in range(40):
        *others, last = replacer.draw(epoch)
        assert last == windows[-1]
        assert all(VOCABULARY.unk_token_id not in window.token_ids for window in others)


def test_gold_that_leaves_a_choice_stays_and_lends_no_mention() -> None:
    coarse = LabelSet(("PER",))
    label_map = LabelMap(coarse, LABELS, {"PER": ("name", "book")})
    mapped = encode([Example("m", "赵六走", (Span(0, 2, "PER"),))], label_map).windows
    replacer = make_replacer((*encode(EXAMPLES).windows, *mapped))
    for epoch in range(40):
        *others, last = replacer.draw(epoch)
        assert last == mapped[0]
        assert all("赵" not in read(window)[0] for window in others)
