"""How probable given words are: pairs of piece ids through the network, many at once.

As in `tiles` a pair's neighbours change nothing: the width of its tile, which holds the longer of
its sides, depends on that pair alone, and the number of places on the width. Knows no text.

Axes: b pair   s source   t target position
"""

import functools
import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from seq2seq.corpus.tokenizer import BOS, EOS, PAD
from seq2seq.decoding import abreast, kernels
from seq2seq.decoding.shortlist import filled
from seq2seq.decoding.tiles import WIDTHS, Tiles, width

Pair: TypeAlias = tuple[list[int], list[int]]
"""A source, without its end, and the words to be forced, with theirs if it is to be paid for."""


class Forced(NamedTuple):
    """What the model thinks of a given output, word by word and as a whole."""

    log_probabilities: list[float]
    attention_ts: np.ndarray  # shares of the source's words and its end
    score: float  # the sum of the log-probabilities
    rank: float  # the normalised score that orders hypotheses


def fits(source: Sequence[int], target: Sequence[int]) -> bool:
    """Whether there is a tile for so long a pair; the target comes with its end."""
    return max(len(source) + 1, len(target)) <= WIDTHS[-1]


def force(tiles: Tiles, pairs: Sequence[Pair]) -> list[Forced]:
    """How probable the words of each pair are, in the order of the pairs; all must fit."""
    results: dict[int, Forced] = {}
    groups = list(_grouped(tiles, pairs))
    calls = (
        functools.partial(_forced, tiles, columns, [pairs[place] for place in members])
        for columns, members in groups
    )
    most = abreast.at_a_time(tiles.executables.platform)
    for (_, members), found in zip(groups, abreast.abreast(calls, most), strict=True):
        results |= zip(members, found, strict=True)
    return [results[place] for place in range(len(pairs))]


def _forced(tiles: Tiles, columns: int, pairs: Sequence[Pair]) -> list[Forced]:
    started = _started(tiles, columns, pairs)
    gains_bt, attention_bts, scores_b, ranks_b = map(np.asarray, started)
    return [
        Forced(
            gains_bt[row, : len(target)].tolist(),
            attention_bts[row, : len(target), : len(source) + 1],
            score=float(scores_b[row]),
            rank=float(ranks_b[row]),
        )
        for row, (source, target) in enumerate(pairs)
    ]


def _grouped(tiles: Tiles, pairs: Sequence[Pair]) -> Iterator[tuple[int, list[int]]]:
    """Widths, each with the places of as many pairs as a tile of it has room for."""
    widths = [width(max(len(source) + 1, len(target))) for source, target in pairs]
    order = sorted(range(len(pairs)), key=widths.__getitem__)
    for columns, group in itertools.groupby(order, key=widths.__getitem__):
        while members := list(itertools.islice(group, _places(tiles, columns))):
            yield columns, members


def _places(tiles: Tiles, columns: int) -> int:
    """Pairs in a tile: as many as there is memory for what the softmax sees of all of them."""
    positions = 1_024 if tiles.executables.platform == "cpu" else 16_384
    return max(1, positions // columns)


def _started(tiles: Tiles, columns: int, pairs: Sequence[Pair]) -> Sequence[Any]:
    size, options = _places(tiles, columns), tiles.options
    source_bs = np.full((size, columns), PAD, np.int32)
    words_bt = np.full((size, columns + 1), PAD, np.int32)
    length_b, count_b = np.ones(size, np.int32), np.zeros(size, np.int32)
    for row, (source, target) in enumerate(pairs):
        source_bs[row, : len(source) + 1] = [*source, EOS]
        words_bt[row, : len(target) + 1] = [BOS, *target]
        length_b[row], count_b[row] = len(source) + 1, len(target)
    return tiles.executables.run(
        "force_tile",
        *(source_bs, length_b, words_bt, count_b, *_listed(tiles, columns, pairs)),
        models=tiles.models,
        penalties=(options.length_penalty, options.coverage_penalty),
        dtype=kernels.computed_in(options.precision),
    )


def _listed(tiles: Tiles, columns: int, pairs: Sequence[Pair]) -> Sequence[np.ndarray]:
    """With a shortlist: the words that each source may become, and those that are forced."""
    if tiles.shortlist is None:
        return ()
    nobody = [([], [])] * (_places(tiles, columns) - len(pairs))
    lists = [
        np.union1d(tiles.shortlist.words(source, width(len(source) + 1)), np.array(target, int))
        for source, target in (*pairs, *nobody)
    ]
    room = min(tiles.shortlist.room(columns) + columns, tiles.vocabulary)
    return (filled(lists, room, end=tiles.vocabulary),)
