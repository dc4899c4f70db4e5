"""What the command lines share: how flags are read, and how every failure ends in one line.

Exit statuses: 0; 2 for a wrong flag, file or checkpoint; 130 for Ctrl+C; 141 when whoever read the
output has gone (`| head`). The last two are what a shell reports for SIGINT and SIGPIPE.
"""

import argparse
import math
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

STATUS_WRONG_INPUT = 2
STATUS_INTERRUPTED = 130
STATUS_BROKEN_PIPE = 141


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, but not that a required flag or a switch has none."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


class CommandLineParser(argparse.ArgumentParser):
    """An argument parser that shows defaults, takes no abbreviations, and fails in one line."""

    def __init__(self, prog: str, description: str | None) -> None:
        super().__init__(
            prog=prog,
            description=description,
            formatter_class=_HelpFormatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong without the usage text, which `--help` shows."""
        self.exit(STATUS_WRONG_INPUT, f"{self.prog}: {message} (see --help)\n")


def number_between(
    kind: type[int] | type[float], low: float, high: float, *, above_low: bool = False
) -> Callable[[str], float]:
    """A `type` for `add_argument` that says which numbers it takes.

    Args:
        kind: int or float.
        low: The smallest number, or with `above_low` the one it must be above.
        high: The largest number.
        above_low: Whether `low` itself is refused.
    """
    name = "a whole number" if kind is int else "a number"
    bounds = f"{'above' if above_low else 'from'} {low:g} to {high:g}"

    def convert(argument: str) -> float:
        try:
            value = kind(argument)
        except ValueError:
            value = math.nan
        is_high_enough = value > low if above_low else value >= low
        if not (is_high_enough and value <= high):
            raise argparse.ArgumentTypeError(f"expected {name} {bounds}, got {argument!r}")
        return value

    return convert


def check_output_file(path: Path, flag: str) -> None:
    """Find out before the work that its result cannot be written.

    Args:
        path: The file to write.
        flag: The flag that named it.

    Raises:
        ValueError: It is a directory, or stands in one that is not there or cannot be written.
    """
    directory = path.resolve().parent
    if path.is_dir():
        raise ValueError(f"expected a file to write, got the directory {path} ({flag})")
    if not directory.is_dir():
        raise ValueError(f"expected a file in a directory that exists, got {path} ({flag})")
    if not os.access(directory, os.W_OK):
        raise ValueError(f"expected a directory that can be written, got {directory} ({flag})")


def check_new_directory(path: Path) -> None:
    """Find out before the work that the directory to write is there already.

    Raises:
        ValueError: Something has its name.
    """
    if path.exists():
        raise ValueError(f"expected a directory that does not exist yet, got {path}")


def run_command(prog: str, command: Callable[[], None]) -> int:
    """Run a command and turn what a user can get wrong into one line on standard error.

    Args:
        prog: Name of the program, the start of the line.
        command: The work. A `ValueError` or `OSError` from it is taken for wrong input; anything
            else is a bug and keeps its traceback.

    Returns:
        The exit status, see the top of the module.
    """
    try:
        command()
        sys.stdout.flush()
    except KeyboardInterrupt:
        print(f"{prog}: interrupted", file=sys.stderr)
        return STATUS_INTERRUPTED
    except BrokenPipeError:
        # Python flushes standard output once more when it exits, and would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return STATUS_BROKEN_PIPE
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        print(f"{prog}: {reason}", file=sys.stderr)
        return STATUS_WRONG_INPUT
    except ValueError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return STATUS_WRONG_INPUT
    return 0
