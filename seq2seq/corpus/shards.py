"""Token shards: memory-mapped arrays of pieces, and `meta.json`, which says what they hold.

A shard is two .npy files: `tokens`, all pieces pair after pair, and `offsets`, where each side of
each pair begins. They are written as a stream, so that their size never shows in memory.

Axes: p pair   w place in a pair's side
"""

import dataclasses
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seq2seq.errors import UserError
from seq2seq.files import write_atomically
from seq2seq.layout import SIDES, PreparedFolder

FORMAT_VERSION = 1
_BUFFERED_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Shard:
    """Pairs of piece ids, without end of sentence, read from the disk when they are used."""

    tokens: NDArray[np.integer]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) // 2

    def lengths(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Pieces of every source and of every target."""
        offsets = self.offsets
        if isinstance(offsets, np.memmap) and offsets.filename:
            # Read, not mapped: what is mapped stays resident once it was looked at, and a plan
            # looks at every offset of a corpus.
            offsets = np.fromfile(
                offsets.filename, offsets.dtype, len(offsets), offset=offsets.offset
            )
        lengths = np.diff(offsets).astype(np.int32)
        return lengths[0::2], lengths[1::2]

    def pair(self, at: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
        """The source and the target of one pair."""
        start, middle, end = self.offsets[2 * at : 2 * at + 3]
        return self.tokens[start:middle], self.tokens[middle:end]

    def side(
        self, which: int, pairs: NDArray[np.integer], width: int
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Sources (0) or targets (1) of some pairs, zeros behind them, and their lengths."""
        tokens, offsets = np.asarray(self.tokens), np.asarray(self.offsets)
        start_p = offsets[2 * pairs + which]
        length_p = offsets[2 * pairs + which + 1] - start_p
        place_w = np.arange(width)
        real_pw = place_w < length_p[:, None]
        result_pw = np.zeros(real_pw.shape, np.int32)
        result_pw[real_pw] = tokens[(start_p[:, None] + place_w)[real_pw]]
        return result_pw, length_p


@dataclass(frozen=True, kw_only=True, slots=True)
class SplitCount:
    """What one split holds."""

    shards: int = 0
    pairs: int = 0
    source_tokens: int = 0
    target_tokens: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Meta:
    """The contents of `meta.json`: what a prepared folder holds and how it came to be."""

    fingerprint: str  # of the data itself: equal for equal tokens, wherever they lie
    request: str  # of inputs and settings: equal means that preparing again changes nothing
    source_language: str
    target_language: str
    train: SplitCount
    valid: SplitCount
    read: dict[str, int]  # pairs read of each split
    dropped: dict[str, int]  # pairs of train left out, by reason
    tokenizers: dict[str, dict[str, Any]]  # of each side: sha256, pieces
    inputs: list[dict[str, Any]]  # split, paths, checksums, lines and weight of each corpus
    findings: list[str]  # of the doctor, where it only warned
    settings: dict[str, Any] = field(default_factory=dict)
    format: int = FORMAT_VERSION


def write_meta(folder: PreparedFolder, meta: Meta) -> None:
    """Writes `meta.json`, the last file of a prepared folder."""
    content = json.dumps(dataclasses.asdict(meta), indent=2, ensure_ascii=False)
    write_atomically(folder.meta, content + "\n")


def read_meta(folder: PreparedFolder) -> Meta:
    """What is in a prepared folder; refuses other format versions and things that are none."""
    where = repr(str(folder.path))
    if not folder.path.is_dir():
        raise UserError(f"prepared folder {where} does not exist; python -m seq2seq.prepare it")
    try:
        tree = json.loads(folder.meta.read_text(encoding="utf-8"))
        version = tree["format"]
    except FileNotFoundError:
        raise UserError(f"{where} is no prepared folder: it has no {folder.meta.name}") from None
    except (ValueError, KeyError, TypeError):
        raise UserError(f"{folder.meta.name} in {where} is damaged; prepare it again") from None
    if version != FORMAT_VERSION:
        raise UserError(
            f"prepared folder {where} has format version {version!r}, this program reads "
            f"{FORMAT_VERSION}; prepare it again"
        )
    try:
        train, valid = (SplitCount(**tree.pop(split)) for split in ("train", "valid"))
        return Meta(**tree, train=train, valid=valid)
    except (KeyError, TypeError):
        raise UserError(f"{folder.meta.name} in {where} is damaged; prepare it again") from None


def open_split(folder: PreparedFolder, split: str) -> list[Shard]:
    """Maps all shards of a split; nothing is read yet."""
    count: SplitCount = getattr(read_meta(folder), split)
    shards = [
        Shard(_mapped(folder.tokens(split, shard)), _mapped(folder.offsets(split, shard)))
        for shard in range(count.shards)
    ]
    for number, shard in enumerate(shards):
        if len(shard.offsets) % 2 == 0 or shard.offsets[-1] != len(shard.tokens):
            raise UserError(
                f"{folder.offsets(split, number).name} in {str(folder.path)!r} does not fit its "
                "tokens; prepare the data again"
            )
    return shards


def _mapped(path: Path) -> NDArray[Any]:
    try:
        return np.load(path, mmap_mode="r")
    except FileNotFoundError:
        raise UserError(f"{str(path)!r} is missing; prepare the data again") from None
    except (ValueError, EOFError):
        raise UserError(f"{str(path)!r} is damaged; prepare the data again") from None


def is_complete(folder: PreparedFolder, meta: Meta) -> bool:
    """Whether all the files that `meta` speaks of are there, and whole."""
    try:
        found = sum(
            len(shard) for split in ("train", "valid") for shard in open_split(folder, split)
        )
    except UserError:
        return False
    files = [folder.tokenizer(side) for side in SIDES]
    files += [folder.text("valid", side) for side in SIDES]
    return found == meta.train.pairs + meta.valid.pairs and all(map(Path.is_file, files))


class SplitWriter:
    """Appends pairs to a split, beginning a new shard whenever one is full.

    `with SplitWriter(folder, "train", shard_pairs=1_000_000, dtype=np.uint16) as writer:`
    """

    def __init__(self, folder: PreparedFolder, split: str, *, shard_pairs: int, dtype: np.dtype):
        self._folder = folder
        self._split = split
        self._shard_pairs = shard_pairs
        self._dtype = dtype
        self._open: tuple[_ArrayWriter, _ArrayWriter] | None = None
        self._pairs_in_shard = 0
        self._tokens_in_shard = 0
        self.count = SplitCount()

    def __enter__(self) -> "SplitWriter":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def append(self, tokens: NDArray[np.integer], lengths: NDArray[np.int64]) -> None:
        """Adds pairs: `lengths` holds source, target, source … and sums up to `len(tokens)`."""
        while len(lengths):
            room = 2 * (self._shard_pairs - self._pairs_in_shard)
            now, lengths = lengths[:room], lengths[room:]
            here, tokens = np.split(tokens, [int(now.sum())])
            self._append_to_shard(here, now)
            if self._pairs_in_shard == self._shard_pairs:
                self._close()

    def _append_to_shard(self, tokens: NDArray[np.integer], lengths: NDArray[np.int64]) -> None:
        if self._open is None:
            number = self.count.shards
            self._open = (
                _ArrayWriter(self._folder.tokens(self._split, number), self._dtype),
                _ArrayWriter(self._folder.offsets(self._split, number), np.dtype(np.int64)),
            )
            self._open[1].append(np.zeros(1, np.int64))
            self.count = dataclasses.replace(self.count, shards=number + 1)
        self._open[0].append(tokens)
        self._open[1].append(self._tokens_in_shard + np.cumsum(lengths))
        self._tokens_in_shard += len(tokens)
        self._pairs_in_shard += len(lengths) // 2
        self.count = dataclasses.replace(
            self.count,
            pairs=self.count.pairs + len(lengths) // 2,
            source_tokens=self.count.source_tokens + int(lengths[0::2].sum()),
            target_tokens=self.count.target_tokens + int(lengths[1::2].sum()),
        )

    def _close(self) -> None:
        for writer in self._open or ():
            writer.close()
        self._open = None
        self._pairs_in_shard = self._tokens_in_shard = 0


class _ArrayWriter:
    """A one-dimensional .npy file whose length is only known at the end."""

    def __init__(self, path: Path, dtype: np.dtype):
        self._file = path.open("wb", buffering=_BUFFERED_BYTES)
        self._dtype = dtype
        self._length = 0
        self._write_header()
        self._data_begins = self._file.tell()

    def append(self, values: NDArray[Any]) -> None:
        self._file.write(values.astype(self._dtype, copy=False).tobytes())
        self._length += len(values)

    def close(self) -> None:
        self._file.seek(0)
        self._write_header()
        # NumPy leaves room in the header for an axis to grow; the data must not have moved.
        if self._file.tell() != self._data_begins:
            raise RuntimeError("NumPy's header changed its size")
        self._file.close()

    def _write_header(self) -> None:
        np.lib.format.write_array_header_1_0(
            self._file,
            {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self._length,),
            },
        )
