"""Key presses for each correction, and milliseconds from a key to what it changes on the screen.

    python -m benchmarks.annotate [--sentences 50] [--json]

The app runs as a user starts it, on a database of its own; Chromium is driven through Playwright.
Sentences with known mistakes of a model (`benchmarks.annotation_sentences`) are corrected with the
keyboard alone, and what the database then holds is compared with what is right.

- presses, "reach": until the mention is selected or its entity active; "act": from there until it
  is right. Each correction takes the way that the help of the editor shows: letters over words (W)
  and brackets to select, Tab to go to an entity, a digit to label.
- presses, "caret": what selecting the same mentions takes with the caret alone, by words and
  characters from the beginning of the text. The ratio is caret over reach: above 1 is quicker.
- paint: milliseconds from the moment the browser got the key to the end of the frame that shows its
  effect, for the sentences and for one text of 6,000 characters with 400 entities, all keys and
  each kind of key. On a busy machine this measures the other programs; cpu is what the page's main
  thread has worked in that time, what the measurement asks of it included.

Targets: 2.5 presses for a missed entity once it is selected, 1 for a wrong label, 1 to accept a
sentence that is right, and 50 ms for 95 of 100 keys.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Final

from playwright.sync_api import Page

from annotation_store.store import AnnotationStore, NewDocument
from benchmarks.annotation_sentences import MISTAKES, Sentence, make_sentences
from benchmarks.running_editor import open_editor, running_app
from benchmarks.timed_keyboard import PaintTimes, TimedKeyboard
from ner_core.labels import CLUENER
from ner_core.spans import Span

_MODEL: Final = "cluener-small"
_LONG_SENTENCE: Final = "浙商银行在这里说好的话多么好。"
_NUM_LONG_ENTITIES: Final = 400


_READ_WORD_STARTS: Final = """text =>
  Array.from(new Intl.Segmenter("zh", { granularity: "word" }).segment(text), ({ index }) =>
    Array.from(text.slice(0, index)).length)"""


@dataclass(frozen=True, slots=True)
class Presses:
    """Mean key presses for one kind of mistake.

    Attributes:
        num_corrections: How many were corrected.
        reach: Until the mention is selected or its entity active.
        act: From there until it is right.
        caret: Reaching it with the caret alone; None where nothing has to be selected.
    """

    num_corrections: int
    reach: float
    act: float
    caret: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured; see the top of the module.

    Attributes:
        presses: By mistake; "none" is a sentence that was right, where Enter is the act.
        presses_per_correction: Reach and act of all corrections, Enter not counted.
        caret_over_reach: Of missed entities.
        sentences: Keys in sentences.
        long_text: Keys in the long text.
        long_text_by_key: The same, each kind of key by itself.
        reaches_targets: Whether all four targets are met.
    """

    num_sentences: int
    presses: dict[str, Presses]
    presses_per_correction: float
    caret_over_reach: float
    sentences: PaintTimes
    long_text: PaintTimes
    long_text_by_key: dict[str, PaintTimes]
    reaches_targets: bool


def measure(num_sentences: int) -> Figures:
    """Correct the sentences, then press keys in the long text.

    Raises:
        AssertionError: The database does not hold what was corrected.
    """
    sentences = make_sentences(num_sentences)
    with (
        tempfile.TemporaryDirectory() as folder,
        AnnotationStore.open(str(Path(folder) / "annotations.db")) as store,
    ):
        store.create_project("default", CLUENER)
        by_id = dict(zip(_add(store, sentences), sentences, strict=True))
        with running_app(Path(folder), model=_MODEL) as url, open_editor(url) as page:
            keyboard = TimedKeyboard(page)
            corrections = _correct(page, keyboard, by_id)
            paint_of_sentences = keyboard.paint_times()
            _wait_until_saved(store, by_id)
            _check(store, by_id)
            _add_long_text(store)
            page.reload()
            page.wait_for_function(
                "n => document.querySelectorAll('[data-testid=annotator-text]"
                " [data-testid=entity]').length === n",
                arg=_NUM_LONG_ENTITIES,
            )
            keyboard = TimedKeyboard(page)
            _press_in_long_text(keyboard)
    return _summarize(corrections, paint_of_sentences, keyboard)


@dataclass(frozen=True, slots=True)
class _Correction:
    """One sentence: key presses to reach what is wrong in it, to put it right, and by caret."""

    sentence: Sentence
    reach: int
    act: int
    caret: int | None


def _correct(page: Page, keyboard: TimedKeyboard, by_id: dict[int, Sentence]) -> list[_Correction]:
    corrections = []
    remaining = set(by_id)
    while remaining:
        document_id = int(page.get_by_test_id("annotator").get_attribute("data-document-id") or 0)
        sentence = by_id[document_id]
        remaining.remove(document_id)
        corrections.append(_correct_one(page, keyboard, sentence))
        keyboard.press("Enter")
        if remaining:
            page.wait_for_function(
                "id => document.querySelector('[data-testid=annotator]').dataset.documentId !== id",
                arg=str(document_id),
            )
    return corrections


def _correct_one(page: Page, keyboard: TimedKeyboard, sentence: Sentence) -> _Correction:
    wrong = sentence.wrong
    if wrong is None:
        return _Correction(sentence, reach=0, act=1, caret=None)  # Enter
    began = keyboard.num_presses
    caret = None
    if sentence.mistake == "missed":
        keyboard.select(wrong.start, wrong.end)
        caret = _count_caret_presses(page.evaluate(_READ_WORD_STARTS, sentence.text), wrong)
        key = _digit(wrong.label)
    elif sentence.mistake == "label":
        keyboard.activate(wrong)
        key = _digit(wrong.label)
    elif sentence.mistake == "border":
        keyboard.activate(Span(wrong.start, wrong.end - 1, wrong.label))
        key = "Shift+]"
    else:
        keyboard.activate(wrong)
        key = "x"
    reached = keyboard.num_presses
    keyboard.press(key)
    return _Correction(sentence, reached - began, keyboard.num_presses - reached, caret)


