"""A corpus in chunks of a few thousand pairs: what one worker process gets at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from seq2seq.corpus.text import columns, decode, normalise, normalised_lines, raw_lines

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
    streams = [raw_lines(path) for path in paths]
    first = 1
    while any(taken := [_take(stream, size) for stream in streams]):
        blocks = tuple(b"\n".join(lines) for lines in taken)
        # Absurdly long lines must not fill the memory: go on with fewer of them at a time.
        if sum(map(len, blocks)) > _CHUNK_BYTES:
            size = max(size // 4, 1)
        yield Chunk(paths, first, blocks, tuple(map(len, taken)))
        first += max(map(len, taken))


def _take(stream: Iterator[bytes], size: int) -> list[bytes]:
    return list(islice(stream, size))


def sides(chunk: Chunk) -> tuple[list[str], list[str]]:
    """The source and the target lines of a chunk, decoded strictly, normalised."""
    texts = [
        decode(block, path, chunk.first)
        for block, path in zip(chunk.blocks, chunk.paths, strict=True)
    ]
    if len(texts) == 2:
        source, target = (
            normalised_lines(block, text) if count else []
            for block, text, count in zip(chunk.blocks, texts, chunk.counts, strict=True)
        )
        return source, target
    pairs = [
        columns(line, chunk.paths[0], number)
        for number, line in enumerate(texts[0].split("\n"), start=chunk.first)
    ]
    return [normalise(source) for source, _ in pairs], [normalise(target) for _, target in pairs]
