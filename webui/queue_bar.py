"""The bar above the editor: in which order texts come, which ones, and how far the model is.

The bar keeps what was chosen in the browser (page/queue.js); the editor reads it from there with
each request. The server only says what there is to choose from, and how many texts there are.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import gradio as gr

from annotation_store.documents import STATUSES
from annotation_store.projects import Project
from annotation_store.queue import ORDERS, count_queue, read_annotators
from annotation_store.store import AnnotationStore
from webui.background_reader import BackgroundReader
from webui.label_style import style_labels
from webui.messages import Refusal, reports_errors
from webui.page_language import language_of
from webui.project_choice import find_project
from webui.queue_choice import EVERYTHING, QueueChoice
from webui.texts import TEXTS
from webui.wording.queue import QUEUE

_ASSETS: Final = Path(__file__).parent / "page"
_SCRIPTS: Final = (
    Path(__file__).parent / "annotator" / "annotator_name.js",
    _ASSETS / "queue.js",
)


class QueueBar:
    """What answers the bar.

    Attributes:
        view: The component; it sends the event "describe" with {queue, holder, annotator}.
    """

    def __init__(self, store: AnnotationStore, reader: BackgroundReader) -> None:
        self._store = store
        self._reader = reader
        statuses = {f"annotate.status_{status}" for status in STATUSES}
        keys = QUEUE.keys() | statuses
        self.view = gr.HTML(
            html_template=(_ASSETS / "queue.html").read_text(encoding="utf-8"),
            js_on_load="\n".join(path.read_text(encoding="utf-8") for path in _SCRIPTS),
            texts={
                language: {key: table[key] for key in keys} for language, table in TEXTS.items()
            },
            orders=list(ORDERS),
            statuses=[*STATUSES, EVERYTHING],
            apply_default_css=False,
            elem_id="queue-bar",
        )

    @reports_errors
    def answer(self, name: str, event: gr.EventData, request: gr.Request) -> dict[str, Any]:
        """What there is to choose from, and how many texts the choice leaves."""
        asked = event._data if isinstance(event._data, dict) else {}
        project = find_project(self._store, name, language_of(request))
        try:
            choice = QueueChoice.from_payload(asked.get("queue"))
            holder, typed = (
                value if isinstance(value := asked.get(name), str) else ""
                for name in ("holder", "annotator")
            )
            annotator = getattr(request, "username", None) or typed
            return self.describe(project, choice, holder, annotator)
        except ValueError as error:
            raise Refusal(str(error)) from error

    def describe(
        self, project: Project, choice: QueueChoice, holder: str, annotator: str = ""
    ) -> dict[str, Any]:
        """What the bar draws.

        Args:
            project: Whose queue.
            choice: Order and filter.
            holder: The token of the page that asks: what it holds itself is not held by others.
            annotator: The name of the person there.

        Raises:
            ValueError: The label is not the project's.
        """
        counts = count_queue(
            self._store.database,
            project=project.name,
            token=holder,
            annotator=annotator,
            wanted=choice.wanted,
        )
        reading = self._reader.look_at(project)
        return {
            "project": project.name,
            "labels": [asdict(style) for style in style_labels(project.labels, project.settings)],
            "annotators": list(read_annotators(self._store.database, project=project.name)),
            "num_matching": counts.num_matching,
            "num_held": counts.num_held,
            "num_left_out": counts.num_left_out,
            "reading": asdict(reading) | {"is_going_on": reading.is_going_on},
        }


def build(
    store: AnnotationStore, reader: BackgroundReader, *, current_project: gr.State
) -> QueueBar:
    """Build the bar inside the current Gradio context."""
    bar = QueueBar(store, reader)
    bar.view.describe(
        bar.answer,
        inputs=current_project,
        outputs=bar.view,
        trigger_mode="always_last",
        show_progress="hidden",
        api_visibility="private",
    )
    return bar
