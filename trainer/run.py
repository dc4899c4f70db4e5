"""Everything that a run needs, read and checked before its directory is made."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial

from torch.utils.data import DataLoader

from ner_core.batch_sampler import LengthBucketedBatchSampler
from ner_core.checkpoint import Checkpoint
from ner_core.dataset import EncodedWindow, TaggingDataset, collate
from trainer.config import Settings
from trainer.data import TrainingData
from trainer.distributed import World
from trainer.engine import Engine
from trainer.mention_replacement import MentionReplacer
from trainer.sources import name_source


@dataclass(frozen=True)
class Run:
    """A run before its first step.

    Attributes:
        settings: The command line.
        world: This process among all.
        command: How to start the run again, for the card.
        data: Training and dev examples.
        checkpoint: The tagger as it is before training.
        dataset: The training examples, encoded.
        sampler: This rank's share of the batches.
        replacer: Draws other mentions for each epoch; None leaves the examples as they are.
    """

    settings: Settings
    world: World
    command: str
    data: TrainingData
    checkpoint: Checkpoint
    dataset: TaggingDataset
    sampler: LengthBucketedBatchSampler
    replacer: MentionReplacer | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps in an epoch."""
        return -(-len(self.sampler) // self.settings.optimization.accumulation)

    @property
    def num_steps(self) -> int:
        """Optimizer steps of the whole run, if it is not stopped early."""
        return self.settings.optimization.epochs * self.steps_per_epoch

    def fingerprint(self) -> dict[str, str]:
        """What a run must have in common with the one that it takes up, by name."""
        settings = {
            **asdict(self.settings.model),
            **asdict(self.settings.optimization),
            "half_precision": self.settings.run.half_precision,
            "encoder": _digest_encoder(self.checkpoint),
            **{name_source(s.source): f"{len(s.examples):,} sentences" for s in self.data.sources},
            "dev": f"{len(self.data.dev):,} sentences",
            "data": self.data.fingerprint[:12],
        }
        # They change how a step is computed, not what comes out.
        for name in ("activation_checkpointing", "compile"):
            del settings[name]
        if not settings["mention_replacement"]:  # nor had versions before 0.5.0 any
            del settings["mention_replacement"]
        return {name: str(value) for name, value in settings.items()}

    def build_engine(self) -> Engine:
        """The run's engine, before its first step."""
        return Engine(
            self.checkpoint.tagger,
            self.settings.optimization,
            self.world,
            num_steps=self.num_steps,
        )

    def draw_windows(self, epoch: int) -> Sequence[EncodedWindow]:
        """The windows of an epoch, numbered as in the data set; the same on all ranks."""
        return self.replacer.draw(epoch) if self.replacer else self.dataset.windows

    def load_batches(self, windows: Sequence[EncodedWindow]) -> DataLoader[EncodedWindow]:
        """This rank's batches of an epoch's windows, in the order of the sampler."""
        return DataLoader(
            windows,  # type: ignore[arg-type]  # any sequence is a map-style data set
            batch_sampler=self.sampler,
            collate_fn=partial(collate, vocabulary=self.checkpoint.vocabulary),
        )


def _digest_encoder(checkpoint: Checkpoint) -> str:
    """Of everything about the encoder but its weights, which a saved state replaces."""
    digest = hashlib.sha256()
    config = checkpoint.tagger.encoder.config.to_dict()
    for name in ("_name_or_path", "transformers_version", "dtype"):
        config.pop(name, None)
    digest.update(json.dumps(config, sort_keys=True, default=str).encode())
    for name, content in sorted(checkpoint.tokenizer_files.items()):
        digest.update(name.encode() + content)
    return digest.hexdigest()[:12]
