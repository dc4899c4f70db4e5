"""Two versions of a project's documents side by side, kept up to date as people go on saving."""

import hashlib
import reprlib
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, cast

from annotation_store.projects import Project
from annotation_store.review import (
    Author,
    ReviewDocument,
    read_revision_numbers,
    read_versions,
)
from annotation_store.store import AnnotationStore
from ner_core.agreement import Agreement, TextComparison, measure_agreement
from ner_core.error_analysis import Outcome, pair_spans
from ner_core.prediction import Predictor
from ner_core.spans import Span
from webui.differences import Difference, find_differences
from webui.messages import Refusal
from webui.model_choice import ModelChoice
from webui.prediction_cache import PredictionCache

SideKind = Literal["confirmed", "human", "import", "model"]
# Comparisons that are kept; one more than a few visitors look at in turn.
_MOST_KEPT: Final = 4


@dataclass(frozen=True, slots=True)
class Side:
    """Whose version stands on one side.

    Attributes:
        kind: "confirmed" is the newest version of each document, unless a model made it.
        name: The annotator's or the model's; "" for "confirmed" and for who has no name.
    """

    kind: SideKind
    name: str = ""

    @classmethod
    def parse(cls, value: object) -> "Side":
        """Read what `value` wrote.

        Raises:
            Refusal: It is something else.
        """
        kind, colon, name = value.partition(":") if isinstance(value, str) else ("", "", "")
        is_known = kind in ("confirmed", "human", "import", "model")
        if not (is_known and colon and (kind != "confirmed" or not name)):
            raise Refusal(f"expected whose version to compare, got {reprlib.repr(value)}")
        return cls(cast(SideKind, kind), name)

    @property
    def value(self) -> str:
        """The side as one string, for the browser."""
        return f"{self.kind}:{self.name}"

    @property
    def author(self) -> Author | None:
        """Whose revisions to read; None for the confirmed ones. A model has none."""
        assert self.kind != "model", "a model's version is not in the history"
        return None if self.kind == "confirmed" else Author(self.kind, self.name)


@dataclass(frozen=True)
class ComparedDocument:
    """A document with both versions, paired.

    Attributes:
        document: Its text, its newest revision, and the versions read from the store.
        comparison: Both versions; a model's spans have scores.
        others: The spans of further versions that a decision settles, by name.
    """

    document: ReviewDocument
    comparison: TextComparison
    others: Mapping[str, tuple[Span, ...]]

    @cached_property
    def differences(self) -> tuple[Difference, ...]:
        """The places in which the versions differ, in order of the text."""
        return find_differences(self.comparison.pairs, self.others)

    @cached_property
    def agreed(self) -> tuple[Span, ...]:
        """The spans that all versions have, in order of the text."""
        differing = {it.left for it in self.differences if it.outcome is None}
        pairs = (it for it in self.comparison.pairs if it.outcome is Outcome.RIGHT)
        return tuple(it.gold for it in pairs if it.gold and it.gold not in differing)

    @cached_property
    def state(self) -> str:
        """Changes whenever what a reviewer sees of the document changes."""
        seen = (
            self.document.revision_number,
            self.document.is_undecided,
            self.comparison.left,
            self.comparison.right,
            self.others,
        )
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:16]

    @property
    def certainty(self) -> float:
        """The highest probability of a span that a model has and the other side has not."""
        scores = (span.score or 0.0 for it in self.differences for span in it.spans)
        return max(scores, default=0.0)

    def resolve(self, choices: str) -> tuple[Span, ...]:
        """The spans that remain when one version is taken of each difference.

        Args:
            choices: One of its `options` for each of `differences`.

        Raises:
            Refusal: There is not one choice for each difference.
        """
        options = [it.options for it in self.differences]
        known = zip(choices, options, strict=False)
        if len(choices) != len(options) or any(choice not in of for choice, of in known):
            raise Refusal(
                f"expected a choice for each of {len(self.differences)} differences,"
                f" got {reprlib.repr(choices)}"
            )
        chosen = {of[choice] for choice, of in zip(choices, options, strict=True)}
        spans = {*self.agreed, *chosen}
        return tuple(sorted(Span(it.start, it.end, it.label) for it in spans if it is not None))


@dataclass(frozen=True)
class Comparison:
    """All documents of a project that both sides have labelled, in order."""

    labels: tuple[str, ...]
    documents: tuple[ComparedDocument, ...]

    @cached_property
    def agreement(self) -> Agreement:
        """How far the sides agree, over all documents."""
        return measure_agreement([it.comparison for it in self.documents], self.labels)

    @cached_property
    def independent_agreement(self) -> Agreement:
        """The same over the documents whose versions are independent of each other."""
        independent = (it.comparison for it in self.documents if it.document.is_independent)
        return measure_agreement(list(independent), self.labels)


