"""A corpus in chunks of a few thousand pairs: what one worker process gets at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seq2seq.corpus.text import columns, decode, line_blocks, normalised_lines

CHUNK_PAIRS = 4_096
_CHUNK_BYTES = 16 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """Neighbouring lines, still as bytes: decoding and checking them is the worker's part."""

    paths: tuple[Path, ...]
    first: int  # number of its first line, from 1
    blocks: tuple[bytes, ...]  # of each path: its lines joined by newlines
    counts: tuple[int, ...]  # lines in each block; they differ only where one file has ended


def read_chunks(paths: tuple[Path, ...], size: int = CHUNK_PAIRS) -> Iterator[Chunk]:
    """The whole corpus, in order, reading all its files in step."""
    files = [_Cutter(path) for path in paths]
    first = 1
    while True:
        blocks, counts = zip(*(file.cut(size) for file in files), strict=True)
        if not any(counts):
            return
        # Absurdly long lines must not fill the memory: go on with fewer of them at a time.
        if sum(map(len, blocks)) > _CHUNK_BYTES:
            size = max(size // 4, 1)
        yield Chunk(paths, first, blocks, counts)
        first += max(counts)


class _Cutter:
    """Cuts a file into so and so many lines, without making an object of each."""

    def __init__(self, path: Path):
        self._blocks = line_blocks(path)
        self._block = b""
        self._start = 0
        self._ends = np.zeros(0, np.int64)

    def cut(self, size: int) -> tuple[bytes, int]:
        """The next lines, joined by line feeds, and how many these are."""
        parts, missing = [], size
        while missing and self._has_more():
            ends, self._ends = self._ends[:missing], self._ends[missing:]
            parts.append(self._block[self._start : ends[-1]])
            self._start = int(ends[-1]) + 1
            missing -= len(ends)
        return b"\n".join(parts), size - missing

    def _has_more(self) -> bool:
        if not len(self._ends):
            block = next(self._blocks, None)
            if block is None:
                return False
            feeds = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
            self._block, self._start, self._ends = block, 0, np.append(feeds, len(block))
        return True


@dataclass(frozen=True, slots=True)
class Side:
    """The source or the target of a chunk: lines joined by line feeds, in valid UTF-8."""

    block: bytes
    count: int

    def lines(self) -> list[bytes]:
        """The lines, normalised."""
        return normalised_lines(self.block) if self.count else []


def sides(chunk: Chunk) -> tuple[Side, Side]:
    """Source and target; refuses what is not UTF-8, or has no tab where there must be one."""
    texts = [
        decode(block, path, chunk.first)
        for block, path in zip(chunk.blocks, chunk.paths, strict=True)
    ]
    if len(texts) == 2:
        source, target = map(Side, chunk.blocks, chunk.counts)
        return source, target
    pairs = (
        columns(line, chunk.paths[0], number)
        for number, line in enumerate(texts[0].split("\n"), start=chunk.first)
    )
    source, target = (
        Side("\n".join(column).encode(), chunk.counts[0]) for column in zip(*pairs, strict=True)
    )
    return source, target
