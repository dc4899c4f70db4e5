"""Files of two other annotation programs, doccano and Label Studio.

doccano (https://doccano.github.io/doccano, "Sequence Labeling", JSONL) holds one object in each
line, with half-open code points: `{"text": "...", "label": [[START, END, LABEL], ...]}`.

Label Studio (https://labelstud.io/guide/task_format) holds one list of tasks, each with its text
under `data.text` and its entities under `annotations[0].result`, half-open
(https://github.com/HumanSignal/label-studio/issues/3078 shows it: 6 to 22 for the 16 characters of
"Berlin,  Germany"). What is read may have inclusive ends too, as other programs write them: the
mention, which stands beside the offsets, says which it is, and a span without it is refused.
"""

import json

from annotation_store.documents import NewDocument
from ner_core.formats import DataFormatError, format_json_line, parse_json_line, quote
from ner_core.labels import LabelSet
from ner_core.spans import Example, Span


def format_doccano_line(example: Example) -> str:
    """One line of a doccano file, without a line end; "id" only where the example has one."""
    record: dict[str, object] = {"id": example.id} if example.id else {}
    record["text"] = example.text
    record["label"] = [[span.start, span.end, span.label] for span in example.spans]
    return format_json_line(record)


def parse_doccano_line(
    line: str, *, source: str, line_number: int, labels: LabelSet | None = None
) -> NewDocument:
    """One line of a doccano file; without "label" the text counts as unlabelled.

    Raises:
        DataFormatError: Names the line, what was expected and what came.
    """
    record = parse_json_line(line, source=source, line_number=line_number)
    try:
        spans = None
        if "label" in record:
            items = _list_of(record["label"], 'a list as "label"')
            spans = tuple(sorted({_doccano_span(item) for item in items}))
        return _to_document(record.get("text"), record.get("id", ""), spans, labels)
    except ValueError as error:
        raise DataFormatError(source, line_number, str(error)) from None


def format_label_studio_task(example: Example) -> str:
    """One task of a Label Studio file, to stand in a JSON list."""
    result = []
    for span in example.spans:
        mention = example.text[span.start : span.end]
        value = {
            "start": span.start,
            "end": span.end,
            "text": mention,
            "labels": [span.label],
        }
        result.append({"from_name": "label", "to_name": "text", "type": "labels", "value": value})
    data = {"text": example.text} | ({"id": example.id} if example.id else {})
    return format_json_line({"data": data, "annotations": [{"result": result}]})


def parse_label_studio(
    text: str, *, source: str, labels: LabelSet | None = None
) -> tuple[list[NewDocument], list[DataFormatError]]:
    """A whole Label Studio file: the tasks that are right, and an error for each that is wrong.

    Of several annotations of one task the first counts; a task without any is unlabelled.

    Raises:
        DataFormatError: The file is no JSON list.
    """
    try:
        tasks = json.loads(text)
    except json.JSONDecodeError as error:
        reason = f"expected a JSON list of tasks, got {quote(text)} ({error.msg})"
        raise DataFormatError(source, error.lineno, reason) from None
    except (ValueError, RecursionError):
        reason = "expected a JSON list of tasks, got a number too long or lists nested too deeply"
        raise DataFormatError(source, None, reason) from None
    if not isinstance(tasks, list):
        raise DataFormatError(source, None, f"expected a list of tasks, got {quote(tasks)}")
    documents, errors = [], []
    for number, task in enumerate(tasks, start=1):
        try:
            documents.append(_task_to_document(task, labels))
        except ValueError as error:
            errors.append(DataFormatError(source, None, f"{error} (task {number})"))
    return documents, errors


def _task_to_document(task: object, labels: LabelSet | None) -> NewDocument:
    task = _object_of(task, "an object as task")
    data = _object_of(task.get("data"), 'an object as "data"')
    text = data.get("text")
    annotations = _list_of(task.get("annotations", []), 'a list as "annotations"')
    spans = None
    if annotations:
        annotation = _object_of(annotations[0], "an object as annotation")
        results = _list_of(annotation.get("result"), 'a list as "result"')
        found: set[Span] = set()
        for result in results:
            result = _object_of(result, "an object as result")
            if result.get("type") == "labels":
                found |= _label_studio_spans(text, result.get("value"))
        spans = tuple(sorted(found))
    return _to_document(text, data.get("id", ""), spans, labels)


def _doccano_span(item: object) -> Span:
    # type() and not isinstance(): JSON's true would pass as the integer 1.
    if not isinstance(item, list) or [type(part) for part in item] != [int, int, str]:
        raise ValueError(f"expected a span as [start, end, label], got {quote(item)}")
    return Span(*item)


def _label_studio_spans(text: object, value: object) -> set[Span]:
    value = _object_of(value, 'an object as "value"')
    start, end, mention = value.get("start"), value.get("end"), value.get("text")
    if type(start) is not int or type(end) is not int or not isinstance(mention, str):
        raise ValueError(f'expected "start", "end" and "text" of a span, got {quote(value)}')
    stop = start + len(mention)
    if not isinstance(text, str) or stop - end not in (0, 1) or text[start:stop] != mention:
        raise ValueError(
            f"expected the mention that stands at {start} to {end}, got {quote(value)}"
        )
    names = _list_of(value.get("labels"), 'a list as "labels"')
    return {Span(start, stop, name) for name in names if isinstance(name, str)}


def _to_document(
    text: object, external_id: object, spans: tuple[Span, ...] | None, labels: LabelSet | None
) -> NewDocument:
    if not isinstance(text, str):
        raise ValueError(f'expected a string as "text", got {quote(text)}')
    if type(external_id) not in (str, int):
        raise ValueError(f'expected a string or an integer as "id", got {quote(external_id)}')
    if labels is not None:
        labels.check_spans(spans or ())
    return NewDocument(text, spans, str(external_id))


def _object_of(value: object, expected: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"expected {expected}, got {quote(value)}")
    return value


def _list_of(value: object, expected: str) -> list[object]:
    if not isinstance(value, list):
        raise ValueError(f"expected {expected}, got {quote(value)}")
    return value
