"""What a search is asked, what it holds, and what it gives. Knows no model and no text.

Axes: b sentence   k hypothesis   v vocabulary   s source position   t target position
q state of a wording   u kind of word   m set of phrases
"""

from collections.abc import Mapping
from typing import NamedTuple

from jax import Array
from jaxtyping import Bool, Float, Int, UInt32


class Options(NamedTuple):
    """What is fixed when the search is compiled."""

    begin: int  # the id fed before the first word
    end: int  # the id that ends a sentence
    beam: int
    positions: int  # room for words, end of sentence included
    slots: int  # sentences that are searched at a time
    rows: int  # hypotheses that grow by a word at a time, at most
    nbest: int = 1  # hypotheses that must be beyond overtaking before others are given up
    prune: float = 0.0  # nats that a hypothesis may be behind the nbest-th of its length; 0: any
    patience: int = 0  # certain words granted to whoever should overtake; 0: up to the limit
    length_penalty: float = 1.0  # exponent of the length that a score is divided by
    coverage_penalty: float = 0.0  # weight of source positions that got too little attention
    block_ngrams: int = 0  # size of n-grams that must not come twice; 0: off
    diversity: float = 0.0  # what each better word of the same parent costs a candidate
    sampling: bool = False  # every hypothesis a sample of its own
    temperature: float = 1.0  # of the samples; likewise:
    top_k: int = 0  # 0: off
    top_p: float = 1.0
    banks: bool = False  # places for every stage on the way to the phrases that are missing


class Wording(NamedTuple):
    """What a text must begin with, hold and avoid: an automaton that reads words.

    State 0 is a text that breaks these rules, state 1 the empty one. The end is the only word of
    kind 0. Sets of phrases are numbers, one bit for each phrase.
    """

    kind_bv: Int[Array, "b v"]  # words of one kind make no difference
    next_bqu: Int[Array, "b q u"]
    found_bqu: Int[Array, "b q u"]  # the phrases that such a word completes
    needed_bqm: Int[Array, "b q m"]  # words before the end is possible, if phrases m are missing
    missing_b: Int[Array, " b"]  # all phrases


class Task(NamedTuple):
    """What is asked for each sentence. What is None, nobody asked for."""

    limit_b: Int[Array, " b"]  # words at most, without end of sentence; 0: no sentence here
    mask_bs: Bool[Array, "b s"]  # real source positions
    banned_bv: Bool[Array, "b v"]  # words never emitted
    least_b: Int[Array, " b"] | None = None  # words at least, without end of sentence
    seed_b2: UInt32[Array, "b 2"] | None = None  # of its samples
    wording: Wording | None = None


def wished(task: Task, wishes: Mapping[str, Array]) -> Task:
    """The task with the fields of these names, of its own or of its wording."""
    words = {name: wishes[name] for name in Wording._fields if name in wishes}
    others = {name: array for name, array in wishes.items() if name not in words}
    return task._replace(wording=Wording(**words) if words else None, **others)


class Progress(NamedTuple):
    """How far the hypotheses are with a wording."""

    state_bk: Int[Array, "b k"]
    missing_bk: Int[Array, "b k"]  # phrases


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
    finished_bk: Bool[Array, "b k"]  # keeps its place, and never changes again: it ended, or
    given_up_bk: Bool[Array, "b k"]  # would not be among the best
    coverage_bks: Float[Array, "b k s"]  # attention received by each source position so far
    position_b: Int[Array, " b"]  # words of the hypotheses that still grow
    done_b: Bool[Array, " b"]
    progress: Progress | None = None  # with the task's wording, if there is one


class Hypotheses(NamedTuple):
    """The result, best first."""

    trace: Trace
    lengths_bk: Int[Array, "b k"]  # words with end of sentence; what lies behind is undefined
    scores_bk: Float[Array, "b k"]  # summed log-probabilities of these words
    ranks_bk: Float[Array, "b k"]  # normalised score, the order; -inf: there is no such hypothesis
