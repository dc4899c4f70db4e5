import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from ner_core.evaluation import Counts, Evaluation, Scores, SpanCounts, evaluate
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.spans import Span, drop_overlaps

TEXT = "国中国中人"  # few different characters, so that mentions repeat


def spans_of(tags):
    return MSRA.tags_to_spans([MSRA.tag_ids[tag] for tag in tags.split()])


def spans_in(text, labels):
    bounds = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    spans = st.builds(lambda bounds, label: Span(*bounds, label), bounds, st.sampled_from(labels))
    return st.lists(spans, max_size=4)


PAIRS = st.lists(st.tuples(*[spans_in(TEXT, MSRA.labels)] * 2), min_size=1, max_size=5)


@pytest.mark.parametrize("is_turned_round", [False, True])
def test_half_an_entity_is_no_entity(is_turned_round):
    """Counted by single tags, precision would be 100 % and recall 67 %."""
    gold, predicted = "B-PER I-PER I-PER O", "B-PER I-PER O O"
    if is_turned_round:
        gold, predicted = predicted, gold
    evaluation = evaluate([spans_of(gold)], [spans_of(predicted)], ["王小明说"], MSRA)
    assert evaluation.micro == Scores(precision=0.0, recall=0.0, f1=0.0, support=1)
    assert evaluation.official_macro_f1 == 0.0


def test_scores_of_a_small_case_are_those_counted_by_hand():
    gold = [spans_of("B-PER I-PER O B-LOC I-LOC"), spans_of("B-LOC O B-ORG I-ORG O")]
    predicted = [spans_of("B-PER I-PER O B-LOC O"), spans_of("B-LOC O B-LOC I-LOC O")]
    evaluation = evaluate(gold, predicted, [TEXT, TEXT], MSRA)
    assert evaluation == Evaluation(
        micro=Scores(precision=2 / 4, recall=2 / 4, f1=2 / 4, support=4),
        per_label={
            "PER": Scores(precision=1.0, recall=1.0, f1=1.0, support=1),
            "LOC": Scores(precision=1 / 3, recall=1 / 2, f1=2 / 5, support=2),
            "ORG": Scores(precision=0.0, recall=0.0, f1=0.0, support=1),
        },
        official_macro_f1=(1.0 + 2 / 5 + 0.0) / 3,
        num_examples=2,
    )
    assert evaluation.macro_f1 == pytest.approx((1.0 + 2 / 5) / 3)
    assert evaluation.macro.precision == pytest.approx((1.0 + 1 / 3) / 3)
    assert evaluation.macro.recall == pytest.approx((1.0 + 1 / 2) / 3)
    assert (evaluation.macro.f1, evaluation.macro.support) == (evaluation.macro_f1, 4)


@settings(deadline=None)
@given(PAIRS)
def test_scores_agree_with_seqeval_in_strict_mode(pairs):
    # BIO tags, and with them seqeval, cannot express overlaps.
    pairs = [tuple(drop_overlaps(set(spans))[0] for spans in pair) for pair in pairs]
    evaluation = evaluate(
        [gold for gold, _ in pairs], [found for _, found in pairs], [TEXT] * len(pairs), MSRA
    )
    expected = report_of_seqeval(pairs)
    for name, scores in {"micro avg": evaluation.micro, **evaluation.per_label}.items():
        if name not in expected:  # seqeval leaves out a label that occurs nowhere
            assert scores == Scores(0.0, 0.0, 0.0, 0)
            continue
        assert scores.precision == pytest.approx(expected[name]["precision"], abs=1e-12)
        assert scores.recall == pytest.approx(expected[name]["recall"], abs=1e-12)
        assert scores.f1 == pytest.approx(expected[name]["f1-score"], abs=1e-12)
        assert scores.support == expected[name]["support"]
    if expected.keys() >= set(MSRA.labels):
        macro, expected_macro = evaluation.macro, expected["macro avg"]
        assert macro.precision == pytest.approx(expected_macro["precision"], abs=1e-12)
        assert macro.recall == pytest.approx(expected_macro["recall"], abs=1e-12)
        assert macro.f1 == pytest.approx(expected_macro["f1-score"], abs=1e-12)
        assert macro.support == expected_macro["support"]


def report_of_seqeval(pairs):
    def tags_of(spans):
        return [MSRA.tags[tag_id] for tag_id in MSRA.spans_to_tags(spans, len(TEXT))]

    if not any(gold or found for gold, found in pairs):
        return {}  # seqeval fails where there is nothing to report
    return classification_report(
        [tags_of(gold) for gold, _ in pairs],
        [tags_of(found) for _, found in pairs],
        mode="strict",
        scheme=IOB2,
        output_dict=True,
        zero_division=0,
    )


