"""Start the app: flags and environment -> store and models -> pages -> server."""

import argparse
import logging
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

# Before gradio is imported: it reports its use to its makers unless told not to.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

# The others take seconds to import: `_serve` does it, where Ctrl-C ends in one line.
from ner_core.command_line import CommandLineParser, run_command
from webui.accounts import read_accounts

_BUNDLED_MODELS = Path(__file__).parent / "models"
_DEFAULT_MODEL = "cluener-small"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the app until Ctrl-C; the exit status is 2 when a flag names what cannot be used."""
    arguments = _parse(argv)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    return run_command("app.py", lambda: _serve(arguments))


def _serve(arguments: argparse.Namespace) -> None:
    accounts = read_accounts(arguments.auth_file) if arguments.auth_file else None

    from annotation_store.store import DEFAULT_PROJECT, AnnotationStore
    from webui import layout
    from webui.model_choice import ModelChoice, compare_labels, find_checkpoints
    from webui.server import start_server
    from webui.settings import Settings
    from webui.trained_models import restore_models
    from webui.training_job import TrainingJobs

    models = ModelChoice.load(
        arguments.checkpoint or find_checkpoints(_BUNDLED_MODELS, first=_DEFAULT_MODEL)
    )
    with (
        AnnotationStore.open(arguments.database) as store,
        tempfile.TemporaryDirectory(prefix="ner-downloads-") as download_folder,
        closing(TrainingJobs(arguments.training_folder)) as jobs,
    ):
        projects = {project.name: project for project in store.projects()}
        if DEFAULT_PROJECT not in projects:
            store.create_project(DEFAULT_PROJECT, models.default.labels)
        elif warning := compare_labels(projects[DEFAULT_PROJECT], models):
            print(f"app.py: warning: {warning}", file=sys.stderr)
        for warning in restore_models(models, jobs.folder, store.projects()):
            print(f"app.py: warning: {warning}", file=sys.stderr)
        os.environ["GRADIO_TEMP_DIR"] = download_folder  # its copies of files go when ours go
        blocks = layout.build(store, models, Settings(Path(download_folder), jobs=jobs))
        address = start_server(blocks, host=arguments.host, port=arguments.port, accounts=accounts)
        print(f"{', '.join(models.names)} on {models.default.device_name}: {address}", flush=True)
        # What stops a service ends as Ctrl-C does: downloads deleted, database closed.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        blocks.block_thread()


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
        action="append",
        help="a model to offer; repeat it for more, the first is the default; without it all in"
        f" models/; environment: NER_CHECKPOINT, several separated by {os.pathsep!r}",
    )
    parser.add_argument(
        "--training-folder",
        metavar="DIR",
        type=Path,
        default=Path("runs"),
        help="where models trained in the app are kept, made when the first training starts",
    )
    parser.add_argument("--host", default=host, help="address to listen on")
    parser.add_argument("--port", type=_port, default=7860, help="port to listen on")
    parser.add_argument(
        "--auth-file",
        metavar="FILE",
        type=Path,
        help='who may sign in, one "name:password" a line; without it everybody may use the app',
    )
    arguments = parser.parse_args(argv)
    # Not as the flag's default, to which argparse would append.
    if arguments.checkpoint is None:
        named = os.environ.get("NER_CHECKPOINT", "").split(os.pathsep)
        arguments.checkpoint = [checkpoint for checkpoint in named if checkpoint]
    return arguments


def _port(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 1 to 65535, got {value!r}")
    return int(value)


if __name__ == "__main__":
    sys.exit(main())
