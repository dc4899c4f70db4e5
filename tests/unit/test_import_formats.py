"""What is found in a file: the documents of each format, and an error for each wrong line."""

import json
from pathlib import Path
from typing import Any

import pytest

from annotation_store.documents import NewDocument
from annotation_store.formats.catalog import FORMATS, detect_format
from annotation_store.formats.format import FormatName, ReadOptions
from annotation_store.formats.hugging_face import format_card
from annotation_store.formats.inspection import inspect_source
from annotation_store.formats.source import ReadingNotes, open_source, source_of_bytes
from annotation_store.uploads import Upload, parse_upload
from ner_core.formats import DataFormatError, format_cluener_line
from ner_core.labels import CLUENER, LabelSet
from ner_core.spans import Example, Span

TEXT = "浙商银行企业信贷部叶老桂博士"
SPANS = (Span(0, 4, "company"), Span(9, 12, "name"))


def parse(data: bytes, name: str, *, format: FormatName | None = None, **options: Any) -> Upload:
    read_options = ReadOptions(**{"labels": CLUENER, **options})
    return parse_upload(data, name, format=format, options=read_options)


def parse_records(name: str, *records: object, **options: Any) -> Upload:
    lines = (json.dumps(record) for record in records)
    return parse("\n".join(lines).encode(), name, **options)


def accepted(text: str, spans: tuple[Span, ...] = (), external_id: str = "") -> NewDocument:
    return NewDocument(text, spans, external_id, "accepted")


def lines_of(*examples: Example) -> bytes:
    return "".join(format_cluener_line(example) + "\n" for example in examples).encode()


def test_a_text_file_has_a_document_in_each_line() -> None:
    upload = parse("　第一行 \r\n\r\n  \n第二\u2028行".encode(), "a.TXT")
    assert upload == Upload((NewDocument("　第一行 "), NewDocument("第二\u2028行")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_uploads_may_be_utf8_or_gb18030(encoding: str, name: str) -> None:
    line = format_cluener_line(Example("", TEXT)) if name == "a.jsonl" else TEXT
    upload = parse(line.encode(encoding), name)
    assert [document.text for document in upload.documents] == [TEXT]
    assert upload.errors == ()


def test_a_labelled_line_is_accepted_and_an_unlabelled_one_is_new() -> None:
    data = lines_of(Example("1", TEXT, SPANS), Example("", "空")) + b'{"id": 3, "text": "x"}\n'
    upload = parse(data, "a.jsonl")
    assert upload.documents == (
        NewDocument(TEXT, SPANS, "1", "accepted"),
        NewDocument("空", (), "", "accepted"),
        NewDocument("x", None, "3", "new"),
    )
    upload = parse(data, "a.jsonl", labelled_status="new")
    assert [document.status for document in upload.documents] == ["new", "new", "new"]


def test_bad_lines_are_named_and_good_ones_are_kept() -> None:
    data = (
        lines_of(Example("", TEXT, SPANS))
        + b"not json\n"
        + '{"text": "甲乙", "label": {"name": {"甲": [[1, 1]]}}}\n'.encode()
        + '{"text": "甲乙", "label": {"planet": {"甲": [[0, 0]]}}}\n'.encode()
        + b'{"text": " ", "label": {}}\n'
        + lines_of(Example("", "好"))
    )
    upload = parse(data, "a.jsonl")
    assert [document.text for document in upload.documents] == [TEXT, "好"]
    assert [error.line for error in upload.errors] == [2, 3, 4, 5]
    messages = [str(error) for error in upload.errors]
    assert messages[0].startswith("a.jsonl:2: expected a JSON object, got ")
    assert messages[1].startswith('a.jsonl:3: expected "甲" at [1, 1] (end inclusive), got "乙"')
    assert messages[2].startswith("a.jsonl:4: expected one of the labels address, ")
    assert messages[3].startswith("a.jsonl:5: expected a text with a character that is not blank")


def test_any_label_may_come_when_no_label_set_is_asked_for() -> None:
    data = lines_of(Example("", TEXT, (Span(0, 4, "planet"),)))
    assert parse(data, "a.jsonl", labels=None).errors == ()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", b"x", "a.pdf: expected a file that ends in .txt, .*, .jsonl, .*, got '.pdf'"),
        ("a", b"x", "a: expected a file that ends in .*, got ''"),
        ("a.txt", b"", "a.txt: expected at least one text, got none"),
        ("a.jsonl", b"\n \n", "a.jsonl: expected at least one text, got none"),
        ("a.txt", b"abc\xff\xff", "a.txt:1: expected UTF-8 or GB18030, got byte 0xFF at offset 3"),
        ("a.txt", b"ok\nb\x00d", r"a.txt:2: .*got NUL \(U\+0000\) at character 1"),
        (
            "a.csv",
            b"name,age\nx,1\n",
            r'a.csv:1: expected a column "text", got the columns \["name", "age"\]',
        ),
        ("a.csv", b'text\n"open\n', "a.csv:2: expected CSV, got unexpected end of data"),
        ("a.csv", b"id,text\n1\n", "a.csv:2: expected at least 2 columns, got 1"),
        ("a.bio", "甲 B-planet".encode(), "a.bio:1: expected one of the labels .* got .planet."),
        ("a.bio", b" \tO\n", "a.bio:1: expected a text .* got 1 blank"),
    ],
)
def test_each_bad_file_gets_one_clear_line(name: str, data: bytes, message: str) -> None:
    upload = parse(data, name)
    (error,) = upload.errors
    assert isinstance(error, DataFormatError)
    assert "\n" not in str(error)
    with pytest.raises(DataFormatError, match=message):
        raise error


