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
    return handlers.list_documents(event(status=status, query=query, offset=offset), CHINESE)


# Adding


def test_each_pasted_line_becomes_a_document(handlers, store):
    report, box = handlers.add_pasted("第一条\n\n  第二条 \n第一条\n", False, CHINESE)
    assert (report["num_added"], report["num_duplicates"], report["num_errors"]) == (2, 1, 0)
    assert [document.text for document in store.page().documents] == ["第一条", "  第二条 "]
    assert box == ""


@pytest.mark.parametrize("text", ["", " \n ", None])
def test_nothing_pasted_is_a_warning(handlers, store, text):
    with pytest.warns(UserWarning, match="请先输入文本"):
        handlers.add_pasted(text, False, CHINESE)
    assert store.page().num_total == 0


@pytest.mark.parametrize("text", [5, ["浙商银行"], {"text": "浙商银行"}, True])
def test_what_is_no_text_is_refused_and_not_made_one(handlers, store, text):
    with pytest.raises(gr.Error, match="expected texts, one a line, got"):
        handlers.add_pasted(text, False, CHINESE)
    assert store.page().num_total == 0


@pytest.mark.parametrize("choice", [None, 1, "false", []])
def test_whether_good_lines_are_kept_must_be_said(handlers, store, tmp_path, choice):
    with pytest.raises(gr.Error, match="expected true or false"):
        handlers.add_pasted("浙商银行", choice, CHINESE)
    path = tmp_path / "a.txt"
    path.write_text("浙商银行", encoding="utf-8")
    with pytest.raises(gr.Error, match="expected true or false"):
        handlers.add_file(str(path), choice, CHINESE)
    assert store.page().num_total == 0
    assert not path.exists()


@pytest.fixture
def blocks(store, tmp_path):
    async def make():  # without a running event loop Gradio makes one and leaves it open
        with gr.Blocks() as blocks:
            build(store, Settings(tmp_path))
        return blocks

    with closing(asyncio.new_event_loop()) as loop:
        return loop.run_until_complete(make())


def test_gradio_makes_no_text_of_what_was_pasted(blocks):
    (added,) = (event for event in blocks.fns.values() if event.name == "add_pasted")
    assert not added.preprocess


def test_the_report_is_cleared_when_a_new_paste_or_upload_begins(blocks):
    clearing = [event for event in blocks.fns.values() if event.js == "() => null"]
    (event,) = clearing
    assert [output.elem_id for output in event.outputs] == ["data-report"]
    started_by = {name for _, name in event.targets}
    assert started_by == {"click", "upload"}
    assert len(event.targets) == 3


@pytest.mark.parametrize("bad", ["a\x00b", "a\ud83d"])
def test_pasted_text_that_cannot_be_stored_is_a_warning_and_stays_in_the_box(handlers, store, bad):
    with pytest.warns(UserWarning, match="第 4 个字符是"):
        assert handlers.add_pasted(f"好\n{bad}\n", True, CHINESE) == (gr.skip(), gr.skip())
    assert store.page().num_total == 0


def test_a_pasted_line_is_never_read_as_a_format(handlers, store):
    handlers.add_pasted(GOOD_LINE, False, CHINESE)
    assert store.page().documents[0].text == GOOD_LINE


def test_nothing_is_added_when_a_line_is_wrong(handlers, store):
    data = f'{GOOD_LINE}\nnot json\n{{"text": "x", "label": {{"colour": {{"x": [[0, 0]]}}}}}}\n'
    report = handlers.add(data.encode(), "a.jsonl", keeps_good_lines=False)
    assert report.is_refused
    assert report.num_errors == 2
    assert report.errors[0].startswith("a.jsonl:2: expected a JSON object")
    assert report.errors[1].startswith("a.jsonl:3: expected one of the labels address")
    assert store.page().num_total == 0


def test_the_good_lines_are_added_when_the_visitor_says_so(handlers, store):
    data = f"{GOOD_LINE}\nnot json\n"
    report = handlers.add(data.encode(), "a.jsonl", keeps_good_lines=True)
    assert (report.num_added, report.num_errors, report.is_refused) == (1, 1, False)
    (document,) = store.page().documents
    assert document.spans == (Span(0, 4, "company"),)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_may_be_in_utf_8_or_gb18030(handlers, store, tmp_path, encoding):
    path = tmp_path / "a.csv"
    path.write_bytes("id,text\n7,浙商银行在杭州\n".encode(encoding))
    report = handlers.add_file(str(path), False, CHINESE)
    assert report["num_added"] == 1
    assert store.page().documents[0].text == "浙商银行在杭州"
    assert not path.exists()


