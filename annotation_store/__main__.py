"""The store's command line: python -m annotation_store import | export | backup | verify."""

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from annotation_store.documents import STATUSES, StoreError
from annotation_store.exchange import ExportFormat, ImportFormat, export_file, import_file
from annotation_store.store import DEFAULT_PROJECT, AnnotationStore
from annotation_store.upkeep import backup, verify
from ner_core.command_line import CommandLineParser, run_command
from ner_core.labels import LabelSet

PROG = "python -m annotation_store"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0, or see `ner_core.command_line`.
    """
    arguments = _build_parser().parse_args(argv)
    return run_command(PROG, lambda: arguments.run(arguments))


def _build_parser() -> CommandLineParser:
    parser = CommandLineParser(PROG, "Move documents into and out of an annotation database.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add_command(
        name: str, run: Callable[[Namespace], None], description: str
    ) -> CommandLineParser:
        command = commands.add_parser(name, help=description, description=description)
        command.add_argument(
            "--database", required=True, metavar="URL", help="file or URL of the database"
        )
        command.set_defaults(run=run)
        return command

    def add_project(command: CommandLineParser) -> None:
        command.add_argument(
            "--project", default=DEFAULT_PROJECT, metavar="NAME", help="name of the project"
        )

    command = add_command("import", _import, "add the documents of a file, all of them or none")
    command.add_argument(
        "--input",
        required=True,
        type=_existing_file,
        metavar="FILE",
        help="documents, UTF-8 or GB18030",
    )
    command.add_argument(
        "--format", required=True, choices=get_args(ImportFormat), help="what the file holds"
    )
    add_project(command)
    command.add_argument(
        "--labels",
        type=_labels,
        metavar="A,B,...",
        help="labels of the project; CLUENER's ten for a new one if not given",
    )
    command.add_argument(
        "--status",
        choices=STATUSES,
        default="accepted",
        help="status of documents that come with labels; the others are new",
    )
    command = add_command("export", _export, "write documents to a file")
    command.add_argument("--output", required=True, metavar="FILE", help="file to write")
    command.add_argument(
        "--format", required=True, choices=get_args(ExportFormat), help="what to write"
    )
    add_project(command)
    command.add_argument(
        "--status",
        choices=(*STATUSES, "all"),
        default="accepted",
        help="only documents of this status",
    )
    command = add_command("backup", _backup, "copy an SQLite database, also while it is in use")
    command.add_argument("--output", required=True, metavar="FILE", help="file to write")
    add_command("verify", _verify, "check everything that a database holds")
    return parser


def _existing_file(name: str) -> str:
    # A named pipe is a file too. Path("") would be the current folder.
    if not name or not Path(name).exists() or Path(name).is_dir():
        raise ArgumentTypeError(f"expected an existing file, got {name!r}")
    return name


def _labels(value: str) -> LabelSet:
    try:
        return LabelSet(tuple(value.split(",")))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _import(arguments: Namespace) -> None:
    result = import_file(
        arguments.database,
        arguments.input,
        format=arguments.format,
        project=arguments.project,
        labels=arguments.labels,
        labelled_status=arguments.status,
    )
    print(f"added {result.num_added} documents to project {arguments.project}")
    if result.num_duplicates:
        print(f"left out {result.num_duplicates} whose text the project held already")
    if result.num_repaired_tags:
        print(f"read {result.num_repaired_tags} I- tags that continued nothing as B- tags")


def _export(arguments: Namespace) -> None:
    if arguments.output == "-":
        raise ValueError("expected a file name, got '-'; an export is written whole or not at all")
    with AnnotationStore.open(arguments.database, must_exist=True) as store:
        result = export_file(
            store,
            arguments.output,
            format=arguments.format,
            status=None if arguments.status == "all" else arguments.status,
            project=arguments.project,
        )
    print(f"wrote {result.num_documents} documents to {arguments.output}")
    if result.num_dropped_overlaps:
        print(f"left out {result.num_dropped_overlaps} spans that overlap a longer one")


def _backup(arguments: Namespace) -> None:
    with AnnotationStore.open(arguments.database, must_exist=True) as store:
        backup(store.database, arguments.output)
    print(f"copied {arguments.database} to {arguments.output}")


def _verify(arguments: Namespace) -> None:
    with AnnotationStore.open(arguments.database, must_exist=True) as store:
        found = verify(store.database)
    print(
        f"{found.num_projects} projects, {found.num_documents} documents,"
        f" {found.num_revisions} revisions, {len(found.problems)} problems"
    )
    for problem in found.problems:
        print(problem)
    if found.problems:
        raise StoreError(
            f"expected an intact database, got {len(found.problems)} problems"
            f" ({arguments.database})"
        )


if __name__ == "__main__":
    sys.exit(main())