def test_a_csv_file_has_its_texts_in_a_column() -> None:
    data = 'ID,Text,note\r\n1,"他说""好""，\r\n走了",x\r\n\r\n2,乙,y\r\n'.encode()
    upload = parse(data, "a.csv")
    assert upload == Upload(
        (
            NewDocument('他说"好"，\r\n走了', external_id="1"),
            NewDocument("乙", external_id="2"),
        )
    )


def test_a_csv_file_of_one_column_needs_no_header() -> None:
    upload = parse("甲\n乙\n".encode(), "a.csv")
    assert [document.text for document in upload.documents] == ["甲", "乙"]


def test_a_csv_error_names_the_line_where_the_row_begins() -> None:
    data = b'text,id\n"a\nb",1\n" ",2\n'
    (error,) = parse(data, "a.csv").errors
    assert str(error).startswith("a.csv:4: expected a text with a character that is not blank")


# doccano


def test_doccano_lines_that_are_wrong_are_named() -> None:
    upload = parse_records(
        "a.jsonl",
        {"text": "甲乙", "label": [[0, 1, "name"]]},
        {"text": "甲乙", "label": [[0, 1]]},
        {"text": "甲乙", "label": [[0, 3, "name"]]},
        {"text": "甲乙", "label": {}},
        {"text": "甲乙", "label": [[True, 1, "name"]]},
        {"text": 7, "label": []},
        {"text": "甲乙", "id": [], "label": [[0, 1, "name"]]},
        {"text": "甲乙", "label": [[0, 1, "planet"]]},
        {"text": "甲乙", "label": [], "entities": []},
        format="doccano",
    )
    assert upload.documents == (accepted("甲乙", (Span(0, 1, "name"),)),)
    assert [error.line for error in upload.errors] == [2, 3, 4, 5, 6, 7, 8, 9]
    assert "expected a span as [start, end, label], got [0, 1]" in str(upload.errors[0])
    assert str(upload.errors[1]).endswith("perhaps its offsets are in another unit")


@pytest.mark.parametrize(
    "record",
    [
        {"id": 7, "text": "浙商银行", "label": [[0, 4, "company"]], "Comments": []},
        {"id": 7, "data": "浙商银行", "label": [[0, 4, "company"]]},
        {"id": 7, "text": "浙商银行", "labels": [[0, 4, "company"]]},
        {
            "id": 7,
            "text": "浙商银行",
            "entities": [{"id": 1, "label": "company", "start_offset": 0, "end_offset": 4}],
            "relations": [],
        },
    ],
)
def test_every_version_of_doccano_is_read_and_found_out(record: dict[str, object]) -> None:
    upload = parse_records("all.jsonl", record)
    assert upload == Upload((accepted("浙商银行", (Span(0, 4, "company"),), "7"),))


