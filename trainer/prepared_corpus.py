"""A corpus as rows of numbers on disk: `PREPARED/manifest.json` and the parts that it lists.

    PREPARED/manifest.json            written last: without it nothing is complete
    PREPARED/parts-KEY/000-00012.train      rows of a block of lines of a source
    PREPARED/parts-KEY/000-00012.held-out

The key stands for the text and for every setting that decides what is in a part, so that parts of
an interrupted preparation are taken up only where they are the right ones. The parts are mapped
into memory, not read: a corpus may be larger than memory.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trainer.corpus import SourceCount, digest_file, find_sources
from trainer.line_encoder import row_type
from trainer.pretrain_config import DEFAULT_CORPUS, CorpusSettings

MANIFEST_FILE = "manifest.json"
# 2: sentences decide what is held out, no longer lines.
_VERSION = 2

Side = Literal["train", "held-out"]
SIDES: tuple[Side, ...] = ("train", "held-out")


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparationSettings:
    """What decides what is in the rows, besides the text.

    Attributes:
        window_tokens: Length of a row.
        is_packed: Whether several lines share one.
        held_out_fraction: Of the sentences.
        min_count: Of the characters of a vocabulary that was counted on the corpus; None for an
            encoder's own.
        segmenter: Name and version.
    """

    window_tokens: int
    is_packed: bool
    held_out_fraction: float
    min_count: int | None
    segmenter: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a prepared corpus holds.

    Attributes:
        settings: With which it was made.
        tokens: The vocabulary by id, where it was counted on the corpus; None for an encoder's own.
        vocabulary_digest: Of the vocabulary, whosever it is.
        labels: Silver labels in the order of their tags; () without.
        id_type: Numpy's name of the type of the token ids.
        sources: What was read.
        num_rows: For each part, without the name of the side, its rows of each side.
    """

    settings: PreparationSettings
    tokens: tuple[str, ...] | None
    vocabulary_digest: str
    labels: tuple[str, ...]
    id_type: str
    sources: tuple[SourceCount, ...]
    num_rows: Mapping[str, Mapping[Side, int]]

    @property
    def key(self) -> str:
        """Stands for all of it but the parts, which follow from the rest."""
        return make_key(self.settings, self.vocabulary_digest, self.sources)

    def save(self, directory: Path) -> None:
        """Write the manifest, whole or not at all."""
        # A name of its own for each process: they all write the same.
        temporary = directory / f".{MANIFEST_FILE}.{os.getpid()}"
        content = {"version": _VERSION, **asdict(self)}
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False, indent=1)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(directory / MANIFEST_FILE)

    @classmethod
    def load(cls, directory: Path) -> "Manifest | None":
        """Read it back; None where there is none.

        Raises:
            ValueError: It is damaged, or of another version of the program.
        """
        path = directory / MANIFEST_FILE
        if not path.exists():
            return None
        try:
            content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if content.pop("version") != _VERSION:
                raise ValueError("another version")
            sources = [
                {**source, "file_stamp": source["file_stamp"] and tuple(source["file_stamp"])}
                for source in content.pop("sources")
            ]
            tokens = content.pop("tokens")
            return cls(
                settings=PreparationSettings(**content.pop("settings")),
                tokens=None if tokens is None else tuple(tokens),
                labels=tuple(content.pop("labels")),
                sources=tuple(SourceCount(**source) for source in sources),
                **content,
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"expected what version {_VERSION} of a prepared corpus holds, got {path}: {error};"
                f" delete {directory} to prepare it anew"
            ) from error

    def find_changes(self, corpus: CorpusSettings, window_tokens: int) -> list[str]:
        """What is not as it was when the corpus was prepared, in words.

        A file whose size and time are the same is taken to be the same, one that is gone is not
        missed, and a database is a moving target: what it held then counts. Without any source,
        what is prepared is taken as it is.

        Args:
            corpus: The settings now.
            window_tokens: Length of a row now.
        """
        changes = []
        if window_tokens != self.settings.window_tokens:
            changes.append(
                f"window_tokens {self.settings.window_tokens} before, {window_tokens} now"
            )
        sources = find_sources(corpus)
        for name in ("is_packed", "held_out_fraction", "min_count"):
            before, now = getattr(self.settings, name), getattr(corpus, name)
            # Beside no source, a default was not asked for.
            is_asked = bool(sources) or now != getattr(DEFAULT_CORPUS, name)
            if is_asked and before not in (None, now):
                changes.append(f"{name} {before} before, {now} now")
        if not sources:
            return changes
        if len(sources) != len(self.sources):
            return [*changes, f"{len(self.sources)} sources before, {len(sources)} now"]
        for source, count in zip(sources, self.sources, strict=True):
            stamp = source.file_stamp
            if (source.name, source.kind) != (count.name, count.kind):
                changes.append(f"{count.name} before, {source.name} now")
            elif stamp not in (None, count.file_stamp) and (
                digest_file(Path(source.location)) != count.sha256
            ):
                changes.append(f"{source.name} has other text")
        return changes


