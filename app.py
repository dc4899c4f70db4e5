"""Start the app: flags and environment -> store and predictor -> pages -> server."""

import argparse
import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

# Before gradio is imported: it reports its use to its makers unless told not to.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

from annotation_store.store import DEFAULT_PROJECT, AnnotationStore, StoreError
from ner_core.checkpoint import CheckpointError
from ner_core.prediction import Predictor
from webui import layout
from webui.settings import Settings

_FOLDER = Path(__file__).parent


def main(argv: Sequence[str] | None = None) -> int:
    """Run the app until it is interrupted.

    Returns:
        The exit status: 0 after Ctrl-C, 2 when a flag or what it names cannot be used.
    """
    arguments = _parse(argv)
    logging.basicConfig(format="%(asctime)s %(name)s %(levelname)s %(message)s")
    try:
        accounts = read_accounts(arguments.auth_file) if arguments.auth_file else None
        predictor = Predictor.load(arguments.checkpoint)
        with (
            AnnotationStore.open(arguments.database) as store,
            tempfile.TemporaryDirectory(prefix="ner-downloads-") as download_folder,
        ):
            if all(project.name != DEFAULT_PROJECT for project in store.projects()):
                store.create_project(DEFAULT_PROJECT, predictor.labels)
            blocks = layout.build(store, predictor, Settings(Path(download_folder)))
            _, address, _ = blocks.launch(
                server_name=arguments.host,
                server_port=arguments.port,
                auth=accounts,
                quiet=True,
                prevent_thread_lock=True,
                **layout.launch_options(),
            )
            print(f"{predictor.name} on {predictor.device_name}; open {address}", flush=True)
            blocks.block_thread()
    except (CheckpointError, StoreError, OSError, ValueError) as error:
        print(f"app.py: error: {error}", file=sys.stderr)
        return 2
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    # A Space is reached from outside its container, always on this port.
    is_space = "SPACE_ID" in os.environ
    parser = argparse.ArgumentParser(prog="app.py", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--database",
        metavar="URL",
        default=os.environ.get("NER_DATABASE_URL", "annotations.db"),
        help="file or URL of the database, made at first use (default: %(default)s)",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="DIR_OR_HUB_ID",
        default=os.environ.get("NER_CHECKPOINT", str(_FOLDER / "models" / "cluener-small")),
        help="the model (default: models/cluener-small)",
    )
    parser.add_argument(
        "--host",
        default="0.0.0.0" if is_space else "127.0.0.1",
        help="address to listen on (default: %(default)s)",
    )
    parser.add_argument(
        "--port", type=int, default=7860, help="port to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--auth-file",
        type=Path,
        metavar="FILE",
        help='who may sign in, one "name:password" a line (default: everybody may use the app)',
    )
    return parser.parse_args(argv)


def read_accounts(path: Path) -> list[tuple[str, str]]:
    """Names and passwords of an auth file; empty lines are left out.

    Raises:
        ValueError: A line is no "name:password", a name comes twice, or there is none; the message
            names file and line, never a password.
        OSError: The file cannot be read.
    """
    accounts: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, password = line.partition(":")
        if not (name.strip() and colon and password):
            raise ValueError(f'{path}:{number}: expected "name:password", got another line')
        if name in accounts:
            raise ValueError(f"{path}:{number}: expected every name once, got {name!r} again")
        accounts[name] = password
    if not accounts:
        raise ValueError(f'{path}: expected at least one line "name:password", got none')
    return list(accounts.items())


if __name__ == "__main__":
    sys.exit(main())
