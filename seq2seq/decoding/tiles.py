"""Sentences of piece ids through the network and the search, in queues of a few fixed sizes.

Whatever is searched together, a sentence's result is the same: its padded width depends on that
sentence alone, and rows are multiplied in numbers that all give a row the same bits (`kernels`).
Where that is not known, queues of every size are searched in the same number of slots.
Knows no text.

Axes: q sentence of a queue   k hypothesis   s source   t target position   v vocabulary
"""

import dataclasses
import functools
import itertools
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from seq2seq.config import ModelConfig, TranslateConfig
from seq2seq.corpus.tokenizer import BOS, EOS, PAD
from seq2seq.decoding import abreast, kernels
from seq2seq.decoding.executables import Executables, Home
from seq2seq.decoding.shortlist import Shortlist, narrowed
from seq2seq.decoding.wishes import Tables, Wish, wish
from seq2seq.errors import UserError
from seq2seq.model.weights import Weights

# Few: sentences of one width share their slots and a program, and padding is cheap to attend to.
WIDTHS = (32, 64, 128, 256, 512, 1_024, 2_048)
_WORTH_A_QUEUE = 64  # sentences: fewer are not divided, so that others may be searched beside them
_SMALLEST_SIDE, _LANES = 128, 16
# With fewer rows JAX 0.12 multiplies in another way. Many more than so many are no faster, and a
# call of a few sentences would fill them at its beginning alone.
_FEWEST_ROWS, _SOME_ROWS, _MOST_ROWS = 4, 40, 120
_POSITIONS = 8_192  # of the sources in a queue, which bound its memory
_EXTRA = 10  # target pieces allowed beside the ratio


class Hypothesis(NamedTuple):
    """One output; the four sequences run over its words and the end of sentence."""

    ids: list[int]
    log_probabilities: list[float]
    sources: list[int]  # the source piece with the most attention
    weights: list[float]  # and its share
    score: float  # the sum of the log-probabilities
    rank: float  # the normalised score that orders hypotheses


class Queue(NamedTuple):
    """The size of a queue: sentences, how many are searched at a time, and rows of a step."""

    places: int
    slots: int
    rows: int


