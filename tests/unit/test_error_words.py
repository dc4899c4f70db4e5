"""Errors of the layers below in Chinese: every message of every module that pages import."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import gradio as gr
import pytest

from annotation_store.formats.format import ReadOptions
from annotation_store.uploads import parse_upload
from ner_core.formats import DataFormatError
from ner_core.labels import LabelSet
from webui.error_words import word_error, word_message
from webui.messages import Refusal, reports_errors
from webui.texts import TEXTS
from webui.wording.errors import EXPECTED, GOT, NOUNS
from webui.wording.model_errors import EXPECTED_OF_MODELS, GOT_OF_MODELS

ROOT = Path(__file__).parents[2]
CHINESE = gr.Request(headers={"accept-language": "zh-CN"})
PACKAGES = ("ner_core", "annotation_store", "trainer", "webui")
# Whose messages no page shows, and why.
NEVER_SHOWN = {
    **dict.fromkeys(
        (
            *("ner_core.batch_sampler", "ner_core.crf", "ner_core.evaluation", "ner_core.lattice"),
            *("ner_core.models", "ner_core.significance", "ner_core.soft_lexicon"),
            "annotation_store.tables",
        ),
        "they speak of a program that calls them wrongly, which a page calls an internal error",
    ),
    "webui.server": "it speaks of a port, before there is a page",
    **dict.fromkeys(
        (
            *("ner_core.command_line", "ner_core.lint", "trainer.command", "trainer.flags"),
            *("trainer.distributed", "trainer.event_log", "trainer.optimization"),
        ),
        "they speak of flags that the page Train does not give",
    ),
    "webui.accounts": "it is read when the app starts, before there is a page",
    "webui.error_words": "it has the form of messages, and none of its own",
    "webui.wording.page": "the same",
}
# Whoever opens the database: before there is a page.
SAID_AT_START = (
    "sqlite:///FILE or postgresql://USER@HOST/NAME",
    "a file path, sqlite:///FILE or postgresql://USER@HOST/NAME",
    "an SQLite database in a file, without URL options",
    "the Python package X for this database",
)
ASSERTED = ("somebody whose versions to read",)


@cache
def modules() -> dict[str, ast.Module]:
    """All modules of the project by name."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
    }


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def shown_modules() -> list[str]:
    """The pages, the trainer that one of them starts, and all that they import."""
    found: set[str] = set()
    waiting = [name for name in modules() if name.startswith("webui.")]
    waiting += ["trainer.finetune", "trainer.learning_curve"]
    while waiting:
        name = waiting.pop()
        if name in modules() and name not in found:
            found.add(name)
            waiting += imports_of(modules()[name])
    return sorted(found - NEVER_SHOWN.keys())


def messages(tree: ast.Module) -> Iterator[str]:
    """The messages of a module, with an X for each of their values."""
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
        said = said_by(node)
        if re.match("X?expected ", said):
            yield said.removeprefix("X")
    for node in ast.walk(tree):  # what callers of these expect, or call what they check
        match node:
            case ast.Call(ast.Name("list_of" | "object_of" | "_items"), [_, what]):
                yield f"expected {said_by(what)}"
            case ast.Call(
                ast.Name("check_stored_text" | "check_stored_number" | "_object"),
                [_, ast.Constant(str(what)), *_],
            ) | ast.Call(ast.Name("check_length"), [_, _, ast.Constant(str(what))]):
                yield f"expected text as {what}"


def said_by(node: ast.AST) -> str:
    """A string in a program, with an X for each value in it; "" if it is another expression."""
    match node:
        case ast.JoinedStr(values=values):
            return "".join(said_by(value) or "X" for value in values)
        case ast.Constant(value=str(said)):
            return said
    return ""


CHINESE_PHRASES = [
    phrase
    for table in (EXPECTED, NOUNS, GOT, EXPECTED_OF_MODELS, GOT_OF_MODELS)
    for phrase in table.values()
]
CHINESE_WORDS = {word for phrase in CHINESE_PHRASES for word in re.findall("[A-Za-z]+", phrase)}


def english_left_in(message: str) -> set[str]:
    """The words of a message that its Chinese still has, but for those that stay English."""
    if message.partition(", got ")[0] == "expected X":
        return set()  # a caller of `list_of` says what: it is looked at there
    worded = word_message(message, "zh")
    if message in worded:
        return {message}
    keys = re.compile(r'["“].+?["”]')
    return set(re.findall("[A-Za-z]{2,}", keys.sub("", worded))) - CHINESE_WORDS


@pytest.mark.parametrize("name", shown_modules())
def test_every_message_has_its_words_in_chinese(name):
    left = {
        message: words
        for message in messages(modules()[name])
        if not any(said in message for said in (*SAID_AT_START, *ASSERTED))
        and (words := english_left_in(message))
    }
    assert left == {}


def test_what_is_said_never_to_be_shown_is_there():
    assert NEVER_SHOWN.keys() <= modules().keys()
    everything = [message for tree in modules().values() for message in messages(tree)]
    for phrase in (*SAID_AT_START, *ASSERTED):
        assert any(phrase in message for message in everything), phrase


@pytest.mark.parametrize("table", [EXPECTED, NOUNS, GOT, EXPECTED_OF_MODELS, GOT_OF_MODELS])
def test_the_chinese_of_a_phrase_has_all_its_values(table):
    for english, chinese in table.items():
        values = [f"<{number}>" for number in range(english.count("{}"))]
        assert sorted(re.findall("<.>", chinese.format(*values))) == values, english


def test_every_phrase_is_one_that_something_says():
    """Of a message that is gone, the Chinese goes too."""
    everything = " ".join(
        (ROOT / Path(*name.split("."))).with_suffix(".py").read_text(encoding="utf-8")
        for name in modules()
        if not name.startswith("webui.wording.")
    )
    words = set(re.findall(r"[A-Za-z`'-]{4,}", everything))
    for table in (EXPECTED, EXPECTED_OF_MODELS):
        for phrase in table:
            assert set(re.findall(r"[A-Za-z`'-]{4,}", phrase)) <= words, phrase


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        ('{"text": 3}\n', "a.jsonl", "a.jsonl:1: 应为：“text” 是字符串；实际是：3"),
        ("[1]\n", "a.jsonl", "a.jsonl:1: 应为：JSON 对象；实际是：1（第 1 个任务）"),
        (
            '{"text": "长江", "label": {"river": {"长江": [[0, 1]]}}}\n',
            "a.json",
            "应为：标签为 book 之一；实际是：'river'（实体 0:2）",
        ),
        (
            '{"text": "rock and roll", "spans": [[0, 99, "book"]]}\n',
            "a.jsonl",
            "a.jsonl:1: 应为：实体在 13 个字符的文本之内；实际是：0:99（book）",
        ),
        (
            '{"text": "a", "id": ["rock and roll"]}\n',
            "a.jsonl",
            'a.jsonl:1: 应为：“id” 是字符串或整数；实际是：["rock and roll"]',
        ),
        (
            '[{"data": {"text": "a"}, }]',
            "a.json",
            '}"（第 24 个字符处：缺少双引号中的键）（第 1 个任务）',
        ),
        ('text\n"长"江\n', "a.csv", "a.csv:2: 应为：CSV；实际是：'\"' 后面缺少 ','"),
        ("a,b\n1,2\n", "a.csv", 'a.csv:1: 应为：有名为 “text” 的列；实际是：各列为 ["a", "b"]'),
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
