"""Sentences without entities: what is left out by what, and how the rest is chosen."""

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from ner_core.formats import read_cluener
from ner_core.labels import CLUENER
from ner_core.prediction import Prediction
from ner_core.spans import Example, Span
from trainer import entity_free
from trainer.entity_free import EntityFree, Filter, choose, is_name, take_in_turn


class Words:
    """Stands in for LAC: 李 begins a person's name."""

    def run(self, text: str) -> list[tuple[str, str]]:
        return [(character, "PER" if character == "李" else "n") for character in text]


class Tagger:
    """Stands in for a predictor: 队 is an organization with 0.9, 店 a company with 0.4."""

    name = "stand-in"
    labels = CLUENER

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        return [Prediction(text, self._tag(text)) for text in texts]

    def _tag(self, text: str) -> tuple[Span, ...]:
        kinds = {"队": ("organization", 0.9), "店": ("company", 0.4)}
        return tuple(
            Span(found.start(), found.end(), *kinds[found.group()])
            for found in re.finditer("[队店]", text)
        )


KNOWN = Example("", "华为在深圳，Ｑ币有法。", (Span(0, 2, "company"), Span(9, 10, "name")))


class Witness(Tagger):
    """Stands in for a tagger of other labels: 山 is a place with 0.1."""

    name = "witness"

    def _tag(self, text: str) -> tuple[Span, ...]:
        return tuple(Span(it.start(), it.end(), "LOC", 0.1) for it in re.finditer("山", text))


def pass_on(
    sentences: Sequence[str],
    known: Sequence[Example] = (KNOWN,),
    witnesses: Sequence[Witness] = (),
) -> Filter:
    checks = Filter(known, Words(), Tagger(), witnesses, 0.85)  # type: ignore[arg-type]
    checks.passed = list(checks.pass_on(sentences))  # type: ignore[attr-defined]
    return checks


def test_each_check_leaves_out_its_own_and_says_so():
    checks = pass_on(
        ["今天很热", "我爱华为", "李说很热", "他们的队", "小店很热", "今天很热", KNOWN.text, "说法"]
    )
    assert checks.passed == [
        EntityFree("今天很热", 0.0),
        EntityFree("小店很热", 0.4),
        # A mention of one character is an ordinary character elsewhere.
        EntityFree("说法", 0.0),
    ]
    assert checks.left_out == {
        "holds a mention of the training data": 1,
        "LAC finds a name": 1,
        "the tagger believes in an entity": 1,
        "stands in the training data, or came before": 2,
    }


def test_whatever_a_second_tagger_finds_is_believed():
    checks = pass_on(["今天很热", "山上很热", "小店很热", "山上的队"], witnesses=[Witness()])
    assert checks.passed == [EntityFree("今天很热", 0.0), EntityFree("小店很热", 0.4)]
    assert checks.left_out == {"witness finds an entity": 2}


def test_a_brand_is_a_name_when_it_is_chinese():
    assert is_name("海拉", "nz") and is_name("荣耀X2", "nz") and is_name("Tom", "PER")
    assert not is_name("BIOS", "nz") and not is_name("发动机", "n")


def test_mentions_are_found_in_any_width_and_case():
    known = Example("", "ｑｑ音乐", (Span(0, 2, "company"),))
    checks = pass_on(["我用QQ", "我用Qq吗", "我用Q"], [known])
    assert [one.text for one in checks.passed] == ["我用Q"]


def test_mistakes_come_first_up_to_their_share_and_fill_what_is_missing():
    mistakes = [EntityFree(f"错{number}", 0.5) for number in range(5)]
    others = [EntityFree(f"对{number}", 0.0) for number in range(3)]
    group = [*others, *mistakes]
    assert choose([group], 4, 0.5) == [*mistakes[:2], *others[:2]]
    assert choose([group], 4, 0.0) == [*others, mistakes[0]]
    assert choose([group], 100, 0.5) == [*mistakes, *others]
    assert choose([], 4, 0.5) == []


def test_groups_take_turns_as_long_as_they_last():
    assert take_in_turn([[1, 2, 3], [], [4], [5, 6]]) == [1, 4, 5, 2, 6, 3]
    assert take_in_turn([]) == []


@pytest.fixture
def stand_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entity_free, "load_lac", Words)
    taggers = {"nowhere": Tagger(), "elsewhere": Witness()}
    monkeypatch.setattr(entity_free.Predictor, "load", taggers.__getitem__)


def write_corpus(directory: Path, num_files: int = 2) -> list[Path]:
    paths = []
    for file in range(num_files):
        lines = [f"第{file}个文件的第{number}句话" for number in range(40)]
        lines += [f"第{file}个文件的第{number}个bug" for number in range(40)]
        lines += [f"第{file}个文件的第{number}家小店" for number in range(40)]
        lines += [f"第{file}个文件的华为手机", f"第{file}个文件的球队"]
        paths.append(directory / f"{file}.txt")
        paths[-1].write_text("\n".join(lines), encoding="utf-8")
    return paths