class Comparisons:
    """Compares on request, and of a comparison made before only what has changed. Thread-safe.

    Args:
        store: Holds the versions.
        models: Make theirs on request.
        predictions: What they have found before.
    """

    def __init__(
        self, store: AnnotationStore, models: ModelChoice, predictions: PredictionCache
    ) -> None:
        self._store = store
        self._models = models
        self._predictions = predictions
        self._kept: dict[str, tuple[Comparison, dict[int, tuple[int, int]]]] = {}
        self._lock = threading.Lock()

    def steps(
        self, project: Project, left: Side, right: Side
    ) -> Iterator[tuple[int, int] | Comparison]:
        """Compare, with progress where a model has to read.

        Yields:
            Texts that the model has read and texts in all, now and then; last the comparison.

        Raises:
            Refusal: Both sides are models or one and the same, or there is no such model.
        """
        predictor = self._find_model(left, right)
        # Neither a label that is renamed again nor other annotators per text make a revision.
        settings = project.settings
        shares = settings.annotators_per_text, settings.independent_percent
        key = repr((project.name, project.labels, project.former_labels, shares, left, right))
        key += f" {id(predictor)}"
        numbers = read_revision_numbers(self._store.database, project=project.name)
        with self._lock:
            kept = self._kept.get(key)
        unchanged: dict[int, ComparedDocument] = {}
        changed: list[int] | None = None
        if kept is not None:
            old, old_numbers = kept
            changed = [it for it, number in numbers.items() if old_numbers.get(it) != number]
            again = set(changed)
            unchanged = {it.document.id: it for it in old.documents if it.document.id not in again}
        documents = self._read(project, left, right, changed)
        if predictor is not None:
            for num_read in self._predictions.read(predictor, [it.text for it in documents]):
                yield num_read, len(documents)
        for document in documents:
            unchanged[document.id] = self._compare(project, left, right, predictor, document)
        in_order = sorted(unchanged.values(), key=lambda it: it.document.position)
        comparison = Comparison(project.labels.labels, tuple(in_order))
        with self._lock:
            self._kept.pop(key, None)
            self._kept[key] = comparison, numbers
            while len(self._kept) > _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        yield comparison

    def compare(self, project: Project, left: Side, right: Side) -> Comparison:
        """The same without progress."""
        *_, comparison = self.steps(project, left, right)
        assert isinstance(comparison, Comparison)
        return comparison

    def find(
        self, project: Project, left: Side, right: Side, document_id: int
    ) -> ComparedDocument | None:
        """One document as it is at this moment; None if one side has no version of it."""
        predictor = self._find_model(left, right)
        for document in self._read(project, left, right, [document_id]):
            return self._compare(project, left, right, predictor, document)
        return None

    def _read(
        self, project: Project, left: Side, right: Side, document_ids: list[int] | None
    ) -> list[ReviewDocument]:
        authors = [side.author for side in (left, right) if side.kind != "model"]
        return read_versions(
            self._store.database, authors, project=project.name, document_ids=document_ids
        )

    def _find_model(self, left: Side, right: Side) -> Predictor | None:
        models = [side.name for side in (left, right) if side.kind == "model"]
        if len(models) == 2 or left == right:
            raise Refusal("expected two sides, at most one of them a model, got others")
        if not models:
            return None
        predictor = self._models.find(models[0])
        if predictor is None:
            raise Refusal(
                f"expected one of the models {', '.join(self._models.names)},"
                f" got {reprlib.repr(models[0])}"
            )
        return predictor

    def _compare(
        self,
        project: Project,
        left: Side,
        right: Side,
        predictor: Predictor | None,
        document: ReviewDocument,
    ) -> ComparedDocument:
        versions = iter(document.versions)
        spans = []
        for side in (left, right):
            if side.kind == "model":
                assert predictor is not None
                found = self._predictions.spans_of(predictor, document.text)
                spans.append(tuple(project.adopt(found)))
            else:
                spans.append(_keep_labels(next(versions).spans, project))
        pairs = pair_spans(*spans)
        return ComparedDocument(
            document,
            TextComparison(len(document.text), spans[0], spans[1], pairs),
            {name: _keep_labels(it.spans, project) for name, it in document.others.items()},
        )


def _keep_labels(spans: Iterable[Span], project: Project) -> tuple[Span, ...]:
    """Without the spans of labels that the project has no more: nobody could save them again."""
    known = set(project.labels.labels)
    return tuple(span for span in spans if span.label in known)
