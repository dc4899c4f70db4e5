import json
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from annotation_store.exchange import (
    ExportFormat,
    ImportFormat,
    Upload,
    export_file,
    export_text,
    import_file,
    parse_upload,
)
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.formats import DataFormatError, format_cluener_line
from ner_core.labels import CLUENER, MSRA
from ner_core.spans import Example, Span

TEXT = "浙商银行企业信贷部叶老桂博士"
SPANS = (Span(0, 4, "company"), Span(9, 12, "name"))
OVERLAPPING = (Span(0, 4, "company"), Span(0, 9, "organization"))
NASTY = '😀\r\n𠮷野家👩‍👩‍👧e\u0301\u2028\u3000\t${x}<img src=x onerror=alert(1)>"\\'


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


@pytest.fixture
def other_store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "other.db") as store:
        store.create_project("default", CLUENER)
        yield store


def accepted(text: str, spans: tuple[Span, ...] = (), external_id: str = "") -> NewDocument:
    return NewDocument(text, spans, external_id, "accepted")


def path_of(store: AnnotationStore) -> Path:
    assert store.database.path is not None
    return store.database.path


# Round trips


@pytest.mark.parametrize("format", get_args(ExportFormat))
def test_what_is_exported_can_be_imported_again(
    store: AnnotationStore, other_store: AnnotationStore, tmp_path: Path, format: ExportFormat
) -> None:
    store.add(
        [
            accepted(TEXT, SPANS),
            accepted(NASTY, (Span(3, 6, "company"), Span(6, 11, "scene"))),
            accepted("没有实体"),
        ]
    )
    path = tmp_path / "export"
    exported = export_file(store, path, format=format)
    imported = import_file(path_of(other_store), path, format=format)
    assert (exported.num_documents, imported.num_added, imported.num_duplicates) == (3, 3, 0)
    assert list(other_store.examples()) == list(store.examples())


@pytest.mark.parametrize("format", ["cluener", "doccano", "label-studio"])
def test_overlaps_and_ids_survive_an_export(
    store: AnnotationStore, other_store: AnnotationStore, tmp_path: Path, format: ExportFormat
) -> None:
    store.add([accepted(TEXT, OVERLAPPING, "42")])
    export_file(store, tmp_path / "export", format=format)
    import_file(path_of(other_store), tmp_path / "export", format=format)
    assert list(other_store.examples()) == [Example("42", TEXT, OVERLAPPING)]


@pytest.fixture(scope="module")
def stores(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[AnnotationStore, AnnotationStore]]:
    folder = tmp_path_factory.mktemp("round-trip")
    with (
        AnnotationStore.open(folder / "first.db") as first,
        AnnotationStore.open(folder / "second.db") as second,
    ):
        yield first, second


@st.composite
def labelled_texts(draw: st.DrawFn) -> Example:
    pieces = st.one_of(
        st.sampled_from(
            ["😀", "𠮷", "👩‍👩‍👧", "e\u0301", "\r\n", "\r", "\u2028", "\x85", "\u3000"]
        ),
        st.sampled_from(["\ufeff", "\t", "\\", '"', "${x}", "%", "中", "{}", "\x1c", "\x7f"]),
        st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
    )
    text = draw(st.lists(pieces, min_size=1, max_size=12).map("".join).filter(str.strip))
    spans = []
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        spans.append(Span(start, end, draw(st.sampled_from(CLUENER.labels))))
    return Example("", text, tuple(spans))


@settings(max_examples=40, deadline=None)
@given(examples=st.lists(labelled_texts(), max_size=4, unique_by=lambda example: example.text))
def test_any_text_survives_store_export_and_import(
    stores: tuple[AnnotationStore, AnnotationStore], examples: list[Example]
) -> None:
    first, second = stores
    project = f"example-{len(first.projects())}"
    for store in stores:
        store.create_project(project, CLUENER)
    first.add((accepted(example.text, example.spans) for example in examples), project=project)
    assert list(first.examples(project=project)) == examples
    data = "".join(export_text(first, format="cluener", project=project)).encode()
    if examples:
        upload = parse_upload(data, "export.jsonl", labels=CLUENER)
        assert upload.errors == ()
        second.add(upload.documents, project=project)
    assert list(second.examples(project=project)) == examples


# Export


def test_cluener_lines_have_inclusive_ends_and_no_escapes(store: AnnotationStore) -> None:
    store.add([accepted(TEXT, SPANS)])
    assert "".join(export_text(store, format="cluener")) == (
        '{"text": "浙商银行企业信贷部叶老桂博士",'
        ' "label": {"company": {"浙商银行": [[0, 3]]}, "name": {"叶老桂": [[9, 11]]}}}\n'
    )