@given(PAIRS)
def test_the_official_score_compares_mentions_by_label_and_sentence(pairs):
    """The oracle counts with lists, as the official script does, over CLUENER's own objects."""
    f1 = []
    for label in MSRA.labels:
        num_right = num_wrong = num_missed = 0
        for gold, found in pairs:
            gold_mentions = {TEXT[s.start : s.end] for s in gold if s.label == label}
            found_mentions = {TEXT[s.start : s.end] for s in found if s.label == label}
            num_right += sum(mention in gold_mentions for mention in found_mentions)
            num_wrong += sum(mention not in gold_mentions for mention in found_mentions)
            num_missed += sum(mention not in found_mentions for mention in gold_mentions)
        precision = num_right / (num_right + num_wrong) if num_right else 0
        recall = num_right / (num_right + num_missed) if num_right else 0
        f1.append(2 * precision * recall / (precision + recall) if num_right else 0)
    evaluation = evaluate(
        [gold for gold, _ in pairs], [found for _, found in pairs], [TEXT] * len(pairs), MSRA
    )
    assert evaluation.official_macro_f1 == pytest.approx(sum(f1) / len(f1))


def test_the_official_score_takes_a_mention_at_another_place_for_found():
    gold, predicted = [Span(0, 2, "PER")], [Span(2, 4, "PER")]
    evaluation = evaluate([gold], [predicted], ["王五王五"], LabelSet(("PER",)))
    assert evaluation.micro.f1 == 0.0
    assert evaluation.official_macro_f1 == 1.0


@given(PAIRS, PAIRS)
def test_counts_of_two_parts_add_up_to_the_evaluation_of_the_whole(first, second):
    def count(pairs):
        return sum(
            (SpanCounts.of_example(gold, found, TEXT, MSRA) for gold, found in pairs),
            SpanCounts.zero(MSRA),
        )

    whole = first + second
    expected = evaluate(
        [gold for gold, _ in whole], [found for _, found in whole], [TEXT] * len(whole), MSRA
    )
    # As processes do it: every number of one list is added to its neighbour of the other.
    numbers = [a + b for a, b in zip(count(first).to_list(), count(second).to_list(), strict=True)]
    assert (count(first) + count(second)).evaluation() == expected
    assert SpanCounts.from_list(numbers, MSRA).evaluation() == expected


def test_spans_given_twice_count_once_and_scores_do_not_matter():
    span = Span(0, 2, "PER")
    evaluation = evaluate([[span]], [[Span(0, 2, "PER", 0.4), span]], ["王五"], MSRA)
    assert evaluation.micro == Scores(1.0, 1.0, 1.0, 1)


def test_gold_spans_that_overlap_all_count():
    gold = [Span(0, 4, "company"), Span(0, 9, "company"), Span(0, 9, "organization")]
    evaluation = evaluate([gold], [gold[1:2]], ["招商银行信用卡中心"], CLUENER)
    assert evaluation.micro == Scores(precision=1.0, recall=1 / 3, f1=1 / 2, support=3)


def test_nothing_to_find_and_nothing_found_scores_0():
    evaluation = evaluate([[]], [[]], ["无"], MSRA)
    assert evaluation.micro == Scores(0.0, 0.0, 0.0, 0)
    assert (evaluation.macro_f1, evaluation.official_macro_f1) == (0.0, 0.0)
    assert evaluate([], [], [], MSRA).num_examples == 0


def test_the_json_form_has_the_keys_that_the_command_line_promises():
    evaluation = evaluate(
        [[Span(0, 2, "PER")]], [[Span(0, 2, "PER")]], ["王五"], LabelSet(("PER",))
    )
    perfect = {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 1}
    assert json.loads(json.dumps(evaluation.to_json())) == {
        "micro": perfect,
        "per_label": {"PER": perfect},
        "official_macro_f1": 1.0,
        "num_examples": 1,
    }


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(ValueError, match="each of 2 texts, got 1 and 2"):
        evaluate([[]], [[], []], ["a", "b"], MSRA)
    with pytest.raises(ValueError, match="labels PER, LOC, ORG, got 'GPE'"):
        evaluate([[Span(0, 1, "GPE")]], [[]], ["国"], MSRA)
    with pytest.raises(ValueError, match="inside the text of 1 characters, got 0:2"):
        evaluate([[]], [[Span(0, 2, "PER")]], ["国"], MSRA)
    with pytest.raises(ValueError, match="expected 19 counts for 3 labels, got 2"):
        SpanCounts.from_list([1, 2], MSRA)
    with pytest.raises(ValueError, match="expected counts of the labels"):
        SpanCounts.zero(MSRA) + SpanCounts.zero(CLUENER)


def test_counts_make_precision_recall_and_f1():
    assert Counts(tp=2, num_predicted=4, num_gold=8).scores() == Scores(1 / 2, 1 / 4, 1 / 3, 8)
