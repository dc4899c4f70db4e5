"""Findings that somebody has found to be right stay dismissed until that is taken back."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from annotation_store.dismissals import dismiss, read_dismissals
from annotation_store.store import AnnotationStore, DocumentNotFound, NewDocument
from ner_core.labels import LabelSet


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnnotationStore]:
    """Document 1 is of project "default", document 2 of project "other"."""
    with AnnotationStore.open(tmp_path / "annotations.db") as store:
        for name in ("default", "other"):
            store.create_project(name, LabelSet(("book",)))
            store.add([NewDocument("《红楼梦》")], project=name)
        yield store


def test_a_finding_is_dismissed_once_and_taken_back(store: AnnotationStore) -> None:
    for _ in range(2):
        dismiss(store.database, 1, "half-pair:3-9:book", annotator="a")
    assert read_dismissals(store.database, project="default") == {(1, "half-pair:3-9:book")}
    for _ in range(2):
        dismiss(store.database, 1, "half-pair:3-9:book", annotator="b", is_dismissed=False)
    assert read_dismissals(store.database, project="default") == frozenset()


def test_each_project_has_its_own_dismissals(store: AnnotationStore) -> None:
    dismiss(store.database, 1, "x", annotator="a")
    dismiss(store.database, 2, "y", annotator="a")
    assert read_dismissals(store.database, project="other") == {(2, "y")}


def test_a_dismissal_that_is_wrong_is_refused(store: AnnotationStore) -> None:
    with pytest.raises(DocumentNotFound, match="expected the id of a document, got 9"):
        dismiss(store.database, 9, "x", annotator="a")
    with pytest.raises(ValueError, match="at most 300 characters for a finding, got 301"):
        dismiss(store.database, 1, "x" * 301, annotator="a")
    with pytest.raises(ValueError, match="expected a finding, got an empty one"):
        dismiss(store.database, 1, "", annotator="a")
    with pytest.raises(ValueError, match="NUL"):
        dismiss(store.database, 1, "x", annotator="a\x00")
