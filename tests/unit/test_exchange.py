import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation_store.documents import Status
from annotation_store.exchange import (
    ExportFormat,
    ExportResult,
    export_file,
    import_file,
    read_states,
)
from annotation_store.formats.catalog import FORMATS
from annotation_store.project_changes import rename_label
from annotation_store.store import AnnotationStore, NewDocument
from ner_core.formats import DataFormatError, format_cluener_line
from ner_core.labels import CLUENER, MSRA
from ner_core.spans import Example, Span

TEXT = "浙商银行企业信贷部叶老桂博士"
SPANS = (Span(0, 4, "company"), Span(9, 12, "name"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        yield store


def accepted(text: str, spans: tuple[Span, ...] = (), external_id: str = "") -> NewDocument:
    return NewDocument(text, spans, external_id, "accepted")


def path_of(store: AnnotationStore) -> Path:
    assert store.database.path is not None
    return store.database.path


def export(
    store: AnnotationStore, folder: Path, format: ExportFormat, status: Status | None = "accepted"
) -> str:
    path = folder / "export"
    export_file(store, path, format=format, status=status)
    return path.read_text(encoding="utf-8")


# Export


def test_cluener_lines_have_inclusive_ends_and_no_escapes(
    store: AnnotationStore, tmp_path: Path
) -> None:
    store.add([accepted(TEXT, SPANS)])
    assert export(store, tmp_path, "cluener") == (
        '{"text": "浙商银行企业信贷部叶老桂博士",'
        ' "label": {"company": {"浙商银行": [[0, 3]]}, "name": {"叶老桂": [[9, 11]]}}}\n'
    )


def test_doccano_lines_have_half_open_ends(store: AnnotationStore, tmp_path: Path) -> None:
    store.add([accepted(TEXT, SPANS)])
    line = json.loads(export(store, tmp_path, "doccano"))
    assert line == {"text": TEXT, "label": [[0, 4, "company"], [9, 12, "name"]]}


def test_label_studio_tasks_have_half_open_ends_and_their_mention(
    store: AnnotationStore, tmp_path: Path
) -> None:
    store.add([accepted("𠮷😀" + TEXT, (Span(2, 6, "company"),)), accepted("没有")])
    first, second = json.loads(export(store, tmp_path, "label-studio"))
    (result,) = first["annotations"][0]["result"]
    assert first["data"] == {"text": "𠮷😀" + TEXT}
    assert result["value"] == {"start": 2, "end": 6, "text": "浙商银行", "labels": ["company"]}
    assert second["annotations"] == [{"result": []}]


def test_a_conll_export_keeps_the_longest_span_and_counts_the_rest(
    store: AnnotationStore, tmp_path: Path
) -> None:
    store.add([accepted(TEXT[:5], (Span(0, 2, "name"), Span(1, 4, "company")), "7")])
    store.add([NewDocument("还没有人看过")])
    result = export_file(store, tmp_path / "export.bio", format="conll", status=None)
    assert result == ExportResult(num_documents=1, num_left_out=1, num_spans=1, num_ids=1)
    assert (tmp_path / "export.bio").read_text(encoding="utf-8") == (
        "浙\tO\n商\tB-company\n银\tI-company\n行\tI-company\n企\tO\n\n"
    )


def test_a_text_export_counts_all_that_it_leaves_out(
    store: AnnotationStore, tmp_path: Path
) -> None:
    store.add([accepted(TEXT, SPANS, "7"), accepted("两\n行")])
    suggested = NewDocument("甲", suggestions=SPANS[:0], annotator="m", is_preannotated=True)
    store.add([suggested, NewDocument("乙乙乙乙", None, "", "new", (Span(0, 4, "company", 0.5),))])
    result = export_file(store, tmp_path / "export.txt", format="txt", status=None)
    assert result == ExportResult(
        num_documents=3,
        num_left_out=1,
        num_spans=2,
        num_suggestions=1,
        num_ids=1,
        num_statuses=3,
        num_annotators=1,
    )
    assert (tmp_path / "export.txt").read_text(encoding="utf-8") == f"{TEXT}\n甲\n乙乙乙乙\n"


def test_a_csv_export_opens_in_excel(store: AnnotationStore, tmp_path: Path) -> None:
    store.add([accepted("浙商银行", SPANS[:1], "7")])
    assert export(store, tmp_path, "csv") == (
        '\ufeff"id","text","status","label","suggestions","annotator","note"\n'
        '"7","浙商银行","accepted","{""company"": {""浙商银行"": [[0, 3]]}}","","",""\n'
    )


def test_an_export_holds_the_newest_revision_of_the_status_asked_for(
    store: AnnotationStore, tmp_path: Path
) -> None:
    (document_id,) = store.add([accepted(TEXT, SPANS)]).added_ids
    store.add([NewDocument("还没有人看过")])
    store.save(document_id, base_revision=1, spans=SPANS[1:], status="accepted", annotator="a")
    line = json.loads(export(store, tmp_path, "cluener"))
    assert line["label"] == {"name": {"叶老桂": [[9, 11]]}}
    assert export(store, tmp_path, "cluener", status=None).count("\n") == 2
    store.save(document_id, base_revision=2, spans=SPANS, status="rejected", annotator="a")
    assert export(store, tmp_path, "cluener") == ""


def test_what_a_model_suggested_is_exported_as_pre_annotated(
    store: AnnotationStore, tmp_path: Path
) -> None:
    (document_id,) = store.add([NewDocument(TEXT)]).added_ids
    store.save(
        document_id,
        base_revision=0,
        spans=(),
        suggestions=(Span(0, 4, "company", 0.5),),
        status="new",
        annotator="small",
        source="model",
    )
    assert json.loads(export(store, tmp_path, "jsonl", status=None)) == {
        "text": TEXT,
        "suggestions": [{"start": 0, "end": 4, "label": "company", "score": 0.5}],
        "annotator": "small",
    }
    (state,) = read_states(store)
    assert state.is_preannotated


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_of_nothing_is_a_file_all_the_same(
    store: AnnotationStore, tmp_path: Path, format: ExportFormat
) -> None:
    path = tmp_path / f"export{FORMATS[format].suffix}"
    assert export_file(store, path, format=format).num_documents == 0
    expected = {"label-studio": "[]\n", "csv": path.read_text("utf-8") if format == "csv" else ""}
    if format != "hugging-face":
        assert path.read_text(encoding="utf-8") == expected.get(format, "")


def test_a_dataset_folder_is_written_whole_and_only_where_nothing_is(
    store: AnnotationStore, tmp_path: Path
) -> None:
    store.add([accepted(TEXT, SPANS)])
    folder = tmp_path / "dataset"
    export_file(store, folder, format="hugging-face")
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == [
        "README.md",
        "data",
        "data/train.jsonl",
    ]
    record = json.loads((folder / "data" / "train.jsonl").read_text(encoding="utf-8"))
    assert record["tokens"] == list(TEXT)
    assert record["ner_tags"] == [5, 6, 6, 6, 0, 0, 0, 0, 0, 13, 14, 14, 0, 0]
    with pytest.raises(ValueError, match="expected a new or empty folder, got"):
        export_file(store, folder, format="hugging-face")
    assert [path.name for path in tmp_path.glob(".*")] == []


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


# Imports


def lines_of(*examples: Example) -> bytes:
    return "".join(format_cluener_line(example) + "\n" for example in examples).encode()


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
    assert (result.num_added, result.notes.num_repaired_tags) == (2, 1)
    assert [example.spans for example in store.examples(project="msra")] == [
        (Span(0, 2, "PER"),),
        (Span(0, 1, "LOC"),),
    ]


@pytest.mark.parametrize("format", FORMATS)
def test_importing_a_file_twice_adds_its_texts_once(
    store: AnnotationStore, tmp_path: Path, format: ExportFormat
) -> None:
    content = {
        "conll": "甲\tO",
        "label-studio": '[{"data": {"text": "甲"}}]',
        "txt": "甲",
        "csv": "甲",
    }.get(format, '{"text": "甲"}')
    path = tmp_path / "file"
    path.write_text(content, encoding="utf-8")
    first = import_file(path_of(store), path, format=format)
    second = import_file(path_of(store), path, format=format)
    assert (first.num_added, second.num_added, second.num_duplicates) == (1, 0, 1)


def test_labels_renamed_since_the_export_get_their_present_names(
    store: AnnotationStore, tmp_path: Path
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(lines_of(Example("", TEXT, SPANS)))
    rename_label(store.database, "default", "company", "firm")
    import_file(path_of(store), path)
    (document,) = read_states(store)
    assert document.spans == (Span(0, 4, "firm"), Span(9, 12, "name"))
