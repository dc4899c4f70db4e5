"""CoNLL/BIO files (see `ner_core.conll`): texts and spans that do not overlap, nothing else.

A text that nobody has labelled is left out of an export: with an O at each character it would say
that there are no entities. The same goes for one that a person has not accepted or set aside.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from annotation_store.documents import NewDocument
from annotation_store.formats.format import (
    Format,
    Item,
    ReadOptions,
    make_document,
    without_confirmed_labels,
)
from annotation_store.formats.source import ReadingNotes, Source
from ner_core.conll import format_conll, parse_sentence, split_sentences
from ner_core.formats import DataFormatError
from ner_core.labels import LabelSet
from ner_core.spans import Example, drop_overlaps


def _read(source: Source, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    for file in source.files:
        for first_line, lines in split_sentences(file.lines(notes)):
            try:
                sentence = parse_sentence(
                    lines, source=file.name, first_line=first_line, labels=options.labels
                )
                document = make_document(sentence.text, sentence.spans, options)
            except DataFormatError as error:
                yield error
            except ValueError as error:
                yield DataFormatError(file.name, first_line, str(error))
            else:
                notes.num_repaired_tags += sentence.num_repaired_tags
                yield document


def _write(documents: Iterable[NewDocument], _labels: LabelSet) -> Iterator[str]:
    for document in documents:
        held = _hold(document)
        if held:
            yield format_conll(Example("", held.text, held.spans or ())) + "\n"


def _hold(document: NewDocument) -> NewDocument | None:
    if document.spans is None or document.status == "new":
        return None
    kept, _dropped = drop_overlaps(document.spans)
    return replace(without_confirmed_labels(document), spans=kept, status="accepted")


CONLL = Format("conll", "CoNLL / BIO", ".bio", _read, _write, _hold)
