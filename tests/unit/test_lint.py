import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ner_core import lint as command
from ner_core.findings import Finding, FindingKind, count_kinds, rank_findings
from ner_core.labels import CLUENER
from ner_core.lint import ask_model, lint
from ner_core.lint_model import ModelOpinion
from ner_core.prediction import Prediction
from ner_core.spans import Example, Span

BLANK = FindingKind.BLANK_AT_BORDER
PUNCTUATION = FindingKind.PUNCTUATION_AT_BORDER
HALF = FindingKind.HALF_PAIR
REPEAT = FindingKind.UNLABELLED_REPEAT
ELSEWHERE = FindingKind.UNLABELLED_ELSEWHERE
TWO_LABELS = FindingKind.TWO_LABELS
CONTRADICTED = FindingKind.CONTRADICTED


def mark(text):
    """An example from "在[北京:address]见": spans in brackets, no bracket in the text itself."""
    plain, spans = "", []
    while "[" in text:
        before, rest = text.split("[", 1)
        inside, text = rest.split("]", 1)
        mention, label = inside.rsplit(":", 1)
        plain += before
        spans.append(Span(len(plain), len(plain) + len(mention), label))
        plain += mention
    return Example("", plain + text, tuple(spans))


def findings_of(*texts, kind=None):
    return [it for it in lint([mark(text) for text in texts]) if kind in (None, it.kind)]


def mention(finding, text, side="span"):
    span = getattr(finding, side)
    return span and mark(text).text[span.start : span.end]


def test_clean_data_have_no_findings():
    assert findings_of("[叶老桂:name]读[《红楼梦》:book]。", "他在[北京:address]。", "没有") == []


@pytest.mark.parametrize("blank", [" ", "\u3000", "\t", "\n", "\u00a0", "\u200b", "\ufeff"])
def test_blanks_at_both_borders_are_taken_off(blank):
    text = f"在[{blank}北京{blank}{blank}:address]见"
    (finding,) = findings_of(text)
    assert finding.kind is BLANK
    assert mention(finding, text, "proposal") == "北京"
    assert finding.is_safe
    assert finding.repair(mark(text).spans) == (finding.proposal,)


def test_a_blank_inside_a_name_is_left_alone():
    assert findings_of("[New York:address]") == []


def test_a_span_of_nothing_but_blanks_is_found_and_has_no_safe_repair():
    (finding,) = findings_of("在[ \u3000:address]见")
    assert (finding.kind, finding.proposal, finding.is_safe) == (BLANK, None, False)
    with pytest.raises(ValueError, match="expected a finding with a proposal"):
        finding.repair(())


def test_the_joiners_of_an_emoji_are_no_blanks():
    assert findings_of("[👨\u200d👩\u200d👧:name]") == []


@pytest.mark.parametrize(
    ("span", "left_over"),
    [("北京，", "北京"), ("、北京", "北京"), ("哈罗德·", "哈罗德"), ("“北京”，", "“北京”")],
)
def test_punctuation_at_a_border_is_taken_off(span, left_over):
    text = f"在[{span}:address]见"
    (finding,) = findings_of(text, kind=PUNCTUATION)
    assert mention(finding, text, "proposal") == left_over
    assert not finding.is_safe


@pytest.mark.parametrize(
    "name", ["Yahoo!", "S.H.E.", "50%", "《红楼梦》", "“神五”", "C#", "《你好，李焕英》", "·"]
)
def test_punctuation_that_belongs_to_a_name_is_no_finding(name):
    assert findings_of(f"说[{name}:name]好", kind=PUNCTUATION) == []


