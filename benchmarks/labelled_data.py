"""The labelled data sets that models are measured on; their files are no part of the project."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ner_core.conll import read_conll
from ner_core.formats import Corpus, DataFormatError, read_cluener
from ner_core.labels import CLUENER, MSRA, LabelSet
from ner_core.spans import Example

# Where the project's developers keep data: beside the project.
_DATA = Path(__file__).parents[2] / "shared" / "data"


@dataclass(frozen=True, slots=True)
class DataSet:
    """A labelled data set.

    Attributes:
        name: As on the command line.
        title: As people write it.
        labels: Its label set.
        read: Reads one of its files.
        default_path: What is measured on when no file is named.
    """

    name: str
    title: str
    labels: LabelSet
    read: Callable[[Path], Corpus]
    default_path: Path


DATA_SETS = {
    data_set.name: data_set
    for data_set in (
        DataSet(
            name="cluener",
            title="CLUENER",
            labels=CLUENER,
            read=lambda path: read_cluener(path, labels=CLUENER),
            default_path=_DATA / "cluener" / "dev.json",
        ),
        DataSet(
            name="msra",
            title="MSRA",
            labels=MSRA,
            read=lambda path: read_conll(path, labels=MSRA),
            default_path=_DATA / "msra" / "dev.txt",
        ),
    )
}


def find_data_set(labels: LabelSet, checkpoint: Path) -> DataSet:
    """The data set that has a model's labels, in whatever order.

    Args:
        labels: The model's.
        checkpoint: Where the model stands, for the message.

    Raises:
        ValueError: There is none.
    """
    for data_set in DATA_SETS.values():
        if set(data_set.labels.labels) == set(labels.labels):
            return data_set
    expected = " or ".join(data_set.title for data_set in DATA_SETS.values())
    raise ValueError(
        f"expected a model with the labels of {expected}, got {', '.join(labels.labels)}"
        f" ({checkpoint})"
    )


def read_examples(data_set: DataSet, path: Path) -> tuple[Example, ...]:
    """Read a labelled file.

    Raises:
        ValueError: There is no such file.
        DataFormatError: It is not in the data set's format, or a sentence in it has no labels, or
            there is no sentence.
    """
    if not path.is_file():
        raise ValueError(
            f"expected a labelled file of {data_set.title}, got {path}, which is not there: name"
            f" yours with --data {data_set.name}=FILE (the project comes without data)"
        )
    corpus = data_set.read(path)
    if not corpus.examples:
        raise DataFormatError(str(path), None, "expected at least one labelled sentence, got none")
    if corpus.num_unlabelled:
        reason = f'expected "label" in every line, got {corpus.num_unlabelled} lines without it'
        raise DataFormatError(str(path), None, reason)
    return corpus.examples
