"""The part 检查 / Lint of the page Review: what labelled data hide, and how to mend it."""

import reprlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, Final

import gradio as gr

from annotation_store.dismissals import dismiss, read_dismissals
from annotation_store.review import count_confirmed
from annotation_store.store import AnnotationStore
from ner_core.findings import Finding, FindingKind
from ner_core.spans import Span
from webui.label_style import style_labels
from webui.lint_findings import Findings, Linter, repair
from webui.messages import Refusal, reports_errors
from webui.model_choice import ModelChoice
from webui.page_language import language_of
from webui.prediction_cache import PredictionCache
from webui.project_choice import find_project
from webui.review_messages import Message, integer, message, reviewer, string
from webui.review_part import Request, Stops, answers, answers_in_steps, connect, models_for
from webui.review_view import make_view

_FINDINGS_ON_A_PAGE: Final = 50
# Characters of the text before and behind a finding.
_CONTEXT: Final = 30

# What is done with the findings of the last check, as a request says.
_Act = Callable[[Request, Findings], None]


class LintHandlers:
    """The event handlers of this part of the page.

    The findings of each project's last check are kept for all visitors, until the next check.
    """

    def __init__(
        self, store: AnnotationStore, models: ModelChoice, predictions: PredictionCache
    ) -> None:
        self.store = store
        self.stops = Stops()
        self._models = models
        self._linter = Linter(store, predictions)
        self._last: dict[str, Findings] = {}
        self._lock = threading.Lock()

    @reports_errors
    def show(self, project: object, request: gr.Request) -> Message:
        """How things stand before a check: is there anything to check, and by which models?"""
        found = find_project(self.store, project, language_of(request))
        return message(
            "ready",
            None,
            project=found.name,
            labels=[asdict(style) for style in style_labels(found.labels, found.settings)],
            models=models_for(found, self._models),
            num_confirmed=count_confirmed(self.store.database, project=found.name),
        )

    @answers_in_steps
    def check(self, asked: Request) -> Iterator[Message]:
        """Check all confirmed documents: progress now and then, at the end the first findings."""
        name = asked.fields.get("model")
        predictor = self._models.find(name)
        if predictor is None and name is not None:
            names = ", ".join(self._models.names)
            raise Refusal(f"expected one of the models {names}, got {reprlib.repr(name)}")

        def describe(findings: Findings) -> Message:
            with self._lock:
                self._last[asked.project.name] = findings
            return self._describe("findings", asked, findings)

        steps = self._linter.steps(asked.project, predictor)
        yield from self.stops.follow(asked, steps, describe)

    @answers
    def list_findings(self, asked: Request) -> Message:
        """Other findings of the last check."""
        return self._answer(asked, lambda asked, findings: None)

    @answers
    def dismiss(self, asked: Request) -> Message:
        """Keep a finding from being shown again, or take that back."""

        def act(asked: Request, findings: Findings) -> None:
            finding = _find(findings, asked.fields)
            dismiss(
                self.store.database,
                findings.document_of(finding).id,
                finding.key,
                annotator=reviewer(asked.fields, asked.username),
                is_dismissed=asked.fields.get("is_dismissed") is not False,
            )

        return self._answer(asked, act)

    @answers
    def repair(self, asked: Request) -> Message:
        """Store the proposal of one finding as a revision."""

        def act(asked: Request, findings: Findings) -> None:
            finding = _find(findings, asked.fields)
            if finding.proposal is None:
                raise Refusal("expected a finding with a proposal, got one without")
            document_id, key = findings.name_of(finding)
            self._repair(findings, {document_id: [finding]}, asked)
            if (document_id, key) not in findings.repaired:
                raise Refusal("expected the spans of the check, got others: somebody has saved")

        return self._answer(asked, act)

    @answers
    def repair_all(self, asked: Request) -> Message:
        """Store the proposals of all findings that need no reader."""

        def act(asked: Request, findings: Findings) -> None:
            dismissed = read_dismissals(self.store.database, project=asked.project.name)
            by_document: dict[int, list[Finding]] = {}
            for finding in findings.findings:
                name = findings.name_of(finding)
                if finding.is_safe and name not in dismissed and name not in findings.repaired:
                    by_document.setdefault(name[0], []).append(finding)
            self._repair(findings, by_document, asked)

        return self._answer(asked, act)

    def _repair(
        self, findings: Findings, by_document: dict[int, list[Finding]], asked: Request
    ) -> None:
        name = reviewer(asked.fields, asked.username)
        for document_id, of_document in by_document.items():
            repaired = repair(self.store, document_id, of_document, annotator=name)
            findings.repaired.update((document_id, it.key) for it in repaired)

    def _answer(self, asked: Request, act: _Act) -> Message:
        """Do something with the last check's findings, and say which there are now."""
        with self._lock:
            findings = self._last.get(asked.project.name)
        if findings is None:  # the app was started again while the page was open
            return message("gone", asked.token)
        num_repaired = len(findings.repaired)
        act(asked, findings)
        return self._describe("page", asked, findings) | {
            "num_repaired": len(findings.repaired) - num_repaired
        }

    def _describe(self, kind: str, asked: Request, findings: Findings) -> Message:
        """Numbers by kind and one page of findings."""
        fields = asked.fields
        dismissed = read_dismissals(self.store.database, project=asked.project.name)
        wanted, shows_dismissed = string(fields, "kind"), fields.get("shows_dismissed") is True
        if wanted != "all" and wanted not in set(FindingKind):
            raise Refusal(f"expected a kind of finding, got {reprlib.repr(wanted)}")
        present = [it for it in findings.findings if findings.name_of(it) not in findings.repaired]
        is_dismissed = {id(it): findings.name_of(it) in dismissed for it in present}
        counts = Counter(it.kind for it in present if not is_dismissed[id(it)])
        listed = [
            it
            for it in present
            if is_dismissed[id(it)] == shows_dismissed and wanted in ("all", it.kind)
        ]
        offset = min(integer(fields, "offset"), max(0, len(listed) - 1))
        offset -= offset % _FINDINGS_ON_A_PAGE
        return message(
            kind,
            asked.token,
            listed_kind=wanted,
            counts={str(it): counts[it] for it in FindingKind},
            num_dismissed=sum(is_dismissed.values()),
            num_safe=sum(it.is_safe and not is_dismissed[id(it)] for it in present),
            num_documents=len(findings.documents),
            model=findings.model,
            num_listed=len(listed),
            offset=offset,
            limit=_FINDINGS_ON_A_PAGE,
            findings=[
                _describe_finding(findings, it, is_dismissed=is_dismissed[id(it)])
                for it in listed[offset : offset + _FINDINGS_ON_A_PAGE]
            ],
        )


