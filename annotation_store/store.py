"""AnnotationStore: texts and their annotations, kept for good; the only door to the database.

It takes and returns plain values (see `annotation_store.documents`) and may be used by many
threads. A save appends a revision and names the one it started from; nothing is changed in place,
so that every version stays readable and two people cannot overwrite each other unseen.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

from sqlalchemy import insert

from annotation_store.appending import append_documents
from annotation_store.database import Database, open_database
from annotation_store.documents import (
    AddResult,
    Document,
    DocumentNotFound,
    DocumentPage,
    NewDocument,
    Revision,
    Source,
    StaleRevision,
    Status,
    StoreError,
    check_duration,
    check_note,
    check_origin,
    check_status,
    digest_text,
)
from annotation_store.independence import read_revisions
from annotation_store.listing import (
    count_statuses,
    find_neighbour,
    read_documents,
    read_page,
)
from annotation_store.project_rows import find_project, read_projects
from annotation_store.projects import Project, check_project_name
from annotation_store.rows import (
    filter_documents,
    get_document,
    select_documents,
    to_document,
)
from annotation_store.saving import NewRevision, save_revision, withdraw_decision
from annotation_store.staging import recover_imports
from annotation_store.tables import DocumentRow, ProjectRow
from ner_core.labels import LabelSet
from ner_core.spans import Example, Span, check_text

__all__ = [
    "DEFAULT_PROJECT",
    "AddResult",
    "AnnotationStore",
    "Document",
    "DocumentNotFound",
    "DocumentPage",
    "NewDocument",
    "Project",
    "Revision",
    "Source",
    "StaleRevision",
    "Status",
    "StoreError",
]

DEFAULT_PROJECT = "default"


class AnnotationStore:
    """Projects, their documents, and the revisions of each document.

    Every method is one transaction. Every method raises StoreError when the database cannot be
    used: locked by another process, read-only, damaged, its disk full.
    """

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(
        cls, url_or_path: str | Path, *, lock_timeout_s: float = 10.0, must_exist: bool = False
    ) -> Self:
        """Open a database; make it if there is none, upgrade it if an older version made it.

        Args:
            url_or_path: A file path, or a URL such as sqlite:///annotations.db.
            must_exist: Refuse to make a file: a name that is mistyped must not pass for an empty
                database.
            lock_timeout_s: How long a save waits for another process's write to end, in seconds.

        Raises:
            DatabaseNotFound: There is no file, but there must be one.
            StoreError: It cannot be opened or written, is another program's, or is of a newer
                version.
        """
        database = open_database(url_or_path, lock_timeout_s=lock_timeout_s, must_exist=must_exist)
        try:
            recover_imports(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    def close(self) -> None:
        """Close all connections."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    # Projects

    def create_project(self, name: str, labels: LabelSet) -> None:
        """Make a project; do nothing if there is one of the same name and labels.

        Raises:
            ValueError: The name is blank or too long, or the project exists with other labels.
        """
        check_project_name(name)
        with self.database.writing() as connection:
            known = read_projects(connection).get(name)
            if known is None:
                values = {"name": name, "labels": list(labels.labels), "created_at": _now()}
                connection.execute(insert(ProjectRow), values)
            elif known.labels != labels:
                raise ValueError(
                    f"expected project {name!r} with its labels {', '.join(known.labels.labels)},"
                    f" got {', '.join(labels.labels)}"
                )

    def projects(self) -> tuple[Project, ...]:
        """All projects, the oldest first."""
        with self.database.reading() as connection:
            return tuple(read_projects(connection).values())

    def project(self, name: str) -> Project:
        """The project of that name.

        Raises:
            ValueError: There is none.
        """
        with self.database.reading() as connection:
            return find_project(connection, name)[1]

    # Documents

    def add(
        self,
        documents: Iterable[NewDocument],
        *,
        project: str = DEFAULT_PROJECT,
        source: Source = "import",
        annotator: str = "",
    ) -> AddResult:
        """Add documents at the end of a project: all of them or, after an error, none.

        A document that comes with spans, or with a status other than new, begins with revision 1;
        the others begin without a revision. A text that the project holds already is left out.

        Raises:
            ValueError: There is no such project, or a span's label is not the project's; the
                message counts the documents from 1.
        """
        check_origin(source, annotator)
        # Read to its end before the lock is taken: the documents may come from a slow file.
        documents = list(documents)
        with self.database.writing() as connection:
            project_id, found = find_project(connection, project, for_update=True)
            for index, document in enumerate(documents, start=1):
                try:
                    found.labels.check_spans((*(document.spans or ()), *document.suggestions))
                except ValueError as error:
                    raise ValueError(f"{error} (document {index} of {len(documents)})") from None
            return append_documents(
                connection, project_id, documents, source=source, annotator=annotator, now=_now()
            )

    def get(self, document_id: int) -> Document:
        """One document with the revision that counts.

        Raises:
            DocumentNotFound: There is none of this id.
        """
        with self.database.reading() as connection:
            return get_document(connection, document_id)

    def find(self, text: str, *, project: str = DEFAULT_PROJECT) -> Document | None:
        """The project's document with exactly this text, or None.

        Raises:
            ValueError: There is no such project.
        """
        check_text(text)
        with self.database.reading() as connection:
            conditions = filter_documents(connection, project)
            query = select_documents(*conditions, DocumentRow.text_sha256 == digest_text(text))
            row = connection.execute(query).first()
            return to_document(row) if row else None

    def next(
        self,
        *,
        after: int | None,
        project: str = DEFAULT_PROJECT,
        status: Status | None = None,
    ) -> Document | None:
        """The document behind another one, or the first.

        Args:
            after: A document's id; None to begin at the beginning.
            project: The project's name.
            status: Pass over documents of any other status; None to pass over none.

        Raises:
            ValueError: There is no such project or status.
            DocumentNotFound: The project has no document of the id `after`.
        """
        with self.database.reading() as connection:
            return find_neighbour(
                connection, after, project=project, status=status, is_forward=True
            )

    def previous(
        self,
        *,
        before: int | None,
        project: str = DEFAULT_PROJECT,
        status: Status | None = None,
    ) -> Document | None:
        """The document before another one, or the last; otherwise as `next`."""
        with self.database.reading() as connection:
            return find_neighbour(
                connection, before, project=project, status=status, is_forward=False
            )

    def page(
        self,
        *,
        project: str = DEFAULT_PROJECT,
        status: Status | None = None,
        query: str = "",
        offset: int = 0,
        limit: int = 50,
    ) -> DocumentPage:
        """A part of the project's documents, in order.

        Args:
            project: The project's name.
            status: List only documents of this status; None for all.
            query: List only documents whose text holds this string, whatever its case; "" for all.
            offset: Number of documents to pass over.
            limit: Number of documents at most.

        Raises:
            ValueError: There is no such project or status, the query is too long, or a number is
                negative.
        """
        with self.database.reading() as connection:
            return read_page(
                connection,
                project=project,
                status=status,
                query=query,
                offset=offset,
                limit=limit,
            )

    def counts(self, *, project: str = DEFAULT_PROJECT) -> dict[Status, int]:
        """The number of documents of each status; all five statuses are there.

        Raises:
            ValueError: There is no such project.
        """
        with self.database.reading() as connection:
            return count_statuses(connection, project)

    # Revisions

    def save(
        self,
        document_id: int,
        *,
        base_revision: int,
        spans: Sequence[Span],
        status: Status,
        annotator: str,
        source: Source = "human",
        suggestions: Sequence[Span] = (),
        duration_s: float | None = None,
        note: str = "",
    ) -> Revision:
        """Append a revision. It counts from now on, unless it is one person's independent version.

        Args:
            document_id: The document.
            base_revision: Number of the revision that the change started from; 0 for none. That is
                the one that counts; of a text that people label independently, a person's own (see
                `annotation_store.independence`) and, for a reviewer, the newest of all.
            spans: All confirmed spans; they may overlap, and their scores are not kept.
            status: The document's status from now on.
            annotator: Name of the human or of the model.
            source: Who made the revision.
            suggestions: The model's spans that are still to be decided on. One that is confirmed
                already is left out.
            duration_s: How long the annotator had the text in front of them, in seconds.
            note: What they want others to know, for example why they flag the text.

        Raises:
            DocumentNotFound: There is none of this id.
            StaleRevision: Somebody saved in between; nothing is stored.
            ValueError: A span ends behind the text, its label is not the project's, the status
                or the source is unknown, the duration is negative, the note cannot be stored, or
                the text has all its independent versions, between which a reviewer is to decide.
        """
        check_duration(duration_s)
        check_status(status)
        check_origin(source, annotator)
        check_note(note)
        new = NewRevision(spans, suggestions, status, source, annotator, duration_s, note=note)
        with self.database.writing() as connection:
            return save_revision(
                connection, document_id, new, base_revision=base_revision, now=_now()
            )

    def withdraw(self, document_id: int, *, base_revision: int) -> Revision:
        """Take a reviewer's decision back: what counted before it is appended again.

        It is appended under its author's name, and is nobody's work.

        Args:
            document_id: The document.
            base_revision: Number of the decision.

        Raises:
            DocumentNotFound: There is none of this id.
            StaleRevision: That revision is no decision, or no longer counts; nothing is stored.
        """
        with self.database.writing() as connection:
            return withdraw_decision(
                connection, document_id, base_revision=base_revision, now=_now()
            )

    def history(self, document_id: int) -> tuple[Revision, ...]:
        """All revisions of a document, the oldest first.

        Raises:
            DocumentNotFound: There is none of this id.
        """
        with self.database.reading() as connection:
            return read_revisions(connection, get_document(connection, document_id))

    def examples(
        self, *, project: str = DEFAULT_PROJECT, status: Status | None = "accepted"
    ) -> Iterator[Example]:
        """Each document with the confirmed spans that count, in order; for export and training.

        All of them come from one state of the database, whatever is saved while they are read. The
        id of an example is the document's external id.

        Args:
            project: The project's name.
            status: Only documents of this status; None for all, labelled or not.

        Raises:
            ValueError: There is no such project or status.
        """
        for document in read_documents(self.database, project=project, status=status):
            yield Example(document.external_id, document.text, document.spans)


def _now() -> datetime:
    return datetime.now(UTC)