def _count_caret_presses(word_starts: Sequence[int], span: Span) -> int:
    """Presses of Ctrl+arrow and arrow, with Shift over the mention, from the beginning."""

    def between(start: int, end: int) -> int:
        borders = [border for border in word_starts if start < border <= end]
        return len(borders) + end - (borders[-1] if borders else start)

    return between(0, span.start) + between(span.start, span.end)


def _digit(label: str) -> str:
    return str((CLUENER.labels.index(label) + 1) % 10)


def _press_in_long_text(keyboard: TimedKeyboard) -> None:
    """Go about in it, relabel, move borders, label all, undo."""
    for index in range(15):
        for key in ("Tab", _digit("book" if index % 2 else "game"), "Shift+]", "Shift+[", "Tab"):
            keyboard.press(key)
        for key in ("ArrowDown", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "1"):
            keyboard.press(key)
        for key in ("f", "Control+z", "Control+z"):
            keyboard.press(key)
        for key in ("w", "j", "Escape", "Escape"):  # j is a letter over a word
            keyboard.press(key)


def _add(store: AnnotationStore, sentences: Sequence[Sentence]) -> tuple[int, ...]:
    ids = store.add([NewDocument(sentence.text) for sentence in sentences]).added_ids
    for document_id, sentence in zip(ids, sentences, strict=True):
        _suggest(store, document_id, sentence.suggestions)
    return ids


def _add_long_text(store: AnnotationStore) -> None:
    (document_id,) = store.add([NewDocument(_LONG_SENTENCE * _NUM_LONG_ENTITIES)]).added_ids
    starts = range(0, len(_LONG_SENTENCE) * _NUM_LONG_ENTITIES, len(_LONG_SENTENCE))
    _suggest(store, document_id, [Span(start, start + 4, "company", 0.9) for start in starts])


def _suggest(store: AnnotationStore, document_id: int, suggestions: Sequence[Span]) -> None:
    # In the name of the model that the app loads: it leaves these as they are.
    store.save(
        document_id,
        base_revision=0,
        spans=(),
        suggestions=suggestions,
        status="new",
        annotator=_MODEL,
        source="model",
    )


def _wait_until_saved(store: AnnotationStore, by_id: dict[int, Sentence]) -> None:
    deadline = time.monotonic() + 60
    while any(store.get(document_id).status == "new" for document_id in by_id):
        assert time.monotonic() < deadline, "a save did not arrive in a minute"
        time.sleep(0.2)


def _check(store: AnnotationStore, by_id: dict[int, Sentence]) -> None:
    for document_id, sentence in by_id.items():
        document = store.get(document_id)
        assert document.status == "accepted", sentence.text
        assert document.spans == sentence.gold_spans, sentence.text


def _summarize(
    corrections: Sequence[_Correction], sentences: PaintTimes, in_long_text: TimedKeyboard
) -> Figures:
    long_text = in_long_text.paint_times()
    presses: dict[str, Presses] = {}
    for mistake in MISTAKES:
        some = [c for c in corrections if c.sentence.mistake == mistake]
        carets = [c.caret for c in some if c.caret is not None]
        presses[mistake] = Presses(
            num_corrections=len(some),
            reach=fmean(c.reach for c in some),
            act=fmean(c.act for c in some),
            caret=fmean(carets) if carets else None,
        )
    wrong = [c for c in corrections if c.sentence.mistake != "none"]
    missed = presses["missed"]
    assert missed.caret is not None
    return Figures(
        num_sentences=len(corrections),
        presses=presses,
        presses_per_correction=fmean(c.reach + c.act for c in wrong),
        caret_over_reach=missed.caret / missed.reach,
        sentences=sentences,
        long_text=long_text,
        long_text_by_key=in_long_text.paint_times_by_key(),
        reaches_targets=missed.act <= 2.5
        and presses["label"].act <= 1
        and presses["none"].act <= 1
        and max(sentences.p95_ms, long_text.p95_ms) < 50,
    )


def main(arguments: list[str] | None = None) -> int:
    """Print the figures, as text or as JSON."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.annotate", description="Correct sentences by keyboard."
    )
    parser.add_argument("--sentences", type=int, default=50, help="how many, at least 10")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    given = parser.parse_args(arguments)
    if given.sentences < 2 * len(MISTAKES):
        parser.error(f"expected at least {2 * len(MISTAKES)} sentences, got {given.sentences}")
    figures = asdict(measure(given.sentences))
    print(json.dumps(figures, indent=2) if given.json else _describe(figures))
    return 0


def _describe(figures: dict[str, Any]) -> str:
    lines = []
    for mistake, presses in figures.pop("presses").items():
        caret = "" if presses["caret"] is None else f", by caret {presses['caret']:.1f}"
        lines.append(
            f"{mistake:10} {presses['num_corrections']:3} times:"
            f" reach {presses['reach']:.2f}{caret}, act {presses['act']:.2f}"
        )
    for key, times in figures.pop("long_text_by_key").items():
        figures[f"long_text {key}"] = times
    for name, value in figures.items():
        shown = (
            ", ".join(f"{k} {v:.3g}" for k, v in value.items())
            if isinstance(value, dict)
            else value
        )
        lines.append(f"{name:24} {shown}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
