"""What a source piece becomes in the target, learnt from pairs alone: IBM model 1.

Each target piece was made by one of the source's pieces, or by none of them, for which the end of
the sentence stands; which one is estimated in rounds. Memory is bounded: the pairs are a sample,
and where more (source, target) cells occur than fit, those seen least are forgotten.

Axes: p pair   s place in the source   t place in the target   c cell   v target piece
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from seq2seq.corpus.shards import Shard
from seq2seq.corpus.tokenizer import EOS, PAD
from seq2seq.progress import progress

_BLOCK_PAIRS = 256
_MOST_CELLS = 1 << 23  # about 600 MB while they are counted
_SEED = 1


class Dictionary(NamedTuple):
    """Translations, sorted by source piece, the likeliest first."""

    source_c: NDArray[np.int64]
    target_c: NDArray[np.int64]
    probability_c: NDArray[np.float64]  # of the target piece, given the source piece
    count_v: NDArray[np.int64]  # how often each target piece occurs

    def of(self, source: int, most: int) -> NDArray[np.int64]:
        """The likeliest target pieces of a source piece, at most so many."""
        first, last = np.searchsorted(self.source_c, [source, source + 1])
        return self.target_c[first : min(last, first + most)]


class _Block(NamedTuple):
    cell_pst: NDArray[np.int64]
    real_pst: NDArray[np.bool_]
    target_pt: NDArray[np.int32]


def estimate(shards: Sequence[Shard], targets: int, *, pairs: int, rounds: int = 5) -> Dictionary:
    """The dictionary of at most so many pairs; `targets` is the size of that vocabulary."""
    sample = _sample(shards, pairs)
    total = sum(len(chosen) for _, chosen in sample)
    with progress("counting", total, unit="pairs") as advance:
        cell_c, count_v = _cells(_blocks(sample, targets), targets, advance)
    probability_c = np.ones(len(cell_c))
    with progress("aligning", rounds * total, unit="pairs") as advance:
        for _ in range(rounds):
            share_c = np.zeros(len(cell_c))
            for block in _blocks(sample, targets):
                np.add.at(share_c, *_shares(block, cell_c, probability_c))
                advance(len(block.target_pt))
            of_source = np.bincount(cell_c // targets, share_c)
            probability_c = share_c / np.maximum(of_source, 1e-30)[cell_c // targets]
    order = np.lexsort((-probability_c, cell_c // targets))
    cell_c = cell_c[order]
    return Dictionary(cell_c // targets, cell_c % targets, probability_c[order], count_v)


def _sample(shards: Sequence[Shard], most: int) -> list[tuple[Shard, NDArray[np.int64]]]:
    """Pairs of every shard, drawn evenly; those of like length lie together."""
    ends = np.cumsum([len(shard) for shard in shards])
    drawn = np.random.default_rng(_SEED).permutation(ends[-1])[:most]
    parts = []
    for shard, end in zip(shards, ends.tolist(), strict=True):
        first = end - len(shard)
        chosen = drawn[(drawn >= first) & (drawn < end)] - first
        source_p, target_p = shard.lengths()
        length_p = np.maximum(source_p, target_p)[chosen]
        parts.append((shard, chosen[np.argsort(length_p, kind="stable")]))
    return parts


def _blocks(sample: Sequence[tuple[Shard, NDArray[np.int64]]], targets: int) -> Iterator[_Block]:
    for shard, chosen in sample:
        source_a, target_a = shard.lengths()
        for start in range(0, len(chosen), _BLOCK_PAIRS):
            block_p = chosen[start : start + _BLOCK_PAIRS]
            source_ps, _ = shard.side(0, block_p, int(source_a[block_p].max()))
            target_pt, _ = shard.side(1, block_p, int(target_a[block_p].max()))
            source_ps = np.pad(source_ps, ((0, 0), (1, 0)), constant_values=EOS)
            cell_pst = source_ps[:, :, None].astype(np.int64) * targets + target_pt[:, None]
            real_pst = (source_ps != PAD)[:, :, None] & (target_pt != PAD)[:, None]
            yield _Block(cell_pst, real_pst, target_pt)


def _cells(
    blocks: Iterator[_Block], targets: int, advance
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The (source, target) cells that occur, sorted, and how often each target piece does."""
    cell_c, seen_c = np.zeros(0, np.int64), np.zeros(0, np.int64)
    count_v = np.zeros(targets, np.int64)
    fresh: list[tuple[NDArray[np.int64], NDArray[np.int64]]] = []
    for block in blocks:
        fresh.append(np.unique(block.cell_pst[block.real_pst], return_counts=True))
        count_v += np.bincount(block.target_pt[block.target_pt != PAD], minlength=targets)
        if sum(len(cells) for cells, _ in fresh) > _MOST_CELLS:
            cell_c, seen_c = _merged(cell_c, seen_c, fresh)
            fresh = []
        advance(len(block.target_pt))
    return _merged(cell_c, seen_c, fresh)[0], count_v


def _merged(
    cell_c: NDArray[np.int64], seen_c: NDArray[np.int64], fresh: list
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    cells = np.concatenate([cell_c, *(each[0] for each in fresh)])
    seen = np.concatenate([seen_c, *(each[1] for each in fresh)])
    cell_c, where = np.unique(cells, return_inverse=True)
    seen_c = np.bincount(where, seen, len(cell_c)).astype(np.int64)
    while len(cell_c) > _MOST_CELLS:
        kept_c = seen_c > seen_c.min()
        cell_c, seen_c = cell_c[kept_c], seen_c[kept_c]
    return cell_c, seen_c


def _shares(
    block: _Block, cell_c: NDArray[np.int64], probability_c: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Cells of a block, and how much of each there is when each target piece counts for one."""
    at_pst = np.minimum(np.searchsorted(cell_c, block.cell_pst), len(cell_c) - 1)
    known_pst = block.real_pst & (cell_c[at_pst] == block.cell_pst)
    share_pst = np.where(known_pst, probability_c[at_pst], 0.0)
    share_pst /= np.maximum(share_pst.sum(axis=1, keepdims=True), 1e-30)
    return at_pst[known_pst], share_pst[known_pst]
