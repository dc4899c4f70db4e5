"""The import card without a browser: from the upload to the last documents."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from annotation_store.exchange import read_states
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.labels import CLUENER
from ner_core.spans import Span
from webui.import_card import ImportHandlers
from webui.settings import Settings

VISITOR = gr.Request(headers={"accept-language": "zh-CN"}, session_hash="visitor")
OTHER = gr.Request(headers={"accept-language": "zh-CN"}, session_hash="other")
GOOD_LINE = '{"text": "浙商银行", "label": {"company": {"浙商银行": [[0, 3]]}}}\n'
AS_IT_IS = {"column": None, "is_predicted": False, "offsets": "code-points"}


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


@pytest.fixture
def handlers(store, tmp_path):
    handlers = ImportHandlers(store, Settings(tmp_path))
    yield handlers
    handlers.discard(VISITOR)


def take(handlers, path: Path, content: str | bytes) -> dict[str, Any]:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return handlers.take_file(str(path), "default", VISITOR)


def start(handlers, format: str = "cluener", **choice: object) -> dict[str, Any]:
    asked = gr.EventData(None, {**AS_IT_IS, "format": format, **choice})
    return list(handlers.start("default", asked, VISITOR))[-1]


def test_a_file_is_looked_at_first_and_stored_when_the_visitor_says_so(handlers, store, tmp_path):
    path = tmp_path / "a.jsonl"
    shown = take(handlers, path, GOOD_LINE)
    assert (shown["state"], shown["format"], shown["texts"]) == ("chosen", "cluener", ["浙商银行"])
    assert store.page().num_total == 0
    done = start(handlers)
    assert (done["state"], done["result"]["num_added"]) == ("done", 1)
    assert next(read_states(store)).spans == (Span(0, 4, "company"),)
    handlers.discard(VISITOR)
    assert not path.exists()


def test_predictions_wait_for_a_person(handlers, store, tmp_path):
    take(handlers, tmp_path / "a.jsonl", GOOD_LINE)
    assert start(handlers, is_predicted=True)["result"]["num_preannotated"] == 1
    assert list(store.examples()) == []
    assert next(read_states(store)).is_preannotated


def test_good_lines_are_kept_only_when_the_visitor_says_so(handlers, store, tmp_path):
    take(handlers, tmp_path / "a.jsonl", GOOD_LINE + "<b>\n")
    shown = start(handlers)
    assert (shown["state"], shown["num_documents"], shown["num_errors"]) == ("errors", 1, 1)
    assert shown["errors"][0].startswith('2: 应为：JSON 对象；实际是："<b>"')
    assert store.page().num_total == 0
    report = Path(handlers.write_report(VISITOR))
    assert report.read_text(encoding="utf-8-sig").splitlines()[1].startswith("a.jsonl,2,")
    done = list(handlers.keep_good_lines("default", VISITOR))[-1]
    assert (done["state"], done["result"]["num_errors"]) == ("done", 1)
    assert store.page().num_total == 1


def test_the_column_can_be_chosen_and_the_first_texts_follow(handlers, store, tmp_path):
    content = "编号,题目,句子\n1,甲,浙商银行企业\n".encode("gb18030")
    shown = take(handlers, tmp_path / "a.csv", content)
    assert (shown["column"], shown["texts"]) == ("句子", ["浙商银行企业"])
    assert shown["columns"] == ("编号", "题目", "句子", "1", "2", "3")
    asked = gr.EventData(None, {**AS_IT_IS, "format": "csv", "column": "题目"})
    assert handlers.choose("default", asked, VISITOR)["texts"] == ["甲"]
    start(handlers, "csv", column="题目")
    assert [document.text for document in store.page().documents] == ["甲"]


def test_a_text_longer_than_the_pages_tag_is_an_error_of_its_line(handlers, tmp_path):
    take(handlers, tmp_path / "a.txt", "好\n" + "太" * 100_001)
    assert start(handlers, "txt")["errors"][0].startswith("2: 应为：文本最多 100000 个字符")


def test_a_cancelled_import_leaves_nothing(handlers, store, tmp_path):
    take(handlers, tmp_path / "a.txt", "".join(f"第{n}条\n" for n in range(20_000)))
    asked = gr.EventData(None, {**AS_IT_IS, "format": "txt"})
    steps = handlers.start("default", asked, VISITOR)
    assert next(steps)["state"] == "running"
    handlers.cancel(VISITOR)
    assert list(steps)[-1]["state"] == "cancelled"
    assert store.page().num_total == 0
    store.add([NewDocument("之后")])


def test_a_visitor_has_no_hand_in_the_file_of_another(handlers, tmp_path):
    take(handlers, tmp_path / "a.txt", "甲")
    for handler in (handlers.cancel, handlers.write_report):
        with pytest.raises(gr.Error, match="没有收到文件"):
            handler(OTHER)
    with pytest.raises(gr.Error, match="没有收到文件"):
        list(handlers.keep_good_lines("default", OTHER))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"%PDF-1.4", "应为：文本文件；实际是：PDF"),
        ("甲".encode(), "扩展名"),
        (b"PK\x03\x04x", "已损坏"),
    ],
)
def test_what_cannot_be_read_is_refused_and_deleted(handlers, tmp_path, content, message):
    path = tmp_path / "a.pdf"
    with pytest.raises(gr.Error, match=message):
        take(handlers, path, content)
    assert not path.exists()


@pytest.mark.parametrize(
    "asked",
    [{}, {"format": "xml"}, {"format": "txt", "offsets": "bytes"}, {"format": "csv", "column": 7}],
)
def test_a_choice_that_the_card_never_offers_is_refused(handlers, tmp_path, asked):
    take(handlers, tmp_path / "a.txt", "甲")
    with pytest.raises(gr.Error, match="应为"):
        handlers.choose("default", gr.EventData(None, asked), VISITOR)