def test_doccano_lines_have_half_open_ends(store: AnnotationStore) -> None:
    store.add([accepted(TEXT, SPANS)])
    (line,) = export_text(store, format="doccano")
    assert json.loads(line) == {"text": TEXT, "label": [[0, 4, "company"], [9, 12, "name"]]}


def test_label_studio_tasks_have_half_open_ends_and_their_mention(store: AnnotationStore) -> None:
    store.add([accepted("𠮷😀" + TEXT, (Span(2, 6, "company"),)), accepted("没有")])
    first, second = json.loads("".join(export_text(store, format="label-studio")))
    (result,) = first["annotations"][0]["result"]
    assert first["data"] == {"text": "𠮷😀" + TEXT}
    assert result["value"] == {"start": 2, "end": 6, "text": "浙商银行", "labels": ["company"]}
    assert second["annotations"] == [{"result": []}]


def test_a_conll_export_keeps_the_longest_span_and_counts_the_rest(
    store: AnnotationStore, tmp_path: Path
) -> None:
    store.add([accepted(TEXT[:5], (Span(0, 2, "name"), Span(1, 4, "company")))])
    result = export_file(store, tmp_path / "export.bio", format="conll")
    assert (result.num_documents, result.num_dropped_overlaps) == (1, 1)
    assert (tmp_path / "export.bio").read_text(encoding="utf-8") == (
        "浙\tO\n商\tB-company\n银\tI-company\n行\tI-company\n企\tO\n\n"
    )
    assert "".join(export_text(store, format="conll")) == (
        (tmp_path / "export.bio").read_text(encoding="utf-8")
    )


def test_an_export_holds_the_newest_revision_of_the_status_asked_for(
    store: AnnotationStore,
) -> None:
    (document_id,) = store.add([accepted(TEXT, SPANS)]).added_ids
    store.add([NewDocument("还没有人看过")])
    store.save(document_id, base_revision=1, spans=SPANS[1:], status="accepted", annotator="a")
    (line,) = export_text(store, format="cluener")
    assert json.loads(line)["label"] == {"name": {"叶老桂": [[9, 11]]}}
    assert len(list(export_text(store, format="cluener", status=None))) == 2
    store.save(document_id, base_revision=2, spans=SPANS, status="rejected", annotator="a")
    assert list(export_text(store, format="cluener")) == []


@pytest.mark.parametrize("format", get_args(ExportFormat))
def test_an_export_of_nothing_is_a_file_all_the_same(
    store: AnnotationStore, tmp_path: Path, format: ExportFormat
) -> None:
    assert export_file(store, tmp_path / "export", format=format).num_documents == 0
    content = (tmp_path / "export").read_text(encoding="utf-8")
    assert content == ("[]\n" if format == "label-studio" else "")


