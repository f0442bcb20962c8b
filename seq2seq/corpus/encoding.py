"""From chunks of text to pieces, leaving out pairs that are of no use, and counting them."""

import hashlib
import operator
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress, repeat
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.config import DataConfig
from seq2seq.corpus.chunks import Chunk, sides
from seq2seq.corpus.tokenizer import Tokenizer

REASONS = ("empty", "identical", "too_short", "too_long", "length_ratio", "duplicate")
_RATIO_OFFSET = 10  # a short sentence may well be twice as long as its translation


class Share(NamedTuple):
    """A chunk of which a fraction, drawn by line number and `key`, takes part."""

    chunk: Chunk
    fraction: float
    key: int
    copy: int = 0  # duplicates are looked for among equal copies of the corpora


class Encoded(NamedTuple):
    """Kept pairs: pieces, and the lengths of source, target, source … in them."""

    tokens: NDArray[np.integer]
    lengths: NDArray[np.int64]
    read: int
    dropped: dict[str, int]
    hashes: NDArray[np.uint64] | None


def drawn(share: Share, size: int) -> NDArray[np.bool_]:
    """Which lines of a chunk a fraction takes in: the same ones on every machine."""
    if share.fraction >= 1:
        return np.ones(size, bool)
    # SplitMix64 of the line number: uniform, and stateless, so chunks need no order.
    x = np.arange(share.chunk.first, share.chunk.first + size, dtype=np.uint64)
    x += np.array([share.key], np.uint64) << np.uint64(40)
    x *= np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x < np.uint64(share.fraction * 2**64)


@dataclass(frozen=True)
class Encoding:
    """What a worker does with a share of the training text."""

    source: Tokenizer
    target: Tokenizer
    data: DataConfig

    def __call__(self, share: Share) -> Encoded:
        """Draws, encodes and filters the lines of a chunk."""
        source, target = (side.lines() for side in sides(share.chunk))
        if share.fraction < 1:
            drawn_lines = drawn(share, len(source)).tolist()
            source, target = (list(compress(side, drawn_lines)) for side in (source, target))
        a, a_lengths = self.source.encode_lines(source)
        b, b_lengths = self.target.encode_lines(target)
        lengths = np.stack([a_lengths, b_lengths], axis=1)
        keep = np.ones(len(source), bool)
        dropped = {}
        for reason, marks in self._useless(source, target, lengths):
            # A pair counts under the first reason that applies.
            dropped[reason] = int((marks & keep).sum())
            keep &= ~marks
        starts = np.stack([_starts(a_lengths), _starts(b_lengths) + len(a)], axis=1)
        starts, lengths = starts[keep].ravel(), lengths[keep].ravel()
        tokens = _gathered(np.concatenate([a, b]), starts, lengths)
        hashes = None
        if self.data.drop_duplicates:
            kept = compress(zip(source, target, strict=True), keep.tolist())
            hashes = _hashes(kept, share.copy)
        return Encoded(tokens, lengths, len(source), dropped, hashes)

    def _useless(
        self, source: list[bytes], target: list[bytes], lengths: NDArray[np.int64]
    ) -> Iterator[tuple[str, NDArray[np.bool_]]]:
        low, high = lengths.min(axis=1), lengths.max(axis=1)
        yield "empty", low == 0
        identical = map(operator.eq, source, target) if self.data.drop_identical else repeat(False)
        yield "identical", np.fromiter(identical, bool, len(source))
        yield "too_short", low < self.data.min_length
        yield "too_long", high > self.data.max_length
        ratio = (high + _RATIO_OFFSET) / (low + _RATIO_OFFSET)
        yield "length_ratio", ratio > self.data.max_length_ratio


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.cumsum(lengths) - lengths


def _gathered(
    tokens: NDArray[np.integer], starts: NDArray[np.int64], lengths: NDArray[np.int64]
) -> NDArray[np.integer]:
    """The stretches of `tokens` that begin at `starts`, on end."""
    moved_by = np.repeat(starts - _starts(lengths), lengths)
    return tokens[moved_by + np.arange(len(moved_by))]


def _hashes(pairs: Iterable[tuple[bytes, bytes]], copy: int) -> NDArray[np.uint64]:
    person = copy.to_bytes(8, "little")
    digests = [
        hashlib.blake2b(b"%b\n%b" % pair, digest_size=8, person=person).digest() for pair in pairs
    ]
    return np.frombuffer(b"".join(digests), np.uint64)


def select(encoded: Encoded, keep: NDArray[np.bool_], reason: str) -> Encoded:
    """Leaves out more pairs, after the fact."""
    both = np.repeat(keep, 2)
    dropped = encoded.dropped | {reason: int((~keep).sum())}
    tokens = encoded.tokens[np.repeat(both, encoded.lengths)]
    return encoded._replace(tokens=tokens, lengths=encoded.lengths[both], dropped=dropped)