@pytest.mark.parametrize(
    ("text", "proposal"),
    [
        ("看[《红楼梦:book]》，看[《水浒》:book]", "《红楼梦》"),
        ("看[《红楼梦:book]》，看《[水浒:book]》，《[三国:book]》", "红楼梦"),
        ("看《[红楼梦》:book]", "《红楼梦》"),
        ("[世界尽头》:movie]的票房", "世界尽头"),
        ("在[（北京:address]市", "北京"),
        ("由[微软（中国:company]公司", None),
        ("看[红》楼《梦:book]", None),
        ("看[《红（楼》:book]", None),
    ],
)
def test_half_of_a_pair_is_mended_as_the_other_names_of_its_label_are(text, proposal):
    (finding,) = findings_of(text, kind=HALF)
    assert mention(finding, text, "proposal") == proposal


@pytest.mark.parametrize(
    "name", ["微软(中国）", "《双城记（上）》", "McDonald’s", "‘神五’", "【号外】", "a(b[c]d)e"]
)
def test_whole_pairs_and_apostrophes_are_no_halves(name):
    example = Example("", f"说{name}好", (Span(1, 1 + len(name), "name"),))
    assert [it.kind for it in lint([example])] == []


@pytest.mark.parametrize("text", ["[水浒》:book]的开头", "结尾是[《水浒:book]"])
@pytest.mark.parametrize(
    ("others", "num_findings"), [(["看[《三国》:book]"], 0), (["看《[三国:book]》"], 1), ([], 1)]
)
def test_a_name_that_the_end_of_its_text_cuts_is_no_half_where_names_have_their_marks(
    text, others, num_findings
):
    assert len(findings_of(text, *others, kind=HALF)) == num_findings


def test_a_mark_whose_other_half_would_be_in_the_text_is_a_half_at_its_end_too():
    assert len(findings_of("看[水浒》:book]", "看[《三国》:book]", kind=HALF)) == 1
    assert len(findings_of("[《水浒:book]好", "看[《三国》:book]", kind=HALF)) == 1


def test_a_foreign_name_may_be_cut_behind_the_dot_that_joins_its_parts():
    assert findings_of("演员[安妮·:name]", kind=PUNCTUATION) == []
    assert len(findings_of("演员[安妮·:name]来了", kind=PUNCTUATION)) == 1


def test_a_string_labelled_once_and_not_again_in_its_text_is_found():
    text = "[叶老桂:name]说叶老桂来了"
    (finding,) = findings_of(text)
    assert finding.kind is REPEAT
    assert finding.span is None
    assert finding.proposal == Span(4, 7, "name")
    assert finding.repair(mark(text).spans) == (Span(0, 3, "name"), Span(4, 7, "name"))


def test_a_string_inside_a_longer_span_is_not_unlabelled():
    assert findings_of("[北京:address]的[北京大学:organization]") == []


def test_the_longest_labelled_string_is_found_and_not_a_part_of_it():
    texts = [
        "[北京:address]",
        "[北京:address]",
        "[北京大学:organization]",
        "[北京大学:organization]",
    ]
    (finding,) = findings_of(*texts, "在北京大学")
    assert (finding.kind, finding.index) == (ELSEWHERE, 4)
    assert finding.proposal == Span(1, 5, "organization")


def test_a_string_that_is_mostly_unlabelled_is_no_finding_in_other_texts():
    assert findings_of("[中国:address]", "在中国", "到中国") == []


def test_a_latin_name_inside_a_longer_word_is_another_string():
    assert findings_of(*["[AC:organization]"] * 3, "ACM和2AC") == []


def test_the_more_often_a_string_is_labelled_the_more_its_absence_is_suspicious():
    rare, frequent = (
        findings_of(*["[叶老桂:name]"] * count, "叶老桂来了")[0].suspicion for count in (2, 20)
    )
    assert rare < frequent < 1


def test_the_rarer_label_of_a_string_is_found_and_the_other_one_proposed():
    texts = ["[记者:position]", "[记者:position]", "[记者:name]"]
    (finding,) = findings_of(*texts)
    assert (finding.kind, finding.index) == (TWO_LABELS, 2)
    assert (finding.span, finding.proposal) == (Span(0, 2, "name"), Span(0, 2, "position"))
    assert (finding.num_like, finding.num_other) == (1, 2)