def make_key(
    settings: PreparationSettings, vocabulary_digest: str, sources: Sequence[SourceCount]
) -> str:
    """A name for all that decides what is in the parts, 12 hexadecimal digits."""
    checksums = [(source.kind, source.sha256) for source in sources]
    content = json.dumps([_VERSION, asdict(settings), vocabulary_digest, checksums])
    return hashlib.sha256(content.encode()).hexdigest()[:12]


def digest_vocabulary(token_ids: Mapping[str, int]) -> str:
    """SHA-256 of a vocabulary, in hexadecimal."""
    content = json.dumps(sorted(token_ids.items(), key=lambda item: (item[1], item[0])))
    return hashlib.sha256(content.encode()).hexdigest()


def find_parts(directory: Path, key: str) -> Path:
    """Where the parts of a key are."""
    return directory / f"parts-{key}"


class MappedRows:
    """The rows of all parts of one side, one after the other.

    Args:
        paths: Of the parts.
        counts: Rows of each.
        dtype: Of a row; see `trainer.line_encoder.row_type`.

    Raises:
        ValueError: A part is missing or has another size.
    """

    def __init__(self, paths: Sequence[Path], counts: Sequence[int], dtype: np.dtype[Any]) -> None:
        self.dtype = dtype
        self._parts: list[NDArray[np.void]] = []
        filled = [(path, count) for path, count in zip(paths, counts, strict=True) if count]
        for path, count in filled:
            expected, size = count * dtype.itemsize, path.stat().st_size if path.exists() else 0
            if size != expected:
                raise ValueError(
                    f"expected {expected:,} bytes of a prepared corpus, got {size:,} (in {path});"
                    f" delete {path.parent.parent} to prepare it again"
                )
            self._parts.append(np.memmap(path, dtype=dtype, mode="r", shape=(count,)))
        self._ends = np.cumsum([count for _, count in filled])

    def __len__(self) -> int:
        return int(self._ends[-1]) if self._parts else 0

    def read(self, numbers: NDArray[np.int64]) -> NDArray[np.void]:
        """Copies of some rows, by number. Shape: (B,) -> (B,)."""
        rows = np.empty(len(numbers), dtype=self.dtype)
        parts = np.searchsorted(self._ends, numbers, side="right")
        for part in np.unique(parts):
            is_here = parts == part
            start = self._ends[part] - len(self._parts[part])
            rows[is_here] = self._parts[part][numbers[is_here] - start]
        return rows


@dataclass(frozen=True)
class PreparedCorpus:
    """A complete prepared corpus.

    Attributes:
        directory: Where it is.
        manifest: What it holds.
    """

    directory: Path
    manifest: Manifest

    @cached_property
    def train(self) -> MappedRows:
        """Rows to learn from."""
        return self._map("train")

    @cached_property
    def held_out(self) -> MappedRows:
        """Rows to measure on."""
        return self._map("held-out")

    def _map(self, side: Side) -> MappedRows:
        manifest = self.manifest
        parts = find_parts(self.directory, manifest.key)
        dtype = row_type(
            manifest.settings.window_tokens, manifest.id_type, has_tags=bool(manifest.labels)
        )
        return MappedRows(
            [parts / f"{name}.{side}" for name in manifest.num_rows],
            [counts[side] for counts in manifest.num_rows.values()],
            dtype,
        )