def test_a_doccano_text_without_entities_has_not_been_seen_by_anybody_for_sure() -> None:
    upload = parse_records(
        "a.jsonl", {"text": "甲", "label": []}, {"text": "乙", "label": [], "status": "accepted"}
    )
    assert upload.documents == (NewDocument("甲"), accepted("乙"))


@pytest.mark.parametrize(("unit", "start"), [("utf-16", 5), ("code-points", 4)])
def test_offsets_of_doccano_are_read_in_the_unit_that_is_named(unit: str, start: int) -> None:
    label = [[start, start + 2, "name"]]
    upload = parse_records("a.jsonl", {"text": "😀\r\n叶叶老桂", "label": label}, offsets=unit)
    assert upload.documents[0].spans == (Span(4, 6, "name"),)


def test_a_line_end_may_count_as_one() -> None:
    record = {"text": "甲\r\n乙\r\n叶老桂", "label": [[4, 7, "name"]]}
    upload = parse_records("a.jsonl", record, offsets="one-per-line-end")
    assert upload.documents[0].spans == (Span(6, 9, "name"),)


def test_an_offset_inside_of_an_emoji_is_refused() -> None:
    record = {"text": "😀叶", "label": [[1, 3, "name"]]}
    (error,) = parse_records("a.jsonl", record, offsets="utf-16").errors
    assert "expected offsets that begin a character of the text (utf-16), got 1" in str(error)


# Label Studio


def region(start: int, end: int, mention: str | None, label: str = "name") -> dict[str, object]:
    value: dict[str, object] = {"start": start, "end": end, "labels": [label]}
    if mention is not None:
        value["text"] = mention
    return {"type": "labels", "value": value}


def task(*results: object, text: object = "甲乙丙", **fields: object) -> dict[str, object]:
    annotations = [{"result": [{"type": "choices"}, *results]}]
    return {"data": {"text": text}, "annotations": annotations, **fields}


def parse_tasks(*tasks: object, **options: Any) -> Upload:
    return parse(json.dumps(tasks).encode(), "a.json", **options)


