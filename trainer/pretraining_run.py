"""A pretraining run before its first step: prepared corpus, model, batches, and steps."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from trainer.distributed import World
from trainer.masked_batches import MaskedBatch, MaskedBatches, build_mask_tokens
from trainer.masking import IGNORED
from trainer.optimization import build_pretraining_optimizer
from trainer.prepared_corpus import PreparedCorpus
from trainer.pretrain_config import PretrainingSettings, Settings
from trainer.pretraining_encoder import StartingEncoder
from trainer.pretraining_model import PretrainingModel, PretrainingOutput
from trainer.stepper import Stepper


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """What the losses of a step are means over, of all processes.

    Attributes:
        num_masked: Tokens that are to be guessed.
        num_tagged: Tokens with a silver tag.
        num_tokens: Characters, masked or not; special tokens do not count.
    """

    num_masked: int
    num_tagged: int
    num_tokens: int

    @classmethod
    def of(cls, batches: Sequence[MaskedBatch], world: World) -> "BatchCounts":
        """Counted on this process's share, and summed over all processes."""
        counts = [0, 0, 0]
        for batch in batches:
            is_token = batch.line_numbers > 0
            # Every line has its [CLS] and its [SEP].
            num_special = 2 * int(((batch.position_ids == 0) & is_token).sum())
            tagged = 0 if batch.tag_ids is None else int((batch.tag_ids != IGNORED).sum())
            masked = int((batch.targets != IGNORED).sum())
            new = (masked, tagged, int(is_token.sum()) - num_special)
            counts = [old + more for old, more in zip(counts, new, strict=True)]
        return cls(*(round(count) for count in world.sum(counts)))


class PretrainingStepper(Stepper[MaskedBatch]):
    """A model in pretraining; see `Stepper`.

    Args:
        pretraining_model: What is trained.
        settings: How.
        world: This process among all.
        num_steps: Optimizer steps of the whole run, for the schedule.

    Raises:
        ValueError: The device cannot do what the settings ask for.
    """

    _weights_key = "model"

    def __init__(
        self,
        pretraining_model: PretrainingModel,
        settings: PretrainingSettings,
        world: World,
        *,
        num_steps: int,
    ) -> None:
        self.pretraining_model = pretraining_model
        self.settings = settings
        self._num_steps = num_steps
        self._counts = BatchCounts(1, 1, 1)
        super().__init__(pretraining_model, settings, world)

    @property
    def learning_rate(self) -> float:
        """At the next step."""
        return self.settings.learning_rate * self.scheduler.lr_lambdas[0](self.step)

    def take_counted_step(self, batches: Sequence[MaskedBatch], counts: BatchCounts) -> float:
        """A step whose losses are means over what all processes have.

        Returns:
            This rank's loss on its masked tokens, summed.

        Raises:
            NonFiniteLossError: On all ranks alike.
        """
        self._counts = counts
        return self.take_step(batches, max(1, counts.num_masked))

    def _equip_module(self) -> None:
        encoder = self.pretraining_model.encoder
        if self.settings.activation_checkpointing:
            encoder.activation_checkpointing_enable()
        if self.settings.compile:
            encoder.compile(dynamic=True)

    def _build_optimizer(self) -> tuple[AdamW, LambdaLR]:
        return build_pretraining_optimizer(
            self.pretraining_model, self.settings, num_steps=self._num_steps
        )

    def _sum_loss(self, batch: MaskedBatch) -> tuple[Tensor, Tensor]:
        with self.autocast():
            output: PretrainingOutput = self.model(batch)
        # The base class divides by the masked tokens; this loss is a mean over the tagged ones.
        ratio = max(1, self._counts.num_masked) / max(1, self._counts.num_tagged)
        return output.mask_loss, self.settings.silver_weight * ratio * output.tag_loss


