"""Optimizer steps and evaluation, the same on one process and on several."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ner_core.checkpoint import Checkpoint
from ner_core.dataset import Batch
from ner_core.evaluation import SpanCounts
from ner_core.models import Tagger, TaggerOutput
from ner_core.prediction import Predictor
from ner_core.spans import Example
from trainer.config import OptimizationSettings
from trainer.distributed import World
from trainer.optimization import build_optimizer, build_scheduler

_Tensors = tuple[Tensor, ...] | list[Tensor]


class NonFiniteLossError(ArithmeticError):
    """The loss or its gradient is no finite number; the weights are those before the step."""


@dataclass
class Engine:
    """A tagger in training: the model behind DDP, its optimizer, schedule and averaged weights.

    Everything random in a step is drawn from the seed, the number of the step and the rank. So a
    run that was interrupted goes on exactly as it would have, with nothing to store, and a run on
    another number of processes can take it up.

    Attributes:
        tagger: The bare model, with the parameters frozen that are not to be trained.
        settings: How to train.
        world: This process among all.
        num_steps: Optimizer steps of the whole run, for the schedule.
        step: Steps taken.

    Raises:
        ValueError: The device cannot do what the settings ask for.
    """

    tagger: Tagger
    settings: OptimizationSettings
    world: World
    num_steps: int
    step: int = field(init=False, default=0)
    model: nn.Module = field(init=False)
    optimizer: AdamW = field(init=False)
    scheduler: LambdaLR = field(init=False)
    average: AveragedModel | None = field(init=False)
    precision: torch.dtype = field(init=False)

    def __post_init__(self) -> None:
        self.tagger.to(self.world.device)
        self.precision = choose_precision(self.settings.precision, self.world.device)
        self.average = None
        if self.settings.ema_decay > 0:
            update = _make_average(self.settings.ema_decay)
            self.average = AveragedModel(self.tagger, multi_avg_fn=update)
        if self.settings.activation_checkpointing:
            # Its default, the non-reentrant kind, also bears DDP and frozen embeddings.
            self.tagger.encoder.activation_checkpointing_enable()
        if self.settings.compile:
            # In place, so that the names in the state dict stay; the CRF's loop gains nothing.
            self.tagger.encoder.compile(dynamic=True)
        self.tagger.label_smoothing = self.settings.label_smoothing
        self.model = self.tagger
        if self.world.world_size > 1:
            self.model = DistributedDataParallel(self.tagger)
        self.optimizer = build_optimizer(self.tagger, self.settings)
        self.scheduler = build_scheduler(self.optimizer, self.settings, num_steps=self.num_steps)
        # Only fp16 needs it: its smallest gradients would round to zero.
        self._scaler = torch.amp.GradScaler(
            self.world.device.type, enabled=self.precision == torch.float16
        )

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

    def take_step(self, batches: Sequence[Batch], num_characters: int) -> float:
        """One optimizer step on the sum of some batches.

        Args:
            batches: This rank's share of the step's global batches.
            num_characters: Of the global batches; all ranks divide by it, so that the gradient is
                the mean over the characters, however they are shared out.

        Returns:
            This rank's loss, summed over its characters.

        Raises:
            NonFiniteLossError: On all ranks alike.
        """
        self.model.train()
        _seed(self.settings.seed, self.step, self.world.rank)
        batches = [batch.to(self.world.device) for batch in batches]
        loss = self._accumulate_gradients(batches, num_characters)
        if self.settings.fgm_epsilon > 0:
            with _perturbed_embeddings(self.tagger, self.settings.fgm_epsilon):
                self._accumulate_gradients(batches, num_characters)
        self._scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.max_gradient_norm)
        self._check_finite(loss, norm)
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.scheduler.step()
        self.optimizer.zero_grad()
        self.step += 1
        if self.average is not None:
            self.average.update_parameters(self.tagger)
        return loss.item()

    def state_dict(self) -> dict[str, Any]:
        """Everything that a run needs to go on, as tensors and plain values on the CPU."""
        return {
            "step": self.step,
            "tagger": self.tagger.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self._scaler.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state_dict`, on an engine of the same settings."""
        self.step = state["step"]
        self.tagger.load_state_dict(state["tagger"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self._scaler.load_state_dict(state["scaler"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def _accumulate_gradients(self, batches: Sequence[Batch], num_characters: int) -> Tensor:
        """Add the gradient of the mean loss; returns this rank's summed loss."""
        # DDP averages gradients over ranks; this makes the average the sum over all characters
        # divided by their number.
        scale = self.world.world_size / num_characters
        total = torch.zeros((), device=self.world.device)
        for index, batch in enumerate(batches):
            is_last = index + 1 == len(batches)
            with self._sync_gradients(is_last):
                loss, penalty = self._sum_loss(batch)
                self._scaler.scale((loss + penalty) * scale).backward()
            total += loss.detach()
        return total

    def _sum_loss(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """The summed loss of a batch, and R-Drop's penalty."""
        is_twice = self.settings.r_drop_alpha > 0
        batch = _double(batch) if is_twice else batch
        with torch.autocast(
            self.world.device.type, self.precision, enabled=self.precision != torch.float32
        ):
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

    def _sync_gradients(self, is_wanted: bool) -> AbstractContextManager[None]:
        """DDP exchanges gradients in the last backward pass of a sum only."""
        if is_wanted or not isinstance(self.model, DistributedDataParallel):
            return nullcontext()
        return self.model.no_sync()

    def _check_finite(self, loss: Tensor, norm: Tensor) -> None:
        """Raise on all ranks if one of them has met a NaN or an infinity."""
        if self.precision == torch.float16:
            # Gradients that overflow now and then are fp16's daily business, and the scaler's; a
            # loss that does is not, nor gradients that still do when the scaler has given in.
            (total,) = self.world.sum([loss.item()])
            value = torch.tensor(total if self._scaler.get_scale() >= 1.0 else torch.inf)
        else:
            # Summed over the ranks by DDP: not finite on one means not finite on all.
            value = norm
        if not torch.isfinite(value):
            self.optimizer.zero_grad()
            raise NonFiniteLossError(
                f"expected a finite loss and gradient, got loss {loss.item():g} and gradient norm"
                f" {norm.item():g}"
            )


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


def _make_average(decay: float) -> Callable[[_Tensors, _Tensors, Tensor | int], None]:
    """The update of an exponential moving average that begins fast and slows down to `decay`.

    At a constant decay of 0.999 the average of a run of fifty steps would be little but the weights
    that it began with. The ramp is that of TensorFlow's ExponentialMovingAverage.
    """

    def update(averaged: _Tensors, current: _Tensors, num_averaged: Tensor | int) -> None:
        num_steps = int(num_averaged)
        ramped = min(decay, (1 + num_steps) / (10 + num_steps))
        get_ema_multi_avg_fn(ramped)(averaged, current, num_averaged)

    return update


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


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """What the encoder and the context layer compute in.

    Raises:
        ValueError: The device has no such arithmetic.
    """
    if name == "auto":
        has_bfloat16 = device.type == "cuda" and torch.cuda.is_bf16_supported()
        return torch.bfloat16 if has_bfloat16 else torch.float32
    if name == "fp16" and device.type != "cuda":
        raise ValueError(
            f"expected --precision auto, fp32 or bf16 on {device.type}, got fp16: half precision"
            " is for graphics cards"
        )
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


def _seed(seed: int, step: int, rank: int) -> None:
    """Start the random numbers of a step (dropout) on the processor and on all cards."""
    # Odd constants far apart keep (seed, step, rank) from colliding within any real run.
    torch.manual_seed(((seed * 1_000_003 + step) * 65_537 + rank) % 2**63)
