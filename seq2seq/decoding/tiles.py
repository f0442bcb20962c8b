"""Sentences of piece ids through the network and the search, in tiles of one fixed size.

On most devices the bits of a matrix product depend on how many rows are multiplied at once, and
those of attention on the padded width. So a tile always has the same number of places (empty
ones cost little: a step is bound by reading the weights), and a sentence's width depends on that
sentence alone: its result is then the same alone, in any batch, and in any order. Knows no text.

Axes: b sentence   k hypothesis   s source   t target position   v vocabulary
"""

import dataclasses
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from seq2seq.config import ModelConfig, TranslateConfig
from seq2seq.corpus.tokenizer import BOS, EOS, PAD
from seq2seq.decoding.executables import Executables, Home
from seq2seq.model.weights import Weights

WIDTHS = (*(8, 16, 24, 32, 48, 64, 96, 128, 192, 256), *(384, 512, 768, 1_024, 1_536, 2_048))
_IN_FLIGHT = 2  # tiles computed while the host works on the one before
_EXTRA = 10  # target pieces allowed beside the ratio


class Hypothesis(NamedTuple):
    """One output; the four sequences run over its words and the end of sentence."""

    ids: list[int]
    log_probabilities: list[float]
    sources: list[int]  # the source piece with the most attention
    weights: list[float]  # and its share
    score: float  # the sum of the log-probabilities
    rank: float  # the normalised score that orders hypotheses


class Forced(NamedTuple):
    """What the model thinks of a given output, word by word."""

    log_probabilities: list[float]
    attention_ts: np.ndarray  # shares of the source's words and its end


def width(pieces: int) -> int:
    """The padded width of a source of so many pieces, end of sentence included."""
    return next(width for width in WIDTHS if width >= pieces)


@dataclasses.dataclass(frozen=True)
class Tiles:
    """A network with its weights in place, ready to search."""

    model: ModelConfig
    options: TranslateConfig
    executables: Executables
    vocabulary: int  # of the target

    @classmethod
    def place(
        cls,
        model: ModelConfig,
        options: TranslateConfig,
        weights: Weights,
        home: Home | None = None,
    ) -> "Tiles":
        """With the weights in the precision of translation."""
        executables = Executables(weights, options.precision, home)
        return cls(model, options, executables, weights["target_ve"].shape[0])

    @property
    def weights(self) -> Weights:
        """On the device, as JAX's arrays."""
        return self.executables.weights

    @property
    def places(self) -> int:
        """Sentences in a tile.

        On a CPU, measured at 512 units: 80 rows instead of 40 are a tenth faster for many sentences
        and take twice as long for a single one.
        """
        rows, most = (40, 16) if self.executables.platform == "cpu" else (640, 128)
        return max(1, min(rows // self.options.beam, most))

    def limit(self, source: Sequence[int]) -> int:
        """The most pieces that a translation of these may have."""
        return int(self.options.max_length_ratio * len(source)) + _EXTRA

    def decode(
        self, sources: Sequence[list[int]], banned: Collection[int], *, block_ngrams: int
    ) -> list[list[Hypothesis]]:
        """The hypotheses for each source, best first, in the order of the sources."""
        banned_v = np.zeros(self.vocabulary, bool)
        banned_v[list(banned)] = True
        size = self.places
        order = sorted(range(len(sources)), key=lambda place: len(sources[place]))
        results: list[list[Hypothesis]] = [[] for _ in sources]
        flying: deque[tuple[list[int], Sequence[Any]]] = deque()
        for members in _grouped(order, sources, size):
            tile = [sources[place] for place in members]
            flying.append((members, self._start(tile, banned_v, size, block_ngrams)))
            if len(flying) > _IN_FLIGHT:
                _land(results, *flying.popleft())
        while flying:
            _land(results, *flying.popleft())
        return results

    def _start(
        self, tile: Sequence[list[int]], banned_v: np.ndarray, size: int, block_ngrams: int
    ) -> Sequence[Any]:
        options, columns = self.options, width(len(tile[0]) + 1)
        source_bs = np.full((size, columns), PAD, np.int32)
        length_b, limit_b = np.ones(size, np.int32), np.zeros(size, np.int32)
        for place, ids in enumerate(tile):
            source_bs[place, : len(ids) + 1] = [*ids, EOS]
            length_b[place], limit_b[place] = len(ids) + 1, self.limit(ids)
        settings = {
            "begin": BOS,
            "end": EOS,
            "beam": options.beam,
            "positions": int(options.max_length_ratio * columns) + _EXTRA + 1,
            "nbest": options.nbest,
            "length_penalty": options.length_penalty,
            "coverage_penalty": options.coverage_penalty,
            "block_ngrams": block_ngrams,
        }
        return self.executables.run(
            "search_tile",
            *(source_bs, length_b, limit_b, banned_v),
            model=self.model,
            options=tuple(settings.items()),
            dtype=options.precision,
        )

    def force(self, source: list[int], target: list[int]) -> "Forced":
        """How probable the given words are (the end among them, if it is there), one by one."""
        source_1s = np.full((1, width(len(source) + 1)), PAD, np.int32)
        source_1s[0, : len(source) + 1] = [*source, EOS]
        scores_tv, attention_ts = self.executables.run(
            "force",
            source_1s,
            np.array([len(source) + 1], np.int32),
            np.array([[BOS, *target[:-1]]], np.int32).T,
            model=self.model,
            dtype=self.options.precision,
        )
        gains = np.asarray(scores_tv)[np.arange(len(target)), target].tolist()
        return Forced(gains, np.asarray(attention_ts)[:, : len(source) + 1])


def _grouped(order: Sequence[int], sources: Sequence[list[int]], size: int) -> Iterator[list[int]]:
    """Tiles of one width, from sources in the order of their lengths."""
    members: list[int] = []
    for place in order:
        full = len(members) == size
        if members and (full or _width(sources, place) != _width(sources, members[0])):
            yield members
            members = []
        members.append(place)
    if members:
        yield members


def _width(sources: Sequence[list[int]], place: int) -> int:
    return width(len(sources[place]) + 1)


def _land(results: list[list[Hypothesis]], members: Sequence[int], found: Sequence[Any]) -> None:
    """Fetches a tile and puts its hypotheses where they belong."""
    *trace, lengths_bk, scores_bk, ranks_bk = map(np.asarray, found)
    for row, place in enumerate(members):
        results[place] = [
            Hypothesis(
                *(x_bkt[row, k, : lengths_bk[row, k]].tolist() for x_bkt in trace),
                score=float(scores_bk[row, k]),
                rank=float(ranks_bk[row, k]),
            )
            for k in range(ranks_bk.shape[1])
            if ranks_bk[row, k] > -np.inf
        ]
