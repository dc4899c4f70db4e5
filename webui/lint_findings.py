"""What lint finds in a project: the findings of one moment, and what has become of them since."""

import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from weakref import WeakKeyDictionary

from annotation_store.projects import Project
from annotation_store.review import ReviewDocument, read_versions
from annotation_store.store import AnnotationStore
from ner_core.findings import Finding
from ner_core.lint import ask_model, lint
from ner_core.lint_model import ModelOpinion
from ner_core.prediction import Predictor
from ner_core.spans import Example, Span
from webui.prediction_cache import PredictionCache

# Texts on which a model is asked between two reports.
_TEXTS_PER_STEP: Final = 128


@dataclass(frozen=True)
class Findings:
    """Everything suspicious in a project's confirmed documents, the most suspicious first.

    Attributes:
        documents: The documents read; a finding's `index` points into them.
        findings: In order of their suspicion.
        model: The name of the model that was asked; None for none.
        repaired: Document ids and keys of the findings that have been repaired since.
    """

    documents: tuple[ReviewDocument, ...]
    findings: tuple[Finding, ...]
    model: str | None
    repaired: set[tuple[int, str]] = field(default_factory=set)

    def document_of(self, finding: Finding) -> ReviewDocument:
        """The document that a finding is about."""
        return self.documents[finding.index]

    def name_of(self, finding: Finding) -> tuple[int, str]:
        """The document's id and the finding's key."""
        return self.document_of(finding).id, finding.key


class Linter:
    """Looks for findings on request, and asks a model about what has changed only. Thread-safe.

    Args:
        store: Holds the documents.
        predictions: What models have found before.
    """

    def __init__(self, store: AnnotationStore, predictions: PredictionCache) -> None:
        self._store = store
        self._predictions = predictions
        # By model, labels of the project, and text with spans.
        self._opinions: WeakKeyDictionary[Predictor, dict[str, dict[Example, ModelOpinion]]]
        self._opinions = WeakKeyDictionary()
        self._lock = threading.Lock()

    def steps(
        self, project: Project, predictor: Predictor | None
    ) -> Iterator[tuple[int, int] | Findings]:
        """Look for findings, with progress where a model has to read.

        Yields:
            Texts that the model has read and texts in all, now and then; last the findings.
        """
        documents = read_versions(self._store.database, [None], project=project.name)
        examples = [_to_example(document, project) for document in documents]
        opinions = None
        if predictor is not None:
            texts = [it.text for it in examples]
            for num_read in self._predictions.read(predictor, texts):
                yield num_read, len(texts)
            opinions = yield from self._ask(project, predictor, examples)
        yield Findings(
            tuple(documents), lint(examples, opinions), predictor.name if predictor else None
        )

    def _ask(
        self, project: Project, predictor: Predictor, examples: Sequence[Example]
    ) -> Generator[tuple[int, int], None, list[ModelOpinion]]:
        with self._lock:
            # A label may be renamed without a new revision.
            known = self._opinions.setdefault(predictor, {}).setdefault(_names_of(project), {})
        own = [Span(0, 1, label) for label in predictor.labels.labels]
        known_labels = {span.label for span in project.adopt(own)}
        news = [example for example in dict.fromkeys(examples) if example not in known]
        for start in range(0, len(news), _TEXTS_PER_STEP):
            yield len(examples) - len(news) + start, len(examples)
            some = news[start : start + _TEXTS_PER_STEP]
            predicted = [
                tuple(project.adopt(self._predictions.spans_of(predictor, example.text)))
                for example in some
            ]
            opinions = ask_model(predictor, some, predicted, known_labels=known_labels)
            known.update(zip(some, opinions, strict=True))
        return [known[example] for example in examples]


def repair(
    store: AnnotationStore,
    document_id: int,
    findings: Iterable[Finding],
    *,
    annotator: str,
) -> tuple[Finding, ...]:
    """Store a revision with the proposals of some findings of a document.

    The document keeps its status and its suggestions. A finding is passed over where somebody has
    changed its span or labelled what was missing; nothing is stored where all are.

    Args:
        store: Holds the document.
        document_id: The document.
        findings: All of this document, each with a proposal.
        annotator: Who decided so.

    Returns:
        The findings that were repaired.

    Raises:
        DocumentNotFound: There is none of this id.
        StaleRevision: Somebody has saved at the same moment; nothing is stored.
    """
    document = store.get(document_id)
    spans = document.spans
    repaired = []
    for finding in findings:
        if finding.span in spans or (
            finding.span is None and not any(map(finding.place.overlaps, spans))
        ):
            spans = finding.repair(spans)
            repaired.append(finding)
    if repaired:
        store.save(
            document_id,
            base_revision=document.revision_number,
            spans=spans,
            suggestions=document.suggestions,
            status=document.status,
            annotator=annotator,
            note=document.note,
        )
    return tuple(repaired)


def _names_of(project: Project) -> str:
    return repr((project.labels, sorted(project.former_labels.items(), key=str)))


def _to_example(document: ReviewDocument, project: Project) -> Example:
    known = set(project.labels.labels)
    spans = tuple(span for span in document.versions[0].spans if span.label in known)
    return Example("", document.text, spans)