def test_an_export_that_fails_leaves_the_old_file(store: AnnotationStore, tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    path.write_text("old", encoding="utf-8")
    with pytest.raises(ValueError, match="expected one of the projects 'default', got 'other'"):
        export_file(store, path, format="cluener", project="other")
    assert path.read_text(encoding="utf-8") == "old"
    assert sorted(child.name for child in tmp_path.glob("*export*")) == ["export.jsonl"]


@pytest.mark.parametrize("suffix", ["", "-wal"])
def test_an_export_never_replaces_the_database(
    store: AnnotationStore, tmp_path: Path, suffix: str
) -> None:
    with pytest.raises(ValueError, match="expected another file than the database"):
        export_file(store, tmp_path / f"annotations.db{suffix}", format="cluener")


# Uploads


def lines_of(*examples: Example) -> bytes:
    return "".join(format_cluener_line(example) + "\n" for example in examples).encode()


def test_a_text_file_has_a_document_in_each_line() -> None:
    upload = parse_upload("　第一行 \r\n\r\n  \n第二\u2028行".encode(), "a.TXT", labels=CLUENER)
    assert upload == Upload((NewDocument("　第一行 "), NewDocument("第二\u2028行")))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("name", ["a.txt", "a.csv", "a.jsonl"])
def test_uploads_may_be_utf8_or_gb18030(encoding: str, name: str) -> None:
    line = format_cluener_line(Example("", TEXT)) if name == "a.jsonl" else TEXT
    upload = parse_upload(line.encode(encoding), name, labels=CLUENER)
    assert [document.text for document in upload.documents] == [TEXT]
    assert upload.errors == ()


def test_a_labelled_line_is_accepted_and_an_unlabelled_one_is_new() -> None:
    data = lines_of(Example("1", TEXT, SPANS), Example("", "空")) + b'{"id": 3, "text": "x"}\n'
    upload = parse_upload(data, "a.jsonl", labels=CLUENER)
    assert upload.documents == (
        NewDocument(TEXT, SPANS, "1", "accepted"),
        NewDocument("空", (), "", "accepted"),
        NewDocument("x", None, "3", "new"),
    )
    upload = parse_upload(data, "a.jsonl", labels=CLUENER, labelled_status="new")
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
    upload = parse_upload(data, "a.jsonl", labels=CLUENER)
    assert [document.text for document in upload.documents] == [TEXT, "好"]
    assert [error.line for error in upload.errors] == [2, 3, 4, 5]
    messages = [str(error) for error in upload.errors]
    assert messages[0].startswith("a.jsonl:2: expected a JSON object, got ")
    assert messages[1].startswith('a.jsonl:3: expected "甲" at [1, 1] (end inclusive), got "乙"')
    assert messages[2].startswith("a.jsonl:4: expected one of the labels address, ")
    assert messages[3].startswith("a.jsonl:5: expected a text with a character that is not blank")


def test_any_label_may_come_when_no_label_set_is_asked_for() -> None:
    data = lines_of(Example("", TEXT, (Span(0, 4, "planet"),)))
    assert parse_upload(data, "a.jsonl", labels=None).errors == ()


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("a.pdf", b"x", "a.pdf: expected a file that ends in .txt, .jsonl, .*, got '.pdf'"),
        ("a", b"x", "a: expected a file that ends in .*, got ''"),
        ("a.txt", b"", "a.txt: expected at least one text, got none"),
        ("a.jsonl", b"\n \n", "a.jsonl: expected at least one text, got none"),
        ("a.txt", b"abc\xff\xff", "a.txt:1: expected UTF-8 or GB18030, got byte 0xFF at offset 3"),
        ("a.txt", b"ok\nb\x00d", r"a.txt:2: .*got NUL \(U\+0000\) at character 1"),
        ("a.csv", b"name,age\nx,1\n", 'a.csv:1: expected a column "text", got the columns name'),
        ("a.csv", b'text\n"open\n', "a.csv:2: expected CSV, got unexpected end of data"),
        ("a.csv", b"id,text\n1\n", "a.csv:2: expected at least 2 columns, got 1"),
        ("a.bio", "甲 B-planet".encode(), "a.bio:1: expected one of the labels .* got .planet."),
        ("a.bio", b" \tO\n", r"a.bio: expected a text .* got 1 blank .*\(sentence 1\)"),
    ],
)
def test_each_bad_file_gets_one_clear_line(name: str, data: bytes, message: str) -> None:
    upload = parse_upload(data, name, labels=CLUENER)
    (error,) = upload.errors
    assert isinstance(error, DataFormatError)
    assert "\n" not in str(error)
    with pytest.raises(DataFormatError, match=message):
        raise error


def test_a_csv_file_has_its_texts_in_a_column() -> None:
    data = 'ID,Text,note\r\n1,"他说""好""，\r\n走了",x\r\n\r\n2,乙,y\r\n'.encode()
    upload = parse_upload(data, "a.csv", labels=CLUENER)
    assert upload == Upload(
        (
            NewDocument('他说"好"，\r\n走了', external_id="1"),
            NewDocument("乙", external_id="2"),
        )
    )


def test_a_csv_file_of_one_column_needs_no_header() -> None:
    upload = parse_upload("甲\n乙\n".encode(), "a.csv", labels=CLUENER)
    assert [document.text for document in upload.documents] == ["甲", "乙"]


def test_a_csv_error_names_the_line_where_the_row_begins() -> None:
    data = b'text,id\n"a\nb",1\n" ",2\n'
    (error,) = parse_upload(data, "a.csv", labels=CLUENER).errors
    assert str(error).startswith("a.csv:4: expected a text with a character that is not blank")


def test_doccano_lines_that_are_wrong_are_named() -> None:
    lines = [
        {"text": "甲乙", "label": [[0, 1, "name"]]},
        {"text": "甲乙", "label": [[0, 1]]},
        {"text": "甲乙", "label": [[0, 3, "name"]]},
        {"text": "甲乙", "label": {}},
        {"text": "甲乙", "label": [[True, 1, "name"]]},
        {"text": 7, "label": []},
        {"text": "甲乙", "id": [], "label": []},
        {"text": "甲乙", "label": [[0, 1, "planet"]]},
    ]
    data = "\n".join(map(json.dumps, lines)).encode()
    upload = parse_upload(data, "a.jsonl", labels=CLUENER, format="doccano")
    assert upload.documents == (accepted("甲乙", (Span(0, 1, "name"),)),)
    assert [error.line for error in upload.errors] == [2, 3, 4, 5, 6, 7, 8]
    assert "expected a span as [start, end, label], got [0, 1]" in str(upload.errors[0])