@pytest.mark.parametrize(
    ("text", "start", "end", "mention", "expected"),
    [
        ("甲乙丙", 0, 2, "甲乙", (0, 2)),  # as it should be
        ("甲乙丙", 0, 2, None, (0, 2)),  # without its mention
        ("甲乙丙", 0, 1, "甲乙", (0, 2)),  # inclusive
        ("😀甲乙丙", 2, 4, "甲乙", (1, 3)),  # UTF-16
        ("😀甲乙丙", 2, 3, "甲乙", (1, 3)),  # UTF-16, inclusive
        ("一\r\n甲乙丙", 2, 4, "甲乙", (3, 5)),  # \r\n is one
        ("Text: Berlin,  Germany.", 6, 22, "Berlin, Germany", (6, 22)),  # a blank is missing
        ("甲\n乙", 0, 3, "甲\\n乙", (0, 3)),  # an escaped line end
    ],
)
def test_a_label_studio_span_stands_where_its_mention_stands(
    text: str, start: int, end: int, mention: str | None, expected: tuple[int, int]
) -> None:
    upload = parse_tasks(task(region(start, end, mention), text=text))
    assert upload == Upload((accepted(text, (Span(*expected, "name"),)),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[", r"a.json: expected a JSON list to its end"),
        ("[]x", "a.json: expected one JSON list, got something beside it"),
        ('[{"data": {"text": "甲"}}] []', "expected one JSON list, got something beside it"),
        ("[7]", r"a.json:1: expected a JSON object, got 7 \(task 1\)"),
        ("[{}]", r"""expected an object with "text", got the keys \[\] \(task 1\)"""),
        (json.dumps([task({"type": "labels", "value": {"start": 0}})]), 'expected "start", "end"'),
        (json.dumps([task(region(1, 3, "甲乙"))]), "expected the mention that stands at 1 to 3"),
        (json.dumps([task(region(0, 7, "甲乙"))]), "expected the mention that stands at 0 to 7"),
        (json.dumps([task(region(0, 7, None))]), "expected a span inside the text of 3 characters"),
        (json.dumps([task(text=7)]), 'expected a string as "text", got 7'),
        (json.dumps([task({"type": "hypertextlabels"})]), "expected labels on plain text"),
        ("[" * 100_000, "expected a JSON list to its end"),
    ],
)
def test_a_label_studio_file_that_is_wrong_is_refused(content: str, message: str) -> None:
    upload = parse(content.encode(), "a.json", format="label-studio")
    with pytest.raises(DataFormatError, match=message):
        raise upload.errors[0]


def test_a_wrong_task_is_named_and_the_others_are_read() -> None:
    data = b'[{"data": {"text": "a"}},\n {"data": "}], \\" \\\\"},\n\n {"data": {"text": "b"}}\n]\n'
    upload = parse(data, "a.json")
    assert [document.text for document in upload.documents] == ["a", "b"]
    assert [(error.line, error.reason[-8:]) for error in upload.errors] == [(2, "(task 2)")]


def test_predictions_are_suggestions_until_a_person_has_annotated_the_task() -> None:
    prediction = {"model_version": "m1", "result": [{**region(0, 1, "甲"), "score": 0.5}]}
    bare = {"data": {"text": "甲乙丙"}, "annotations": [], "predictions": [prediction]}
    decided = task(region(1, 2, "乙"), text="甲乙丁", predictions=[prediction])
    upload = parse_tasks(bare, decided)
    assert upload.documents == (
        NewDocument(
            "甲乙丙",
            suggestions=(Span(0, 1, "name"),),
            annotator="m1",
            is_preannotated=True,
        ),
        accepted("甲乙丁", (Span(1, 2, "name"),)),
    )
    assert upload.documents[0].suggestions[0].score == 0.5


def test_a_cancelled_task_is_ignored_and_an_empty_one_is_gold() -> None:
    cancelled = {"was_cancelled": True, "result": [region(0, 1, "甲")]}
    upload = parse_tasks(
        {"data": {"text": "甲乙"}, "annotations": [cancelled]},
        {"data": {"text": "甲丙"}, "annotations": [cancelled, {"result": []}]},
        {"id": 9, "data": {"text": "甲丁"}, "annotations": []},
    )
    assert upload.documents == (
        NewDocument("甲乙", (), status="ignored"),
        accepted("甲丙"),
        NewDocument("甲丁", external_id="9"),
    )


def annotation(start: int, **fields: object) -> dict[str, object]:
    return {"result": [region(start, start + 1, None)], **fields}


def test_several_people_agree_or_the_newest_counts_and_is_flagged() -> None:
    ann, bob = {"email": "ann@example.org"}, 2
    old, new = {"updated_at": "2024-01-01T00:00:00Z"}, {"updated_at": "2024-02-01T00:00:00Z"}
    upload = parse_tasks(
        {"data": {"text": "甲一"}, "annotations": [annotation(0), annotation(0)]},
        {
            "data": {"text": "甲二"},
            "annotations": [
                annotation(1, **new, completed_by=ann),
                annotation(0, **old, completed_by=bob),
            ],
        },
        {
            "data": {"text": "甲三"},
            "annotations": [annotation(1, **new), annotation(0, **old, ground_truth=True)],
        },
    )
    assert upload.documents == (
        accepted("甲一", (Span(0, 1, "name"),)),
        NewDocument("甲二", (Span(1, 2, "name"),), "", "flagged", annotator="ann@example.org"),
        accepted("甲三", (Span(0, 1, "name"),)),
    )


def test_the_flat_form_of_label_studio_is_read() -> None:
    flat = {"id": 3, "text": "甲乙", "annotator": 1, "annotation_id": 5, "lead_time": 2.5}
    spans = [{"start": 0, "end": 1, "text": "甲", "labels": ["name"]}]
    upload = parse_tasks({**flat, "label": spans}, {**flat, "text": "丙"})
    assert [(one.text, one.spans, one.status) for one in upload.documents] == [
        ("甲乙", (Span(0, 1, "name"),), "accepted"),
        ("丙", (), "accepted"),
    ]


def test_the_only_string_of_a_task_is_its_text_whatever_it_is_called() -> None:
    upload = parse_tasks({"data": {"r_TEXT": "甲", "id": "1"}})
    assert upload.documents == (NewDocument("甲", external_id="1"),)


# JSON lines, datasets, CSV, text


def test_a_mention_that_stands_elsewhere_is_an_error() -> None:
    wrong = {"text": "甲乙", "spans": [{"start": 0, "end": 1, "label": "name", "text": "乙"}]}
    (error,) = parse_records("a.jsonl", wrong).errors
    assert 'expected "乙" at 0 to 1 (half-open, code points), got "甲"' in str(error)


def test_what_a_model_predicted_never_becomes_gold() -> None:
    scored = {
        "text": "甲乙",
        "label": {"name": {"甲": [[0, 0]]}},
        "scores": {"name": {"甲": [0.5]}},
    }
    (document,) = parse_records("a.jsonl", scored).documents
    assert (document.is_preannotated, document.status, document.spans) == (True, "new", None)
    assert document.suggestions[0].score == 0.5
    gold = {"text": "甲乙", "spans": [[0, 1, "name"]], "status": "accepted"}
    (document,) = parse_records("a.jsonl", gold, is_predicted=True).documents
    assert document == NewDocument("甲乙", suggestions=(Span(0, 1, "name"),), is_preannotated=True)


def test_tokens_and_tags_are_read_by_the_names_of_the_card(tmp_path: Path) -> None:
    folder = tmp_path / "dataset"
    (folder / "data").mkdir(parents=True)
    record = {"tokens": ["浙", "商", "在"], "ner_tags": [1, 2, 0]}
    (folder / "data" / "test.jsonl").write_text('{"text": "后"}\n', encoding="utf-8")
    (folder / "data" / "train.jsonl").write_text(json.dumps(record), encoding="utf-8")
    (folder / "dataset_info.json").write_text("{}", encoding="utf-8")
    options = ReadOptions(labels=CLUENER)

    def read() -> list[object]:
        source = open_source(folder)
        assert detect_format(source) == "hugging-face"
        return list(FORMATS["hugging-face"].read(source, options, ReadingNotes()))

    error, second = read()
    assert "expected tags by name or a card that names them, got 1" in str(error)
    (folder / "README.md").write_text(format_card("p", LabelSet(("company",)), 1), "utf-8")
    assert read() == [accepted("浙商在", (Span(0, 2, "company"),)), second]


@pytest.mark.parametrize(
    ("name", "content", "format"),
    [
        ("a.txt", "甲\n乙", "txt"),
        ("dev.txt", "当\tO\n希\tB-PER\n\n望\tO\n", "conll"),
        ("a.txt", '{"text": "甲", "label": {"name": {"甲": [[0, 0]]}}}', "cluener"),
        ("a.csv", "text\n甲", "csv"),
        ("a.json", '{"text": "甲"}\n{"text": "乙", "label": {}}', "cluener"),
        ("a.json", '{"text": "甲"}\n{"text": "乙"}', "jsonl"),
        ("a.jsonl", '{"text": "甲", "label": [[0, 1, "name"]]}', "doccano"),
        ("a.jsonl", '{"text": "甲", "spans": []}', "jsonl"),
        ("a.jsonl", '{"data": {"text": "甲"}}', "label-studio"),
        ("a.json", ' \n[\n{"data": {"text": "甲"}}]', "label-studio"),
        ("a", '{"data": {"text": "甲"}}', "label-studio"),
    ],
)
def test_a_format_is_found_out_from_content_and_ending(
    name: str, content: str, format: str
) -> None:
    assert detect_format(source_of_bytes(content.encode(), name)) == format


def test_a_column_is_chosen_by_name_by_number_or_by_its_looks() -> None:
    data = "编号,句子\n1,浙商银行\n".encode("gb18030")
    assert parse(data, "a.csv", column="句子").documents == (NewDocument("浙商银行"),)
    texts = [one.text for one in parse(data, "a.csv", column="2").documents]
    assert texts == ["句子", "浙商银行"]
    (error,) = parse(data, "a.csv").errors
    assert "name the one with the texts, or its number" in str(error)
    found = inspect_source(source_of_bytes(data, "a.csv"), ReadOptions())
    assert (found.columns, found.column) == (("编号", "句子", "1", "2"), "句子")
    assert found.texts == ("浙商银行",)


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_tables_may_be_separated_otherwise(delimiter: str) -> None:
    data = f"id{delimiter}text\n7{delimiter}甲\n".encode("utf-16")
    assert parse(data, "a.tsv").documents == (NewDocument("甲", external_id="7"),)


def test_the_status_of_another_program_is_not_taken_for_ours() -> None:
    data = "id,text,status,label\n1,甲,done,positive\n".encode()
    assert parse(data, "a.csv").documents == (NewDocument("甲", external_id="1"),)
