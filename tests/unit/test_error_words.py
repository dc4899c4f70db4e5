"""Errors of the layers below in Chinese: every phrase that a file of a visitor can lead to."""

import ast
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from annotation_store.formats.format import ReadOptions
from annotation_store.uploads import parse_upload
from ner_core.formats import DataFormatError
from ner_core.labels import LabelSet
from webui.error_words import is_known, word_error, word_message
from webui.messages import Refusal, reports_errors
from webui.texts import TEXTS

ROOT = Path(__file__).parents[2]
CHINESE = gr.Request(headers={"accept-language": "zh-CN"})
# Whatever reads a file that a visitor gives, and answers the pages Review and Train.
READERS = [
    *sorted((ROOT / "annotation_store" / "formats").glob("*.py")),
    *(ROOT / "annotation_store" / name for name in ("uploads.py", "importing.py")),
    *(ROOT / "ner_core" / name for name in ("formats.py", "conll.py", "labels.py", "spans.py")),
    *(ROOT / "webui" / f"{name}.py" for name in ("training_set", "comparisons", "review_messages")),
    *(ROOT / "webui" / f"{name}.py" for name in ("review_part", "lint_tab", "train_tab")),
]


def phrases(path: Path) -> Iterator[str]:
    """What the messages of a module expect, with a value for each of their braces."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if id(node) in parts | docstrings:
            continue
        if isinstance(node, ast.JoinedStr):
            said = "".join(
                part.value if isinstance(part, ast.Constant) else "X" for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        else:
            continue
        if said.startswith("expected ") and ", got " in said:
            yield said.removeprefix("expected ").partition(", got ")[0]
    for node in ast.walk(tree):  # what the callers of list_of and object_of expect
        match node:
            case ast.Call(ast.Name("list_of" | "object_of" | "_items"), [_, what]):
                yield ast.unparse(what).strip("f'").replace("{found[0]}", "X")


@pytest.mark.parametrize("path", READERS, ids=lambda path: path.name)
def test_every_message_has_its_words_in_chinese(path):
    found = set(phrases(path)) - {"X"}  # of list_of, object_of: their callers' are looked at
    assert [phrase for phrase in sorted(found) if not is_known(phrase)] == []


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ('{"text": 3}\n', "a.jsonl", "a.jsonl:1: 应为：“text” 是字符串；实际是：int"),
        ("[1]\n", "a.jsonl", "a.jsonl:1: 应为：JSON 对象；实际是：1（第 1 个任务）"),
        (
            '{"text": "长江", "label": {"river": {"长江": [[0, 1]]}}}\n',
            "a.json",
            "应为：标签为 book 之一；实际是：'river'（实体 0:2）",
        ),
        ("a,b\n1,2\n", "a.csv", "a.csv:1: 应为：有名为 “text” 的列；实际是：各列为 a, b"),
    ],
)
def test_a_bad_line_is_explained_in_chinese_with_its_place(content, name, words):
    options = ReadOptions(labels=LabelSet(("book",)))
    (error,) = parse_upload(content.encode(), name, options=options).errors
    assert words in word_error(error, "zh")
    assert word_error(error, "en") == str(error)


def test_what_is_worded_already_stays_as_it_is():
    message = TEXTS["zh"]["train.busy"]
    assert word_message(message, "zh") == message
    assert word_message("", "zh") == ""


def test_a_handler_words_its_errors_for_the_visitor():
    @reports_errors
    def handler(request: gr.Request) -> None:
        raise DataFormatError("dev.json", 3, "expected a JSON object, got an empty line")

    with pytest.raises(gr.Error, match=r"dev\.json:3: 应为：JSON 对象；实际是：空行"):
        handler(CHINESE)

    @reports_errors
    def other(request: gr.Request) -> None:
        raise Refusal("dev.json:3: expected a JSON object, got an empty line")

    with pytest.raises(gr.Error, match=r"dev\.json:3: 应为：JSON 对象；实际是：空行"):
        other(CHINESE)


def test_an_unknown_phrase_keeps_its_english():
    assert word_message("expected a fish, got none", "zh") == "应为：a fish；实际是：没有"
