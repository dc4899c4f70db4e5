"""Pretrain an encoder on plain text: `torchrun --nproc-per-node N -m trainer.pretrain`.

See `trainer.pretrain_fit` for the work. It imports torch, which takes seconds: after the flags are
read, so that `--help` and wrong flags answer at once.
"""

import sys

from trainer.command import Fit, run_training
from trainer.pretrain_config import Settings
from trainer.pretrain_flags import PROG, parse_settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 when the run could not go on; or see `ner_core.command_line`.
    """
    return run_training(PROG, arguments, parse_settings, _load_fit)


def _load_fit() -> Fit[Settings]:
    from trainer.pretrain_fit import fit

    return fit


if __name__ == "__main__":
    sys.exit(main())
