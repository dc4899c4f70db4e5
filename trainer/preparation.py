"""Prepares a corpus: counts it, settles the vocabulary, and writes the rows, block by block.

Memory holds one block of lines for each process that works, never the corpus. What a block becomes
depends on nothing but its lines: so each part is written once, whole or not at all, by whichever
process comes to it, and an interrupted preparation goes on with the first part that is missing.
"""

import logging
import multiprocessing
import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ner_core.labels import LabelSet
from ner_core.preprocessing import CharacterVocabulary, rank_characters
from trainer.corpus import (
    CorpusCount,
    CorpusLine,
    CorpusSource,
    count_corpus,
    find_sources,
)
from trainer.line_encoder import LineEncoder
from trainer.prepared_corpus import (
    SIDES,
    Manifest,
    PreparationSettings,
    PreparedCorpus,
    Side,
    digest_vocabulary,
    find_parts,
    make_key,
)
from trainer.pretrain_config import CorpusSettings

# Some seconds of work, and about 4 MB of rows.
BLOCK_CHARACTERS = 2_000_000
# One byte holds the tags of a row's characters, 0 for none.
_MAX_LABELS = 127

logger = logging.getLogger("trainer")


@dataclass(frozen=True)
class Preparation:
    """A corpus that has been counted and is to be written.

    Attributes:
        sources: Where the text is.
        count: What is in them.
        settings: What decides what is in the rows.
        tokens: A new vocabulary by id; None when the encoder brings its own.
        vocabulary: Characters to token ids.
        labels: Silver labels; None without.
        block_characters: Of the lines that become one part, at least.
    """

    sources: tuple[CorpusSource, ...]
    count: CorpusCount
    settings: PreparationSettings
    tokens: tuple[str, ...] | None
    vocabulary: CharacterVocabulary
    labels: LabelSet | None
    block_characters: int = BLOCK_CHARACTERS

    @property
    def key(self) -> str:
        """As in `Manifest`."""
        digest = digest_vocabulary(self.vocabulary.token_ids)
        return make_key(self.settings, digest, self.count.sources)

    def build_encoder(self) -> LineEncoder:
        """What turns the lines into rows."""
        return LineEncoder(
            self.vocabulary,
            self.count.characters,
            tags=self.labels.tags if self.labels else (),
            window_tokens=self.settings.window_tokens,
            held_out_fraction=self.settings.held_out_fraction,
            is_packed=self.settings.is_packed,
        )

    def write_parts(
        self, directory: Path, *, share: tuple[int, int] = (0, 1), num_workers: int = 1
    ) -> None:
        """Write this process's share of the parts that are not there yet.

        Args:
            directory: Of the prepared corpus.
            share: Number of this process, from 0, and how many share the work.
            num_workers: Processes to start for it; 1 works in this one.

        Raises:
            OSError: The directory cannot be written, or the disk is full.
        """
        parts = find_parts(directory, self.key)
        parts.mkdir(parents=True, exist_ok=True)
        rank, num_ranks = share
        # Shown in a terminal, not in a log file, and by one process.
        progress = tqdm(
            total=sum(source.num_characters for source in self.count.sources),
            desc="preparing",
            unit="character",
            unit_scale=True,
            disable=None if rank == 0 else True,
        )
        with progress:
            jobs = self._find_missing(parts, rank, num_ranks, progress)
            if num_workers == 1:
                encoder = self.build_encoder()
                for lines, path in jobs:
                    write_part(encoder, lines, path)
            else:
                _spread(self.build_encoder(), jobs, num_workers)

    def write_manifest(self, directory: Path) -> PreparedCorpus:
        """Say that all parts are there, once they are."""
        parts = find_parts(directory, self.key)
        row_type = self.build_encoder().row_type
        names = sorted(path.stem for path in parts.glob(f"*.{SIDES[0]}"))
        num_rows: dict[str, dict[Side, int]] = {
            name: {
                side: (parts / f"{name}.{side}").stat().st_size // row_type.itemsize
                for side in SIDES
            }
            for name in names
        }
        manifest = Manifest(
            settings=self.settings,
            tokens=self.tokens,
            vocabulary_digest=digest_vocabulary(self.vocabulary.token_ids),
            labels=self.labels.labels if self.labels else (),
            id_type=row_type["token_ids"].base.str,
            sources=self.count.sources,
            num_rows=num_rows,
        )
        manifest.save(directory)
        return PreparedCorpus(directory, manifest)

    def _find_missing(
        self, parts: Path, rank: int, num_ranks: int, progress: "tqdm[None]"
    ) -> Iterator[tuple[list[CorpusLine], Path]]:
        number = 0
        for place, source in enumerate(self.sources):
            blocks = cut_blocks(source.read_lines(), self.block_characters)
            for block, lines in enumerate(blocks):
                path = parts / f"{place:03d}-{block:05d}"
                # The last side that is written tells whether both are there.
                is_there = path.with_suffix(f".{SIDES[-1]}").exists()
                if number % num_ranks == rank and not is_there:
                    yield lines, path
                number += 1
                progress.update(sum(len(line.text) for line in lines))


