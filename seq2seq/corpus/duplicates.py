"""Which 8-byte hashes were seen before, in bounded memory."""

import numpy as np
from numpy.typing import NDArray

_SMALLEST_RUN = 1 << 12


class SeenHashes:
    """Remembers hashes in sorted runs; when memory is full, the older half of them is forgotten."""

    def __init__(self, memory_mib: int):
        # Two generations of 8 bytes a hash, and as much again while runs are merged.
        self._generation_size = max((memory_mib << 20) // 8 // 4, _SMALLEST_RUN)
        self._young: list[NDArray[np.uint64]] = []
        self._old: list[NDArray[np.uint64]] = []

    def first_time(self, hashes: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Marks the hashes met for the first time, and remembers them."""
        unique, places = np.unique(hashes, return_index=True)
        for run in (*self._young, *self._old):
            found = run[np.minimum(np.searchsorted(run, unique), len(run) - 1)] == unique
            unique, places = unique[~found], places[~found]
        self._remember(unique)
        new = np.zeros(len(hashes), bool)
        new[places] = True
        return new

    def _remember(self, sorted_hashes: NDArray[np.uint64]) -> None:
        if not len(sorted_hashes):
            return
        self._young.append(sorted_hashes)
        # Runs at least double in size from one to the next, so there are few of them.
        while len(self._young) > 1 and len(self._young[-2]) < 2 * len(self._young[-1]):
            merged = np.concatenate([self._young.pop(), self._young.pop()])
            merged.sort()
            self._young.append(merged)
        if sum(map(len, self._young)) >= self._generation_size:
            self._old, self._young = self._young, []
