"""Fine-tune a tagger: `torchrun --nproc-per-node N -m trainer.finetune`, or without torchrun.

See `trainer.fit` for the work. It imports torch, which takes seconds: after the flags are read, so
that `--help` and wrong flags answer at once.
"""

import sys

from trainer.command import Fit, run_training
from trainer.config import Settings
from trainer.flags import PROG, parse_settings
from trainer.recipes import read_encoder_config


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 when the run could not go on; or see `ner_core.command_line`.
    """
    return run_training(
        PROG, arguments, lambda given: parse_settings(given, read_encoder_config), _load_fit
    )


def _load_fit() -> Fit[Settings]:
    from trainer.fit import fit

    return fit


if __name__ == "__main__":
    sys.exit(main())
