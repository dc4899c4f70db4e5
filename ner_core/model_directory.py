"""Where a model is: its directory, or the one that a Hub id was downloaded to. Imports no torch."""

import re
from pathlib import Path
from typing import Final

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

CONFIG_FILE: Final = "config.json"
_PICKLE_FILE: Final = "pytorch_model.bin"
_HUB_ID: Final = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)


class CheckpointError(ValueError):
    """A checkpoint or encoder that cannot be used; one line names it and says why."""


def find_directory(path_or_hub_id: str | Path) -> Path:
    """The directory itself, or the one that a Hub id was downloaded to.

    Raises:
        CheckpointError: There is no such directory, and no such model on a Hub within reach.
    """
    directory = Path(path_or_hub_id)
    name = str(path_or_hub_id)
    if name and directory.is_dir():
        return directory
    if isinstance(path_or_hub_id, Path) or not _HUB_ID.fullmatch(name) or directory.exists():
        raise CheckpointError(
            f"expected a checkpoint directory or a Hub id such as hfl/chinese-bert-wwm-ext,"
            f" got {name!r} (no such directory)"
        )
    try:
        return _download(name)
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as error:
        raise CheckpointError(
            f"expected a checkpoint directory or a reachable Hub id, got {name!r}: no such"
            f" directory, and from the Hub: {str(error).splitlines()[0]}"
        ) from error


def _download(hub_id: str) -> Path:
    patterns = ["*.json", "*.txt", "*.safetensors"]
    directory = Path(snapshot_download(hub_id, allow_patterns=patterns))
    if not any(directory.glob("*.safetensors")):
        directory = Path(snapshot_download(hub_id, allow_patterns=[*patterns, _PICKLE_FILE]))
    return directory
