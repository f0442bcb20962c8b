"""Ratios of lengths."""

import numpy as np

from seq2seq.corpus.ratios import length_ratios
from seq2seq.corpus.shards import Shard


def shard(sources: np.ndarray, targets: np.ndarray) -> Shard:
    offsets = np.cumsum([0, *np.stack([sources, targets], axis=1).ravel()])
    return Shard(np.zeros(offsets[-1], np.uint16), offsets.astype(np.int64))


def test_all_but_very_few_pairs_lie_between_the_ratios():
    draw = np.random.default_rng(0)
    sources = draw.integers(1, 60, 20_000)
    targets = np.maximum(1, (sources * draw.normal(1.1, 0.2, 20_000)).astype(int))
    least, greatest = length_ratios([
        shard(half, other)
        for half, other in zip(np.split(sources, 2), np.split(targets, 2), strict=True)
    ])
    ratios = targets / sources
    assert 0 < least < 1.1 < greatest
    assert abs((ratios < least).mean() - 0.001) < 0.0005
    assert abs((ratios > greatest).mean() - 0.001) < 0.0005


def test_one_pair_has_one_ratio():
    assert length_ratios([shard(np.array([4]), np.array([6]))]) == (1.5, 1.5)
