"""What is to be imported: a file, a folder or a zip archive, read a part at a time.

Nothing here holds more than a line or a part of a file, so that a file may be larger than memory.
"""

import codecs
import errno
import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self, cast

from ner_core.formats import DataFormatError, find_encoding

_BYTES_AT_A_TIME = 1 << 18
_BEGINNING_BYTES = 4096
_MAX_FILES = 1000
# Of a whole archive, unpacked: a few kilobytes can claim to be terabytes.
_MAX_UNPACKED_BYTES = 2_000_000_000
_MAX_CARD_BYTES = 1_000_000
_BYTE_ORDER_MARK = "\ufeff"
_DATA_SUFFIXES = (".jsonl", ".json", ".ndjson")
# Descriptions that `datasets` and others put beside the data.
_NO_DATA = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")
_SPLITS = ("train", "validation", "valid", "dev", "test")
_ZIP_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")  # the second of an empty one
# How files begin that people take for text, and what they are.
_BINARY_SIGNATURES = {
    **dict.fromkeys(_ZIP_SIGNATURES, "a zip archive"),
    b"\x1f\x8b": "a gzip file",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"%PDF-": "a PDF",
    b"PAR1\x15": "a Parquet file",
    b"SQLite format 3\x00": "an SQLite database",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old Excel or Word file",
}
# Of zip archives that are something else: a file in them, and what they are.
_DOCUMENTS = {"xl/workbook.xml": "an Excel table", "word/document.xml": "a Word document"}
# What `zipfile` raises where bytes of an archive are wrong; some of it only when a file is read.
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)


@dataclass(slots=True)
class ReadingNotes:
    """What a reader counts besides documents and errors.

    Attributes:
        num_bytes: Bytes read so far, of all files.
        num_repaired_tags: I- tags that continued nothing and were read as B- (CoNLL only).
        num_moved_spans: Spans whose offsets were in another unit or convention than the format's,
            which their mention proved (Label Studio only).
        num_disagreements: Texts that several people labelled differently (Label Studio only).
    """

    num_bytes: int = 0
    num_repaired_tags: int = 0
    num_moved_spans: int = 0
    num_disagreements: int = 0


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of text.

    Attributes:
        name: What messages call it.
        size: In bytes.
        open_bytes: Opens it anew, from its beginning.
    """

    name: str
    size: int
    open_bytes: Callable[[], BinaryIO]

    def parts(self, notes: ReadingNotes) -> Iterator[str]:
        """The text in parts of any length, without a byte order mark; line ends as they stand.

        Raises:
            DataFormatError: The file is neither UTF-8, nor UTF-16 with its mark, nor GB18030.
            OSError: It cannot be read.
        """
        with self.open_bytes() as file:
            kind = _find_binary_kind(file.read(_BEGINNING_BYTES))
        if kind:
            raise DataFormatError(self.name, None, f"expected text, got {kind}")
        with self.open_bytes() as file:
            encoding = find_encoding(file, self.name)
        decode = codecs.getincrementaldecoder(encoding)().decode
        num_bytes = num_lines = 0
        is_first = True
        with self.open_bytes() as file:
            while True:
                data = file.read(_BYTES_AT_A_TIME)
                try:
                    text = decode(data, final=not data)
                except UnicodeDecodeError as error:
                    # What the decoder saw begins with the bytes it had kept of the part before.
                    offset = num_bytes - (len(error.object) - len(data)) + error.start
                    byte = error.object[error.start]
                    is_utf16 = encoding == "utf-16"  # where a byte 0x0A is not always a line end
                    names = "UTF-16" if is_utf16 else "UTF-8 or GB18030"
                    reason = f"expected {names}, got byte 0x{byte:02X} at offset {offset}"
                    num_lines += error.object.count(b"\n", 0, error.start)
                    line = None if is_utf16 else num_lines + 1
                    raise DataFormatError(self.name, line, reason) from None
                if is_first and text and encoding == "gb18030":
                    text = text.removeprefix(_BYTE_ORDER_MARK)
                is_first = is_first and not text
                num_bytes += len(data)
                notes.num_bytes += len(data)
                num_lines += text.count("\n")
                if text:
                    yield text
                if not data:
                    return

    def lines(self, notes: ReadingNotes) -> Iterator[str]:
        r"""The lines with their ends; only `\n` ends a line (see `ner_core.formats.split_lines`).

        Raises:
            DataFormatError: As for `parts`.
            OSError: The file cannot be read.
        """
        begun: list[str] = []  # the parts of a line that has not ended yet
        for part in self.parts(notes):
            *ended, rest = part.split("\n")
            for line in ended:
                begun.append(line)
                yield "".join(begun) + "\n"
                begun.clear()
            if rest:
                begun.append(rest)
        if begun:
            yield "".join(begun)

    def numbered_lines(self, notes: ReadingNotes) -> Iterator[tuple[int, str]]:
        """The lines that are not blank, without their ends, and their numbers from 1."""
        for number, line in enumerate(self.lines(notes), start=1):
            if not line.isspace():
                yield number, line.removesuffix("\n").removesuffix("\r")


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that one import reads.

    Attributes:
        name: What messages call it.
        files: In the order in which they are read.
        card: The README.md of a dataset folder, "" without one.
        is_archive: Whether it is a folder or a zip archive.
    """

    name: str
    files: tuple[SourceFile, ...]
    card: str = ""
    is_archive: bool = False

    @property
    def size(self) -> int:
        """Bytes of all files together."""
        return sum(file.size for file in self.files)