@pytest.mark.parametrize("path", [None, 3, ["a.txt"]])
def test_an_upload_without_a_file_is_refused(handlers, path):
    with pytest.raises(gr.Error, match="没有收到文件"):
        handlers.add_file(path, False, CHINESE)


def test_a_file_of_another_kind_is_refused_by_name(handlers):
    report = handlers.add(b"%PDF", "a.pdf", keeps_good_lines=True)
    assert "a.pdf: expected a file that ends in" in report.errors[0]


@pytest.mark.parametrize("keeps_good_lines", [True, False])
@pytest.mark.parametrize(("data", "name"), [(b"", "a.txt"), (b"\n \n", "a.jsonl"), (b"x", "a.pdf")])
def test_a_file_without_any_line_to_read_is_told_from_one_with_wrong_lines(
    handlers, data, name, keeps_good_lines
):
    report = handlers.add(data, name, keeps_good_lines=keeps_good_lines)
    assert (report.is_unreadable, report.is_refused) == (True, True)
    wrong_line = handlers.add(b"not json\n", "a.jsonl", keeps_good_lines=keeps_good_lines)
    assert not wrong_line.is_unreadable


def test_offsets_that_do_not_match_are_named_with_file_and_line(handlers, store):
    line = '{"text": "浙商银行", "label": {"company": {"浙商银行": [[1, 3]]}}}'
    report = handlers.add(line.encode(), "a.jsonl", keeps_good_lines=True)
    assert report.errors[0].startswith("a.jsonl:1: ")
    assert store.page().num_total == 0


def test_only_some_of_many_errors_are_listed(handlers):
    report = handlers.add(b"not json\n" * 50, "a.jsonl", keeps_good_lines=True)
    assert (report.num_errors, len(report.errors)) == (50, 20)


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
        handlers.list_documents(event(**asked), CHINESE)


def test_a_search_may_be_so_long_and_no_longer(handlers):
    assert list_page(handlers, query="长" * MAX_QUERY_CHARACTERS)["rows"] == []
    with pytest.raises(gr.Error, match="搜索内容有 1001 个字符，最多 1000 个"):
        list_page(handlers, query="长" * (MAX_QUERY_CHARACTERS + 1))


# Opening


def test_a_row_opens_its_document(handlers, store):
    (document_id,) = store.add([NewDocument("浙商银行")]).added_ids
    assert handlers.choose_document(event(id=document_id)) == document_id


def test_a_document_of_another_project_cannot_be_opened(handlers, store):
    store.create_project("other", MSRA)
    (document_id,) = store.add([NewDocument("浙商银行")], project="other").added_ids
    with pytest.raises(gr.Error, match="no document"):
        handlers.choose_document(event(id=document_id))


@pytest.mark.parametrize("document_id", [999, -1, 10**30, "1", None, True, "x" * 10**6])
def test_what_is_no_document_cannot_be_opened(handlers, document_id):
    with pytest.raises(gr.Error, match="expected the id of a document, got") as caught:
        handlers.choose_document(event(id=document_id))
    assert len(caught.value.message) < 100


# Export


def test_an_export_is_written_and_counted(handlers, store):
    store.add([NewDocument("浙商银行", (Span(0, 4, "company"),), status="accepted")])
    report, path = handlers.export(event(format="cluener", status="accepted"))
    assert report == {"num_documents": 1, "num_dropped": 0}
    assert Path(path).name == "accepted-cluener.jsonl"
    (example,) = read_cluener(path, labels=CLUENER).examples
    assert example.spans == (Span(0, 4, "company"),)


def test_an_export_says_what_conll_could_not_express(handlers, store):
    spans = (Span(0, 4, "company"), Span(2, 4, "organization"))
    store.add([NewDocument("浙商银行", spans, status="accepted")])
    report, _ = handlers.export(event(format="conll", status="all"))
    assert report == {"num_documents": 1, "num_dropped": 1}


@pytest.mark.parametrize(
    "asked", [{"format": "xml", "status": "all"}, {"format": "conll", "status": "../x"}, {}]
)
def test_an_unknown_export_is_refused(handlers, asked):
    with pytest.raises(gr.Error, match="expected a"):
        handlers.export(event(**asked))


def test_a_refused_export_is_told_to_the_browser_escaped(handlers):
    with pytest.raises(gr.Error) as caught:
        handlers.export(event(format="<img src=x>", status="all"))
    assert "got &#x27;&lt;img src=x&gt;&#x27;" in caught.value.message