def test_of_two_labels_used_equally_often_both_are_found():
    assert [it.kind for it in findings_of("[苹果:company]", "[苹果:book]")] == [TWO_LABELS] * 2


def test_one_place_with_two_labels_is_meant():
    both = Example("", "红楼梦", (Span(0, 3, "book"), Span(0, 3, "movie")))
    assert lint([both]) == ()


def opinion(*predicted, outside=()):
    return ModelOpinion(tuple(predicted), tuple(outside))


def contradictions(text, *predicted, outside):
    findings = lint([mark(text)], [opinion(*predicted, outside=outside)], min_probability=0.9)
    return [(it.span, it.proposal, it.suspicion) for it in findings if it.kind is CONTRADICTED]


def test_a_sure_model_contradicts_a_label():
    sure = Span(0, 2, "address", score=0.97)
    assert contradictions("[北京:name]来", sure, outside=[0.0]) == [
        (Span(0, 2, "name"), Span(0, 2, "address"), 0.97)
    ]


def test_a_sure_model_contradicts_a_border_and_an_absence():
    longer, missing = Span(0, 3, "name", score=0.95), Span(4, 6, "address", score=0.92)
    assert contradictions("[叶老:name]桂在北京", longer, missing, outside=[0.0]) == [
        (Span(0, 2, "name"), longer, 0.95),
        (None, missing, 0.92),
    ]


def test_a_sure_model_contradicts_a_span_where_it_finds_nothing():
    assert contradictions("[北京:name]来", outside=[0.93]) == [(Span(0, 2, "name"), None, 0.93)]


def test_an_unsure_model_contradicts_nothing():
    unsure = Span(0, 2, "address", score=0.89)
    assert contradictions("[北京:name]来", unsure, outside=[0.0]) == []
    assert contradictions("[北京:name]来", outside=[0.5]) == []


def test_a_model_has_nothing_to_say_on_a_label_that_it_does_not_know():
    sure = Span(0, 2, "address", score=0.99)
    assert contradictions("[北京:drug]来", sure, outside=[None]) == []


def test_opinions_and_examples_must_match():
    with pytest.raises(ValueError, match="an opinion on each of 1 texts, got 0"):
        lint([mark("北京")], [])
    with pytest.raises(ValueError, match=r"each of 1 spans, got 0 \(text 1\)"):
        lint([mark("[北京:address]")], [opinion()])


class FixedPredictor:
    """Predicts one span in every text and is 0.75 sure of any empty place."""

    labels = CLUENER

    def __init__(self):
        self.weighed = []

    def predict(self, texts):
        return [Prediction(text, (Span(0, 2, "name", score=0.9),)) for text in texts]

    def outside_probabilities(self, texts, spans):
        self.weighed += texts
        return [[0.75 for _ in of_text] for of_text in spans]


def test_only_texts_with_a_span_that_no_prediction_touches_are_weighed():
    predictor = FixedPredictor()
    examples = [mark("[北京:name]来"), mark("北京[来了:name]"), mark("[北京:drug]")]
    first, second, third = ask_model(predictor, examples)
    assert predictor.weighed == ["北京来了"]
    assert (first.outside, second.outside, third.outside) == ((0.0,), (0.75,), (None,))
    assert first.predicted[0].score == 0.9


def test_findings_are_ranked_and_counted():
    texts = ["[叶老桂:name]说叶老桂", "在[ 北京:address]"]
    findings = lint([mark(text) for text in texts])
    assert [it.kind for it in findings] == [BLANK, REPEAT]
    assert rank_findings(findings[::-1]) == findings
    counts = count_kinds(findings)
    assert counts[BLANK] == counts[REPEAT] == 1
    assert sum(counts.values()) == 2
    assert list(counts) == list(FindingKind)


