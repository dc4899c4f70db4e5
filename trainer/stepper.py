"""Optimizer steps of any model, the same on one process and on several."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from trainer.config import StepSettings
from trainer.distributed import World

_Tensors = tuple[Tensor, ...] | list[Tensor]


class NonFiniteLossError(ArithmeticError):
    """The loss or its gradient is no finite number; the weights are those before the step."""


class _Movable(Protocol):
    def to(self, device: torch.device) -> Self: ...


_Batch = TypeVar("_Batch", bound=_Movable)


class Stepper(ABC, Generic[_Batch]):
    """A model in training: behind DDP, with its optimizer, schedule and averaged weights.

    Everything random in a step is drawn from the seed, the number of the step and the rank. So a
    run that was interrupted goes on exactly as it would have, with nothing to store, and a run on
    another number of processes can take it up.

    Attributes:
        module: The bare model, with the parameters frozen that are not to be trained.
        world: This process among all.
        model: The same, behind DDP when there are several processes.
        precision: What the forward pass computes in.
        average: The averaged weights, when there are any.
        optimizer: AdamW over the trained parameters.
        scheduler: Of the rates.
        step: Steps taken.

    Args:
        module: See above.
        settings: How to train.
        world: See above.
        ema_decay: Of the averaged weights; 0 for none.

    Raises:
        ValueError: The device cannot do what the settings ask for.
    """

    # What a saved state calls the weights.
    _weights_key: ClassVar[str]

    def __init__(
        self, module: nn.Module, settings: StepSettings, world: World, *, ema_decay: float = 0.0
    ) -> None:
        self.module = module
        self.world = world
        self.step = 0
        self._seed = settings.seed
        self._max_gradient_norm = settings.max_gradient_norm
        module.to(world.device)
        self.precision = choose_precision(settings.precision, world.device)
        self.average: AveragedModel | None = None
        if ema_decay > 0:
            self.average = AveragedModel(module, multi_avg_fn=_make_average(ema_decay))
        self._equip_module()
        self.model = module if world.world_size == 1 else DistributedDataParallel(module)
        self.optimizer, self.scheduler = self._build_optimizer()
        # Only fp16 needs it: its smallest gradients would round to zero.
        self._scaler = torch.amp.GradScaler(
            world.device.type, enabled=self.precision == torch.float16
        )

    @abstractmethod
    def _equip_module(self) -> None:
        """Switch on what changes how the module computes, before DDP wraps it."""

    @abstractmethod
    def _build_optimizer(self) -> tuple[AdamW, LambdaLR]:
        """The optimizer over the trained parameters, and its schedule."""

    @abstractmethod
    def _sum_loss(self, batch: _Batch) -> tuple[Tensor, Tensor]:
        """The loss of a batch, summed over its units, and a penalty that is added to it."""

    def take_step(self, batches: Sequence[_Batch], num_units: int) -> float:
        """One optimizer step on the sum of some batches.

        Args:
            batches: This rank's share of the step's global batches.
            num_units: What the loss is the mean over (characters, masked tokens), of the global
                batches; all ranks divide by it, so that the gradient is the same however the
                batches are shared out.

        Returns:
            This rank's loss, summed over its units.

        Raises:
            NonFiniteLossError: On all ranks alike.
        """
        self.model.train()
        _start_random_numbers(self._seed, self.step, self.world.rank)
        batches = [batch.to(self.world.device) for batch in batches]
        loss = self._compute_gradients(batches, num_units)
        self._scaler.unscale_(self.optimizer)
        norm = nn.utils.clip_grad_norm_(self.model.parameters(), self._max_gradient_norm)
        self._check_finite(loss, norm)
        self._scaler.step(self.optimizer)
        self._scaler.update()
        self.scheduler.step()
        self.optimizer.zero_grad()
        self.step += 1
        if self.average is not None:
            self.average.update_parameters(self.module)
        return loss.item()

    def state_dict(self) -> dict[str, Any]:
        """Everything that a run needs to go on, as tensors and plain values on the CPU."""
        return {
            "step": self.step,
            self._weights_key: self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "scaler": self._scaler.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state_dict`, on a stepper of the same settings."""
        self.step = state["step"]
        self.module.load_state_dict(state[self._weights_key])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scheduler.load_state_dict(state["scheduler"])
        self._scaler.load_state_dict(state["scaler"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])

    def autocast(self) -> AbstractContextManager[Any]:
        """The forward pass in the run's precision."""
        is_enabled = self.precision != torch.float32
        return torch.autocast(self.world.device.type, self.precision, enabled=is_enabled)

    def _compute_gradients(self, batches: Sequence[_Batch], num_units: int) -> Tensor:
        """The gradient of a step, in the parameters; returns this rank's summed loss."""
        return self._accumulate_gradients(batches, num_units)

    def _accumulate_gradients(self, batches: Sequence[_Batch], num_units: int) -> Tensor:
        """Add the gradient of the mean loss; returns this rank's summed loss."""
        # DDP averages gradients over ranks; this makes the average the sum over all units divided
        # by their number.
        scale = self.world.world_size / num_units
        total = torch.zeros((), device=self.world.device)
        for index, batch in enumerate(batches):
            is_last = index + 1 == len(batches)
            with self._sync_gradients(is_last):
                loss, penalty = self._sum_loss(batch)
                self._scaler.scale((loss + penalty) * scale).backward()
            total += loss.detach()
        return total

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


def choose_precision(name: str, device: torch.device) -> torch.dtype:
    """What the forward pass computes in.

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
    if name == "bf16" and device.type == "cpu" and not processor_has_bfloat16():
        raise ValueError(
            "expected --precision auto or fp32 on this processor, got bf16: it has no instructions"
            " for it (on x86 it takes AVX-512)"
        )
    return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[name]


@cache
def processor_has_bfloat16() -> bool:
    """Whether this processor computes in bfloat16.

    Found out by trying the layer that needs it most: torch hands an LSTM to oneDNN, which refuses
    where the instructions are missing. Matrix products it computes there all the same, some seventy
    times as slowly as in float32.
    """
    state = torch.zeros(1, 1, 1)
    weights = (torch.zeros(4, 1), torch.zeros(4, 1), torch.zeros(4), torch.zeros(4))
    try:
        with torch.autocast("cpu", torch.bfloat16):
            torch.lstm(state, (state, state), weights, True, 1, 0.0, False, False, False)
    except RuntimeError:
        return False
    return True


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


def _start_random_numbers(seed: int, step: int, rank: int) -> None:
    """Start the random numbers of a step (dropout) on the processor and on all cards."""
    # Odd constants far apart keep (seed, step, rank) from colliding within any real run.
    torch.manual_seed(((seed * 1_000_003 + step) * 65_537 + rank) % 2**63)
