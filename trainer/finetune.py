"""Fine-tune a tagger: `torchrun --nproc-per-node N -m trainer.finetune`, or without torchrun.

See `trainer.fit` for the work. It imports torch, which takes seconds: after the flags are read, so
that `--help` and wrong flags answer at once.
"""

import sys
from collections.abc import Mapping
from typing import Any

from trainer.command import Fit, run_training
from trainer.config import Settings
from trainer.flags import PROG, parse_settings


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Returns:
        The exit status: 0; 1 when the run could not go on; or see `ner_core.command_line`.
    """
    return run_training(
        PROG, arguments, lambda given: parse_settings(given, _read_encoder_config), _load_fit
    )


def _read_encoder_config(path_or_hub_id: str) -> Mapping[str, Any]:
    from trainer.fit import read_encoder_config

    return read_encoder_config(path_or_hub_id)


def _load_fit() -> Fit[Settings]:
    from trainer.fit import fit

    return fit


if __name__ == "__main__":
    sys.exit(main())
