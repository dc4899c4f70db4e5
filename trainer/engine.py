"""Optimizer steps and evaluation of a tagger, the same on one process and on several."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from ner_core.checkpoint import Checkpoint
from ner_core.dataset import Batch
from ner_core.evaluation import SpanCounts
from ner_core.models import Tagger, TaggerOutput
from ner_core.prediction import Predictor
from ner_core.spans import Example
from trainer.config import OptimizationSettings
from trainer.distributed import World
from trainer.optimization import build_optimizer, build_scheduler
from trainer.stepper import Stepper


class Engine(Stepper[Batch]):
    """A tagger in training; see `Stepper`.

    Args:
        tagger: The bare model, with the parameters frozen that are not to be trained.
        settings: How to train.
        world: This process among all.
        num_steps: Optimizer steps of the whole run, for the schedule.

    Raises:
        ValueError: The device cannot do what the settings ask for.
    """

    _weights_key = "tagger"

    def __init__(
        self, tagger: Tagger, settings: OptimizationSettings, world: World, *, num_steps: int
    ) -> None:
        self.tagger = tagger
        self.settings = settings
        self._num_steps = num_steps
        super().__init__(tagger, settings, world, ema_decay=settings.ema_decay)

    def _equip_module(self) -> None:
        if self.settings.activation_checkpointing:
            # Its default, the non-reentrant kind, also bears DDP and frozen embeddings.
            self.tagger.encoder.activation_checkpointing_enable()
        if self.settings.compile:
            # In place, so that the names in the state dict stay; the CRF's loop gains nothing.
            self.tagger.encoder.compile(dynamic=True)
        self.tagger.label_smoothing = self.settings.label_smoothing

    def _build_optimizer(self) -> tuple[AdamW, LambdaLR]:
        optimizer = build_optimizer(self.tagger, self.settings)
        return optimizer, build_scheduler(optimizer, self.settings, num_steps=self._num_steps)

    @property
    def best_tagger(self) -> Tagger:
        """The weights to evaluate and to save: the averaged ones when there are any."""
        if self.average is None:
            return self.tagger
        averaged = self.average.module
        assert isinstance(averaged, Tagger)
        return averaged

    @property
    def learning_rate(self) -> float:
        """Of the encoder's last layer at the next step; the others rise and fall with it."""
        factor = self.scheduler.lr_lambdas[0](self.step)
        return self.settings.encoder_learning_rate * factor

    def _compute_gradients(self, batches: Sequence[Batch], num_units: int) -> Tensor:
        loss = super()._compute_gradients(batches, num_units)
        if self.settings.fgm_epsilon > 0:
            with _perturbed_embeddings(self.tagger, self.settings.fgm_epsilon):
                self._accumulate_gradients(batches, num_units)
        return loss

    def _sum_loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The loss of a batch, summed over its characters, and R-Drop's penalty."""
        is_twice = self.settings.r_drop_alpha > 0
        batch = _double(batch) if is_twice else batch
        with self.autocast():
            output: TaggerOutput = self.model(
                batch.input_ids,
                batch.attention_mask,
                batch.mask,
                batch.tag_ids,
                batch.allowed_tags,
            )
        assert output.loss is not None
        if not is_twice:
            return output.loss, torch.zeros_like(output.loss)
        disagreement = _disagreement(output.emissions.float(), batch.mask)
        return output.loss / 2, self.settings.r_drop_alpha * disagreement


def evaluate_tagger(
    checkpoint: Checkpoint,
    tagger: Tagger,
    examples: Sequence[Example],
    world: World,
    *,
    batch_size: int = 32,
) -> SpanCounts:
    """Predict as the application does and count; each rank takes its share of the examples.

    Counts are summed, scores are not averaged, and no example is repeated to fill a rank: the
    result does not depend on the number of processes.
    """
    labels = tagger.config.labels
    share = examples[world.rank :: world.world_size]
    predictor = Predictor(replace(checkpoint, tagger=tagger), world.device)
    predictions = predictor.predict([example.text for example in share], batch_size=batch_size)
    counts = SpanCounts.zero(labels)
    for example, prediction in zip(share, predictions, strict=True):
        counts += SpanCounts.of_example(example.spans, prediction.spans, example.text, labels)
    summed = world.sum(counts.to_list())
    return SpanCounts.from_list([round(count) for count in summed], labels)


@contextmanager
def _perturbed_embeddings(tagger: Tagger, epsilon: float) -> Iterator[None]:
    """Move the character embeddings by `epsilon` up the gradient, and back (FGM).

    Miyato et al. 2017, https://arxiv.org/abs/1605.07725, on the table instead of its outputs. The
    gradient is the one that DDP has exchanged, so that all ranks take the same step.
    """
    weight = tagger.encoder.get_input_embeddings().weight
    assert weight.grad is not None
    direction = weight.grad / weight.grad.norm().clamp_min(torch.finfo(weight.dtype).tiny)
    clean = weight.detach().clone()
    with torch.no_grad():
        weight.add_(epsilon * direction)
    try:
        yield
    finally:
        with torch.no_grad():
            weight.copy_(clean)


def _double(batch: Batch) -> Batch:
    """The batch and once more the batch, for two dropouts in one forward pass."""
    columns = {item.name: getattr(batch, item.name) for item in fields(batch)}
    doubled: dict[str, Any] = {
        name: None if column is None else torch.cat((column, column))
        for name, column in columns.items()
    }
    return Batch(**doubled)


def _disagreement(emissions: Tensor, mask: Tensor) -> Tensor:
    """Symmetric Kullback-Leibler divergence of two forward passes, summed over characters.

    Of the tags of single characters, with a CRF too: the divergence of whole paths would need
    gradients through marginals.

    Args:
        emissions: Both passes, one behind the other. Shape: (2B, L, K)
        mask: Shape: (2B, L)
    """
    # Shape: (2, N, K), over the N characters of the batch
    log_probabilities = emissions[mask].unflatten(0, (2, -1)).log_softmax(dim=-1)
    first, second = log_probabilities
    kl_div = nn.functional.kl_div
    forward = kl_div(first, second, reduction="sum", log_target=True)
    backward = kl_div(second, first, reduction="sum", log_target=True)
    return (forward + backward) / 4