def source_of_bytes(data: bytes, name: str) -> Source:
    """A file that is in memory already."""
    return Source(name, (SourceFile(name, len(data), lambda: io.BytesIO(data)),))


def open_source(path: str | Path, name: str | None = None) -> Source:
    """What stands at a path: a file, a folder, or a zip archive, whatever its ending.

    Of a folder and of an archive the JSON files count, those of the split train first.

    Args:
        path: The file or folder.
        name: What messages call it; None for the path.

    Raises:
        DataFormatError: It is an archive that cannot be read, or holds no JSON file.
        OSError: It cannot be read.
    """
    path = Path(path)
    name = name or str(path)
    if path.is_dir():
        return _open_folder(path, name)
    # A pipe can be read only once, and an archive only from its end.
    if not path.is_file():
        data = path.read_bytes()
        if data.startswith(_ZIP_SIGNATURES):
            return _open_archive(lambda: io.BytesIO(data), name)
        return source_of_bytes(data, name)
    with path.open("rb") as file:
        is_archive = file.read(4) in _ZIP_SIGNATURES
    if is_archive:
        return _open_archive(lambda: path.open("rb"), name)
    return Source(name, (SourceFile(name, path.stat().st_size, lambda: path.open("rb")),))


def _open_folder(folder: Path, name: str) -> Source:
    paths = {
        PurePosixPath(path.relative_to(folder).as_posix()): path
        for path in folder.rglob("*")
        if path.is_file()
    }
    files = tuple(
        SourceFile(
            f"{name}/{_printable(str(inner))}", paths[inner].stat().st_size, _opener(paths[inner])
        )
        for inner in _data_files(list(paths), name)
    )
    card = paths.get(PurePosixPath("README.md"))
    text = card.read_bytes()[:_MAX_CARD_BYTES].decode("utf-8", "replace") if card else ""
    return Source(name, files, text, is_archive=True)


def _opener(path: Path) -> Callable[[], BinaryIO]:
    return lambda: path.open("rb")


