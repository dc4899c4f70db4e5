"""The page Data without a browser: adding, listing, opening and exporting documents."""

import asyncio
from contextlib import closing
from pathlib import Path

import gradio as gr
import pytest

from annotation_store.store import AnnotationStore, NewDocument
from ner_core.formats import read_cluener
from ner_core.labels import CLUENER, MSRA
from ner_core.spans import Span
from webui.data_tab import MAX_QUERY_CHARACTERS, DataHandlers, build
from webui.messages import MAX_TEXT_CHARACTERS
from webui.settings import Settings

CHINESE = gr.Request(headers={"accept-language": "zh-CN"})
GOOD_LINE = '{"text": "浙商银行", "label": {"company": {"浙商银行": [[0, 3]]}}}'


@pytest.fixture
def store(tmp_path):
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


@pytest.fixture
def handlers(store, tmp_path):
    return DataHandlers(store, Settings(tmp_path))


def event(**data):
    return gr.EventData(None, data)


def list_page(handlers, *, status="all", query="", offset=0):
    return handlers.list_documents(
        "default", event(status=status, query=query, offset=offset), CHINESE
    )


# Adding


def test_each_pasted_line_becomes_a_document(handlers, store):
    report, box = handlers.add_pasted("第一条\n\n  第二条 \n第一条\n", "default", CHINESE)
    assert (report["num_added"], report["num_duplicates"], report["num_errors"]) == (2, 1, 0)
    assert [document.text for document in store.page().documents] == ["第一条", "  第二条 "]
    assert box == ""


@pytest.mark.parametrize("text", ["", " \n ", None])
def test_nothing_pasted_is_a_warning(handlers, store, text):
    with pytest.warns(UserWarning, match="请先输入文本"):
        handlers.add_pasted(text, "default", CHINESE)
    assert store.page().num_total == 0


@pytest.mark.parametrize("text", [5, ["浙商银行"], {"text": "浙商银行"}, True])
def test_what_is_no_text_is_refused_and_not_made_one(handlers, store, text):
    with pytest.raises(gr.Error, match="expected texts, one a line, got"):
        handlers.add_pasted(text, "default", CHINESE)
    assert store.page().num_total == 0


@pytest.fixture
def blocks(store, tmp_path):
    async def make():  # without a running event loop Gradio makes one and leaves it open
        with gr.Blocks() as blocks:
            build(store, Settings(tmp_path), current_project=gr.State("default"))
        return blocks

    with closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(make())


def test_gradio_makes_no_text_of_what_was_pasted(blocks):
    (added,) = (event for event in blocks.fns.values() if event.name == "add_pasted")
    assert not added.preprocess


def test_the_report_is_cleared_when_a_new_paste_or_upload_begins(blocks):
    clearing = [event for event in blocks.fns.values() if event.js == "() => null"]
    outputs = [[output.elem_id for output in event.outputs] for event in clearing]
    assert outputs == [["data-import"], ["data-report"]]
    event = clearing[1]
    started_by = {name for _, name in event.targets}
    assert started_by == {"click", "upload"}
    assert len(event.targets) == 3


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud83d"])
def test_pasted_text_that_cannot_be_stored_is_a_warning_and_stays_in_the_box(handlers, store, bad):
    with pytest.warns(UserWarning, match="第 4 个字符是"):
        assert handlers.add_pasted(f"好\n{bad}\n", "default", CHINESE) == (gr.skip(), gr.skip())
    assert store.page().num_total == 0


def test_a_pasted_line_is_never_read_as_a_format(handlers, store):
    handlers.add_pasted(GOOD_LINE, "default", CHINESE)
    assert store.page().documents[0].text == GOOD_LINE


def test_a_text_that_is_too_long_keeps_all_out(handlers, store):
    pasted = "好\n" + "太" * (MAX_TEXT_CHARACTERS + 1)
    report, box = handlers.add_pasted(pasted, "default", CHINESE)
    assert (report["num_added"], report["num_errors"]) == (0, 1)
    assert report["errors"][0].startswith("paste.txt:2: 应为：文本最多 100000 个字符")
    assert box == gr.skip()
    assert store.page().num_total == 0


def test_texts_go_into_the_project_that_is_chosen_and_no_other(handlers, store):
    store.create_project("other", MSRA)
    handlers.add_pasted("浙商银行", "other", CHINESE)
    assert store.page().num_total == 0
    assert store.page(project="other").num_total == 1
    assert handlers.show_first_page("other", CHINESE)["num_total"] == 1
    with pytest.raises(gr.Error, match="third"):
        handlers.add_pasted("浙商银行", "third", CHINESE)


# The list


