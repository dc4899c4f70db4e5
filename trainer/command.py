"""What the training programs share: how they start, log, and end in one line.

Imports torch only once the flags are read.
"""

import logging
import os
import re
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

from ner_core.command_line import STATUS_WRONG_INPUT, run_command
from trainer.config import RunSettings

if TYPE_CHECKING:
    from trainer.distributed import World
    from trainer.run_directory import RunDirectory

# Of a run that was going well until something outside it ended it.
STATUS_FAILED = 1

logger = logging.getLogger("trainer")


class _SomeSettings(Protocol):
    @property
    def run(self) -> RunSettings: ...


_Settings = TypeVar("_Settings", bound=_SomeSettings)


class Fit(Protocol[_Settings]):  # type: ignore[misc]  # an argument only, whatever its variance
    """The work of a training program."""

    def __call__(self, settings: _Settings, world: "World", *, command: str) -> None:
        """Do it; `command` is the command line, fit to be published."""


def run_training(
    prog: str,
    arguments: list[str] | None,
    parse_settings: Callable[[list[str]], _Settings],
    load_fit: Callable[[], Fit[_Settings]],
) -> int:
    """Run a training program, alone or under torchrun.

    Args:
        prog: Its name.
        arguments: Without that name; None takes the process's own.
        parse_settings: Reads them.
        load_fit: Imports what does the work.

    Returns:
        The exit status: 0; 1 when the run could not go on; or see `ner_core.command_line`.
    """
    given = sys.argv[1:] if arguments is None else arguments
    status = 0

    def run() -> None:
        nonlocal status
        settings = parse_settings(given)
        from trainer.failures import TrainingError

        try:
            _run_together(settings, load_fit(), f"{prog} {shlex.join(map(mask_password, given))}")
        except TrainingError as error:
            if not _is_left_to_rank_0(error):
                print(f"{prog}: {error}", file=sys.stderr)
            status = STATUS_FAILED

    return run_command(prog, run) or status


def _run_together(settings: _Settings, fit: Fit[_Settings], command: str) -> None:
    """Do the work as one of the processes that torchrun has started, or as the only one."""
    from trainer.distributed import join_world
    from trainer.failures import explain_lost_processes

    with join_world(settings.run.device) as world, explain_lost_processes():
        _start_logging(world)
        try:
            fit(settings, world, command=command)
        except (ValueError, OSError) as error:
            if _is_left_to_rank_0(error):
                raise SystemExit(STATUS_WRONG_INPUT) from error
            raise


def is_output_free(directory: "RunDirectory", *, is_dry: bool) -> bool:
    """Whether there is something to train; False when the run was complete but for tidying up.

    Raises:
        ValueError: Something else has the output's name.
    """
    if not directory.output.exists():
        return True
    if not directory.is_published():
        raise ValueError(
            f"expected an output directory that does not exist yet, got {directory.output};"
            f" give another --output"
        )
    if not is_dry:
        directory.discard()
    return False


def is_restart(settings: RunSettings) -> bool:
    """Whether to discard an unfinished run; not when torchrun itself starts its workers again."""
    return settings.restart and os.environ.get("TORCHELASTIC_RESTART_COUNT", "0") == "0"


def mask_password(argument: str) -> str:
    """The card is published; the password of a database URL must not be."""
    argument = re.sub("://.*@", "://***@", argument)
    return re.sub(r"(?i)((?:password|passwd|pwd|user)=)[^&]*", r"\1***", argument)


def _is_left_to_rank_0(error: Exception) -> bool:
    """Whether all processes have this error and another one reports it."""
    return getattr(error, "is_shared", False) and os.environ.get("RANK", "0") != "0"


def _start_logging(world: "World") -> None:
    logging.basicConfig(format="%(message)s")
    logger.setLevel(logging.INFO if world.is_main else logging.WARNING)
