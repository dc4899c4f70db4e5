"""Start the app: flags and environment -> store and predictor -> pages -> server."""

import argparse
import errno
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

# Before gradio is imported: it reports its use to its makers unless told not to.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

# The others take seconds to import: `_serve` does it, where Ctrl-C ends in one line.
from ner_core.command_line import CommandLineParser, run_command
from ner_core.formats import decode_text, split_lines
from ner_core.labels import LabelSet

if TYPE_CHECKING:
    from ner_core.prediction import Predictor

_BUNDLED_CHECKPOINT = Path(__file__).parent / "models" / "cluener-small"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the app until Ctrl-C; the exit status is 2 when a flag names what cannot be used."""
    arguments = _parse(argv)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    return run_command("app.py", lambda: _serve(arguments))


def _serve(arguments: argparse.Namespace) -> None:
    accounts = read_accounts(arguments.auth_file) if arguments.auth_file else None

    from annotation_store.store import DEFAULT_PROJECT, AnnotationStore
    from ner_core.prediction import Predictor
    from webui import layout
    from webui.settings import Settings

    predictor = Predictor.load(arguments.checkpoint)
    with (
        AnnotationStore.open(arguments.database) as store,
        tempfile.TemporaryDirectory(prefix="ner-downloads-") as download_folder,
    ):
        projects = {project.name: project.labels for project in store.projects()}
        if DEFAULT_PROJECT in projects:
            _compare_labels(DEFAULT_PROJECT, projects[DEFAULT_PROJECT], predictor)
        else:
            store.create_project(DEFAULT_PROJECT, predictor.labels)
        os.environ["GRADIO_TEMP_DIR"] = download_folder  # its copies of files go when ours go
        blocks = layout.build(store, predictor, Settings(Path(download_folder)))
        try:
            _, address, _ = blocks.launch(
                server_name=arguments.host,
                server_port=arguments.port,
                auth=accounts,
                quiet=True,
                prevent_thread_lock=True,
                **layout.launch_options(),
            )
        except OSError as error:
            is_taken = error.errno == errno.EADDRINUSE or "Cannot find empty port" in str(error)
            if not is_taken:
                raise
            # Gradio's message speaks of arguments that nobody gave.
            where = f"{arguments.host}:{arguments.port}"
            raise OSError(f"expected a free port at an address of ours, got {where}") from None
        print(f"{predictor.name} on {predictor.device_name}: {address}", flush=True)
        # What stops a service ends as Ctrl-C does: downloads deleted, database closed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        blocks.block_thread()


def _compare_labels(project: str, labels: LabelSet, predictor: "Predictor") -> None:
    """Say which labels the project and the model do not have in common.

    Raises:
        ValueError: They have none in common: the model could suggest nothing.
    """
    known, predicted = set(labels.labels), set(predictor.labels.labels)
    if known.isdisjoint(predicted):
        raise ValueError(
            f"expected a model with labels of project {project!r} ({', '.join(labels.labels)}),"
            f" got {predictor.name} with {', '.join(predictor.labels.labels)}:"
            " choose another --database or --checkpoint"
        )
    if known != predicted:
        print(
            f"app.py: warning: project {project!r} and model {predictor.name} have not all labels"
            f" in common; only the project: {', '.join(sorted(known - predicted)) or 'none'};"
            f" only the model: {', '.join(sorted(predicted - known)) or 'none'}",
            file=sys.stderr,
        )


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    # A Space is reached from outside its container.
    host = "0.0.0.0" if "SPACE_ID" in os.environ else "127.0.0.1"
    parser = CommandLineParser("app.py", "The annotation workbench in the browser.")
    parser.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get("NER_DATABASE_URL", "annotations.db"),
        help="file or URL of the database, made at first use; environment: NER_DATABASE_URL",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="DIR_OR_HUB_ID",
        default=os.environ.get("NER_CHECKPOINT", str(_BUNDLED_CHECKPOINT)),
        help="the model; environment: NER_CHECKPOINT",
    )
    parser.add_argument("--host", default=host, help="address to listen on")
    parser.add_argument("--port", type=_port, default=7860, help="port to listen on")
    parser.add_argument(
        "--auth-file",
        metavar="FILE",
        type=Path,
        help='who may sign in, one "name:password" a line; without it everybody may use the app',
    )
    return parser.parse_args(argv)


def _port(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, got {value!r}")
    return int(value)


def read_accounts(path: Path) -> list[tuple[str, str]]:
    """Names and passwords of an auth file; blank lines are skipped.

    Raises:
        ValueError: A line is no "name:password", a name comes twice, or there is none; the message
            names file and line, never a password.
        OSError: The file cannot be read.
    """
    accounts: dict[str, str] = {}
    for number, line in enumerate(split_lines(decode_text(path.read_bytes(), str(path))), start=1):
        if not line.strip():
            continue
        name, colon, password = line.partition(":")
        if not (name and colon and password):
            raise ValueError(f'{path}:{number}: expected "name:password", got another line')
        if name in accounts:
            raise ValueError(f"{path}:{number}: expected every name once, got {name!r} again")
        accounts[name] = password
    if not accounts:
        raise ValueError(f'{path}: expected at least one line "name:password", got none')
    return list(accounts.items())


if __name__ == "__main__":
    sys.exit(main())