def test_the_list_counts_and_filters_by_status(handlers, store):
    store.add(
        [
            NewDocument("浙商银行", (Span(0, 4, "company"),), status="accepted"),
            NewDocument("尚未标注"),
        ]
    )
    everything = list_page(handlers)
    assert everything["counts"] == {
        "all": 2,
        "new": 1,
        "accepted": 1,
        "rejected": 0,
        "ignored": 0,
        "flagged": 0,
    }
    accepted = list_page(handlers, status="accepted")
    assert [row["snippet"] for row in accepted["rows"]] == ["浙商银行"]
    assert accepted["rows"][0]["num_spans"] == 1
    assert accepted["num_total"] == 1
    assert accepted["counts"]["all"] == 2


def test_the_list_comes_in_pages(handlers, store):
    store.add(NewDocument(f"第{n}条") for n in range(45))
    last = list_page(handlers, offset=40)
    assert [row["position"] for row in last["rows"]] == [41, 42, 43, 44, 45]
    assert (last["num_total"], last["limit"]) == (45, 20)


@pytest.mark.parametrize(("offset", "rows"), [(-(10**30), 1), (10**30, 0)])
def test_an_offset_beyond_64_bits_is_a_page_like_another(handlers, store, offset, rows):
    store.add([NewDocument("浙商银行")])
    assert len(list_page(handlers, offset=offset)["rows"]) == rows


def test_the_snippet_of_a_long_text_shows_what_was_searched(handlers, store):
    store.add([NewDocument("长" * 5000 + "浙商银行" + "长" * 5000)])
    (row,) = list_page(handlers, query="浙商银行")["rows"]
    assert "浙商银行" in row["snippet"]
    assert len(row["snippet"]) <= 122
    assert list_page(handlers, query="华为")["rows"] == []


@pytest.mark.parametrize("query", ["\x00", "\ud83d"])
def test_a_query_that_no_text_can_hold_is_refused(handlers, query):
    with pytest.raises(gr.Error, match="UTF-8"):
        list_page(handlers, query=query)


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "secret", "query": "", "offset": 0},
        {"status": "all", "query": None, "offset": 0},
        {"status": "all", "query": "", "offset": "0"},
        {"status": ["all"], "query": "", "offset": 0},
        {},
    ],
)
def test_a_question_that_the_list_never_asks_is_refused(handlers, asked):
    with pytest.raises(gr.Error, match="expected a"):
        handlers.list_documents("default", event(**asked), CHINESE)


def test_a_search_may_be_so_long_and_no_longer(handlers):
    assert list_page(handlers, query="长" * MAX_QUERY_CHARACTERS)["rows"] == []
    with pytest.raises(gr.Error, match="搜索内容有 1001 个字符，最多 1000 个"):
        list_page(handlers, query="长" * (MAX_QUERY_CHARACTERS + 1))


# Opening


def test_a_row_opens_its_document(handlers, store):
    (document_id,) = store.add([NewDocument("浙商银行")]).added_ids
    assert handlers.choose_document("default", event(id=document_id)) == document_id


def test_a_document_of_another_project_cannot_be_opened(handlers, store):
    store.create_project("other", MSRA)
    (document_id,) = store.add([NewDocument("浙商银行")], project="other").added_ids
    with pytest.raises(gr.Error, match="no document"):
        handlers.choose_document("default", event(id=document_id))


@pytest.mark.parametrize("document_id", [999, -1, 10**30, "1", None, True, "x" * 10**6])
def test_what_is_no_document_cannot_be_opened(handlers, document_id):
    with pytest.raises(gr.Error, match="expected the id of a document, got") as caught:
        handlers.choose_document("default", event(id=document_id))
    assert len(caught.value.message) < 100


# Export


def test_an_export_is_written_and_counted(handlers, store):
    store.add([NewDocument("浙商银行", (Span(0, 4, "company"),), status="accepted")])
    report, path = handlers.export("default", event(format="cluener", status="accepted"), CHINESE)
    assert (report["num_documents"], report["format"]) == (1, "cluener")
    assert Path(path).name == "accepted-cluener.jsonl"
    (example,) = read_cluener(path, labels=CLUENER).examples
    assert example.spans == (Span(0, 4, "company"),)


def test_an_export_says_what_conll_could_not_express(handlers, store):
    spans = (Span(0, 4, "company"), Span(2, 4, "organization"))
    store.add([NewDocument("浙商银行", spans, status="accepted")])
    report, _ = handlers.export("default", event(format="conll", status="all"), CHINESE)
    assert (report["num_documents"], report["num_spans"]) == (1, 1)


@pytest.mark.parametrize(
    "asked", [{"format": "xml", "status": "all"}, {"format": "conll", "status": "../x"}, {}]
)
def test_an_unknown_export_is_refused(handlers, asked):
    with pytest.raises(gr.Error, match="应为："):
        handlers.export("default", event(**asked), CHINESE)


def test_a_refused_export_is_told_to_the_browser_escaped(handlers):
    with pytest.raises(gr.Error) as caught:
        handlers.export("default", event(format="<img src=x>", status="all"), CHINESE)
    assert "实际是：&#x27;&lt;img src=x&gt;&#x27;" in caught.value.message
