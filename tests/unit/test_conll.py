from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ner_core.conll import format_conll, parse_conll, read_conll, write_conll
from ner_core.formats import DataFormatError, read_cluener
from ner_core.labels import CLUENER, MSRA
from ner_core.spans import Example, Span, drop_overlaps

DATA = Path(__file__).parents[1] / "data"

NASTY_CHARACTERS = (
    "中é\u0301\u200d😀𠮷\U0010ffff\u3000 \t\n\r\x0b\x0c\x1c\x85\u2028\u2029\ufeff\\nrtO-B"
)
TEXTS = st.text(
    st.sampled_from(NASTY_CHARACTERS)
    | st.characters(exclude_categories=("Cs",), exclude_characters="\x00"),
    min_size=1,
    max_size=12,
)


@st.composite
def examples(draw):
    """Examples that BIO can express."""
    text = draw(TEXTS)
    bounds = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    labels = st.sampled_from(("PER", "公司", "a-b", "O"))
    spans = st.builds(lambda bounds, label: Span(*bounds, label), bounds, labels)
    kept, _ = drop_overlaps(draw(st.lists(spans, max_size=4)))
    return Example("", text, kept)


def parse(text, **options):
    return parse_conll(text, source="train.txt", **options)


@settings(deadline=None)
@given(st.lists(examples(), max_size=4))
@example([Example("", "\ufeff中")])  # would pass for a byte order mark
def test_examples_come_back_from_a_file(tmp_path_factory, corpus):
    path = tmp_path_factory.mktemp("conll") / "corpus.txt"
    assert write_conll(path, corpus) == 0
    assert read_conll(path).examples == tuple(corpus)


@given(examples())
def test_each_character_has_a_line_of_its_own(sentence):
    lines = format_conll(sentence).split("\n")
    assert len(lines) == len(sentence.text)


def test_a_file_in_the_shape_of_the_msra_data_is_read():
    corpus = read_conll(DATA / "msra.txt", labels=MSRA)
    assert corpus.num_repaired_tags == 2
    assert [example.text for example in corpus.examples] == [
        "中国银行在北京。",
        "李雷韩梅来了",
        "他去上海。",
        "于2008年在New York🗽。",
        "😀𠮷田e\u0301。",
        "张 三　 王五",
        "外交部驻法国使馆",
        "没有实体",
        "两行\n\t巴黎",
    ]
    assert [
        [(example.text[span.start : span.end], span.label) for span in example.spans]
        for example in corpus.examples
    ] == [
        [("中国银行", "ORG"), ("北京", "LOC")],
        [("李雷", "PER"), ("韩梅", "PER")],
        [("上海", "LOC")],
        [("New York🗽", "LOC")],
        [("𠮷田", "PER")],
        [("张 三", "PER"), ("王五", "PER")],
        [("外交部", "ORG"), ("法国", "LOC"), ("使馆", "ORG")],
        [],
        [("巴黎", "LOC")],
    ]


def test_a_sentence_needs_no_empty_line_after_the_last():
    assert parse("中\tO") == parse("中\tO\n") == parse("\n\n中\tO\r\n\r\n \n\n")


def test_an_inside_tag_without_a_beginning_is_repaired_and_counted():
    corpus = parse("上\tI-LOC\n海\tI-LOC\n中\tI-ORG\n行\tB-ORG\n\n京\tI-ORG\n")
    assert corpus.num_repaired_tags == 3
    assert [example.spans for example in corpus.examples] == [
        (Span(0, 2, "LOC"), Span(2, 3, "ORG"), Span(3, 4, "ORG")),
        (Span(0, 1, "ORG"),),
    ]


@pytest.mark.parametrize(
    ("line", "character"),
    [
        ("\tO", " "),
        (" \tO", " "),
        ("\t\tO", "\t"),
        (" O", " "),
        ("   O", " "),
        ("\u3000\tO", "\u3000"),
        ("\u3000 O", "\u3000"),
        ("中 O", "中"),
        ("中   O", "中"),
        ("\\n\tO", "\n"),
        ("\\r\tO", "\r"),
        ("\\t\tO", "\t"),
        ("\\\tO", "\\"),
        ("\u2028\tO", "\u2028"),
        ("\x85\tO", "\x85"),
    ],
)
def test_blanks_and_separators_are_told_apart(line, character):
    assert parse(f"{line}\n").examples == (Example("", character),)


BAD_LINES = {
    "中": 'expected a character, a tab and a tag (O, B-LABEL or I-LABEL), got "中"',
    "\u3000": "a tag (O, B-LABEL or I-LABEL)",
    "中\t": "a tag (O, B-LABEL or I-LABEL)",
    "中\tX": "a tag (O, B-LABEL or I-LABEL)",
    "中\tB-": "a tag (O, B-LABEL or I-LABEL)",
    "中\tO-": "a tag (O, B-LABEL or I-LABEL)",
    "中\tO-LOC": "a tag (O, B-LABEL or I-LABEL)",
    "中\tM-LOC": "a tag (O, B-LABEL or I-LABEL)",
    "中\tB-L C": "a tag (O, B-LABEL or I-LABEL)",
    "中\t名\tB-LOC": 'expected two columns, a character and its tag, got "中\\t名\\tB-LOC"',
    "EU NNP B-NP B-ORG": "expected two columns",
    "\x00\tO": "got NUL (U+0000)",
    "\ud800\tO": "got a lone surrogate (U+D800)",
    "中\tB-GPE": 'expected one of the labels PER, LOC, ORG, got "GPE"',
}


@pytest.mark.parametrize("line", BAD_LINES, ids=range(len(BAD_LINES)))
def test_a_bad_line_gets_one_line_that_says_where_and_what(line):
    with pytest.raises(DataFormatError) as caught:
        parse(f"中\tO\n\n{line}\n国\tO\n", labels=MSRA)
    message = str(caught.value)
    assert message.startswith("train.txt:3: expected ")
    assert BAD_LINES[line] in message
    assert "\n" not in message


def test_spans_that_overlap_are_dropped_and_counted(tmp_path):
    corpus = read_cluener(DATA / "cluener.json", labels=CLUENER)
    path = tmp_path / "cluener.txt"
    assert write_conll(path, corpus.examples) == 2
    assert [(example.text, example.spans) for example in read_conll(path).examples] == [
        (example.text, drop_overlaps(example.spans)[0]) for example in corpus.examples
    ]
    with pytest.raises(ValueError, match="do not overlap"):
        format_conll(corpus.examples[4])


def test_an_empty_text_has_no_lines_and_is_refused(tmp_path):
    path = tmp_path / "out.txt"
    with pytest.raises(ValueError, match=r"at least one character .* \(example \"a7\"\)"):
        write_conll(path, [Example("", "中"), Example("a7", "")])
    assert not path.exists()
