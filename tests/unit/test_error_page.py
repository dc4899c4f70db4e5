import re
from html.parser import HTMLParser

import pytest

from ner_core.error_analysis import ErrorCounts, ExampleErrors, pair_spans
from ner_core.error_page import render_error_page
from ner_core.error_page_texts import PAGE_TEXTS
from ner_core.evaluation import evaluate
from ner_core.evaluation_report import EvaluationReport
from ner_core.labels import LabelSet
from ner_core.seen_mentions import score_seen
from ner_core.significance import Interval
from ner_core.spans import Example, Span

LABELS = LabelSet(("name", "company"))
VOID = {"meta", "br", "hr", "img", "link", "input"}


class Page(HTMLParser):
    """Text and elements of a page; fails where an end tag does not close what is open."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.open = [], [], []
        self.pieces, self.marked_texts = [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append((tag, dict(attrs)))
        if dict(attrs).get("class") == "text":
            self.marked_texts.append("")

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1][0] != "style":
            self.pieces.append(data)
        is_in_text = any(attributes.get("class") == "text" for _, attributes in self.open)
        is_hidden = any(attributes.get("aria-hidden") for _, attributes in self.open)
        if is_in_text and not is_hidden:
            self.marked_texts[-1] += data

    @property
    def text(self):
        """All that can be read, with single blanks."""
        return " ".join(" ".join(self.pieces).split())


def report_on(*cases, name="tiny", data="dev.json", is_seen_known=True):
    """A report on (text, gold, predicted) cases."""
    texts, gold, predicted = zip(*cases, strict=True)
    examples = tuple(
        ExampleErrors(Example("", text, tuple(right)), number, pair_spans(right, found))
        for number, (text, right, found) in enumerate(cases, start=1)
    )
    return EvaluationReport(
        checkpoint=name,
        data=data,
        evaluation=evaluate(gold, predicted, texts, LABELS),
        interval=Interval(0.25, 0.75),
        num_resamples=1000,
        errors=ErrorCounts.of((pair for it in examples for pair in it.pairs), LABELS.labels),
        examples=examples,
        seen=score_seen(gold, predicted, texts, frozenset()) if is_seen_known else None,
    )


def worst_texts(*cases):
    """The page behind its style sheet and tables."""
    return render_error_page(report_on(*cases)).partition('<ol class="worst">')[2]


WRONG = ("王小明在浙商银行", [Span(0, 3, "name")], [Span(0, 2, "name", 0.834)])
RIGHT = ("浙商银行", [Span(0, 4, "company")], [Span(0, 4, "company", 0.99)])


def test_the_page_needs_no_network_and_no_script():
    html = render_error_page(report_on(WRONG, RIGHT))
    page = Page(html)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not {"src", "href", "srcset"} & {name for name, _ in page.attributes}
    assert not any(name.startswith("on") for name, _ in page.attributes)
    assert not re.search(r"url\(|@import|https?://", html)
    assert "default-src 'none'" in html


@pytest.mark.parametrize("language", PAGE_TEXTS)
def test_what_comes_from_outside_is_escaped_everywhere(language):
    attack = "<script>alert(1)</script>&amp;\"'{{1+1}}"
    span = Span(0, len(attack), "company", 0.5)
    report = report_on((attack, [Span(1, 9, "name")], [span]), name=attack, data=attack)
    page = Page(render_error_page(report, language=language))
    assert "script" not in page.tags
    assert page.marked_texts == [attack]
    assert page.text.count(attack) >= 4  # title, heading, file name, mention
    assert dict(page.open) == {}


def test_labels_are_escaped_too():
    label = "<b>&"
    labels = LabelSet((label,))
    gold, predicted = [Span(0, 1, label)], [Span(0, 2, label, 0.5)]
    pairs = pair_spans(gold, predicted)
    report = EvaluationReport(
        checkpoint="tiny",
        data="dev.json",
        evaluation=evaluate([gold], [predicted], ["一二"], labels),
        interval=Interval(0.0, 1.0),
        num_resamples=1000,
        errors=ErrorCounts.of(pairs, labels.labels),
        examples=(ExampleErrors(Example("7", "一二", tuple(gold)), 1, pairs),),
        seen=None,
    )
    page = Page(render_error_page(report))
    assert label in page.text
    assert "text 1, id 7" in page.text


def test_a_marked_text_reads_as_it_was_written():
    text = "王 小\n明，\t在　浙商银行。。"
    spans = [Span(0, 5, "name"), Span(9, 13, "company")]
    page = Page(render_error_page(report_on((text, spans, []))))
    assert page.marked_texts == [text]


def test_labels_of_short_entities_side_by_side_get_room():
    """The labels are three times as wide as the single characters below them."""
    spans = [Span(0, 1, "company"), Span(1, 2, "company"), Span(20, 21, "company")]
    html = worst_texts(("无" * 25, spans, []))
    (gap,) = re.findall(r"margin-right: (\d+)px", html)
    assert 30 <= int(gap) <= 60
    # The gap stands between the two, and none before the third, which is far away.
    assert html.index("margin-right: ") < html.index("<b>1</b>") < html.index("<b>2</b>")


def test_room_within_an_entity_does_not_break_its_bracket():
    gold = [Span(0, 4, "company")]
    predicted = [Span(0, 1, "company", 0.5), Span(1, 4, "company", 0.5)]
    html = worst_texts(("招商银行", gold, predicted))
    assert len(re.findall(r"padding-right: [1-9]\d*px\">招<", html)) == 1
    assert "margin-right: " not in html


def test_punctuation_behind_an_entity_does_not_begin_a_line():
    spans = [Span(0, 2, "name"), Span(4, 6, "name")]
    html = worst_texts(("王五”、李四说。", spans, []))
    assert re.search(r'class="unbroken"><span class="run".*?</span></span>”、</span>', html)
    assert html.count('class="unbroken"') == 1


def test_each_error_is_listed_in_words():
    missed = ("王小明", [Span(0, 3, "name")], [])
    text = Page(render_error_page(report_on(WRONG, RIGHT, missed))).text
    assert "1 wrong borders gold 王小明 name model 王小 name 83 %" in text
    assert "1 missed gold 王小明 name model nothing" in text
    assert "1 error text 1" in text
    assert "text 2" not in text  # nothing is wrong there


def test_the_tables_show_the_scores_that_were_measured():
    text = Page(render_error_page(report_on(WRONG, RIGHT))).text
    assert "Micro F1 50.0 95 % interval 25.0 – 75.0" in text
    assert "company 100.0 100.0 100.0 1" in text
    assert "name 0.0 0.0 0.0 1" in text
    assert "wrong borders 100.0 1 100.0" in text
    assert "spurious 0.0 0 50.0" in text
    assert "Unseen 50.0 50.0 50.0 2" in text
    assert "Unseen" not in render_error_page(report_on(WRONG, is_seen_known=False))


def test_at_most_as_many_texts_as_asked_for_are_shown():
    page = Page(render_error_page(report_on(*[WRONG] * 60)))
    assert len(page.marked_texts) == 50
    assert "The worst texts (50)" in page.text
    assert len(Page(render_error_page(report_on(*[WRONG] * 60), num_worst=3)).marked_texts) == 3


def test_a_model_without_errors_gets_a_page_too():
    for case in (RIGHT, ("无", [], [])):
        page = Page(render_error_page(report_on(case)))
        assert page.marked_texts == []
        assert "There is no error at all." in page.text


def test_a_long_text_is_not_shown_whole():
    text = "无" * 20_000
    page = Page(render_error_page(report_on((text, [Span(9_000, 19_000, "name")], []))))
    assert len(page.text) < 5_000
    assert "of 20000" in page.text


def test_both_languages_say_the_same_things():
    chinese, english = PAGE_TEXTS["zh"], PAGE_TEXTS["en"]
    assert chinese.keys() == english.keys()
    for key, text in chinese.items():
        assert set(re.findall(r"{\w+", text)) == set(re.findall(r"{\w+", english[key])), key
    html = render_error_page(report_on(WRONG), language="zh")
    assert '<html lang="zh-Hans">' in html
    assert "错得最多的文本（1 条）" in html
