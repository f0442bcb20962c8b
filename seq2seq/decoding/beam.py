"""What a search is asked, what it holds, and what it gives. Knows no model and no text.

Axes: b sentence   k hypothesis   v vocabulary   s source position   t target position
"""

from typing import NamedTuple

from jax import Array
from jaxtyping import Bool, Float, Int


class Options(NamedTuple):
    """What is fixed when the search is compiled."""

    begin: int  # the id fed before the first word
    end: int  # the id that ends a sentence
    beam: int
    positions: int  # room for words, end of sentence included
    slots: int  # sentences that are searched at a time
    nbest: int = 1  # hypotheses that must be beyond overtaking before a sentence is done
    length_penalty: float = 1.0  # exponent of the length that a score is divided by
    coverage_penalty: float = 0.0  # weight of source positions that got too little attention
    block_ngrams: int = 0  # size of n-grams that must not come twice; 0: off


class Task(NamedTuple):
    """What is asked for each sentence."""

    limit_b: Int[Array, " b"]  # words at most, without end of sentence; 0: no sentence here
    mask_bs: Bool[Array, "b s"]  # real source positions
    banned_bv: Bool[Array, "b v"]  # words never emitted


class Trace(NamedTuple):
    """What is remembered of every emitted word, end of sentence included."""

    words_bkt: Int[Array, "b k t"]
    log_probabilities_bkt: Float[Array, "b k t"]
    sources_bkt: Int[Array, "b k t"]  # the source position with the most attention
    weights_bkt: Float[Array, "b k t"]  # and its attention


class Beam(NamedTuple):
    """The state of the search, but for the model's."""

    trace: Trace
    lengths_bk: Int[Array, "b k"]
    scores_bk: Float[Array, "b k"]  # -inf: dead, waiting for a candidate to take its place
    finished_bk: Bool[Array, "b k"]
    coverage_bks: Float[Array, "b k s"]  # attention received by each source position so far
    position_b: Int[Array, " b"]  # words of the hypotheses that still grow
    done_b: Bool[Array, " b"]


class Hypotheses(NamedTuple):
    """The result, best first."""

    trace: Trace
    lengths_bk: Int[Array, "b k"]  # words with end of sentence; what lies behind is undefined
    scores_bk: Float[Array, "b k"]  # summed log-probabilities of these words
    ranks_bk: Float[Array, "b k"]  # normalised score, the order; -inf: there is no such hypothesis