def plan_preparation(
    settings: CorpusSettings,
    vocabulary: CharacterVocabulary | None,
    window_tokens: int,
    segmenter: str,
) -> Preparation:
    """Read all sources once and settle what the rows will hold.

    Args:
        settings: The command line's.
        vocabulary: An encoder's; None counts a new one on the corpus.
        window_tokens: Length of a row.
        segmenter: Name and version of what finds words.

    Raises:
        ValueError: A source is damaged or empty, or there are too many silver labels.
        OSError: A source cannot be read.
    """
    sources = find_sources(settings)
    count = count_corpus(sources)
    labels = LabelSet(count.silver_labels) if count.silver_labels else None
    if labels is not None and len(labels.labels) > _MAX_LABELS:
        raise ValueError(f"expected at most {_MAX_LABELS} silver labels, got {len(labels.labels)}")
    tokens = None
    if vocabulary is None:
        tokens = tuple(rank_characters(count.characters, min_count=settings.min_count))
        token_ids = {token: token_id for token_id, token in enumerate(tokens)}
        vocabulary = CharacterVocabulary.from_token_ids(token_ids)
    return Preparation(
        sources=sources,
        count=count,
        settings=PreparationSettings(
            window_tokens=window_tokens,
            is_packed=settings.is_packed,
            held_out_fraction=settings.held_out_fraction,
            min_count=settings.min_count if tokens else None,
            segmenter=segmenter,
        ),
        tokens=tokens,
        vocabulary=vocabulary,
        labels=labels,
    )


def cut_blocks(lines: Iterable[CorpusLine], num_characters: int) -> Iterator[list[CorpusLine]]:
    """Lines in lists of at least so many characters, the last one excepted."""
    block: list[CorpusLine] = []
    size = 0
    for line in lines:
        block.append(line)
        size += len(line.text)
        if size >= num_characters:
            yield block
            block, size = [], 0
    if block:
        yield block


def write_part(encoder: LineEncoder, lines: Sequence[CorpusLine], path: Path) -> None:
    """Write the rows of a block, each side whole or not at all.

    Raises:
        OSError: They cannot be written; nothing is left behind.
    """
    rows = encoder.encode(lines)
    for side, content in zip(SIDES, (rows.train, rows.held_out), strict=True):
        _write_rows(content, path.with_suffix(f".{side}"))


def _write_rows(rows: NDArray[np.void], path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(rows.tobytes())
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


class _Worker:
    """What a process of the pool keeps between two blocks."""

    encoder: ClassVar[LineEncoder]

    @classmethod
    def start(cls, encoder: LineEncoder) -> None:
        cls.encoder = encoder

    @classmethod
    def write(cls, lines: list[CorpusLine], path: Path) -> None:
        write_part(cls.encoder, lines, path)


def _spread(
    encoder: LineEncoder, jobs: Iterable[tuple[list[CorpusLine], Path]], num_workers: int
) -> None:
    """Write parts in some processes, never with more than two blocks waiting for each."""
    # Not forked: the locks of torch's threads would be copied as they stand.
    context = multiprocessing.get_context("spawn")
    waiting: deque[Future[None]] = deque()
    with ProcessPoolExecutor(
        num_workers, mp_context=context, initializer=_Worker.start, initargs=(encoder,)
    ) as pool:
        for lines, path in jobs:
            waiting.append(pool.submit(_Worker.write, lines, path))
            if len(waiting) >= 2 * num_workers:
                waiting.popleft().result()
        for future in waiting:
            future.result()