@dataclass(frozen=True)
class PretrainingRun:
    """Everything that a run needs.

    Attributes:
        settings: The command line.
        world: This process among all.
        command: How to start the run again, for the card.
        corpus: As rows.
        start: The encoder as it is before pretraining, or a new one.
        model: What is trained.
        batches: To learn from.
        held_out: To measure on.
    """

    settings: Settings
    world: World
    command: str
    corpus: PreparedCorpus
    start: StartingEncoder
    model: PretrainingModel
    batches: MaskedBatches
    held_out: MaskedBatches

    @property
    def num_steps(self) -> int:
        """Optimizer steps of the whole run."""
        settings = self.settings.pretraining
        if settings.steps is not None:
            return settings.steps
        num_batches = settings.epochs * self.batches.num_batches
        return max(1, round(num_batches / settings.accumulation))

    def fingerprint(self) -> dict[str, str]:
        """What a run must have in common with the one that it takes up, by name."""
        config = self.start.model.config.to_dict()
        for name in ("_name_or_path", "transformers_version", "dtype"):
            config.pop(name, None)
        described = json.dumps(config, sort_keys=True, default=str)
        settings = {
            **asdict(self.settings.encoder),
            **asdict(self.settings.pretraining),
            "half_precision": self.settings.run.half_precision,
            "config": hashlib.sha256(described.encode()).hexdigest()[:12],
            "corpus": self.corpus.manifest.key,
        }
        if self.batches.by_length:  # in versions before 0.5.0 they were not
            settings["batches"] = "by length"
        # They change how a step is computed, or what is measured, not what comes out.
        for name in ("activation_checkpointing", "compile", "evaluations", "evaluation_rows"):
            del settings[name]
        return {name: str(value) for name, value in settings.items()}

    def build_stepper(self) -> PretrainingStepper:
        """The run's stepper, before its first step."""
        return PretrainingStepper(
            self.model, self.settings.pretraining, self.world, num_steps=self.num_steps
        )


def build_batches(
    settings: PretrainingSettings, world: World, corpus: PreparedCorpus, start: StartingEncoder
) -> tuple[MaskedBatches, MaskedBatches]:
    """Batches to learn from and to measure on.

    Raises:
        ValueError: There are too few rows, or none is held out, or the vocabulary has no mask.
    """
    tokens = build_mask_tokens(start.vocabulary)
    for side, rows in (("learn from", corpus.train), ("hold out", corpus.held_out)):
        if not len(rows):
            fraction = corpus.manifest.settings.held_out_fraction
            raise ValueError(
                f"expected lines to {side}, got none with --held-out-fraction {fraction:g}:"
                f" a larger corpus or another fraction"
            )

    train, held_out = (
        MaskedBatches(
            rows=rows,
            vocabulary=start.vocabulary,
            tokens=tokens,
            world=world,
            batch_size=settings.batch_size,
            mask_fraction=settings.mask_fraction,
            seed=settings.seed,
            by_length=not corpus.manifest.settings.is_packed,
        )
        for rows in (corpus.train, corpus.held_out)
    )
    train.check_size()
    return train, held_out


@torch.no_grad()
def evaluate_held_out(
    stepper: PretrainingStepper, batches: MaskedBatches, settings: PretrainingSettings
) -> tuple[float, float, int]:
    """Loss, accuracy and number of masked tokens of the held-out text, over all processes."""
    stepper.pretraining_model.eval()
    sums = [0.0, 0.0, 0.0]
    for batch in batches.read_sample(settings.evaluation_rows):
        moved = batch.to(stepper.world.device)
        with stepper.autocast():
            output: PretrainingOutput = stepper.pretraining_model(moved)
        num_masked = int((batch.targets != IGNORED).sum())
        new = (output.mask_loss.item(), output.num_right.item(), num_masked)
        sums = [old + more for old, more in zip(sums, new, strict=True)]
    loss, num_right, total = stepper.world.sum(sums)
    return loss / max(1, total), num_right / max(1, total), round(total)
