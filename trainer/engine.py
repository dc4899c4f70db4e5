"""One epoch of training and one evaluation, the same on one process and on several."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ner_core.checkpoint import Checkpoint
from ner_core.dataset import Batch
from ner_core.evaluation import Evaluation, SpanCounts
from ner_core.models import Tagger
from ner_core.prediction import Predictor
from ner_core.spans import Example
from trainer.config import OptimizationSettings
from trainer.distributed import World


@dataclass
class Engine:
    """A tagger in training: the model behind DDP, its optimizer, schedule and averaged weights.

    Attributes:
        tagger: The bare model.
        settings: How to train.
        world: This process among all.
        num_steps: Optimizer steps of the whole run, for the schedule.
    """

    tagger: Tagger
    settings: OptimizationSettings
    world: World
    num_steps: int
    model: nn.Module = field(init=False)
    optimizer: AdamW = field(init=False)
    scheduler: LambdaLR = field(init=False)
    average: AveragedModel | None = field(init=False)

    def __post_init__(self) -> None:
        self.tagger.to(self.world.device)
        if self.world.world_size > 1:
            self.model = DistributedDataParallel(self.tagger)
        else:
            self.model = self.tagger
        self.optimizer = AdamW(_group_parameters(self.tagger, self.settings))
        num_warmup = max(1, round(self.settings.warmup_fraction * self.num_steps))
        self.scheduler = LambdaLR(
            self.optimizer, lambda step: _linear_schedule(step, num_warmup, self.num_steps)
        )
        self.average = None
        if self.settings.ema_decay > 0:
            update = get_ema_multi_avg_fn(self.settings.ema_decay)
            self.average = AveragedModel(self.tagger, multi_avg_fn=update)

    @property
    def best_tagger(self) -> Tagger:
        """The weights to evaluate and to save: the averaged ones when there are any."""
        if self.average is None:
            return self.tagger
        averaged = self.average.module
        assert isinstance(averaged, Tagger)
        return averaged

    def train_epoch(self, batches: Iterable[Batch]) -> float:
        """Take one optimizer step for each `accumulation` batches.

        Args:
            batches: This rank's share of the global batches; as many on every rank.

        Returns:
            Loss per character, over all ranks.

        Raises:
            FloatingPointError: The loss is not a finite number; the weights are those before it.
        """
        self.model.train()
        loss_sum = torch.zeros((), dtype=torch.float64, device=self.world.device)
        num_characters = 0.0
        for step, micro_batches in enumerate(_group(batches, self.settings.accumulation)):
            (num_in_step,) = self.world.sum([sum(b.num_characters for b in micro_batches)])
            loss = self._take_step(micro_batches, num_in_step, step)
            loss_sum += loss
            num_characters += num_in_step
        (total,) = self.world.sum([loss_sum.item()])
        return total / num_characters

    def _take_step(
        self, micro_batches: Sequence[Batch], num_characters: float, step: int
    ) -> Tensor:
        """One optimizer step; returns this rank's summed loss."""
        # DDP averages gradients over ranks; this makes the average the sum over all characters
        # divided by their number, however they are shared out.
        scale = self.world.world_size / num_characters
        step_loss = torch.zeros((), device=self.world.device)
        for index, batch in enumerate(micro_batches):
            is_last = index + 1 == len(micro_batches)
            with self._sync_gradients(is_last):
                loss = self._sum_loss(batch)
                (loss * scale).backward()
            step_loss += loss.detach()
        if not torch.isfinite(step_loss):
            raise FloatingPointError(
                f"expected a finite loss, got {step_loss.item()} (step {step} of the epoch);"
                f" a lower learning rate usually helps"
            )
        nn.utils.clip_grad_norm_(self.model.parameters(), self.settings.max_gradient_norm)
        self.optimizer.step()
        self.scheduler.step()
        self.optimizer.zero_grad()
        if self.average is not None:
            self.average.update_parameters(self.tagger)
        return step_loss

    def _sum_loss(self, batch: Batch) -> Tensor:
        batch = batch.to(self.world.device)
        is_cuda = self.world.device.type == "cuda"
        use_bfloat16 = is_cuda and torch.cuda.is_bf16_supported()
        with torch.autocast("cuda", torch.bfloat16, enabled=use_bfloat16):
            output = self.model(batch.input_ids, batch.attention_mask, batch.mask, batch.tag_ids)
        loss: Tensor = output.loss
        return loss

    def _sync_gradients(self, is_wanted: bool) -> AbstractContextManager[None]:
        """DDP exchanges gradients in the last backward pass of a step only."""
        if is_wanted or not isinstance(self.model, DistributedDataParallel):
            return nullcontext()
        return self.model.no_sync()


def evaluate_tagger(
    checkpoint: Checkpoint, examples: Sequence[Example], world: World
) -> Evaluation:
    """Predict as the application does and compare; each rank takes its share of the examples.

    Counts are summed, scores are not averaged, and no example is repeated to fill a rank: the
    result does not depend on the number of processes.
    """
    labels = checkpoint.tagger.config.labels
    share = examples[world.rank :: world.world_size]
    predictions = Predictor(checkpoint, world.device).predict([example.text for example in share])
    counts = SpanCounts.zero(labels)
    for example, prediction in zip(share, predictions, strict=True):
        counts += SpanCounts.of_example(example.spans, prediction.spans, example.text, labels)
    summed = world.sum(counts.to_list())
    return SpanCounts.from_list([round(count) for count in summed], labels).evaluation()


def _group_parameters(tagger: Tagger, settings: OptimizationSettings) -> list[dict[str, object]]:
    """Parameter groups by learning rate, each split by weight decay."""
    rates = {
        "encoder": settings.encoder_learning_rate,
        "crf": settings.crf_learning_rate,
    }
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in tagger.named_parameters():
        if not parameter.requires_grad:
            continue
        part = name.partition(".")[0]
        rate = rates.get(part, settings.head_learning_rate)
        # Biases, norms and transition scores are no weights to keep small.
        is_matrix = parameter.ndim >= 2 and part != "crf"
        decay = settings.weight_decay if is_matrix else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return [
        {"params": parameters, "lr": rate, "weight_decay": decay}
        for (rate, decay), parameters in groups.items()
    ]


def _linear_schedule(step: int, num_warmup: int, num_steps: int) -> float:
    if step < num_warmup:
        return (step + 1) / num_warmup
    return max(0.0, (num_steps - step) / max(1, num_steps - num_warmup))


def _group(batches: Iterable[Batch], size: int) -> Iterator[list[Batch]]:
    group: list[Batch] = []
    for batch in batches:
        group.append(batch)
        if len(group) == size:
            yield group
            group = []
    if group:
        yield group
