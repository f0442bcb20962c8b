"""What is asked of a sentence's search beside the usual, as arrays. Knows no text.

What a sentence asks for decides how its search is compiled, and nothing else does: sentences of
one `Wish.shape` are searched together. The arrays are padded to few sizes, so that shapes are few.

Axes: as in `beam`, less the sentence b
"""

import hashlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.config import TranslateConfig

NEVER = 1 << 20  # more pieces than any output has
_SIZES = tuple(4**power for power in range(3, 12))


class Tables(NamedTuple):
    """The leaves of the search's `Wording` for a sentence, and what they ask of its search."""

    kind_v: np.ndarray
    next_qu: np.ndarray
    found_qu: np.ndarray
    needed_qm: np.ndarray
    missing: np.ndarray
    pieces: int  # that an output has at least
    stages: int  # pieces of them that are not the prefix's; 0: no phrase has to be held


class Wish(NamedTuple):
    """The arrays have the names of the search's, with the sentence as their first axis there."""

    beam: int
    pieces: int = 0  # more than usual that an output may have
    banks: bool = False
    arrays: tuple[tuple[str, np.ndarray], ...] = ()

    @property
    def room(self) -> int:
        """Positions to keep for `pieces`."""
        return _size(self.pieces) if self.pieces else 0

    @property
    def has_wording(self) -> bool:
        """Whether words of the vocabulary are told apart."""
        return "kind_bv" in dict(self.arrays)

    @property
    def shape(self) -> tuple[object, ...]:
        """What is fixed when the search is compiled; sentences can be sorted by it."""
        shapes = tuple((name, array.shape) for name, array in self.arrays)
        return self.beam, self.room, self.banks, shapes


def wish(source: Sequence[int], options: TranslateConfig, tables: Tables | None = None) -> Wish:
    """The wish of a sentence."""
    arrays: list[tuple[str, np.ndarray]] = []
    if options.min_length_ratio:
        least = int(options.min_length_ratio * len(source))
        arrays.append(("least_b", np.array(max(1, least), np.int32)))
    if options.sampling:
        arrays.append(("seed_b2", _seed(source, options.seed)))
    if tables is None:
        return Wish(options.hypotheses, arrays=tuple(arrays))
    beam = options.hypotheses
    while tables.stages and beam < options.hypotheses + tables.stages:
        beam *= 2  # a place for every stage beside the usual ones
    arrays += [
        ("kind_bv", tables.kind_v),
        ("next_bqu", _padded(tables.next_qu, 0)),
        ("found_bqu", _padded(tables.found_qu, 0)),
        ("needed_bqm", _padded(tables.needed_qm, NEVER, sets=True)),
        ("missing_b", tables.missing),
    ]
    return Wish(beam, tables.pieces, tables.stages > 0, tuple(arrays))


def _seed(source: Sequence[int], seed: int) -> np.ndarray:
    """From the sentence alone, so that neither its neighbours nor its line number matter."""
    content = np.array([seed, *source], "<i4").tobytes()
    digest = hashlib.blake2b(content, digest_size=8).digest()
    return np.frombuffer(digest, "<u4").astype(np.uint32)


def _padded(table: np.ndarray, filling: int, *, sets: bool = False) -> np.ndarray:
    rows, columns = table.shape
    wide = 1 if sets and columns == 1 else _size(columns)
    padded = np.full((_size(rows), wide), filling, np.int32)
    padded[:rows, :columns] = table
    return padded


def _size(count: int) -> int:
    return next(size for size in _SIZES if size >= count)