def run(directory: Path, *more: str, output: str = "out.json") -> int:
    files = [part for path in sorted(directory.glob("*.txt")) for part in ("--corpus", str(path))]
    known = directory / "known.json"
    known.write_text(
        '{"text": "华为在深圳", "label": {"company": {"华为": [[0, 1]]}}}', encoding="utf-8"
    )
    return entity_free.main(
        [
            *files,
            *("--train", f"cluener={known}", "--checkpoint", "nowhere"),
            *("--output", str(directory / output), *more),
        ]
    )


@pytest.mark.usefixtures("stand_ins")
def test_files_and_kinds_have_their_shares_and_a_seed_repeats_its_choice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_corpus(tmp_path)
    shares = ("--num-sentences", "20", "--latin-share", "0.4", "--mistake-share", "0.25")
    assert run(tmp_path, *shares) == 0
    corpus = read_cluener(tmp_path / "out.json")
    # Empty labels, not none: trainer.finetune refuses texts that nobody labelled.
    assert corpus.num_unlabelled == 0
    texts = [example.text for example in corpus.examples]
    assert len(set(texts)) == 20
    assert not any(example.spans for example in corpus.examples)
    assert sum("bug" in text for text in texts) == 8
    # None of those with Latin letters is mistaken here.
    assert sum("店" in text for text in texts) == 3
    assert sum(text.startswith("第0") for text in texts) in (9, 10, 11)
    assert not any("华为" in text or "队" in text for text in texts)
    report = capsys.readouterr().out
    assert "244 sentences in 2 files" in report
    assert "20 sentences of 20 asked for" in report
    assert "8 with Latin letters, of 8" in report
    assert "3 in which stand-in finds an entity" in report
    # The kinds are mixed: the trainer may cut dev off the end.
    assert {"bug" in text for text in texts[-10:]} == {True, False}
    assert run(tmp_path, *shares, output="again.json") == 0
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "out.json").read_bytes()
    assert run(tmp_path, *shares, "--seed", "7", output="other.json") == 0
    assert (tmp_path / "other.json").read_bytes() != (tmp_path / "out.json").read_bytes()


@pytest.mark.usefixtures("stand_ins")
def test_a_witness_is_asked_and_named_in_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    lines = [f"第{number}{kind}都在这里" for number in range(9) for kind in ("座山", "个人")]
    (tmp_path / "0.txt").write_text("\n".join(lines), encoding="utf-8")
    assert run(tmp_path, "--witness", "elsewhere", "--latin-share", "0") == 0
    texts = [example.text for example in read_cluener(tmp_path / "out.json").examples]
    assert len(texts) == 9 and not any("山" in text for text in texts)
    assert "9 left out: witness finds an entity" in capsys.readouterr().out


@pytest.mark.usefixtures("stand_ins")
def test_fewer_sentences_than_asked_for_are_written_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    write_corpus(tmp_path, 1)
    assert run(tmp_path, "--num-sentences", "1000", "--latin-share", "0") == 0
    assert "80 sentences of 1,000 asked for" in capsys.readouterr().out


@pytest.mark.usefixtures("stand_ins")
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (
            ("--max-characters", "7"),
            "expected --min-characters up to --max-characters, got 8 and 7",
        ),
        (("--min-characters", "49"), "found none: 122 sentences in 1 files;   122 left out: sho"),
        (("--corpus", "nowhere.txt"), "nowhere.txt"),
        (("--train", "cluener=nowhere.json"), "nowhere.json"),
        (("--output", "."), "expected a file to write, got the directory ."),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: tuple[str, str], message: str
):
    write_corpus(tmp_path, 1)
    assert run(tmp_path, *more) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "line/s" not in line]
    assert message in line
    assert not (tmp_path / "out.json").exists()


def test_a_real_tagger_and_lac_choose_sentences(tiny_checkpoint: Path, tmp_path: Path):
    text = tmp_path / "text.txt"
    text.write_text("今天天气真的非常好。\n张三昨天在北京见到了李四。\n", encoding="utf-8")
    known = tmp_path / "known.json"
    known.write_text('{"text": "红楼梦", "label": {}}\n', encoding="utf-8")
    output = tmp_path / "out.json"
    arguments = {
        "--corpus": text,
        "--train": f"cluener={known}",
        "--checkpoint": tiny_checkpoint,
        "--output": output,
        "--max-probability": "1",
    }
    assert entity_free.main([str(part) for pair in arguments.items() for part in pair]) == 0
    assert [example.text for example in read_cluener(output).examples] == ["今天天气真的非常好。"]
