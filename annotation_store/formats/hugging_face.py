"""A dataset folder as `datasets.load_dataset` reads it: a card, and JSON lines below `data/`.

The card is a README.md whose head names the features and the files
(https://huggingface.co/docs/hub/datasets-cards). Each line has the fields of
`annotation_store.formats.json_records`, all of them in every line as Arrow wants it, and for
training programs the columns "tokens" (one for each character) and "ner_tags" (BIO, the longest of
spans that overlap), which are null where nobody has labelled the text.

What is read may also have only "tokens" and "ner_tags", as most NER datasets do; tags may be
numbers if the card names them. Tokens are joined without a blank.
"""

import re
from collections.abc import Iterable, Iterator

from annotation_store.documents import NewDocument
from annotation_store.formats.format import (
    Format,
    Item,
    ReadOptions,
    list_of,
    make_document,
    read_state,
)
from annotation_store.formats.json_records import (
    read_json_lines,
    read_own_record,
    text_key,
    write_own_record,
)
from annotation_store.formats.source import ReadingNotes, Source
from ner_core.conll import tags_to_sentence
from ner_core.formats import format_json_line, quote
from ner_core.labels import LabelSet
from ner_core.spans import drop_overlaps

DATA_PATH = "data/train.jsonl"

_CARD = """\
---
language:
- zh
task_categories:
- token-classification
pretty_name: {name}
configs:
- config_name: default
  data_files:
  - split: train
    path: {path}
dataset_info:
  features:
  - name: id
    dtype: string
  - name: text
    dtype: string
  - name: status
    dtype: string
  - name: annotator
    dtype: string
  - name: note
    dtype: string
  - name: spans
    list:
    - name: start
      dtype: int64
    - name: end
      dtype: int64
    - name: label
      dtype: string
    - name: text
      dtype: string
  - name: suggestions
    list:
    - name: start
      dtype: int64
    - name: end
      dtype: int64
    - name: label
      dtype: string
    - name: score
      dtype: float64
  - name: tokens
    sequence: string
  - name: ner_tags
    sequence:
      class_label:
        names:
{names}
---

# {title}

{num_documents} Chinese texts with named entities: {labels}.

`start` and `end` are half-open and count Unicode code points. `spans` is null while nobody has
labelled a text, and empty when somebody found no entity in it; `suggestions` are a model's and not
confirmed. `tokens` are single characters; `ner_tags` keep the longest of spans that overlap.
"""


def format_card(project: str, labels: LabelSet, num_documents: int) -> str:
    """The README.md of a dataset.

    Args:
        project: The project's name.
        labels: Its labels.
        num_documents: Lines of the dataset.
    """
    names = "\n".join(f"          '{index}': {tag}" for index, tag in enumerate(labels.tags))
    return _CARD.format(
        # As JSON a name may hold what would mean something in YAML.
        name=quote(project),
        path=DATA_PATH,
        names=names,
        title=" ".join(project.split()),
        num_documents=num_documents,
        labels=", ".join(labels.labels),
    )


def read_tag_names(card: str) -> tuple[str, ...]:
    """The names of "ner_tags" in the head of a card, by number; () if it names none."""
    head = card.split("\n---", maxsplit=1)[0]
    _, found, rest = head.partition("- name: ner_tags")
    feature = rest.split("\n  - name:", maxsplit=1)[0] if found else ""
    names = re.findall(r"""^\s+['"]?(\d+)['"]?:\s*['"]?(\S+?)['"]?\s*$""", feature, re.MULTILINE)
    if [int(number) for number, _name in names] != list(range(len(names))):
        return ()
    return tuple(name for _number, name in names)


def _read(source: Source, options: ReadOptions, notes: ReadingNotes) -> Iterator[Item]:
    tag_names = read_tag_names(source.card)

    def read_record(record: dict[str, object]) -> NewDocument:
        # Arrow writes null for what is not there, in every line.
        record = {key: value for key, value in record.items() if value is not None}
        if text_key(options) in record or "tokens" not in record:
            return read_own_record(record, options)
        return _read_tokens(record, tag_names, options)

    return read_json_lines(source, notes, read_record)


def _read_tokens(
    record: dict[str, object], tag_names: tuple[str, ...], options: ReadOptions
) -> NewDocument:
    tokens = [_string_of(token) for token in list_of(record["tokens"], 'a list as "tokens"')]
    spans = None
    if "ner_tags" in record:
        items = list_of(record["ner_tags"], 'a list as "ner_tags"')
        if len(items) != len(tokens):
            raise ValueError(f"expected a tag for each of {len(tokens)} tokens, got {len(items)}")
        tags = [_tag_of(item, tag_names) for item in items]
        spans = tags_to_sentence(tokens, tags).spans
    return make_document("".join(tokens), spans, options, **read_state(record))


def _string_of(token: object) -> str:
    if not isinstance(token, str):
        raise ValueError(f"expected strings as tokens, got {quote(token)}")
    return token


def _tag_of(item: object, tag_names: tuple[str, ...]) -> str:
    if isinstance(item, str):
        return item
    if type(item) is int and 0 <= item < len(tag_names):
        return tag_names[item]
    if not tag_names:
        raise ValueError(f"expected tags by name or a card that names them, got {quote(item)}")
    raise ValueError(f"expected a tag from 0 to {len(tag_names) - 1}, got {quote(item)}")


def _write(documents: Iterable[NewDocument], labels: LabelSet) -> Iterator[str]:
    for document in documents:
        own = write_own_record(document)
        record: dict[str, object] = {
            "id": document.external_id,
            "text": document.text,
            "status": document.status,
            "annotator": document.annotator,
            "note": document.note,
            "spans": own.get("spans"),
            "suggestions": own.get("suggestions"),
            "tokens": list(document.text),
            "ner_tags": None,
        }
        if document.spans is not None:
            kept, _dropped = drop_overlaps(document.spans)
            record["ner_tags"] = labels.spans_to_tags(kept, len(document.text))
        yield format_json_line(record)


def _hold(document: NewDocument) -> NewDocument:
    return document


HUGGING_FACE = Format("hugging-face", "Hugging Face dataset", ".zip", _read, _write, _hold)