def build(
    store: AnnotationStore,
    models: ModelChoice,
    predictions: PredictionCache,
    *,
    current_project: gr.State,
) -> tuple[gr.events.Dependency, gr.State]:
    """Build this part inside the current Gradio context.

    Returns:
        What succeeds when the visitor has chosen a document to open, and the state with its id.
    """
    handlers = LintHandlers(store, models, predictions)
    lint = make_view("lint", ("review_text", "lint"))
    return connect(
        lint,
        store,
        handlers.stops,
        (
            (lint.show, handlers.show, 4),
            (lint.check, handlers.check, 2),
            (lint.list, handlers.list_findings, 4),
            (lint.dismiss, handlers.dismiss, 1),
            (lint.repair, handlers.repair, 1),
            (lint.repair_all, handlers.repair_all, 1),
            (current_project.change, handlers.show, 4),
        ),
        current_project=current_project,
    )


def _find(findings: Findings, fields: dict[str, Any]) -> Finding:
    """The finding that the browser names.

    Raises:
        Refusal: There is none of this name, or it has been repaired.
    """
    name = integer(fields, "document_id"), string(fields, "key")
    if name not in findings.repaired:
        for finding in findings.findings:
            if findings.name_of(finding) == name:
                return finding
    raise Refusal("expected one of the findings, got another: check again")


def _describe_finding(findings: Findings, finding: Finding, *, is_dismissed: bool) -> Message:
    document = findings.document_of(finding)
    text, place = document.text, finding.place
    other = finding.proposal or place
    start = max(0, min(place.start, other.start) - _CONTEXT)
    end = min(len(text), max(place.end, other.end) + _CONTEXT)
    return {
        "document_id": document.id,
        "position": document.position,
        "key": finding.key,
        "kind": finding.kind,
        "suspicion": finding.suspicion,
        "num_like": finding.num_like,
        "num_other": finding.num_other,
        "is_safe": finding.is_safe,
        "is_dismissed": is_dismissed,
        "start": start,
        "text": text[start:end],
        "is_cut": [start > 0, end < len(text)],
        "mention": text[place.start : place.end],
        "span": _describe_span(finding.span, text),
        "proposal": _describe_span(finding.proposal, text),
    }


def _describe_span(span: Span | None, text: str) -> Message | None:
    if span is None:
        return None
    mention = text[span.start : span.end]
    return {"start": span.start, "end": span.end, "label": span.label, "text": mention}
