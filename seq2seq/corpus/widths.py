"""A few (source, target) widths that hold all pairs of a corpus with little padding.

A pair goes to the smallest widths that hold it, so the widths need not cut the plane of lengths
into rectangles; where they do best, they lie near its diagonal. Knows counts of lengths alone.

Axes: s source length, or level of it   t target length, or level of it
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

_MOST_LEVELS = 192  # candidates a side: all lengths up to here, beyond it a selection of them


class Cover(NamedTuple):
    """The chosen (source, target) widths, small ones first, and which of them a pair goes to."""

    widths: list[tuple[int, int]]
    number_st: np.ndarray


class _Plane(NamedTuple):
    """Pairs by the level of width that each side needs, and what a row of such widths costs."""

    counts_st: np.ndarray
    size_st: np.ndarray


def cover(counts_st: np.ndarray, most: int) -> Cover:
    """At most so many widths; `counts_st` says how many pairs there are of which lengths."""
    levels = [_levels(counts_st.sum(axis)) for axis in (1, 0)]
    for axis, widths in enumerate(levels):
        starts = np.concatenate([[0], widths[:-1] + 1])
        counts_st = np.add.reduceat(counts_st, starts, axis=axis)
    plane = _Plane(counts_st, np.add.outer(*levels))
    places = _search(plane, most)
    used = [places[number] for number in np.unique(_owner(plane, places)[counts_st > 0])]
    used.sort(key=lambda place: plane.size_st[place])
    needed = np.ix_(*(np.searchsorted(widths, range(widths[-1] + 1)) for widths in levels))
    return Cover(
        [(int(levels[0][s]), int(levels[1][t])) for s, t in used],
        _owner(plane, used)[needed].astype(np.int16),
    )


def _levels(counts: np.ndarray) -> np.ndarray:
    """The lengths in use; of too many, such that about as many tokens lie between any two."""
    lengths = np.flatnonzero(counts)
    if len(lengths) <= _MOST_LEVELS:
        return lengths
    tokens = np.cumsum(counts[lengths] * lengths)
    shares = np.arange(1, _MOST_LEVELS + 1) / _MOST_LEVELS * tokens[-1]
    return np.unique(lengths[np.searchsorted(tokens, shares).clip(max=len(lengths) - 1)])


def _search(plane: _Plane, most: int) -> list[tuple[int, int]]:
    """Puts each place where it saves most, then moves one after the other till none gains."""
    places = [(plane.counts_st.shape[0] - 1, plane.counts_st.shape[1] - 1)]
    while len(places) < most and (best := _best_place(plane, places)) not in places:
        places.append(best)
    cost, before = _cost(plane, places), None
    while before is None or cost < before:
        before = cost
        for number in range(len(places)):
            others = places[:number] + places[number + 1 :]
            places[number] = _best_place(plane, others)
        cost = _cost(plane, places)
    return places


def _best_place(plane: _Plane, places: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Where one place more saves most; it must hold all pairs that `places` do not hold."""
    counts_st, size_st = plane
    owner_st = _owner(plane, places)
    saved_st = np.zeros_like(size_st)
    for number, place in enumerate(places):
        held_st = np.where(owner_st == number, counts_st, 0).cumsum(0).cumsum(1)
        saved_st += np.maximum(size_st[place] - size_st, 0) * held_st
    left_s, left_t = np.nonzero((owner_st < 0) & (counts_st > 0))
    first = (left_s.max(), left_t.max()) if len(left_s) else (0, 0)
    # Wherever it stands, it holds all of them: a smaller place makes each of them cheaper.
    left = counts_st[left_s, left_t].sum()
    saved_st = (saved_st - left * size_st)[first[0] :, first[1] :]
    s, t = np.unravel_index(saved_st.argmax(), saved_st.shape)
    return int(first[0] + s), int(first[1] + t)


def _owner(plane: _Plane, places: Sequence[tuple[int, int]]) -> np.ndarray:
    """The number of the smallest place that holds a pair; -1 where none does."""
    owner_st = np.full(plane.counts_st.shape, -1)
    for number in sorted(range(len(places)), key=lambda number: -plane.size_st[places[number]]):
        s, t = places[number]
        owner_st[: s + 1, : t + 1] = number
    return owner_st


def _cost(plane: _Plane, places: Sequence[tuple[int, int]]) -> int:
    sizes = np.array([plane.size_st[place] for place in places])
    return int((sizes[_owner(plane, places)] * plane.counts_st).sum())
