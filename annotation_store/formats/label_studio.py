r"""Label Studio: a JSON list of tasks, its JSON-MIN, or either with a task in each line.

A task (https://labelstud.io/guide/task_format) has its text under `data.text`, what people made of
it under `annotations`, and what models made of it under `predictions`; JSON-MIN has one annotation
flat: `{"id", "text", "label": [{"start", "end", "text", "labels"}], "annotator", ...}`.

What is seen in real exports, and what is done about it:

- Offsets are half-open and count code points; older versions counted UTF-16 units (issue 1347), and
  other programs write inclusive ends. The mention beside the offsets decides; it may have lost some
  of its blanks (issue 3078) or be missing (issue 6027), and then the offsets are taken as they are.
- A cancelled annotation is a skipped text: the document is ignored, and what was marked is not
  read. An annotation without any entity is a person's word that there is none.
- Several people may have annotated a task. Ground truth counts before others, the newest before
  older ones; where they differ and none is ground truth, the document is flagged.
- Predictions become suggestions, the last of them; those of a task that a person has annotated are
  decided on and not read.

What Label Studio has no place for stands in a task's "meta", which it keeps. The issues are those
of https://github.com/HumanSignal/label-studio.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from annotation_store.documents import STATUSES, NewDocument
from annotation_store.formats.format import (
    Format,
    Item,
    ReadOptions,
    list_of,
    make_document,
    object_of,
    write_state,
)
from annotation_store.formats.json_array import split_json_array
from annotation_store.formats.json_records import read_text
from annotation_store.formats.mentions import find_mention
from annotation_store.formats.source import ReadingNotes, Source, SourceFile
from ner_core.formats import DataFormatError, format_json_line, parse_json_line, quote
from ner_core.labels import LabelSet
from ner_core.spans import Span, check_text


def _read(source: Source, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    for file in source.files:
        for number, (line, task) in enumerate(_split_tasks(file, notes), start=1):
            try:
                record = parse_json_line(task, source=file.name, line_number=line)
                yield _read_task(record, options, notes)
            except ValueError as error:
                reason = error.reason if isinstance(error, DataFormatError) else str(error)
                yield DataFormatError(file.name, line, f"{reason} (task {number})")


def _split_tasks(file: SourceFile, notes: ReadingNotes) -> Iterator[tuple[int, str]]:
    first = next((part.lstrip()[0] for part in file.parts(ReadingNotes()) if part.strip()), "")
    if first != "[":
        yield from file.numbered_lines(notes)
        return
    try:
        yield from split_json_array(file.parts(notes))
    except DataFormatError:
        raise
    except ValueError as error:
        raise DataFormatError(file.name, None, f"{error} (Label Studio's tasks)") from None


def _read_task(task: dict[str, object], options: ReadOptions, notes: ReadingNotes) -> NewDocument:
    if "data" not in task:
        return _read_flat_task(task, options, notes)
    data = object_of(task["data"], 'an object as "data"')
    text = read_text(data, _find_text_key(data, options))
    meta = task.get("meta")
    meta = meta if isinstance(meta, dict) else {}
    is_own = meta.get("status") in STATUSES
    annotations = _objects_of(task, "annotations" if "annotations" in task else "completions")
    kept = [one for one in annotations if is_own or not one.get("was_cancelled")]
    spans, status = None, meta["status"] if is_own else None
    annotator: object = meta.get("annotator")
    note = meta.get("note") if is_own else ""
    if kept:
        readings = [_read_spans(text, one, notes) for one in kept]
        # Of equals the first: it is what Label Studio shows first.
        chosen = max(range(len(kept)), key=lambda index: _rank(kept[index]))
        spans = readings[chosen]
        annotator = annotator or _name_of(kept[chosen].get("completed_by"))
        if len(set(readings)) > 1 and not kept[chosen].get("ground_truth"):
            notes.num_disagreements += 1
            status = "flagged"
    elif annotations:
        spans, status = (), "ignored"
    suggestions = None
    predictions = _objects_of(task, "predictions")
    if predictions and (is_own or not annotations):
        suggestions = _read_spans(text, predictions[-1], notes)
        annotator = annotator or predictions[-1].get("model_version")
    return make_document(
        text,
        spans,
        options,
        external_id=data.get("id", task.get("id", "")),
        status=status,
        suggestions=suggestions,
        annotator="" if annotator is None else str(annotator),
        note=note if isinstance(note, str) else "",
    )


def _read_flat_task(
    task: dict[str, object], options: ReadOptions, notes: ReadingNotes
) -> NewDocument:
    """A task of JSON-MIN, which tells the key of the labels by nothing but its value."""
    text = read_text(task, options.column or "text")
    regions = next(
        (
            value
            for value in task.values()
            if isinstance(value, list) and value and isinstance(value[0], dict)
            if "start" in value[0]
        ),
        None,
    )
    spans = None
    if regions is not None or "annotation_id" in task:
        result = [{"value": region} for region in regions or []]
        spans = _read_spans(text, {"result": result}, notes)
    return make_document(
        text,
        spans,
        options,
        external_id=task.get("id", ""),
        annotator=_name_of(task.get("annotator")),
    )


def _find_text_key(data: dict[str, object], options: ReadOptions) -> str:
    """ "text" or, where a labelling configuration calls it otherwise, the only other string."""
    if options.column or "text" in data:
        return options.column or "text"
    keys = [key for key, value in data.items() if isinstance(value, str) and key != "id"]
    return keys[0] if len(keys) == 1 else "text"


def _rank(annotation: dict[str, object]) -> tuple[bool, str]:
    moment = annotation.get("updated_at") or annotation.get("created_at")
    return bool(annotation.get("ground_truth")), str(moment or "")


def _read_spans(text: str, annotation: dict[str, object], notes: ReadingNotes) -> tuple[Span, ...]:
    found: set[Span] = set()
    for result in list_of(annotation.get("result", []), 'a list as "result"'):
        result = object_of(result, "an object as result")
        kind = result.get("type", "labels")
        if kind == "hypertextlabels":
            raise ValueError("expected labels on plain text, got labels on HTML")
        if kind == "labels":
            value = object_of(result.get("value"), 'an object as "value"')
            score = result.get("score", value.get("score"))
            found.update(_read_region(text, value, score, notes))
    return tuple(sorted(found))


def _read_region(
    text: str, value: dict[str, object], score: object, notes: ReadingNotes
) -> Iterator[Span]:
    start, end, mention = value.get("start"), value.get("end"), value.get("text")
    # type() and not isinstance(): JSON's true would pass as the integer 1.
    if type(start) is not int or type(end) is not int or not isinstance(mention, str | None):
        raise ValueError(f'expected "start", "end" and "text" of a span, got {quote(value)}')
    if score is not None and type(score) not in (int, float):
        raise ValueError(f"expected a probability as score, got {quote(score)}")
    place = find_mention(text, start, end, mention)
    if place is None:
        raise ValueError(
            f"expected the mention that stands at {start} to {end}, got {quote(value)}"
        )
    notes.num_moved_spans += place != (start, end)
    # A region without labels is one that somebody began to mark.
    for label in list_of(value.get("labels", []), 'a list as "labels"'):
        if not isinstance(label, str):
            raise ValueError(f"expected names as labels, got {quote(label)}")
        check_text(label)
        yield Span(*place, label, score)  # type: ignore[arg-type]


def _name_of(person: object) -> str:
    """Whoever annotated: a number, a name, or an object with an e-mail address."""
    if isinstance(person, dict):
        person = person.get("email", person.get("id"))
    return "" if person is None else str(person)


def _objects_of(task: dict[str, object], key: str) -> list[dict[str, object]]:
    values = task.get(key)
    # A lean export has null, or mere ids, which say that there is something elsewhere.
    items = [] if values is None else list_of(values, f'a list as "{key}"')
    return [object_of(item, f'objects in "{key}"') for item in items]


def _write(documents: Iterable[NewDocument], _labels: LabelSet) -> Iterator[str]:
    # A JSON list with a task in each line; the comma of a task stands before the next.
    opening = "["
    for document in documents:
        yield opening + format_json_line(_format_task(document))
        opening = ","
    yield "[]" if opening == "[" else "]"


def _format_task(document: NewDocument) -> dict[str, object]:
    text, spans = document.text, document.spans
    task: dict[str, object] = {
        "data": {"text": text} | ({"id": document.external_id} if document.external_id else {}),
        "annotations": [],
    }
    if spans is not None:
        annotation: dict[str, object] = {"result": _format_result(text, spans)}
        if document.status == "ignored":
            annotation["was_cancelled"] = True
        task["annotations"] = [annotation]
    if document.suggestions or document.is_preannotated:
        prediction: dict[str, object] = {"result": _format_result(text, document.suggestions)}
        if document.is_preannotated and document.annotator:
            prediction["model_version"] = document.annotator
        task["predictions"] = [prediction]
    meta = write_state(replace(document, suggestions=(), is_preannotated=False))
    if document.suggestions and spans is not None:
        meta["status"] = document.status  # says that the suggestions are open although labelled
    if meta:
        task["meta"] = meta
    return task


def _format_result(text: str, spans: Iterable[Span]) -> list[dict[str, object]]:
    result: list[dict[str, object]] = []
    for span in spans:
        value = {
            "start": span.start,
            "end": span.end,
            "text": text[span.start : span.end],
            "labels": [span.label],
        }
        region: dict[str, object] = {"from_name": "label", "to_name": "text", "type": "labels"}
        region["value"] = value
        if span.score is not None:
            region["score"] = span.score
        result.append(region)
    return result


def _hold(document: NewDocument) -> NewDocument:
    return document


LABEL_STUDIO = Format("label-studio", "Label Studio JSON", ".json", _read, _write, _hold)
