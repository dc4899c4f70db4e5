import re
from pathlib import Path

import pytest

from benchmarks.entity_free import (
    ENTITY_FREE,
    FalseAlarm,
    FalseAlarms,
    Sentence,
    read_sentences,
)
from ner_core.formats import DataFormatError
from ner_core.spans import Span


def test_there_are_300_sentences_of_many_kinds_and_none_twice() -> None:
    sentences = read_sentences()
    assert len({sentence.text for sentence in sentences}) == len(sentences) == 300
    assert len({sentence.kind for sentence in sentences}) >= 25


def test_each_kind_is_named_once() -> None:
    lines = ENTITY_FREE.read_text(encoding="utf-8").splitlines()
    kinds = [line for line in lines if line.startswith("# ")]
    assert len(kinds) == len(set(kinds))


# Not a proof that no sentence holds an entity, which took reading them; a guard for later changes.
TELLTALES = re.compile(
    "《|记者|经理|教授|教练|主任|医生|老师|律师|司机|警察|专家|导演|演员|总统|皇帝|将军|法官"
    "|公司|集团|银行|大学|政府|法院|军队|俱乐部|国家|北京|上海|中国|美国|日本|先生|女士"
)


def test_no_sentence_holds_a_word_that_tells_of_an_entity() -> None:
    telling = [it.text for it in read_sentences() if TELLTALES.search(it.text)]
    assert telling == []


def test_sentences_are_read_with_their_kind_and_as_they_stand(tmp_path: Path) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text("# talk\n 好的 \n#1 不是种类\n# code\nx = 1\n", encoding="utf-8")
    assert read_sentences(file) == (
        Sentence(" 好的 ", "talk"),
        Sentence("#1 不是种类", "talk"),
        Sentence("x = 1", "code"),
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "expected at least one sentence, got none"),
        ("# talk\n", "expected at least one sentence, got none"),
        ("好的\n", ':1: expected a line "# KIND" before the first sentence'),
        ("# talk\n好的\n\n再说\n", ":3: expected a sentence, got an empty line"),
    ],
)
def test_a_wrong_file_is_refused_by_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "sentences.txt"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(DataFormatError, match=re.escape(message)):
        read_sentences(file)


def test_several_spans_in_one_sentence_are_one_alarm() -> None:
    sentence = Sentence("九成、七成和零", "talk")
    spans = (Span(0, 2, "address", 0.25), Span(3, 5, "name", 0.5))
    alarms = FalseAlarms((FalseAlarm(sentence, spans),), {"talk": 3, "code": 1})
    assert alarms.rate == 0.25
    assert alarms.num_alarms == {"talk": 1}
    (listed,) = alarms.to_json()["false_alarms"]
    assert [it["mention"] for it in listed["found"]] == ["九成", "七成"]
