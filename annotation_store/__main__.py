"""The store's command line: python -m annotation_store import, export, backup, verify, repair."""

import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

from annotation_store.derived import repair
from annotation_store.documents import STATUSES, StoreError
from annotation_store.exchange import export_file, import_file
from annotation_store.formats.catalog import FORMATS
from annotation_store.formats.format import ReadOptions
from annotation_store.formats.offsets import OffsetUnit
from annotation_store.progress_line import ProgressLine
from annotation_store.store import DEFAULT_PROJECT, AnnotationStore
from annotation_store.upkeep import backup, verify
from ner_core.command_line import CommandLineParser, check_output_file, run_command
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
        type=_existing_path,
        metavar="PATH",
        help="a file (UTF-8, UTF-16 with its mark, or GB18030), a dataset folder, or a zip of one",
    )
    command.add_argument(
        "--format",
        choices=tuple(FORMATS),
        help="what the file holds; found out from its content and ending if not given",
    )
    add_project(command)
    command.add_argument(
        "--labels",
        type=_labels,
        metavar="A,B,...",
        help="labels of the project; CLUENER's ten for a new one if not given",
    )
    command.add_argument(
        "--column",
        metavar="NAME",
        help="where the text stands: a column of a CSV file or its number, a key of JSON objects;"
        " text if not given",
    )
    command.add_argument(
        "--status",
        choices=STATUSES,
        default="accepted",
        help="status of documents that come with labels and without a status; the others are new",
    )
    command.add_argument(
        "--predicted",
        action="store_true",
        help="the labels are a model's or another tool's and nobody has checked them: they become"
        " suggestions",
    )
    command.add_argument(
        "--offsets",
        choices=get_args(OffsetUnit),
        default="code-points",
        help="unit of doccano's offsets, which its files do not tell",
    )
    command.add_argument(
        "--keep-good", action="store_true", help="add the good lines although others have errors"
    )
    command.add_argument(
        "--report", metavar="FILE", help="write all errors to this CSV file if there are any"
    )
    command = add_command("export", _export, "write documents to a file")
    command.add_argument(
        "--output",
        required=True,
        metavar="PATH",
        help="file to write; for hugging-face a new folder, or a file that ends in .zip",
    )
    command.add_argument("--format", required=True, choices=tuple(FORMATS), help="what to write")
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
    add_command(
        "repair",
        _repair,
        "make anew what a database repeats of its revisions so that filters are quick",
    )
    return parser


def _existing_path(name: str) -> str:
    # A named pipe is a file too. Path("") would be the current folder.
    if not name or not Path(name).exists():
        raise ArgumentTypeError(f"expected an existing file or folder, got {name!r}")
    return name


def _labels(value: str) -> LabelSet:
    try:
        return LabelSet(tuple(value.split(",")))
    except ValueError as error:
        raise ArgumentTypeError(str(error)) from None


def _import(arguments: Namespace) -> None:
    if arguments.report:
        check_output_file(Path(arguments.report), "--report")
    options = ReadOptions(
        column=arguments.column,
        offsets=arguments.offsets,
        labelled_status=arguments.status,
        is_predicted=arguments.predicted,
    )
    with ProgressLine() as line:
        result = import_file(
            arguments.database,
            arguments.input,
            format=arguments.format,
            project=arguments.project,
            labels=arguments.labels,
            options=options,
            keeps_good_lines=arguments.keep_good,
            report_path=arguments.report,
            watch=line.show,
        )
    print(f"added {result.num_added} documents to project {arguments.project}")
    notes = result.notes
    for count, message in (
        (result.num_duplicates, "left out {} whose text the project held already"),
        (result.num_errors, "left out {} that could not be read"),
        (result.num_preannotated, "{} are pre-annotated and wait for a person"),
        (notes.num_repaired_tags, "read {} I- tags that continued nothing as B- tags"),
        (notes.num_moved_spans, "moved {} spans to where their mention stands"),
        (notes.num_disagreements, "flagged {} that several people had labelled differently"),
    ):
        if count:
            print(message.format(count))


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
    of = f"documents of project {arguments.project}"
    print(f"wrote {result.num_documents} {of} to {arguments.output}")
    title = FORMATS[arguments.format].title
    for count, what in (
        (result.num_left_out, "documents"),
        (result.num_spans, "spans that overlap a longer one")
        if arguments.format == "conll"
        else (result.num_spans, "spans"),
        (result.num_suggestions, "suggestions"),
        (result.num_ids, "ids"),
        (result.num_statuses, "statuses"),
        (result.num_annotators, "names of annotators"),
    ):
        if count:
            print(f"left out {count} {what}, for which {title} has no place")


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
        repairable = f", of which repair mends {found.num_repairable}" * bool(found.num_repairable)
        raise StoreError(
            f"expected an intact database, got {len(found.problems)} problems{repairable}"
            f" ({arguments.database})"
        )


def _repair(arguments: Namespace) -> None:
    with AnnotationStore.open(arguments.database, must_exist=True) as store:
        differences = repair(store.database)
    print(f"repaired {len(differences)} differences")
    for difference in differences:
        print(difference.problem)


if __name__ == "__main__":
    sys.exit(main())
