"""The page 数据 / Data: add texts, see where they stand, open one, export them."""

import reprlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import gradio as gr

from annotation_store.documents import STATUSES, Document, Status
from annotation_store.formats.format import ReadOptions
from annotation_store.store import AnnotationStore, DocumentNotFound
from annotation_store.uploads import parse_upload
from webui import import_card
from webui.api import EXPORT_FORMATS, write_export
from webui.error_words import word_error
from webui.messages import (
    MAX_TEXT_CHARACTERS,
    find_unstorable_character,
    refuse,
    reports_errors,
    warn,
)
from webui.page_language import language_of, translated
from webui.project_choice import find_project
from webui.settings import Settings
from webui.texts import TEXTS, Language
from webui.uploads import MAX_ERRORS_SHOWN
from webui.wording.data import DATA
from webui.wording.page import PAGE

_ASSETS: Final = Path(__file__).parent / "page"
MAX_QUERY_CHARACTERS: Final = 1000
"""Longest string to search for; the store takes no longer one."""
_ROWS_ON_A_PAGE: Final = 20
_SNIPPET_CHARACTERS: Final = 120
_MAX_INTEGER: Final = 2**63 - 1  # what the database can hold


@dataclass(frozen=True, slots=True)
class DataPage:
    """What the rest of the layout needs of this page.

    Attributes:
        chosen: Succeeds when the visitor has chosen a document to open.
        document_id: Then holds its id.
    """

    chosen: gr.events.Dependency
    document_id: gr.State


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of the texts that were pasted: all of them are added, or none.

    Attributes:
        num_added: Documents that are new in the store.
        num_duplicates: Documents whose text was there already.
        num_errors: Lines that cannot be added.
        errors: The first of them, as "file:line: reason".
    """

    num_added: int
    num_duplicates: int
    num_errors: int
    errors: tuple[str, ...]


class DataHandlers:
    """The event handlers of the page, over its store."""

    def __init__(self, store: AnnotationStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    @reports_errors
    def add_pasted(self, text: object, project: object, request: gr.Request) -> Any:
        """Add the lines of the text box; the box is emptied when all of them were good."""
        language = language_of(request)
        if text is not None and not isinstance(text, str):
            raise refuse(f"expected texts, one a line, got {type(text).__name__}")
        if text is None or not text.strip():
            warn(TEXTS[language]["data.nothing_given"])
            return gr.skip(), gr.skip()
        problem = find_unstorable_character(text, language)
        if problem:
            warn(problem)
            return gr.skip(), gr.skip()
        report = self._add(text, find_project(self._store, project, language).name, language)
        return asdict(report), gr.skip() if report.num_errors else ""

    def _add(self, text: str, project: str, language: Language) -> AddReport:
        # Whatever the lines look like: nobody has chosen a format.
        options = ReadOptions(max_characters=MAX_TEXT_CHARACTERS)
        upload = parse_upload(text.encode(), "paste.txt", format="txt", options=options)
        if upload.errors:
            some = upload.errors[:MAX_ERRORS_SHOWN]
            errors = tuple(word_error(error, language) for error in some)
            return AddReport(0, 0, len(upload.errors), errors)
        result = self._store.add(upload.documents, project=project)
        return AddReport(len(result.added_ids), result.num_duplicates, 0, ())

    @reports_errors
    def list_documents(
        self, project: object, event: gr.EventData, request: gr.Request
    ) -> dict[str, Any]:
        """The documents that the list asks for."""
        asked = event._data if isinstance(event._data, dict) else {}
        status, query, offset = asked.get("status"), asked.get("query"), asked.get("offset")
        if status != "all" and status not in STATUSES:
            raise refuse(f"expected a status or all, got {reprlib.repr(status)}")
        if not isinstance(query, str) or type(offset) is not int:
            raise refuse("expected a query and an offset")
        language = language_of(request)
        if len(query) > MAX_QUERY_CHARACTERS:
            problem = TEXTS[language]["data.query_too_long"]
            raise refuse(problem.format(length=len(query), limit=MAX_QUERY_CHARACTERS))
        unstorable = find_unstorable_character(query, language)
        if unstorable:
            raise refuse(unstorable)
        return self._describe_page(
            find_project(self._store, project, language).name,
            status=None if status == "all" else status,
            query=query,
            offset=min(max(0, offset), _MAX_INTEGER),
        )

    @reports_errors
    def show_first_page(self, project: object, request: gr.Request) -> dict[str, Any]:
        """The list from its beginning."""
        return self._describe_page(find_project(self._store, project, language_of(request)).name)

    def _describe_page(
        self, project: str, *, status: Status | None = None, query: str = "", offset: int = 0
    ) -> dict[str, Any]:
        counts = self._store.counts(project=project)
        page = self._store.page(
            project=project,
            status=status,
            query=query,
            offset=offset,
            limit=_ROWS_ON_A_PAGE,
        )
        return {
            "status": status or "all",
            "offset": offset,
            "limit": _ROWS_ON_A_PAGE,
            "num_total": page.num_total,
            "counts": {"all": sum(counts.values()), **counts},
            "rows": [_describe_row(document, query) for document in page.documents],
        }

    @reports_errors
    def choose_document(self, project: object, event: gr.EventData) -> int:
        """The id of the document whose row was pressed."""
        document_id = event._data.get("id") if isinstance(event._data, dict) else None
        if type(document_id) is not int or not 0 <= document_id <= _MAX_INTEGER:
            raise refuse(f"expected the id of a document, got {reprlib.repr(document_id)}")
        document = self._store.get(document_id)
        if document.project != project:
            raise DocumentNotFound(f"there is no document {document_id} here")
        return document.id

    @reports_errors
    def export(self, project: object, event: gr.EventData, request: gr.Request) -> Any:
        """Write the export that was asked for: its report and its file."""
        asked = event._data if isinstance(event._data, dict) else {}
        path, result = write_export(
            self._store,
            self._settings,
            format=asked.get("format"),
            status=asked.get("status"),
            project=find_project(self._store, project, language_of(request)).name,
        )
        return {**asdict(result), "format": asked["format"]}, str(path)


def _describe_row(document: Document, query: str) -> dict[str, Any]:
    found = document.text.lower().find(query.lower()) if query else 0
    start = max(0, found - _SNIPPET_CHARACTERS // 4) if found > _SNIPPET_CHARACTERS // 2 else 0
    end = start + _SNIPPET_CHARACTERS
    snippet = document.text[start:end]
    return {
        "id": document.id,
        "position": document.position,
        "snippet": ("…" if start else "") + snippet + ("…" if end < len(document.text) else ""),
        "revision": document.revision_number,
        "status": document.status,
        "note": document.note,
        "num_spans": len(document.spans),
        "num_suggestions": len(document.suggestions),
    }


def build(store: AnnotationStore, settings: Settings, *, current_project: gr.State) -> DataPage:
    """Build the page inside the current Gradio context."""
    handlers = DataHandlers(store, settings)
    upload = import_card.make_upload_button()
    with gr.Row(elem_classes="page-columns"):
        with gr.Column(elem_classes="page-main"):
            imports = import_card.build(
                store, settings, current_project=current_project, upload=upload
            )
            documents = _view("documents", statuses=["all", *STATUSES])
        with gr.Column(elem_classes="page-aside"):
            with gr.Column(elem_classes="card add-texts"):
                gr.Markdown(translated("data.add"), elem_classes="card-title")
                pasted = gr.Textbox(
                    label=translated("data.paste"),
                    placeholder=translated("data.paste_placeholder"),
                    lines=5,
                    max_lines=12,
                    elem_id="data-paste",
                )
                with gr.Row(elem_classes="add-actions"):
                    add = gr.Button(
                        translated("data.add_run"), variant="primary", size="sm", min_width=0
                    )
                    upload.render()
                gr.Markdown(translated("data.upload_note"), elem_classes="quiet small")
                report = _view("report")
            export = _view(
                "export",
                formats=list(EXPORT_FORMATS),
                statuses=[*STATUSES, "all"],
            )
            download = gr.DownloadButton("", visible="hidden", elem_id="export-download")

    # What was said of the texts before would be read as said of the new ones.
    gr.on(
        [add.click, upload.click, upload.upload],
        None,
        js="() => null",
        outputs=report,
        api_visibility="private",
    )
    added = add.click(
        handlers.add_pasted,
        inputs=[pasted, current_project],
        outputs=[report, pasted],
        preprocess=False,  # it would make a text of anything
        show_progress="hidden",
        api_visibility="private",
    )
    for listen in (added.success, *(event.success for event in imports.stored)):
        listen(
            handlers.show_first_page,
            inputs=current_project,
            outputs=documents,
            show_progress="hidden",
            api_visibility="private",
        )
    current_project.change(
        handlers.show_first_page,
        inputs=current_project,
        outputs=documents,
        show_progress="hidden",
        api_visibility="private",
    )
    documents.query(
        handlers.list_documents,
        inputs=current_project,
        outputs=documents,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
    )
    export.export(
        handlers.export,
        inputs=current_project,
        outputs=[export, download],
        show_progress="hidden",
        api_visibility="private",
    ).success(
        None,
        js="() => document.querySelector('#export-download').click()",
        api_visibility="private",
    )
    document_id = gr.State(None)
    chosen = documents.open(
        handlers.choose_document,
        inputs=current_project,
        outputs=document_id,
        api_visibility="private",
    )
    return DataPage(chosen, document_id)


def _view(name: str, **props: Any) -> gr.HTML:
    # A status has one name on all pages.
    statuses = {f"annotate.status_{status}" for status in STATUSES}
    keys = PAGE.keys() | DATA.keys() | statuses
    return gr.HTML(
        html_template=(_ASSETS / f"{name}.html").read_text(encoding="utf-8"),
        js_on_load=(_ASSETS / f"{name}.js").read_text(encoding="utf-8"),
        texts={language: {key: table[key] for key in keys} for language, table in TEXTS.items()},
        apply_default_css=False,
        elem_id=f"data-{name}",
        **props,
    )