def task(value: object, text: object = "甲乙丙") -> dict[str, object]:
    result = [{"type": "choices"}, {"type": "labels", "value": value}]
    return {"data": {"text": text}, "annotations": [{"result": result}]}


@pytest.mark.parametrize("end", [1, 2])
def test_a_label_studio_span_may_end_either_way_if_its_mention_is_there(end: int) -> None:
    value = {"start": 0, "end": end, "text": "甲乙", "labels": ["name"]}
    data = json.dumps([task(value)]).encode()
    upload = parse_upload(data, "a.json", labels=CLUENER, format="label-studio")
    assert upload == Upload((accepted("甲乙丙", (Span(0, 2, "name"),)),))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "expected a JSON list of tasks"),
        ("{}", "expected a list of tasks, got {}"),
        ("[7]", r"expected an object as task, got 7 \(task 1\)"),
        ("[{}]", r'expected an object as "data", got null \(task 1\)'),
        (json.dumps([task({"start": 0, "end": 2})]), 'expected "start", "end" and "text"'),
        (
            json.dumps([task({"start": 1, "end": 3, "text": "甲乙", "labels": ["name"]})]),
            "expected the mention that stands at 1 to 3",
        ),
        (
            json.dumps([task({"start": 0, "end": 7, "text": "甲乙", "labels": ["name"]})]),
            "expected the mention that stands at 0 to 7",
        ),
        (json.dumps([task({}, text=7)]), 'expected "start", "end" and "text"'),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_a_label_studio_file_that_is_wrong_is_refused(content: str, message: str) -> None:
    upload = parse_upload(content.encode(), "a.json", labels=CLUENER, format="label-studio")
    assert upload.documents == ()
    with pytest.raises(DataFormatError, match=message):
        raise upload.errors[0]


def test_a_label_studio_task_without_annotation_is_unlabelled() -> None:
    data = json.dumps([{"data": {"text": "甲", "id": 3}}]).encode()
    upload = parse_upload(data, "a.json", labels=CLUENER, format="label-studio")
    assert upload.documents == (NewDocument("甲", None, "3"),)


# Imports


def test_an_import_with_a_bad_line_adds_nothing(store: AnnotationStore, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_bytes(lines_of(Example("", TEXT, SPANS)) + b"{}\n")
    with pytest.raises(DataFormatError, match=r'bad\.jsonl:2: expected an object with "text"'):
        import_file(path_of(store), path, format="cluener")
    assert store.page().num_total == 0


def test_an_import_checks_the_labels_of_the_project(store: AnnotationStore, tmp_path: Path) -> None:
    store.create_project("msra", MSRA)
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines_of(Example("", TEXT, SPANS)))
    with pytest.raises(DataFormatError, match="expected one of the labels PER, LOC, ORG"):
        import_file(path_of(store), path, format="cluener", project="msra")


def test_an_import_makes_the_project_only_when_it_succeeds(
    store: AnnotationStore, tmp_path: Path
) -> None:
    path = tmp_path / "a.bio"
    path.write_bytes("叶\tB-PER\n老\tI-PER\n\n北\tI-LOC\n".encode())
    with pytest.raises(DataFormatError):
        import_file(path_of(store), path, format="conll", project="msra")
    assert [project.name for project in store.projects()] == ["default"]
    result = import_file(path_of(store), path, format="conll", project="msra", labels=MSRA)
    assert (result.num_added, result.num_repaired_tags) == (2, 1)
    assert [example.spans for example in store.examples(project="msra")] == [
        (Span(0, 2, "PER"),),
        (Span(0, 1, "LOC"),),
    ]


@pytest.mark.parametrize("format", get_args(ImportFormat))
def test_importing_a_file_twice_adds_its_texts_once(
    store: AnnotationStore, tmp_path: Path, format: ImportFormat
) -> None:
    content = {
        "cluener": '{"text": "甲"}',
        "conll": "甲\tO",
        "doccano": '{"text": "甲"}',
        "label-studio": '[{"data": {"text": "甲"}}]',
        "txt": "甲",
        "csv": "甲",
    }[format]
    path = tmp_path / "file"
    path.write_text(content, encoding="utf-8")
    first = import_file(path_of(store), path, format=format)
    second = import_file(path_of(store), path, format=format)
    assert (first.num_added, second.num_added, second.num_duplicates) == (1, 0, 1)
