"""The card that takes a file in: format, column and first texts, progress, errors, good lines."""

import reprlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Final, get_args

import gradio as gr

from annotation_store.formats.catalog import FORMATS
from annotation_store.formats.format import ReadOptions
from annotation_store.formats.offsets import OffsetUnit
from annotation_store.store import AnnotationStore
from webui.import_job import ImportJob, ImportJobs
from webui.messages import MAX_TEXT_CHARACTERS, Refusal, refuse, reports_errors
from webui.page_language import language_of, translated
from webui.project_choice import find_project
from webui.settings import Settings
from webui.texts import TEXTS, Language
from webui.wording.data import DATA

_ASSETS: Final = Path(__file__).parent / "page"
MAX_IMPORT_BYTES: Final = 500_000_000
_SECONDS_BETWEEN_REPORTS: Final = 0.3
_FILE_TYPES: Final = [
    *(".txt", ".csv", ".tsv", ".jsonl", ".json", ".ndjson", ".bio", ".conll", ".zip")
]


@dataclass(frozen=True, slots=True)
class ImportCard:
    """What the page needs of the card.

    Attributes:
        stored: Succeed when documents may have been added.
    """

    stored: tuple[gr.events.Dependency, ...]


class ImportHandlers:
    """The event handlers of the card."""

    def __init__(self, store: AnnotationStore, settings: Settings) -> None:
        self._store = store
        self._settings = settings
        self._jobs = ImportJobs()

    @reports_errors
    def take_file(self, upload_path: object, project: object, request: gr.Request) -> Any:
        """Take over an uploaded file and look at it."""
        language = language_of(request)
        path = _check_upload(upload_path, language)
        try:
            job = ImportJob(path, path.name)
            job.inspect(self._options({}, project, language), None)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        self._jobs.put(_visitor_of(request), job)
        return job.describe(language)

    @reports_errors
    def choose(self, project: object, event: gr.EventData, request: gr.Request) -> Any:
        """Look at the file again, read in another way."""
        job = self._find_job(request)
        if job.state == "chosen":
            self._inspect(job, project, event, request)
        return job.describe(language_of(request))

    @reports_errors
    def start(self, project: object, event: gr.EventData, request: gr.Request) -> Iterator[Any]:
        """Import the file: what the card shows, again and again until the work has ended."""
        job = self._find_job(request)
        if job.state == "chosen":
            self._inspect(job, project, event, request)
            job.start(self._store, find_project(self._store, project, language_of(request)).name)
        yield from _follow(job, language_of(request))

    @reports_errors
    def keep_good_lines(self, project: object, request: gr.Request) -> Iterator[Any]:
        """Store what could be read, as the visitor has said."""
        job = self._find_job(request)
        name = find_project(self._store, project, language_of(request)).name
        job.keep_good_lines(self._store, name)
        yield from _follow(job, language_of(request))

    @reports_errors
    def cancel(self, request: gr.Request) -> None:
        """Ask the work to end; the events that follow it show that."""
        self._find_job(request).cancel()

    @reports_errors
    def discard(self, request: gr.Request) -> None:
        """Forget the file."""
        self._jobs.drop(_visitor_of(request))

    @reports_errors
    def write_report(self, request: gr.Request) -> str:
        """All errors as a file to download."""
        job = self._find_job(request)
        path = Path(mkdtemp(dir=self._settings.download_folder)) / "import-errors.csv"
        job.write_report(path)
        return str(path)

    def _inspect(
        self, job: ImportJob, project: object, event: gr.EventData, request: gr.Request
    ) -> None:
        asked = event._data if isinstance(event._data, dict) else {}
        format = _one_of("format", asked.get("format"), tuple(FORMATS))
        job.inspect(self._options(asked, project, language_of(request)), format)

    def _options(self, asked: dict[str, Any], project: object, language: Language) -> ReadOptions:
        column, is_predicted = asked.get("column"), asked.get("is_predicted", False)
        if not isinstance(column, str | None) or not isinstance(is_predicted, bool):
            raise Refusal("expected a column by name, and true or false for predictions")
        return ReadOptions(
            labels=find_project(self._store, project, language).known_names,
            column=column,
            offsets=_one_of("unit", asked.get("offsets", "code-points"), get_args(OffsetUnit)),
            is_predicted=is_predicted,
            max_characters=MAX_TEXT_CHARACTERS,
        )

    def _find_job(self, request: gr.Request) -> ImportJob:
        job = self._jobs.find(_visitor_of(request))
        if job is None:
            raise Refusal(TEXTS[language_of(request)]["page.file_missing"])
        return job


def _follow(job: ImportJob, language: Language) -> Iterator[Any]:
    yield job.describe(language)
    while job.wait(_SECONDS_BETWEEN_REPORTS):
        yield job.describe(language)
    yield job.describe(language)


def _visitor_of(request: gr.Request) -> str:
    return request.session_hash or ""


def _one_of(what: str, value: object, choices: tuple[Any, ...]) -> Any:
    if value not in choices:
        raise Refusal(f"expected a {what} of {', '.join(choices)}, got {reprlib.repr(value)}")
    return value


def _check_upload(path: object, language: Language) -> Path:
    if not isinstance(path, str):
        raise refuse(TEXTS[language]["page.file_missing"])
    file = Path(path)
    size = file.stat().st_size
    if size > MAX_IMPORT_BYTES:
        file.unlink(missing_ok=True)
        megabytes = {"size": f"{size / 1e6:.1f}", "limit": MAX_IMPORT_BYTES // 1_000_000}
        raise refuse(TEXTS[language]["page.file_too_big"].format(**megabytes))
    return file


def make_upload_button() -> gr.UploadButton:
    """The button that chooses a file, to be rendered where it belongs."""
    return gr.UploadButton(
        translated("data.upload"),
        file_types=_FILE_TYPES,
        size="sm",
        min_width=0,
        elem_id="data-upload",
        render=False,
    )


def build(
    store: AnnotationStore,
    settings: Settings,
    *,
    current_project: gr.State,
    upload: gr.UploadButton,
) -> ImportCard:
    """Build the card inside the current Gradio context; it is empty until a file is chosen."""
    handlers = ImportHandlers(store, settings)
    card = gr.HTML(
        html_template=(_ASSETS / "import.html").read_text(encoding="utf-8"),
        js_on_load=(_ASSETS / "import.js").read_text(encoding="utf-8"),
        texts={language: {key: table[key] for key in DATA} for language, table in TEXTS.items()},
        formats=list(FORMATS),
        offset_units=list(get_args(OffsetUnit)),
        apply_default_css=False,
        elem_id="data-import",
    )
    download = gr.DownloadButton("", visible="hidden", elem_id="import-report")
    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

    # What was said of the file before would be read as said of the new one.
    upload.click(None, js="() => null", outputs=card, api_visibility="private")
    upload.upload(handlers.take_file, [upload, current_project], card, **quiet)
    card.choose(handlers.choose, current_project, card, trigger_mode="always_last", **quiet)
    started = card.start(handlers.start, current_project, card, concurrency_limit=4, **quiet)
    kept = card.keep(handlers.keep_good_lines, current_project, card, concurrency_limit=4, **quiet)
    card.cancel(handlers.cancel, None, None, **quiet)
    card.discard(handlers.discard, None, None, **quiet)
    card.report(handlers.write_report, None, download, **quiet).success(
        None, js="() => document.querySelector('#import-report').click()", **quiet
    )
    return ImportCard((started, kept))