def queues(
    platform: str, beam: int, models: Sequence[ModelConfig], columns: int
) -> tuple[Queue, ...]:
    """The sizes to choose from for sources of that padded width, small ones first.

    A step takes little longer for ten rows than for one, since it has to read all weights.
    """
    if platform != "cpu":
        slots = max(1, min(640 // beam, 128))
        return (Queue(4 * slots, slots, slots * beam),)
    few = math.ceil(_FEWEST_ROWS / beam)
    some = max(few, min(8, _SOME_ROWS // beam))
    small = Queue(16, some, some * beam)
    places = max(16, _POSITIONS // columns)
    if not all(map(_is_uniform, models)):
        return small, small._replace(places=places)
    rows = max(few * beam, min(_MOST_ROWS, 64 * beam))
    # A beam narrows towards its end, and more sentences than fill the rows take turns.
    slots = rows if beam == 1 else 3 * rows // (2 * beam)
    large = Queue(places, min(max(few, slots), places), rows)
    return Queue(4, few, few * beam), small, large


def _is_uniform(model: ModelConfig) -> bool:
    """Whether rows get the same bits in any number: small products are computed by other code."""
    sides = model.embedding, model.encoder_units, model.decoder_units, model.readout
    return all(side >= _SMALLEST_SIDE and side % _LANES == 0 for side in sides)


def width(pieces: int) -> int:
    """The padded width of a source of so many pieces, end of sentence included."""
    return next(width for width in WIDTHS if width >= pieces)


@dataclasses.dataclass(frozen=True)
class Tiles:
    """Networks with their weights in place, ready to search as one."""

    models: tuple[ModelConfig, ...]
    options: TranslateConfig
    executables: Executables
    vocabulary: int  # of the target
    shortlist: Shortlist | None = None

    @classmethod
    def place(
        cls,
        models: Sequence[ModelConfig],
        options: TranslateConfig,
        weights: Sequence[Weights],
        *,
        home: Home | None = None,
        shortlist: Shortlist | None = None,
    ) -> "Tiles":
        """With the weights of each network in the precision of translation."""
        executables = Executables(tuple(weights), options.precision, home)
        if options.precision == "int8" and executables.platform != "cpu":
            raise UserError(
                f"translate.precision=int8 is for CPUs; on {executables.platform} take bfloat16"
            )
        vocabulary = weights[0]["target_ve"].shape[0]
        return cls(tuple(models), options, executables, vocabulary, shortlist)

    @property
    def first(self) -> int:
        """How many sentences to take at first: few, but not much slower than many."""
        sizes = self._queues(self.options.hypotheses, WIDTHS[0])
        return sizes[len(sizes) // 2].places

    def _queues(self, beam: int, columns: int) -> tuple[Queue, ...]:
        return queues(self.executables.platform, beam, self.models, columns)

    def limit(self, source: Sequence[int]) -> int:
        """The most pieces that a translation of these may have."""
        return int(self.options.max_length_ratio * len(source)) + _EXTRA

    def decode(
        self,
        sources: Sequence[list[int]],
        banned: Collection[int],
        *,
        block_ngrams: int,
        wordings: Sequence[Tables | None] = (),
    ) -> list[list[Hypothesis]]:
        """The hypotheses for each source, best first, in the order of the sources.

        Where there are `wordings`, every source has one, or None.
        """
        banned_v = np.zeros(self.vocabulary, bool)
        banned_v[list(banned)] = True
        wishes = [
            wish(source, self.options, tables)
            for source, tables in itertools.zip_longest(sources, wordings)
        ]
        shapes = [
            (each.shape, width(len(source) + 1))
            for source, each in zip(sources, wishes, strict=True)
        ]
        order = sorted(range(len(sources)), key=lambda at: (shapes[at][0], -len(sources[at])))
        most = abreast.at_a_time(self.executables.platform)
        groups = list(
            _grouped(
                order,
                shapes,
                lambda at: self._queues(wishes[at].beam, shapes[at][1])[-1],
                most=most,
            )
        )
        calls = (
            functools.partial(
                self._searched,
                [(sources[place], wishes[place]) for place in members],
                *(banned_v, block_ngrams),
            )
            for members in groups
        )
        results: list[list[Hypothesis]] = [[] for _ in sources]
        for members, found in zip(groups, abreast.abreast(calls, most), strict=True):
            for place, hypotheses in zip(members, found, strict=True):
                results[place] = hypotheses
        return results

    def _searched(
        self, sentences: Sequence[tuple[list[int], Wish]], banned_v: np.ndarray, block_ngrams: int
    ) -> list[list[Hypothesis]]:
        return _hypotheses(self._started(sentences, banned_v, block_ngrams), len(sentences))

    def _started(
        self, sentences: Sequence[tuple[list[int], Wish]], banned_v: np.ndarray, block_ngrams: int
    ) -> Sequence[Any]:
        longest, asked = sentences[0]
        options, columns = self.options, width(len(longest) + 1)
        sizes = self._queues(asked.beam, columns)
        size = next(size for size in sizes if size.places >= len(sentences))
        source_qs = np.full((size.places, columns), PAD, np.int32)
        length_q, limit_q = np.ones(size.places, np.int32), np.zeros(size.places, np.int32)
        arrays = {
            name: np.zeros((size.places, *array.shape), array.dtype) for name, array in asked.arrays
        }
        for place, (ids, wanted) in enumerate(sentences):
            source_qs[place, : len(ids) + 1] = [*ids, EOS]
            length_q[place], limit_q[place] = len(ids) + 1, self.limit(ids) + wanted.pieces
            for name, array in wanted.arrays:
                arrays[name][place] = array
        if self.shortlist and not asked.has_wording:
            filled = [ids for ids, _ in sentences] + [[]] * (size.places - len(sentences))
            listed = narrowed(self.shortlist, filled, width=columns, vocabulary=self.vocabulary)
            arrays |= listed._asdict()
        settings = {
            "begin": BOS,
            "end": EOS,
            "beam": asked.beam,
            "slots": size.slots,
            "rows": size.rows,
            "positions": int(options.max_length_ratio * columns) + _EXTRA + 1 + asked.room,
            "nbest": options.nbest,
            "prune": options.prune,
            "patience": options.patience,
            "length_penalty": options.length_penalty,
            "coverage_penalty": options.coverage_penalty,
            "block_ngrams": block_ngrams,
            "diversity": options.diversity,
            "sampling": options.sampling,
            "temperature": options.temperature,
            "top_k": options.top_k,
            "top_p": options.top_p,
            "banks": asked.banks,
        }
        return self.executables.run(
            "search_queue",
            *(source_qs, length_q, limit_q, banned_v, *arrays.values()),
            names=tuple(arrays),
            models=self.models,
            options=tuple(settings.items()),
            dtype=kernels.computed_in(options.precision),
        )


def _grouped(
    order: Sequence[int], shapes: Sequence[Any], largest: Callable[[int], Queue], *, most: int
) -> Iterator[list[int]]:
    """Queues of one shape, from sources in an order in which equal shapes follow one another."""
    for _, group in itertools.groupby(order, key=shapes.__getitem__):
        members = list(group)
        needed = math.ceil(len(members) / largest(members[0]).places)
        queues = max(needed, min(most, len(members) // _WORTH_A_QUEUE))
        # Dealt out, so that each takes as long as the others.
        yield from (members[first::queues] for first in range(queues))


def _hypotheses(found: Sequence[Any], sentences: int) -> list[list[Hypothesis]]:
    """Waits for the first sentences of a queue; behind them are empty places."""
    *trace, lengths_bk, scores_bk, ranks_bk = map(np.asarray, found)
    return [
        [
            Hypothesis(
                *(x_bkt[row, k, : lengths_bk[row, k]].tolist() for x_bkt in trace),
                score=float(scores_bk[row, k]),
                rank=float(ranks_bk[row, k]),
            )
            for k in range(ranks_bk.shape[1])
            if ranks_bk[row, k] > -np.inf
        ]
        for row in range(sentences)
    ]