def _open_archive(open_bytes: Callable[[], BinaryIO], name: str) -> Source:
    with _naming_damage(name), open_bytes() as file, zipfile.ZipFile(file) as archive:
        # A link or a folder is no file; what is locked cannot be read.
        infos = {
            PurePosixPath(info.filename): info
            for info in archive.infolist()
            if not info.is_dir() and not stat.S_ISLNK(info.external_attr >> 16)
        }
        for inner, kind in _DOCUMENTS.items():
            if PurePosixPath(inner) in infos:
                raise DataFormatError(name, None, f"expected text, got {kind}")
        chosen = [infos[inner] for inner in _data_files(list(infos), name)]
        if any(info.flag_bits & 1 for info in chosen):
            raise DataFormatError(name, None, "expected a zip without a password, got a locked one")
        num_bytes = sum(info.file_size for info in chosen)
        if num_bytes > _MAX_UNPACKED_BYTES:
            reason = f"expected at most {_MAX_UNPACKED_BYTES} bytes unpacked, got {num_bytes}"
            raise DataFormatError(name, None, reason)
        cards = sorted((inner for inner in infos if inner.name == "README.md"), key=_depth)
        card = b""
        if cards:
            with archive.open(infos[cards[0]]) as member:
                card = member.read(_MAX_CARD_BYTES)
    files = tuple(
        SourceFile(
            f"{name}/{_printable(info.filename)}",
            info.file_size,
            _member_opener(open_bytes, info, name),
        )
        for info in chosen
    )
    return Source(name, files, card.decode("utf-8", "replace"), is_archive=True)


@contextmanager
def _naming_damage(name: str) -> Iterator[None]:
    try:
        yield
    except DataFormatError:
        raise
    except (OSError, *_DAMAGE) as error:
        # A place that cannot be, from a damaged list of files, is an invalid argument to the disk.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise
        reason = f"expected a zip archive, got a damaged one ({error!s:.80})"
        raise DataFormatError(name, None, reason) from None


def _find_binary_kind(beginning: bytes) -> str | None:
    """What a file is that is no text, by its beginning."""
    for signature, kind in _BINARY_SIGNATURES.items():
        if beginning.startswith(signature):
            return kind
    # A stray one is the error of its line.
    num_nul = beginning.count(b"\x00")
    is_full_of_nul = num_nul >= 8 and num_nul * 20 > len(beginning)
    if is_full_of_nul and not beginning.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "many bytes of zero: perhaps UTF-16 without its mark"
    return None


class _Member:
    """A file in an archive that is open; its bytes may turn out to be damaged at any of them."""

    def __init__(self, file: BinaryIO, info: zipfile.ZipInfo, name: str) -> None:
        self._name = name
        self._file = file
        try:
            with _naming_damage(name):
                self._member = zipfile.ZipFile(file).open(info)  # noqa: SIM115 - closed below
        except BaseException:
            file.close()
            raise

    def read(self, size: int = -1, /) -> bytes:
        with _naming_damage(self._name):
            return self._member.read(size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._member.close()
        self._file.close()


def _member_opener(
    open_bytes: Callable[[], BinaryIO], info: zipfile.ZipInfo, name: str
) -> Callable[[], BinaryIO]:
    # Of a file it does what the readers here ask for.
    return lambda: cast(BinaryIO, _Member(open_bytes(), info, name))


def _printable(name: str) -> str:
    """A name of a file in a folder or an archive, for a message of one line."""
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in name)


def _depth(path: PurePosixPath) -> int:
    return len(path.parts)


def _data_files(paths: list[PurePosixPath], name: str) -> list[PurePosixPath]:
    def is_data(path: PurePosixPath) -> bool:
        is_hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
        return path.suffix.lower() in _DATA_SUFFIXES and not (
            is_hidden or path.name.lower() in _NO_DATA
        )

    def rank(path: PurePosixPath) -> tuple[int, str]:
        split = path.stem.lower().split("-")[0]
        return (_SPLITS.index(split) if split in _SPLITS else len(_SPLITS), str(path))

    found = sorted(filter(is_data, paths), key=rank)
    if not found:
        others = sorted({_printable(path.suffix) for path in paths if path.suffix})[:5]
        reason = f"expected files that end in {', '.join(_DATA_SUFFIXES)}, got none of them"
        if ".parquet" in others or ".arrow" in others:
            reason += "; write the data as JSON lines first (`dataset.to_json(path)`)"
        elif others:
            reason += f" but {', '.join(others)}"
        raise DataFormatError(name, None, reason)
    if len(found) > _MAX_FILES:
        raise DataFormatError(
            name, None, f"expected at most {_MAX_FILES} files of data, got {len(found)}"
        )
    return found
