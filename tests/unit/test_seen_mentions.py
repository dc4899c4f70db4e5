import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_core.evaluation import Scores, evaluate
from ner_core.labels import MSRA
from ner_core.seen_mentions import collect_mentions, score_seen
from ner_core.spans import Example, Span

TEXT = "王五在北京王五"
TRAIN = [Example("", "王五去北京", (Span(0, 2, "PER"), Span(3, 5, "LOC")))]


def spans_in(text, labels):
    bounds = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    spans = st.builds(lambda bounds, label: Span(*bounds, label), bounds, st.sampled_from(labels))
    return st.lists(spans, max_size=5)


SPANS = spans_in(TEXT, MSRA.labels)


def test_mentions_are_strings_with_their_label():
    assert collect_mentions(TRAIN) == {("王五", "PER"), ("北京", "LOC")}
    assert collect_mentions([]) == frozenset()


def test_a_mention_is_seen_with_the_label_that_it_had_in_training_only():
    mentions = collect_mentions(TRAIN)
    person, organization = Span(0, 2, "PER"), Span(0, 2, "ORG")
    scores = score_seen([[person]], [[organization]], [TEXT], mentions)
    assert scores.seen == Scores(precision=0.0, recall=0.0, f1=0.0, support=1)
    assert scores.unseen.support == 0
    assert score_seen([[organization]], [[organization]], [TEXT], mentions).unseen.f1 == 1.0


def test_scores_of_a_small_case_are_those_counted_by_hand():
    gold = [Span(0, 2, "PER"), Span(3, 5, "LOC"), Span(2, 3, "ORG"), Span(5, 7, "PER")]
    # Right: one seen and the unseen one. The wrong border makes an unseen string: 北京王五.
    predicted = [Span(0, 2, "PER"), Span(2, 3, "ORG"), Span(3, 7, "LOC")]
    scores = score_seen([gold], [predicted], [TEXT], collect_mentions(TRAIN))
    assert scores.seen == Scores(precision=1.0, recall=1 / 3, f1=2 / 4, support=3)
    assert scores.unseen == Scores(precision=1 / 2, recall=1.0, f1=2 / 3, support=1)


def test_without_training_data_everything_is_unseen():
    gold = [Span(0, 2, "PER")]
    scores = score_seen([gold], [gold], [TEXT], frozenset())
    assert scores.seen.support == 0
    assert scores.unseen == Scores(1.0, 1.0, 1.0, 1)


@given(st.lists(st.tuples(SPANS, SPANS), max_size=4), SPANS)
def test_seen_and_unseen_spans_add_up_to_all(pairs, train_spans):
    gold, predicted = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    texts = [TEXT] * len(pairs)
    mentions = collect_mentions([Example("", TEXT, tuple(train_spans))])
    scores = score_seen(gold, predicted, texts, mentions)
    micro = evaluate(gold, predicted, texts, MSRA).micro
    parts = (scores.seen, scores.unseen)
    assert sum(part.support for part in parts) == micro.support
    num_found = sum(part.recall * part.support for part in parts)
    assert num_found == pytest.approx(micro.recall * micro.support)
