"""Do line n and line n belong together? Drift between two files, found without knowing languages.

Translations agree in length, digits, closing punctuation and names. Where pairs a few lines apart
agree better than the pairs themselves, a line is missing on one side. On real text the evidence
of 256 lines is 9 to 30 standard errors for the pairs as they stand, so 4 against them is safe.
"""

import functools
import re
import zlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SHIFTS = (-1, 1, -2, 2, -3, 3, -4, 4, -5, 5)
_MARGIN = 5
_FEWEST_LINES = 40
_DRIFT_Z = 4.0
_UNRELATED_Z = -4.0
_NAME = re.compile(r"[^\W\d_]{4,}")
_NUMBER = re.compile(r"\d+")
_NAME_BITS = 256


class Traits(NamedTuple):
    """What is compared of a side, one row a line."""

    length: NDArray[np.float64]
    digits: NDArray[np.int64]
    closing: NDArray[np.int8]
    names: NDArray[np.uint64]


class Suspicion(NamedTuple):
    """A window of lines (from 0) that fits better `shift` lines off; 0: that fits nowhere."""

    first: int
    last: int
    shift: int


def traits(lines: Sequence[str]) -> Traits:
    """Measures every line."""
    digits = [
        zlib.crc32(" ".join(sorted(found)).encode()) + 1 if (found := _NUMBER.findall(line)) else 0
        for line in lines
    ]
    closing = ["?!:.;,)".find(line[-1:]) + 1 if line else 0 for line in lines]
    names = b"".join(_names(line).to_bytes(_NAME_BITS // 8, "little") for line in lines)
    return Traits(
        length=np.log(np.fromiter(map(len, lines), np.float64, len(lines)) + 10),
        digits=np.array(digits, np.int64),
        closing=np.array(closing, np.int8),
        names=np.frombuffer(names, np.uint64).reshape(len(lines), _NAME_BITS // 64),
    )


def _names(line: str) -> int:
    """The set of the beginnings of words, as bits: names and kindred words meet in them."""
    bits = 0
    for word in _NAME.findall(line):
        bits |= _bit(word)
    return bits


@functools.lru_cache(1 << 16)
def _bit(word: str) -> int:
    return 1 << (zlib.crc32(word[:5].casefold().encode()) % _NAME_BITS)


def likeness(source: Traits, target: Traits, shift: int, rows: NDArray[np.int64]) -> NDArray:
    """How well source row i and target row i + shift agree, in arbitrary units."""
    there = rows + shift
    usual = np.median(source.length) - np.median(target.length)
    length = np.abs(source.length[rows] - target.length[there] - usual)
    a, b = source.digits[rows], target.digits[there]
    shared = np.bitwise_count(source.names[rows] & target.names[there]).sum(axis=1)
    return (
        -2.0 * np.minimum(length, 1)
        + 1.0 * ((a == b) & (a > 0))
        - 0.5 * (a != b)
        + 0.5 * (source.closing[rows] == target.closing[there])
        + 0.5 * np.minimum(shared, 4)
    )


def find_drift(source: Sequence[str], target: Sequence[str]) -> list[Suspicion | None]:
    """Looks at neighbouring lines window by window; None is a window above suspicion."""
    size = min(len(source), len(target))
    if size < _FEWEST_LINES:
        return []
    gains = _gains(traits(source[:size]), traits(target[:size]), size)
    width = 256 if size >= 500 else 64
    count = max(gains.shape[1] // width, 1)
    return [
        _judged(part, int(where[0]) + _MARGIN)
        for part, where in zip(
            np.array_split(gains, count, axis=1),
            np.array_split(np.arange(gains.shape[1]), count),
            strict=True,
        )
    ]


def _gains(source: Traits, target: Traits, size: int) -> NDArray[np.float64]:
    """Of every shift and line: how much better it fits than the line as it stands."""
    rows = np.arange(_MARGIN, size - _MARGIN)
    here = likeness(source, target, 0, rows)
    return np.stack([likeness(source, target, shift, rows) - here for shift in SHIFTS])


def _judged(gains: NDArray[np.float64], first: int) -> Suspicion | None:
    width = gains.shape[1]
    spread = gains.std(axis=1) / np.sqrt(width)
    z = gains.mean(axis=1) / np.maximum(spread, 1e-3)
    best = int(z.argmax())
    if z[best] > _DRIFT_Z:
        return Suspicion(first, first + width, SHIFTS[best])
    # Without any variation (a line repeated) there is nothing to judge by.
    if width >= 200 and np.median(z) > _UNRELATED_Z and np.median(spread) > 1e-3:
        return Suspicion(first, first + width, 0)
    return None


def first_misplaced(source: Sequence[str], target: Sequence[str], shift: int) -> int:
    """The line (from 0) from which on `shift` fits; the lines before it are taken to be in step.

    The turning point of a sum that falls while the pairs fit as they stand, and then rises.
    With `shift` 0 it is the line from which on no neighbour fits worse.
    """
    size = min(len(source), len(target))
    margin = max(abs(shift), _MARGIN)
    if size <= 2 * margin:
        return 0
    a, b = traits(source[:size]), traits(target[:size])
    rows = np.arange(margin, size - margin)
    here = likeness(a, b, 0, rows)
    if shift:
        gains = likeness(a, b, shift, rows) - here
    else:
        gains = np.mean([likeness(a, b, near, rows) for near in SHIFTS], axis=0) - here
        gains -= gains[: max(len(gains) // 4, 1)].mean() / 2
    sums = np.concatenate([[0.0], np.cumsum(gains)])
    turn = int(sums.argmin())
    return turn + margin if turn else 0
