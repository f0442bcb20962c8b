"""The choice of widths: everything fits, and few widths waste as little as they can."""

import itertools

import numpy as np
import pytest

from seq2seq.corpus.widths import cover


def counts(pairs, *, longest, spread=3, seed=0):
    """Targets about as long as their sources."""
    random = np.random.default_rng(seed)
    source = random.integers(1, longest, pairs)
    target = np.clip(source + random.integers(-spread, spread + 1, pairs), 1, longest - 1)
    counts_st = np.zeros((longest, longest), np.int64)
    np.add.at(counts_st, (source, target), 1)
    return counts_st


def positions(counts_st, widths):
    """What the pairs take when each goes to the smallest widths that hold it."""
    return sum(
        count * min(sum(w) for w in widths if w[0] >= s and w[1] >= t)
        for (s, t), count in np.ndenumerate(counts_st)
        if count
    )


@pytest.mark.parametrize("most", [1, 2, 5, 40])
def test_every_pair_fits_where_it_goes_and_every_width_is_used(most):
    counts_st = counts(300, longest=20)
    widths, number_st = cover(counts_st, most)
    assert len(widths) <= most
    found = {(s, t): widths[number_st[s, t]] for s, t in np.argwhere(counts_st)}
    assert all(s <= source and t <= target for (s, t), (source, target) in found.items())
    assert set(found.values()) == set(widths)
    assert widths == sorted(widths, key=sum)
    taken = sum(int(counts_st[place]) * sum(width) for place, width in found.items())
    assert taken == positions(counts_st, widths)


@pytest.mark.parametrize("seed", range(5))
def test_two_widths_are_the_best_of_all(seed):
    counts_st = counts(40, longest=9, seed=seed)
    source, target = (int(np.flatnonzero(counts_st.sum(axis)).max()) for axis in (1, 0))
    everywhere = itertools.product(range(1, source + 1), range(1, target + 1))
    best = min(positions(counts_st, [(source, target), one]) for one in everywhere)
    assert positions(counts_st, cover(counts_st, 2).widths) == best


def test_as_many_widths_as_pairs_waste_nothing():
    counts_st = counts(12, longest=15)
    widths, _ = cover(counts_st, 200)
    assert positions(counts_st, widths) == sum(
        count * (s + t) for (s, t), count in np.ndenumerate(counts_st)
    )


def test_of_very_many_lengths_a_selection_does():
    counts_st = counts(100_000, longest=1_000, spread=100)
    widths, number_st = cover(counts_st, 6)
    fits = [
        s <= widths[number_st[s, t]][0] and t <= widths[number_st[s, t]][1]
        for s, t in np.argwhere(counts_st)
    ]
    assert all(fits)
    used = np.bincount(number_st.ravel(), counts_st.ravel())
    assert used @ [sum(width) for width in widths] < 1.3 * (
        counts_st.sum(1) @ np.arange(1_000) + counts_st.sum(0) @ np.arange(1_000)
    )
