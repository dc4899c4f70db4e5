"""The model reads every text in the background, so that the queue can put the uncertain ones first.

One thread reads some texts at a time, stores what it made of them, and rests as long as it has
worked: a visitor who wants a text tagged meanwhile waits for one such batch at most, and nobody who
saves waits at all. What is stored stays when the program ends; the next one goes on from there.
When a project gets another model, or other labels, its texts are read again.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from annotation_store.predictions import (
    NewPrediction,
    UnreadText,
    find_unread,
    read_progress,
    write_predictions,
)
from annotation_store.projects import Project
from annotation_store.store import AnnotationStore, StoreError
from ner_core.prediction import Predictor
from webui.model_choice import ModelChoice

logger = logging.getLogger(__name__)

# Characters that the model reads at a time: a small one takes a tenth of a second on two cores.
_BATCH_CHARACTERS: Final = 1000
_MAX_BATCH_TEXTS: Final = 32
# Texts that are fetched together; finding them means passing over those that have been read.
_FETCHED_TEXTS: Final = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """How far the model is with a project.

    Attributes:
        model: The model's name; None when no model knows a label of the project.
        num_read: Documents that it has read.
        num_total: All documents of the project.
        has_failed: Whether it has given up; the server's log says why.
    """

    model: str | None
    num_read: int
    num_total: int
    has_failed: bool

    @property
    def is_going_on(self) -> bool:
        """Whether there is something left to read, and somebody to read it."""
        return self.model is not None and self.num_read < self.num_total and not self.has_failed


class BackgroundReader:
    """Reads the projects that visitors work on, the one asked for last first."""

    def __init__(self, store: AnnotationStore, models: ModelChoice) -> None:
        self._store = store
        self._models = models
        self._lock = threading.Lock()
        self._waiting: list[str] = []
        self._failed: set[tuple[str, str]] = set()
        self._thread: threading.Thread | None = None

    def look_at(self, project: Project) -> Reading:
        """How far the model is; what is left to read is read from now on."""
        predictor = self._models.for_project(project)
        name = predictor.name if predictor else None
        progress = read_progress(self._store.database, project=project.name, model=name or "")
        has_failed = (project.name, name) in self._failed
        reading = Reading(name, progress.num_read, progress.num_total, has_failed)
        if reading.is_going_on:
            self._wake(project.name)
        return reading

    def wait(self) -> None:
        """Return when nothing is left to read; for tests."""
        thread = self._thread
        if thread:
            thread.join()

    def _wake(self, project: str) -> None:
        with self._lock:
            self._waiting = [project, *(name for name in self._waiting if name != project)]
            if self._thread is None:
                # A daemon: the program may end at any moment, each batch is stored or is not.
                self._thread = threading.Thread(
                    target=self._run, name="background-reader", daemon=True
                )
                self._thread.start()

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                project = self._waiting[0]
            if not self._read_some(project):
                with self._lock:
                    self._waiting = [name for name in self._waiting if name != project]

    def _read_some(self, name: str) -> bool:
        """Read a part of a project; whether there may be more."""
        chosen = self._choose(name)
        if chosen is None:
            return False
        project, predictor = chosen
        try:
            unread = find_unread(
                self._store.database, project=name, model=predictor.name, limit=_FETCHED_TEXTS
            )
            for batch in _batches(unread):
                started = time.monotonic()
                self._read_batch(project, predictor, batch)
                time.sleep(time.monotonic() - started)
                if self._choose(name) != chosen or self._waiting[:1] != [name]:
                    return True  # another model, or another project that somebody waits for
        except StoreError as error:  # another process writes for long: look again later
            logger.warning("%s stops reading project %s: %s", predictor.name, name, error)
            return False
        except Exception:  # the page must go on, and must not see the same failure every second
            logger.exception("%s cannot read the texts of project %s", predictor.name, name)
            self._failed.add((name, predictor.name))
            return False
        return bool(unread)

    def _choose(self, name: str) -> tuple[Project, Predictor] | None:
        """The project as it is now and its model; None when one of them is gone."""
        for project in self._store.projects():
            if project.name == name:
                predictor = self._models.for_project(project)
                return (project, predictor) if predictor else None
        return None

    def _read_batch(
        self, project: Project, predictor: Predictor, batch: Sequence[UnreadText]
    ) -> None:
        found = predictor.predict([unread.text for unread in batch], with_uncertainty=True)
        predictions = []
        for unread, prediction in zip(batch, found, strict=True):
            uncertainty = prediction.uncertainty
            assert uncertainty is not None, "it was asked for"
            predictions.append(
                NewPrediction(
                    unread.document_id, prediction.spans, uncertainty.path, uncertainty.token
                )
            )
        write_predictions(
            self._store.database,
            project=project.name,
            model=predictor.name,
            predictions=predictions,
        )


def _batches(unread: Sequence[UnreadText]) -> Iterator[list[UnreadText]]:
    batch: list[UnreadText] = []
    num_characters = 0
    for text in unread:
        batch.append(text)
        num_characters += len(text.text)
        if num_characters >= _BATCH_CHARACTERS or len(batch) == _MAX_BATCH_TEXTS:
            yield batch
            batch, num_characters = [], 0
    if batch:
        yield batch