def test_a_finding_is_named_by_its_place_and_not_by_its_numbers():
    texts = ["[叶老桂:name]说叶老桂"]
    (alone,) = findings_of(*texts)
    (with_others,) = (it for it in findings_of(*texts, *["[叶老桂:name]"] * 9))
    assert alone.key == with_others.key == "unlabelled-repeat:>4-7-name"
    assert alone.suspicion != with_others.suspicion
    long = Finding(TWO_LABELS, 0, Span(0, 1, "x" * 500), Span(0, 1, "y" * 500), 1.0)
    assert len(long.key) <= 200


def test_a_repair_of_spans_that_have_changed_is_refused():
    (finding,) = findings_of("在[ 北京:address]")
    with pytest.raises(ValueError, match=r"expected the span 1:4 \(address\)"):
        finding.repair(())


@given(
    st.lists(st.tuples(st.text("《》（）(， 北京AB", min_size=1, max_size=8), st.integers(0, 7)))
)
def test_every_proposal_is_a_span_of_its_text_that_repairs_what_was_found(items):
    examples = [
        Example("", text, (Span(start, len(text), "book"),))
        for text, start in items
        if start < len(text)
    ]
    for finding in lint(examples):
        if finding.proposal is None:
            continue
        text = examples[finding.index].text
        assert finding.proposal.end <= len(text)
        repaired = finding.repair(examples[finding.index].spans)
        assert finding.proposal in repaired
        if finding.kind in (BLANK, PUNCTUATION, HALF):
            again = lint([Example("", text, repaired)])
            assert finding.kind not in [it.kind for it in again]


def test_ten_thousand_texts_take_seconds():
    examples = [
        mark(
            f"[公司{index % 997}号:company]的[记者{index % 89}:name]在[北京:address]说公司{index}号"
        )
        for index in range(10_000)
    ]
    started = time.perf_counter()
    assert lint(examples)
    assert time.perf_counter() - started < 20


def write(tmp_path, *texts):
    path = tmp_path / "data.json"
    lines = []
    for text in texts:
        example = mark(text)
        label = {}
        for span in example.spans:
            of_label = label.setdefault(span.label, {})
            found = of_label.setdefault(example.text[span.start : span.end], [])
            found.append([span.start, span.end - 1])
        lines.append(json.dumps({"text": example.text, "label": label}, ensure_ascii=False))
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def test_the_command_lists_findings_and_counts(tmp_path, capsys):
    path = write(tmp_path, "[叶老桂:name]说叶老桂", "在[ 北京:address]")
    assert command.main(["--data", path, "--limit", "1"]) == 0
    output = capsys.readouterr().out
    assert "1.00  text 2:1-4  blank-at-border  ' 北京' address -> '北京' address" in output
    assert "... and 1 more: --limit 2 lists all" in output
    assert "      1  unlabelled-repeat" in output
    assert "      2  findings in 2 texts" in output
    assert "contradicted" not in output


def test_the_command_prints_json(tmp_path, capsys):
    path = write(tmp_path, "[叶老桂:name]说叶老桂")
    assert command.main(["--data", path, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["num_examples"], report["num_spans"]) == (1, 1)
    (finding,) = report["findings"]
    assert finding["kind"] == "unlabelled-repeat"
    assert finding["span"] is None
    assert finding["proposal"] == {"start": 4, "end": 7, "label": "name"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected labelled texts, got none"),
        ('{"text": "北京"}', "expected labelled texts, got 1 lines without it"),
        ("{", ":1: expected"),
    ],
)
def test_the_command_says_in_one_line_what_is_wrong(tmp_path, capsys, content, message):
    path = tmp_path / "data.json"
    path.write_text(content, encoding="utf-8")
    assert command.main(["--data", str(path)]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_a_probability_without_a_model_is_refused(tmp_path, capsys):
    path = write(tmp_path, "[叶老桂:name]")
    assert command.main(["--data", path, "--min-probability", "0.9"]) == 2
    assert "expected --checkpoint with --min-probability" in capsys.readouterr().err
