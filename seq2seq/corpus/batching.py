"""Batches of a few fixed shapes, planned as a pure function of (lengths, seed, epoch).

The position in the plan is the step number, so a resumed training needs no saved iterator.
Knows lengths, not texts; rows do not depend on the number of devices.

Axes: r row   s source position   t target position
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from seq2seq.corpus.shards import Shard
from seq2seq.corpus.tokenizer import EOS, PAD

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
        boxes = _partition(counts_st, shapes)
        self.shapes = [_shape(counts_st, box, batch_tokens) for box in boxes]
        self._shape_st = np.zeros(counts_st.shape, np.int16)
        for number, box in enumerate(boxes):
            self._shape_st[box] = number
        sizes = [int(counts_st[box].sum()) for box in boxes]
        self.batches = sum(
            -(-size // shape.rows) for size, shape in zip(sizes, self.shapes, strict=True)
        )
        self.pairs = int(self._starts[-1])
        self.source_tokens = int(counts_st.sum(1) @ np.arange(counts_st.shape[0]))
        self.target_tokens = int(counts_st.sum(0) @ np.arange(counts_st.shape[1]))

    @property
    def largest(self) -> Shape:
        """The shape that needs most memory."""
        return max(self.shapes, key=lambda shape: shape.rows * (shape.source + shape.target))

    @property
    def padding(self) -> float:
        """Share of positions, of source and target, that hold no real token."""
        counts = [0] * len(self.shapes)
        for planned in self.epoch(seed=0, epoch=0):
            counts[self.shapes.index(planned.shape)] += 1
        positions = sum(
            count * shape.rows * (shape.source + shape.target)
            for count, shape in zip(counts, self.shapes, strict=True)
        )
        return 1 - (self.source_tokens + self.target_tokens) / positions

    def epoch(self, seed: int, epoch: int) -> Iterator[Planned]:
        """Every pair once, in batches in random order; the same arguments, the same plan."""
        random = np.random.Generator(np.random.Philox(key=[seed, epoch]))
        left = [np.zeros(0, np.int64) for _ in self.shapes]
        windows = self._windows(random.permutation(len(self._shards)))
        for number, window in enumerate(windows):
            pairs, shape_of = self._window(window)
            order = random.permutation(len(pairs))
            pairs, shape_of = pairs[order], shape_of[order]
            planned = []
            for index, shape in enumerate(self.shapes):
                waiting = np.concatenate([left[index], pairs[shape_of == index]])
                last = number == len(windows) - 1
                full = len(waiting) if last else len(waiting) - len(waiting) % shape.rows
                planned += [
                    Planned(shape, waiting[at : at + shape.rows])
                    for at in range(0, full, shape.rows)
                ]
                left[index] = waiting[full:]
            for index in random.permutation(len(planned)):
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
        for row, index in enumerate(rows):
            if index < len(planned.pairs):
                self._fill(batch, row, int(planned.pairs[index]))
        return batch

    def _fill(self, batch: Batch, row: int, pair: int) -> None:
        shard = int(np.searchsorted(self._starts, pair, side="right")) - 1
        source, target = self._shards[shard].pair(pair - int(self._starts[shard]))
        for ids, tokens, lengths in (
            (source, batch.source_rs, batch.source_length_r),
            (target, batch.target_rt, batch.target_length_r),
        ):
            tokens[row, : len(ids)] = ids
            tokens[row, len(ids)] = EOS
            lengths[row] = len(ids) + 1

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

    def _window(self, shards: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        pairs, shape_of = [], []
        for shard in shards:
            source, target = self._shards[shard].lengths()
            pairs.append(np.arange(len(source)) + self._starts[shard])
            shape_of.append(self._shape_st[source + 1, target + 1])
        return np.concatenate(pairs), np.concatenate(shape_of)


class _Box(NamedTuple):
    """A rectangle of (source, target) lengths, the upper ends excluded."""

    source: slice
    target: slice


def _histogram(shards: Sequence[Shard]) -> np.ndarray:
    """How many pairs there are of each (source, target) length, ends of sentence included."""
    lengths = [shard.lengths() for shard in shards]
    source_width, target_width = (
        2 + max((int(side.max()) for side in sides if len(side)), default=0)
        for sides in zip(*lengths, strict=True)
    )
    flat = sum(
        np.bincount((source + 1) * target_width + target + 1, minlength=source_width * target_width)
        for source, target in lengths
    )
    return np.reshape(flat, (source_width, target_width)).astype(np.int64)


def _partition(counts_st: np.ndarray, boxes: int) -> list[_Box]:
    """Cuts the plane of lengths into rectangles, each cut where it saves most padding."""
    whole = _Box(slice(0, counts_st.shape[0]), slice(0, counts_st.shape[1]))
    result = [(whole, *_best_cut(counts_st, whole))]
    while len(result) < boxes:
        number = max(range(len(result)), key=lambda index: result[index][1])
        _, saving, halves = result[number]
        if saving <= 0:
            break
        result[number : number + 1] = [(half, *_best_cut(counts_st, half)) for half in halves]
    return [box for box, _, _ in result]


def _best_cut(counts_st: np.ndarray, box: _Box) -> tuple[int, tuple[_Box, ...]]:
    """The padding saved by the best cut of a box in two, and the two halves."""
    inside_st = counts_st[box]
    source_saving, source_cut = _best_cut_of_rows(inside_st)
    target_saving, target_cut = _best_cut_of_rows(inside_st.T)
    if source_saving >= target_saving:
        middle = box.source.start + source_cut
        parts = slice(box.source.start, middle), slice(middle, box.source.stop)
        return source_saving, tuple(box._replace(source=part) for part in parts)
    middle = box.target.start + target_cut
    parts = slice(box.target.start, middle), slice(middle, box.target.stop)
    return target_saving, tuple(box._replace(target=part) for part in parts)


def _best_cut_of_rows(counts_rc: np.ndarray) -> tuple[int, int]:
    """The padding saved by the best horizontal cut, and the first row below it."""
    above_r = counts_rc.sum(1).cumsum()
    below_r = above_r[-1] - above_r
    height = _last_used(counts_rc.sum(1))
    height_above_r = np.maximum.accumulate(np.where(counts_rc.any(1), np.arange(len(above_r)), 0))
    width_above_r = _last_used(counts_rc.cumsum(0))
    width_below_r = _last_used(counts_rc[::-1].cumsum(0)[::-1])
    # A cut behind row r leaves the rows up to r above it.
    saving_r = above_r * (height - height_above_r + width_above_r[-1] - width_above_r) + below_r * (
        width_above_r[-1] - np.append(width_below_r[1:], 0)
    )
    best = int(saving_r.argmax())
    return int(saving_r[best]), best + 1


def _last_used(counts: np.ndarray) -> np.ndarray:
    """The last index along the last axis that holds anything; 0 if none does."""
    used = counts > 0
    last = counts.shape[-1] - 1 - used[..., ::-1].argmax(-1)
    return np.where(used.any(-1), last, 0)


def _shape(counts_st: np.ndarray, box: _Box, batch_tokens: int) -> Shape:
    """As many rows as the budget of target positions allows, at the widths in use."""
    inside_st = counts_st[box]
    source = box.source.start + int(_last_used(inside_st.sum(1)))
    target = box.target.start + int(_last_used(inside_st.sum(0)))
    # A source twice as long as its target would otherwise decide how much memory is needed.
    rows = max(1, batch_tokens // max(target, source // 2))
    return Shape(rows - rows % 8 if rows >= 8 else rows, source, target)
