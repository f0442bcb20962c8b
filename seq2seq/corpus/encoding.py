"""From chunks of text to pieces, leaving out pairs that are of no use, and counting them."""

import hashlib
import operator
from dataclasses import dataclass
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
        source, target = sides(share.chunk)
        if share.fraction < 1:
            keep = drawn(share, len(source)).tolist()
            source = [line for line, kept in zip(source, keep, strict=True) if kept]
            target = [line for line, kept in zip(target, keep, strict=True) if kept]
        a, a_lengths = self.source.encode_lines(source)
        b, b_lengths = self.target.encode_lines(target)
        useless = self._useless(source, target, (a_lengths, b_lengths))
        keep = ~np.any(list(useless.values()), axis=0) if len(source) else np.zeros(0, bool)
        dropped, before = {}, np.zeros(len(source), bool)
        for reason, marks in useless.items():  # a pair counts under the first that applies
            dropped[reason] = int((marks & ~before).sum())
            before |= marks
        tokens, lengths = _interleave((a, a_lengths), (b, b_lengths), keep)
        hashes = _hashes(tokens, lengths, share.copy) if self.data.drop_duplicates else None
        return Encoded(tokens, lengths, len(source), dropped, hashes)

    def _useless(
        self,
        source: list[str],
        target: list[str],
        lengths: tuple[NDArray[np.int64], NDArray[np.int64]],
    ) -> dict[str, NDArray[np.bool_]]:
        a, b = lengths
        low, high = np.minimum(a, b), np.maximum(a, b)
        identical = np.zeros(len(source), bool)
        if self.data.drop_identical:
            identical = np.fromiter(map(operator.eq, source, target), bool, len(source))
        ratio = (high + _RATIO_OFFSET) / (low + _RATIO_OFFSET)
        return {
            "empty": low == 0,
            "identical": identical,
            "too_short": low < self.data.min_length,
            "too_long": high > self.data.max_length,
            "length_ratio": ratio > self.data.max_length_ratio,
        }


def _interleave(
    source: tuple[NDArray[np.integer], NDArray[np.int64]],
    target: tuple[NDArray[np.integer], NDArray[np.int64]],
    keep: NDArray[np.bool_],
) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    """Kept pairs side by side."""
    (a, a_lengths), (b, b_lengths) = source, target
    lengths = np.stack([a_lengths[keep], b_lengths[keep]], axis=1).reshape(-1)
    a, b = a[np.repeat(keep, a_lengths)], b[np.repeat(keep, b_lengths)]
    is_source = np.repeat(np.arange(len(lengths)) % 2 == 0, lengths)
    tokens = np.empty(len(a) + len(b), np.promote_types(a.dtype, b.dtype))
    tokens[is_source] = a
    tokens[~is_source] = b
    return tokens, lengths


def _hashes(
    tokens: NDArray[np.integer], lengths: NDArray[np.int64], copy: int
) -> NDArray[np.uint64]:
    raw, width = tokens.tobytes(), tokens.dtype.itemsize
    ends = (np.cumsum(lengths) * width).tolist()
    digests = [
        hashlib.blake2b(
            raw[start:end],
            digest_size=8,
            salt=(middle - start).to_bytes(8, "little"),
            person=copy.to_bytes(8, "little"),
        ).digest()
        for start, middle, end in zip([0, *ends[1::2]], ends[0::2], ends[1::2], strict=False)
    ]
    return np.frombuffer(b"".join(digests), np.uint64)


def select(encoded: Encoded, keep: NDArray[np.bool_], reason: str) -> Encoded:
    """Leaves out more pairs, after the fact."""
    both = np.repeat(keep, 2)
    dropped = encoded.dropped | {reason: int((~keep).sum())}
    tokens = encoded.tokens[np.repeat(both, encoded.lengths)]
    return encoded._replace(tokens=tokens, lengths=encoded.lengths[both], dropped=dropped)
