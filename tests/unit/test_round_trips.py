"""Whatever is exported can be imported again, to the state that its format says it holds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from annotation_store.documents import STATUSES, NewDocument
from annotation_store.exchange import export_file, read_states
from annotation_store.formats.catalog import FORMATS, detect_format
from annotation_store.formats.format import ReadOptions
from annotation_store.formats.source import ReadingNotes, open_source, source_of_bytes
from annotation_store.importing import PendingImport
from annotation_store.project_changes import rename_label
from annotation_store.store import AnnotationStore
from ner_core.labels import CLUENER
from ner_core.spans import Span, drop_overlaps

pytestmark = pytest.mark.filterwarnings("error")

LOSSLESS = [name for name in FORMATS if name not in ("txt", "conll")]
PIECES = st.one_of(
    st.sampled_from(["😀", "𠮷", "👩‍👩‍👧", "e\u0301", "\u200d", "\ufe0f", "\U0010ffff"]),
    st.sampled_from(["\r\n", "\r", "\n", "\u2028", "\x85", "\x0b", "\u3000", "\t", " ", "\ufeff"]),
    st.sampled_from(["\\", '"', "'", '""', ",", ";", "${x}", "%", "{}", "[", "]", "\x1c", "\x7f"]),
    st.sampled_from(["中", "\\n", "\\ufeff", "O", "B-name", "#", "null", "---\n", "<b>"]),
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"),
)
STRINGS = st.lists(PIECES, max_size=12).map("".join)
TEXTS = STRINGS.filter(lambda text: text and not text.isspace())
SCORES = st.none() | st.floats(0, 1)


@st.composite
def spans_of(draw: st.DrawFn, text: str, scores: st.SearchStrategy[float | None]) -> tuple:
    bounds = st.lists(st.integers(0, len(text)), min_size=2, max_size=2, unique=True).map(sorted)
    labels = st.sampled_from(CLUENER.labels)
    span = st.builds(
        lambda bounds, label, score: Span(*bounds, label, score), bounds, labels, scores
    )
    return tuple(draw(st.lists(span, max_size=4, unique=True)))


@st.composite
def documents(draw: st.DrawFn) -> NewDocument:
    text = draw(TEXTS)
    document = NewDocument(
        text,
        external_id=draw(STRINGS | st.integers(-(10**16), 10**16).map(str)),
        annotator=draw(st.just("") | STRINGS),
    )
    kind = draw(st.sampled_from(["unlabelled", "labelled", "preannotated"]))
    if kind == "unlabelled":
        return replace(document, annotator="")  # nobody to name: there is no revision
    suggestions = draw(spans_of(text, SCORES))
    if kind == "preannotated":
        return replace(document, suggestions=suggestions, is_preannotated=True)
    spans = draw(spans_of(text, st.none()))
    return replace(
        document,
        spans=spans,
        note=draw(st.just("") | STRINGS),
        status=draw(st.sampled_from(STATUSES)),
        suggestions=tuple(set(suggestions) - set(spans)),
    )


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


def everything_of(document: NewDocument) -> tuple[object, ...]:
    """A document with its scores, which spans leave out when they are compared."""
    return document, [span.score for span in document.suggestions]


def everything_in_order(document: NewDocument) -> tuple[object, ...]:
    """The same, with spans in order: a database sorts them, so does what a format reads."""

    def sort(spans: tuple[Span, ...] | None) -> tuple[Span, ...] | None:
        return None if spans is None else tuple(sorted(spans))

    ordered = replace(
        document, spans=sort(document.spans), suggestions=sort(document.suggestions) or ()
    )
    return everything_of(ordered)


NASTY = '\ufeff😀\r\n𠮷野家👩‍👩‍👧e\u0301\u2028\u3000\t${x}<img src=x onerror=alert(1)>"\\'


@pytest.mark.parametrize("format", FORMATS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_documents=st.lists(documents(), max_size=6, unique_by=lambda one: one.text))
@example(given_documents=[NewDocument(NASTY, (Span(4, 7, "company"), Span(7, 12, "scene")))])
def test_what_is_exported_is_imported_to_the_same_state(
    stores: tuple[AnnotationStore, AnnotationStore],
    tmp_path_factory: pytest.TempPathFactory,
    format: str,
    given_documents: list[NewDocument],
) -> None:
    first, second = stores
    project = f"example-{len(first.projects())}"
    for store in stores:
        store.create_project(project, CLUENER)
    first.add(given_documents, project=project)
    states = list(read_states(first, project=project))
    chosen = FORMATS[format]
    held = [found for found in map(chosen.hold, states) if found]

    path = tmp_path_factory.mktemp("export") / f"export{chosen.suffix}"
    result = export_file(first, path, format=format, status=None, project=project)
    assert (result.num_documents, result.num_left_out) == (len(held), len(states) - len(held))
    options = ReadOptions(labels=CLUENER)
    with PendingImport.read(open_source(path), chosen, options) as pending:
        if held:
            assert pending.first_errors == []
        pending.store(second, project)
    imported = list(read_states(second, project=project))
    assert list(map(everything_of, imported)) == list(map(everything_of, held))


@pytest.mark.parametrize("format", FORMATS)
def test_an_export_fits_its_project_before_and_after_a_label_is_renamed(
    tmp_path: Path, format: str
) -> None:
    """Beside it stands a project with the same texts, in which nothing was renamed."""
    documents = [
        NewDocument(NASTY, (Span(4, 7, "company"), Span(7, 12, "scene")), status="accepted"),
        NewDocument(
            "𠮷野家😀", (Span(0, 3, "company"),), status="flagged", annotator="梅", note="谁？"
        ),
        NewDocument("工具标的", suggestions=(Span(0, 2, "company", 0.5),), is_preannotated=True),
    ]
    chosen = FORMATS[format]
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        for project in ("first", "beside", "from-before", "from-after"):
            store.create_project(project, CLUENER)
        for project in ("first", "beside"):
            store.add(documents, project=project)
        old, new = (tmp_path / f"{name}{chosen.suffix}" for name in ("old", "new"))
        export_file(store, old, format=format, status=None, project="first")
        for project in ("first", "from-before", "from-after"):
            rename_label(store.database, project, "company", "企业")
        export_file(store, new, format=format, status=None, project="first")
        held = [
            everything_of(found)
            for state in read_states(store, project="first")
            if (found := chosen.hold(state))
        ]
        by_name = {project.name: project for project in store.projects()}
        for path, project in ((old, "from-before"), (new, "from-after")):
            options = ReadOptions(labels=by_name[project].known_names)
            with PendingImport.read(open_source(path), chosen, options) as pending:
                if held:
                    assert pending.first_errors == []
                pending.store(store, project)
            imported = list(read_states(store, project=project))
            assert list(map(everything_of, imported)) == held
        beside = [
            span.label for one in read_states(store, project="beside") for span in one.spans or ()
        ]
        assert beside == ["company", "scene", "company"]


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "hugging-face"])
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(given_documents=st.lists(documents(), max_size=6))
def test_what_a_format_writes_it_reads_as_what_it_holds(
    format: str, given_documents: list[NewDocument]
) -> None:
    """The same without a database, and so for more examples."""
    chosen = FORMATS[format]
    data = "".join(f"{line}\n" for line in chosen.write(given_documents, CLUENER)).encode()
    source = source_of_bytes(data, "export")
    found = list(chosen.read(source, ReadOptions(labels=CLUENER), ReadingNotes()))
    held = [document for document in map(chosen.hold, given_documents) if document]
    assert list(map(everything_in_order, found)) == list(map(everything_in_order, held))


@given(document=documents())
def test_six_formats_hold_everything(document: NewDocument) -> None:
    assert len(LOSSLESS) == 6
    assert [FORMATS[name].hold(document) for name in LOSSLESS] == [document] * 6


@given(document=documents())
def test_plain_text_holds_texts_without_line_ends(document: NewDocument) -> None:
    has_line_end = "\n" in document.text or document.text[-1] == "\r"
    expected = None if has_line_end else NewDocument(document.text)
    assert FORMATS["txt"].hold(document) == expected


@given(document=documents())
def test_conll_holds_the_longest_spans_of_texts_that_somebody_has_decided_on(
    document: NewDocument,
) -> None:
    expected = None
    if document.status != "new":
        kept, _ = drop_overlaps(document.spans or ())
        expected = NewDocument(document.text, kept, status="accepted")
    assert FORMATS["conll"].hold(document) == expected


@pytest.mark.parametrize("format", FORMATS)
def test_the_format_of_an_export_is_found_out(tmp_path: Path, format: str) -> None:
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        store.create_project("default", CLUENER)
        store.add([NewDocument("浙商银行", (Span(0, 4, "company"),), status="accepted")])
        path = tmp_path / f"export{FORMATS[format].suffix}"
        export_file(store, path, format=format)
    assert detect_format(open_source(path)) == format
