"""How long translations are for their sources, in a prepared folder."""

from collections.abc import Sequence
from itertools import islice

import numpy as np

from seq2seq.corpus.shards import Shard

_RARE = 0.001  # share of the pairs beyond each of the two
_SHARDS = 4  # shuffled, so that few tell of all


def length_ratios(shards: Sequence[Shard]) -> tuple[float, float]:
    """The least and the greatest usual number of target pieces for a source piece."""
    ratios = np.concatenate([
        target / np.maximum(source, 1)
        for source, target in map(Shard.lengths, islice(shards, _SHARDS))
    ])
    least, greatest = np.quantile(ratios, [_RARE, 1 - _RARE])
    return round(float(least), 3), round(float(greatest), 3)
