"""Batches of a few fixed shapes, planned as a pure function of (lengths, seed, epoch).

The position in the plan is the step number, so a resumed training needs no saved iterator.
Knows lengths, not texts; rows do not depend on the number of devices.

Axes: r row   s source position   t target position
"""

import copy
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.corpus.shards import Shard
from seq2seq.corpus.tokenizer import EOS, PAD
from seq2seq.corpus.widths import cover

_WINDOW_PAIRS = 4_000_000  # shuffled and sorted into shapes together: bounds the plan's memory


class Shape(NamedTuple):
    """Rows and widths of a batch, ends of sentence included."""

    rows: int
    source: int
    target: int


class Batch(NamedTuple):
    """Token ids and lengths; a row of target length 0 is filling and weighs nothing."""

    source_rs: np.ndarray
    source_length_r: np.ndarray
    target_rt: np.ndarray
    target_length_r: np.ndarray


class Planned(NamedTuple):
    """A batch before its tokens are read: which shape, and which pairs."""

    shape: Shape
    pairs: np.ndarray


class Plan:
    """All batches of every epoch of a split."""

    def __init__(self, shards: Sequence[Shard], *, batch_tokens: int, shapes: int) -> None:
        self._shards = shards
        self._starts = np.cumsum([0, *map(len, shards)])
        counts_st = _histogram(shards)
        self._widths, self._shape_st = cover(counts_st, shapes)
        self._larger = [_next_that_holds(self._widths, n) for n in range(len(self._widths))]
        self._sizes = np.bincount(self._shape_st.ravel(), counts_st.ravel()).astype(int)
        self.pairs = int(self._starts[-1])
        self.source_tokens = int(counts_st.sum(1) @ np.arange(counts_st.shape[0]))
        self.target_tokens = int(counts_st.sum(0) @ np.arange(counts_st.shape[1]))
        self._divide(batch_tokens)

    def within(self, batch_tokens: int) -> "Plan":
        """The same widths and pairs, in batches of another size."""
        other = copy.copy(self)
        other._divide(batch_tokens)
        return other

    def _divide(self, batch_tokens: int) -> None:
        self.batch_tokens = batch_tokens
        sizes = self._sizes.copy()
        self.shapes: list[Shape] = []
        self._batches_of: list[int] = []
        for (source, target), larger in zip(self._widths, self._larger, strict=True):
            pairs = int(sizes[len(self.shapes)])
            rows = _rows(pairs, _most_rows(source, target, batch_tokens), takes_all=larger is None)
            if larger is not None:
                sizes[larger] += pairs % rows
            self.shapes.append(Shape(rows, source, target))
            self._batches_of.append(-(-pairs // rows) if larger is None else pairs // rows)

    @property
    def batches(self) -> int:
        """Updates an epoch."""
        return sum(self._batches_of)

    @property
    def largest(self) -> Shape:
        """The shape that needs most memory."""
        return max(self.shapes, key=lambda shape: shape.rows * (shape.source + shape.target))

    @property
    def padding(self) -> float:
        """Share of positions, of source and target, that hold no real token."""
        positions = sum(
            count * shape.rows * (shape.source + shape.target)
            for count, shape in zip(self._batches_of, self.shapes, strict=True)
        )
        return 1 - (self.source_tokens + self.target_tokens) / positions

    def epoch(self, seed: int, epoch: int) -> Iterator[Planned]:
        """Every pair once, in batches in random order; the same arguments, the same plan."""
        random = np.random.Generator(np.random.Philox(key=[seed, epoch]))
        left = [np.zeros(0, np.int64) for _ in self.shapes]
        windows = self._windows(random.permutation(len(self._shards)))
        for number, window in enumerate(windows):
            pairs, starts = self._by_shape(window, random)
            last = number == len(windows) - 1
            planned = []
            for index, shape in enumerate(self.shapes):
                waiting = np.concatenate([left[index], pairs[starts[index] : starts[index + 1]]])
                larger = self._larger[index]
                rest = 0 if last and larger is None else len(waiting) % shape.rows
                full, left[index] = np.split(waiting, [len(waiting) - rest])
                planned += [
                    Planned(shape, full[at : at + shape.rows])
                    for at in range(0, len(full), shape.rows)
                ]
                if last and larger is not None:
                    left[larger] = np.concatenate([left[larger], left[index]])
            order = random.permutation(len(planned))
            if number == 0:
                order = self._largest_first(planned, order)
            for index in order:
                yield planned[index]

    def read(self, planned: Planned, rows: range) -> Batch:
        """The tokens of some rows of a batch; rows beyond its pairs are filling."""
        shape = planned.shape
        batch = Batch(
            np.full((len(rows), shape.source), PAD, np.int32),
            np.ones(len(rows), np.int32),
            np.full((len(rows), shape.target), PAD, np.int32),
            np.zeros(len(rows), np.int32),
        )
        pairs = planned.pairs[rows.start : rows.stop]
        shard_of = np.searchsorted(self._starts, pairs, side="right") - 1
        for number in np.unique(shard_of):
            at = np.flatnonzero(shard_of == number)
            inside = pairs[at] - self._starts[number]
            for side, (ids, lengths) in enumerate((batch[:2], batch[2:])):
                found, lengths[at] = self._shards[number].side(side, inside, ids.shape[1])
                found[np.arange(len(at)), lengths[at]] = EOS
                ids[at] = found
                lengths[at] += 1
        return batch

    def _largest_first(self, planned: Sequence[Planned], order: np.ndarray) -> np.ndarray:
        """The order, but for one of the largest batches: its program is compiled before others."""
        largest = self.largest
        is_largest = np.array([planned[index].shape == largest for index in order], bool)
        first = order[is_largest][:1]
        return np.concatenate([first, order[~np.isin(order, first)]])

    def _windows(self, order: np.ndarray) -> list[list[int]]:
        windows: list[list[int]] = [[]]
        pairs = 0
        for shard in map(int, order):
            if windows[-1] and pairs + len(self._shards[shard]) > _WINDOW_PAIRS:
                windows.append([])
                pairs = 0
            windows[-1].append(shard)
            pairs += len(self._shards[shard])
        return windows

    def _by_shape(
        self, shards: Sequence[int], random: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """The pairs of shards in random order, those of a shape together, and where each begins."""
        pairs, shape_of = [], []
        for shard in shards:
            source, target = self._shards[shard].lengths()
            pairs.append(np.arange(len(source)) + self._starts[shard])
            shape_of.append(self._shape_st[source + 1, target + 1])
        shape_of = np.concatenate(shape_of)
        order = random.permutation(len(shape_of))
        order = order[np.argsort(shape_of[order], kind="stable")]
        starts = np.searchsorted(shape_of[order], np.arange(len(self.shapes) + 1))
        return np.concatenate(pairs)[order], starts


def _histogram(shards: Sequence[Shard]) -> np.ndarray:
    """How many pairs there are of each (source, target) length, ends of sentence included."""
    counts_st = np.zeros((1, 1), np.int64)
    for shard in shards:
        source, target = (side + 1 for side in shard.lengths())
        longest = (int(side.max(initial=0)) + 1 for side in (source, target))
        more = [max(0, size - had) for size, had in zip(longest, counts_st.shape, strict=True)]
        counts_st = np.pad(counts_st, [(0, added) for added in more])
        place = source * counts_st.shape[1] + target
        counts_st += np.bincount(place, minlength=counts_st.size).reshape(counts_st.shape)
    return counts_st


def _next_that_holds(widths: Sequence[tuple[int, int]], number: int) -> int | None:
    """The next larger widths on both sides, which pairs that fill no batch can go to."""
    source, target = widths[number]
    later = range(number + 1, len(widths))
    return next((n for n in later if source <= widths[n][0] and target <= widths[n][1]), None)


def _most_rows(source: int, target: int, batch_tokens: int) -> int:
    # A source twice as long as its target would otherwise decide how much memory is needed.
    return max(1, batch_tokens // max(target, source // 2))


def _rows(pairs: int, most: int, *, takes_all: bool) -> int:
    """So many that all batches of an epoch are full; what then is left goes to a larger shape.

    Rounded to some multiple instead, an epoch would end with a half-empty batch of every shape:
    more than devices and products lose on odd numbers.
    """
    batches = -(-pairs // most)
    return -(-pairs // batches) if takes_all else pairs // batches
