"""CLUENER JSON lines, with the ids of the official data and the shared keys of `format`.

A line with "scores" is what `python -m ner_core.predict --scores` wrote: a model's prediction.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from annotation_store.documents import NewDocument
from annotation_store.formats.format import (
    Format,
    Item,
    ReadOptions,
    list_of,
    make_document,
    object_of,
    read_state,
    write_state,
)
from annotation_store.formats.json_records import read_json_lines, read_text, text_key
from annotation_store.formats.source import ReadingNotes, Source
from ner_core.formats import (
    cluener_to_spans,
    example_to_record,
    format_json_line,
    spans_to_cluener,
)
from ner_core.labels import LabelSet
from ner_core.spans import Example, Span


def _read(source: Source, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    key = text_key(options)

    def read_record(record: dict[str, object]) -> NewDocument:
        text = read_text(record, key)
        # A test set has no "label"; that is not the same as an empty one.
        spans = cluener_to_spans(text, record["label"]) if "label" in record else None
        if spans is not None and "scores" in record:
            spans = _add_scores(text, spans, record["scores"])
            return make_document(
                text, spans, replace(options, is_predicted=True), **read_state(record)
            )
        return make_document(text, spans, options, **read_state(record))

    return read_json_lines(source, notes, read_record)


def _add_scores(text: str, spans: tuple[Span, ...], scores: object) -> tuple[Span, ...]:
    """Give each span its probability, which stands where its position stands in "label".

    Raises:
        ValueError: The two objects have different shapes.
    """
    scores = object_of(scores, 'an object as "scores"')
    scored = []
    for label, mentions in spans_to_cluener(text, spans).items():
        for mention, positions in mentions.items():
            found = object_of(scores.get(label), "the scores of each label").get(mention)
            values = list_of(found, "a list of scores for each mention")
            if len(values) != len(positions):
                raise ValueError(f"expected {len(positions)} scores, got {len(values)}")
            for (start, last), score in zip(positions, values, strict=True):
                if score is not None and type(score) not in (int, float):
                    raise ValueError(f"expected a probability, got {score!r:.60}")
                scored.append(Span(start, last + 1, label, score))  # type: ignore[arg-type]
    return tuple(sorted(scored))


def _write(documents: Iterable[NewDocument], _labels: LabelSet) -> Iterator[str]:
    for document in documents:
        spans = document.spans
        record = example_to_record(Example(document.external_id, document.text, spans or ()))
        if spans is None:
            del record["label"]
        else:
            assert cluener_to_spans(document.text, record["label"]) == tuple(sorted(spans))
        yield format_json_line(record | write_state(document))


def _hold(document: NewDocument) -> NewDocument:
    return document


CLUENER_JSON = Format("cluener", "CLUENER JSON", ".jsonl", _read, _write, _hold)
