"""How sure a score is, and whether two systems differ: resampling of counts per sentence.

Bootstrap intervals (Koehn 2004) and the approximate randomisation test (Riezler and Maxwell
2005), with the random numbers that sacreBLEU would draw, so that the figures agree with it.

Axes: n sentences   r samples   k counts
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from seq2seq.evaluation.counts import Metric, total

_CELLS_AT_ONCE = 1_000_000  # of a table of samples by sentences: bounds the memory
_ROUNDING = 1e-9  # smaller differences of scores are none


class Interval(NamedTuple):
    """Where the figure lies with the chosen confidence."""

    low: float
    high: float


def bootstrap(
    metric: Metric, counts_nk: Float[np.ndarray, "n k"], *, resamples: int, seed: int
) -> Float[np.ndarray, " r"]:
    """The scores of `resamples` corpora of as many sentences, drawn with replacement.

    The same seed draws the same sentences for every metric and system: differences of two
    systems' samples are samples of their difference.
    """
    sentences = len(counts_nk)
    random = np.random.default_rng(seed)
    sums = []
    for rows in _batches(resamples, sentences):
        drawn = random.integers(0, sentences, size=(rows, sentences))
        drawn += sentences * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * sentences).reshape(rows, sentences)
        sums.append(times.astype(np.float64) @ counts_nk)
    return metric.values(np.concatenate(sums))


def interval(samples_r: Float[np.ndarray, " r"], confidence: float) -> Interval:
    """The percentile interval, with sacreBLEU's choice among the sorted samples."""
    ordered = np.sort(samples_r)
    cut = int(round(len(ordered) * (1 - confidence) / 2, 6))  # 1 - 0.9 is a little below 0.1
    return Interval(float(ordered[cut]), float(ordered[-1 - cut]))


def randomisation_p(
    metric: Metric,
    counts_nk: Float[np.ndarray, "n k"],
    baseline_nk: Float[np.ndarray, "n k"],
    *,
    resamples: int,
    seed: int,
) -> float:
    """The two-sided p-value of the difference of two systems, from paired randomisation.

    That is the chance of so large a difference if it were a coin's toss for every sentence which
    of the two systems said which. Unlike sacreBLEU's, an equal difference counts as so large:
    otherwise two systems that differ in a single sentence would differ significantly.
    """
    both = total(counts_nk) + total(baseline_nk)
    change_nk = baseline_nk - counts_nk
    random = np.random.default_rng(seed)
    sums = []
    for rows in _batches(resamples, len(counts_nk)):
        swapped = random.integers(2, size=(rows, len(counts_nk)), dtype=bool)
        sums.append(total(counts_nk) + swapped.astype(np.float64) @ change_nk)
    first_rk = np.concatenate(sums)
    differences = np.abs(metric.values(first_rk) - metric.values(both - first_rk))
    [ours], [theirs] = metric.values(total(counts_nk)), metric.values(total(baseline_nk))
    as_large = int(np.count_nonzero(differences >= abs(ours - theirs) - _ROUNDING))
    return (as_large + 1) / (resamples + 1)


def _batches(resamples: int, sentences: int) -> Iterator[int]:
    """Numbers of samples to draw at once.

    Booleans are drawn 32 at a time: only multiples of 32 give what one single draw would.
    """
    most = max(32, _CELLS_AT_ONCE // sentences // 32 * 32)
    for first in range(0, resamples, most):
        yield min(most, resamples - first)
