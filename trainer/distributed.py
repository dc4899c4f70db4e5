"""Ranks, start and stop of the process group, and the few reductions that training needs.

The same code runs alone: without torchrun there is one process and nothing to exchange.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist

from trainer.failures import TrainingError

_T = TypeVar("_T")
# How long processes wait for what one of them does alone, such as counting a corpus larger than
# memory. torch would give up after 10 or 30 minutes. Where one dies, torchrun ends its machine's.
_PATIENCE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class World:
    """This process among all processes of the run.

    Attributes:
        rank: Number of this process, from 0, over all nodes.
        world_size: Number of processes over all nodes.
        device: Where this process computes.
        patient_group: All processes, who wait long for each other; None in a process alone.
    """

    rank: int
    world_size: int
    device: torch.device
    patient_group: dist.ProcessGroup | None = field(default=None, compare=False, repr=False)

    @property
    def machine_share(self) -> tuple[int, int]:
        """Number of this process among those of its machine, from 0, and how many they are."""
        # torchrun's contract with its workers, as in `join_world`.
        local_rank = int(os.environ.get("LOCAL_RANK", "0"))
        return local_rank, int(os.environ.get("LOCAL_WORLD_SIZE", "1"))

    @property
    def is_main(self) -> bool:
        """Whether this process writes files and talks to the user."""
        return self.rank == 0

    def sum(self, values: Sequence[float]) -> list[float]:
        """Sums over all processes, the same on each of them."""
        if self.world_size == 1:
            return list(values)
        # Double precision: counts of characters stay exact beyond 16 million.
        total = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(total)
        return total.tolist()

    def decide(self, decision: bool) -> bool:
        """What rank 0 decided, on every process."""
        if self.world_size == 1:
            return decision
        flag = torch.tensor([float(decision)], device=self.device)
        dist.broadcast(flag, src=0)
        return bool(flag.item())

    def share(self, value: _T) -> _T:
        """What the main process holds, on every process; the others' own is ignored."""
        if self.world_size == 1:
            return value
        values = [value]
        # By way of the processor: a run's state must not stand on a card beside the model.
        dist.broadcast_object_list(values, src=0, device=torch.device("cpu"))
        return values[0]

    def on_main(self, call: Callable[[], _T]) -> _T:
        """Call on the main process; its result, or its error, on every process."""
        with self.together():
            result = call() if self.is_main else None
        return self.share(result)  # type: ignore[return-value]  # the main process has called

    @contextmanager
    def together(self) -> Iterator[None]:
        """Raise on all processes what one of them raised in the block.

        Otherwise those that went well would wait for the others until they are ended in the middle
        of it. The error is marked as shared: one process may report it for all.
        """
        error = None
        try:
            yield
        except (ValueError, OSError, TrainingError) as caught:
            error = caught
        first = next((e for e in self._gather(error) if e is not None), None)
        if first is not None:
            first.is_shared = self.world_size > 1  # type: ignore[union-attr]
            raise first

    def _gather(self, value: _T) -> list[_T]:
        """What every process holds, by rank."""
        if self.world_size == 1:
            return [value]
        values: list[Any] = [None] * self.world_size
        dist.all_gather_object(values, value, group=self.patient_group)
        return values


@contextmanager
def join_world(device: str) -> Iterator[World]:
    """Join the processes that torchrun started, or stand alone; always leaves the group again.

    Args:
        device: "cpu", "cuda", or "auto", which takes CUDA when every process of this machine can
            have a card of its own. CUDA exchanges over NCCL, the CPU over gloo; a run cannot mix
            the two, so all processes of a machine come to the same decision.

    Raises:
        ValueError: CUDA was asked for, but there are fewer cards than processes.
    """
    # torchrun's contract with its workers: https://docs.pytorch.org/docs/stable/elastic/run.html
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    local_world_size = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    num_cards = torch.cuda.device_count() if device != "cpu" else 0
    if device == "cuda" and num_cards < local_world_size:
        raise ValueError(
            f"expected a CUDA device for each of {local_world_size} processes, found {num_cards}"
        )
    if num_cards >= local_world_size:
        torch.cuda.set_device(local_rank)
        place = torch.device("cuda", local_rank)
    else:
        place = torch.device("cpu")
    if world_size == 1:
        yield World(0, 1, place)
        return
    # Tensors go from card to card, plain values between processors.
    dist.init_process_group("cpu:gloo,cuda:nccl" if place.type == "cuda" else "gloo")
    try:
        patient_group = dist.new_group(backend="gloo", timeout=_PATIENCE)
        yield World(dist.get_rank(), dist.get_world_size(), place, patient_group)
    finally:
        dist.destroy_process_group()
