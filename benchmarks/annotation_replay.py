"""A labelled corpus replayed as if a person annotated it: read some, train, choose what comes next.

The person is the corpus: whatever sentence is chosen, its gold labels are what they would have
said. Reading is what costs, so budgets are counted in characters and not in sentences, or a
strategy that prefers long sentences would look better than it is.

Each round goes on from the tagger of the round before, as the app does with a person's
corrections, and trains it on everything read so far, with no look at dev; its last (averaged)
weights are scored.
"""

import json
import random
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import torch

from ner_core.batch_sampler import LengthBucketedBatchSampler
from ner_core.checkpoint import Checkpoint, Encoder, load_encoder
from ner_core.dataset import TaggingDataset, collate
from ner_core.labels import LabelSet
from ner_core.models import Tagger, TaggerConfig
from ner_core.prediction import Predictor
from ner_core.pretrained import max_encoder_tokens
from ner_core.spans import Example, drop_overlaps
from trainer.config import OptimizationSettings
from trainer.distributed import World
from trainer.engine import Engine, evaluate_tagger
from trainer.recipes import choose_recipe

Strategy = Literal["path", "token", "random"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
# Trained alone, on the processor: rounds are small, and the same on every machine but for rounding.
_WORLD = World(0, 1, torch.device("cpu"))
# As when the README's table was measured; recipes change.
_EMA_DECAY = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplaySettings:
    """How a replay trains.

    Attributes:
        budgets: Characters read when each round trains, rising. The first are drawn at random, the
            same for every strategy of a seed.
        context_hidden_size: Width of the BiLSTM in each direction.
        first_epochs: Passes over what is read first, by a tagger that knows nothing yet.
        epochs: Passes of each later round over everything read so far.
        precision: As `--precision` of `trainer.finetune`.
    """

    budgets: tuple[int, ...]
    context_hidden_size: int = 128
    first_epochs: int = 10
    epochs: int = 3
    precision: str = "auto"


@dataclass(frozen=True, slots=True)
class Round:
    """What a replay has come to.

    Attributes:
        num_characters: Read so far.
        num_sentences: Read so far.
        f1: Strict micro F1 on dev.
        chosen: Numbers of the sentences that this round added, in the order of reading.
    """

    num_characters: int
    num_sentences: int
    f1: float
    chosen: tuple[int, ...]


@dataclass(frozen=True)
class Replay:
    """One strategy with one seed over a corpus.

    Attributes:
        pool: Sentences with gold labels, of which the replay reads some.
        dev: What every round is scored on.
        labels: The label set of both.
        encoder: Directory or Hub id of the encoder that every round starts from.
        settings: How to train.
        strategy: What comes next: the highest of an uncertainty, or a random order.
        seed: Draws the random order, the weights and the batches.
    """

    pool: Sequence[Example]
    dev: Sequence[Example]
    labels: LabelSet
    encoder: str
    settings: ReplaySettings
    strategy: Strategy
    seed: int

    def run(self, folder: Path) -> list[Round]:
        """All rounds; those that the folder holds already are taken from there.

        Args:
            folder: Keeps a log of each replay, JSON lines with one for each round, and the weights
                of its last round, to go on from after an interruption. The first round, which all
                strategies of a seed share, is trained once.
        """
        log = folder / f"{self.strategy}-{self.seed}.jsonl"
        rounds = _read_rounds(log)
        if not rounds:
            shared = folder / f"first-{self.seed}.jsonl"
            rounds = _read_rounds(shared) or self._go_on(shared, [], self.settings.budgets[:1])
            shutil.copyfile(_weights_of(shared, 1), _weights_of(log, 1))
            _append_round(log, rounds[0])
        return self._go_on(log, rounds, self.settings.budgets[len(rounds) :])

    def _go_on(self, log: Path, rounds: Sequence[Round], budgets: Sequence[int]) -> list[Round]:
        """The rounds, and one more for each budget."""
        rounds = list(rounds)
        read = [number for it in rounds for number in it.chosen]
        checkpoint = self._load(_weights_of(log, len(rounds))) if rounds and budgets else None
        for budget in budgets:
            chosen = self._choose(read, budget, checkpoint)
            read += chosen
            checkpoint = self._train(read, checkpoint)
            tagger = checkpoint.tagger
            scores = evaluate_tagger(checkpoint, tagger, self.dev, _WORLD).evaluation().micro
            num_characters = sum(len(self.pool[number].text) for number in read)
            rounds.append(Round(num_characters, len(read), scores.f1, tuple(chosen)))
            # The weights first: a round counts when its line is there.
            torch.save(tagger.state_dict(), _weights_of(log, len(rounds)))
            _append_round(log, rounds[-1])
            _weights_of(log, len(rounds) - 1).unlink(missing_ok=True)
        return rounds

    def _load(self, weights: Path) -> Checkpoint:
        encoder = load_encoder(self.encoder)
        tagger = self._build_tagger(encoder, [])
        tagger.load_state_dict(torch.load(weights, weights_only=True))
        return Checkpoint(tagger.eval(), encoder.vocabulary, encoder.tokenizer_files)

    def _choose(self, read: Sequence[int], budget: int, checkpoint: Checkpoint | None) -> list[int]:
        """The next sentences, until the characters read make up the budget."""
        order = random.Random(self.seed).sample(range(len(self.pool)), len(self.pool))
        known = set(read)
        unread = [number for number in order if number not in known]
        if checkpoint is not None and self.strategy != "random":
            predictor = Predictor(checkpoint, _WORLD.device)
            texts = [self.pool[number].text for number in unread]
            measured = [
                getattr(uncertainty, self.strategy)
                for uncertainty in predictor.measure_uncertainty(texts)
            ]
            # Of equals the one that comes first in the random order: the sort is stable.
            ranked = sorted(range(len(unread)), key=lambda index: -measured[index])
            unread = [unread[index] for index in ranked]
        chosen = []
        num_characters = sum(len(self.pool[number].text) for number in read)
        for number in unread:
            if num_characters >= budget:
                break
            chosen.append(number)
            num_characters += len(self.pool[number].text)
        return chosen

    def _train(self, read: Sequence[int], earlier: Checkpoint | None) -> Checkpoint:
        """The tagger, or a new one, after training on what has been read."""
        encoder = load_encoder(self.encoder)
        examples = [self.pool[number] for number in read]
        torch.manual_seed(self.seed)
        tagger = self._build_tagger(encoder, examples)
        num_epochs = self.settings.first_epochs
        if earlier is not None:
            tagger.load_state_dict(earlier.tagger.state_dict())
            num_epochs = self.settings.epochs
        dataset = TaggingDataset.from_examples(
            examples,
            self.labels,
            encoder.vocabulary,
            max_characters=tagger.config.max_window_characters,
        )
        recipe = choose_recipe(encoder.model.config.to_dict())
        sampler = LengthBucketedBatchSampler(
            dataset.lengths, batch_size=recipe.batch_size, seed=self.seed + len(read)
        )
        optimization = OptimizationSettings(
            epochs=num_epochs,
            patience=num_epochs,
            batch_size=recipe.batch_size,
            encoder_learning_rate=recipe.encoder_learning_rate,
            head_learning_rate=recipe.head_learning_rate,
            crf_learning_rate=recipe.crf_learning_rate,
            ema_decay=_EMA_DECAY,
            precision=self.settings.precision,
            seed=self.seed + len(read),  # of dropout, drawn anew in each round
        )
        engine = Engine(tagger, optimization, _WORLD, num_steps=num_epochs * len(sampler))
        for epoch in range(1, num_epochs + 1):
            sampler.set_epoch(epoch)
            for windows in sampler:
                batch = collate([dataset[window] for window in windows], encoder.vocabulary)
                engine.take_step([batch], batch.num_characters)
        checkpoint = Checkpoint(tagger, encoder.vocabulary, encoder.tokenizer_files)
        return replace(checkpoint, tagger=engine.best_tagger.eval())

    def _build_tagger(self, encoder: Encoder, examples: Sequence[Example]) -> Tagger:
        config = TaggerConfig(
            architecture="bert-bilstm-crf",
            labels=self.labels,
            context_hidden_size=self.settings.context_hidden_size,
            dropout=choose_recipe(encoder.model.config.to_dict()).dropout,
            max_window_tokens=max_encoder_tokens(encoder.model),
        )
        tagger = Tagger(encoder.model, config)
        tagger.crf.initialise_from_tags(
            self.labels.spans_to_tags(drop_overlaps(example.spans)[0], len(example.text))
            for example in examples
        )
        return tagger


def _weights_of(log: Path, num_rounds: int) -> Path:
    return log.with_suffix(f".{num_rounds}.pt")


def _read_rounds(log: Path) -> list[Round]:
    if not log.exists():
        return []
    # A line without an end was being written when the replay was stopped.
    lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    records = [json.loads(line) for line in lines if line.endswith("\n")]
    return [Round(**{**record, "chosen": tuple(record["chosen"])}) for record in records]


def _append_round(log: Path, finished: Round) -> None:
    lines = "".join(f"{json.dumps(asdict(it))}\n" for it in (*_read_rounds(log), finished))
    temporary = log.with_name(f".{log.name}")
    temporary.write_text(lines, encoding="utf-8")
    temporary.replace(log)
