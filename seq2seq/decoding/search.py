"""Batched beam search over any step function. Knows no model, no tokenizer, no configuration.

Nothing in a sentence's search looks at its neighbours: every sentence has its own position,
limit and end, and once done it is frozen, however long the others run.

Axes: b sentence   k hypothesis   v vocabulary   c candidate of a hypothesis   t target position
s source position   n row (b·k)   o block of words   w word in a block
"""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Bool, Float, Int

_BLOCK = 64  # words; of 16 to 128 the fastest

Step: TypeAlias = Callable[[Array, Any], tuple[Array, Any, Array]]
"""(previous words [b, k], state) -> (log-probabilities [b, k, v], state, attention [b, k, s]).

Every leaf of the state has rows n = b·k as its first axis.
"""


class Options(NamedTuple):
    """What is fixed when the search is compiled."""

    begin: int  # the id fed before the first word
    end: int  # the id that ends a sentence
    beam: int
    positions: int  # room for words, end of sentence included
    nbest: int = 1  # hypotheses that must be beyond overtaking before a sentence is done
    length_penalty: float = 1.0  # exponent of the length that a score is divided by
    coverage_penalty: float = 0.0  # weight of source positions that got too little attention
    block_ngrams: int = 0  # size of n-grams that must not come twice; 0: off


class Trace(NamedTuple):
    """What is remembered of every emitted word, end of sentence included."""

    words_bkt: Int[Array, "b k t"]
    log_probabilities_bkt: Float[Array, "b k t"]
    sources_bkt: Int[Array, "b k t"]  # the source position with the most attention
    weights_bkt: Float[Array, "b k t"]  # and its attention


class Hypotheses(NamedTuple):
    """The result, best first."""

    trace: Trace
    lengths_bk: Int[Array, "b k"]  # words with end of sentence; what lies behind is undefined
    scores_bk: Float[Array, "b k"]  # summed log-probabilities of these words
    ranks_bk: Float[Array, "b k"]  # normalised score, the order; -inf: there is no such hypothesis


class Beam(NamedTuple):
    """The state of the search, but for the model's."""

    trace: Trace
    lengths_bk: Int[Array, "b k"]
    scores_bk: Float[Array, "b k"]  # -inf: dead, waiting for a candidate to take its place
    finished_bk: Bool[Array, "b k"]
    coverage_bks: Float[Array, "b k s"]  # attention received by each source position so far
    position_b: Int[Array, " b"]  # words of the hypotheses that still grow
    done_b: Bool[Array, " b"]


class Task(NamedTuple):
    """What is asked for each sentence."""

    limit_b: Int[Array, " b"]  # words at most, without end of sentence; 0: no sentence here
    mask_bs: Bool[Array, "b s"]  # real source positions
    banned_v: Bool[Array, " v"]  # words never emitted


def search(step: Step, model: Any, task: Task, options: Options) -> Hypotheses:
    """The best hypotheses that `step` can be followed to.

    A hypothesis that ends keeps its place in the beam and never changes again, so the beam
    of those that still grow narrows. A sentence is done when its `nbest` finished hypotheses
    cannot be overtaken, however likely all further words were; the loop ends with the last one.
    At the limit only the end is permitted, so that every score is that of the whole output.
    """
    beam = _begin(task, options)

    def advance(carry: tuple[Beam, Any]) -> tuple[Beam, Any]:
        beam, model = carry
        index_b11 = jnp.maximum(beam.position_b - 1, 0)[:, None, None]
        last_bk = jnp.take_along_axis(beam.trace.words_bkt, index_b11, axis=2)[:, :, 0]
        words_bk = jnp.where(beam.position_b[:, None] == 0, options.begin, last_bk)
        scores_bkv, model, attention_bks = step(words_bk, model)
        allowed_bkv = _permitted(scores_bkv, beam, task, options)
        parents_bk, words_bk, gains_bk = _choose(allowed_bkv, beam, options)
        grown = _grow(beam, attention_bks, parents_bk, (words_bk, gains_bk))
        grown = _end(grown, words_bk, task, options)
        frozen = jax.tree.map(
            lambda old, new: jnp.where(_like(beam.done_b, old), old, new), beam, grown
        )
        sentences, hypotheses = parents_bk.shape
        rows_n = (jnp.arange(sentences)[:, None] * hypotheses + parents_bk).reshape(-1)
        return frozen, jax.tree.map(lambda leaf: leaf[rows_n], model)

    beam, _ = jax.lax.while_loop(lambda carry: ~carry[0].done_b.all(), advance, (beam, model))
    return _ranked(beam, task, options)


def _begin(task: Task, options: Options) -> Beam:
    sentences, sources = task.mask_bs.shape
    shape = (sentences, options.beam)
    full = (*shape, options.positions)
    trace = Trace(
        jnp.full(full, options.end, jnp.int32),
        jnp.zeros(full, jnp.float32),
        jnp.zeros(full, jnp.int32),
        jnp.zeros(full, jnp.float32),
    )
    # All hypotheses are equal at first: only one of them may grow.
    scores_k = jnp.where(jnp.arange(options.beam) == 0, 0.0, -jnp.inf)
    return Beam(
        trace,
        lengths_bk=jnp.zeros(shape, jnp.int32),
        scores_bk=jnp.broadcast_to(scores_k[None], shape).astype(jnp.float32),
        finished_bk=jnp.zeros(shape, bool),
        coverage_bks=jnp.zeros((*shape, sources if options.coverage_penalty else 0), jnp.float32),
        position_b=jnp.zeros(sentences, jnp.int32),
        done_b=task.limit_b <= 0,
    )


def _permitted(scores_bkv: Array, beam: Beam, task: Task, options: Options) -> Array:
    end_1v = (jnp.arange(scores_bkv.shape[2]) == options.end)[None]
    first_b1 = beam.position_b[:, None] == 0
    last_b1 = beam.position_b[:, None] >= task.limit_b[:, None]
    permitted_bv = jnp.where(last_b1, end_1v, ~task.banned_v[None] & ~(first_b1 & end_1v))
    if options.block_ngrams:
        scores_bkv = _without_repeats(scores_bkv, beam, options.block_ngrams)
    # NaN is not above -inf either, and must not win.
    kept_bkv = permitted_bv[:, None] & (scores_bkv > -jnp.inf)
    return jnp.where(kept_bkv, scores_bkv, -jnp.inf)


def _without_repeats(scores_bkv: Array, beam: Beam, size: int) -> Array:
    words_bkt = beam.trace.words_bkt
    sentences, hypotheses, positions = words_bkt.shape
    starts_t = jnp.arange(positions)
    # The n-gram that begins at t is complete if its last word lies before the position.
    repeated_bkt = starts_t[None, None] + size - 1 < beam.position_b[:, None, None]
    for offset in range(size - 1):
        index_b11 = jnp.maximum(beam.position_b - (size - 1) + offset, 0)[:, None, None]
        recent_bk1 = jnp.take_along_axis(words_bkt, index_b11, axis=2)
        repeated_bkt &= jnp.roll(words_bkt, -offset, axis=2) == recent_bk1
    following_bkt = jnp.roll(words_bkt, -(size - 1), axis=2)
    nothing = scores_bkv.shape[2]
    words_bkt = jnp.where(repeated_bkt, following_bkt, nothing)
    index_b11, index_1k1 = (
        jnp.arange(sentences)[:, None, None],
        jnp.arange(hypotheses)[None, :, None],
    )
    return scores_bkv.at[index_b11, index_1k1, words_bkt].set(-jnp.inf, mode="drop")


def _choose(allowed_bkv: Array, beam: Beam, options: Options) -> tuple[Array, Array, Array]:
    """The parents, words and gains of the next hypotheses."""
    sentences, hypotheses, vocabulary = allowed_bkv.shape
    candidates = min(hypotheses, vocabulary)
    gains_bkc, words_bkc = _top(allowed_bkv, candidates)
    # A finished hypothesis has one continuation, another end at no cost, and keeps its place.
    finished_bk1 = beam.finished_bk[:, :, None]
    only_11c = (jnp.arange(candidates) == 0)[None, None]
    gains_bkc = jnp.where(finished_bk1, jnp.where(only_11c, 0.0, -jnp.inf), gains_bkc)
    words_bkc = jnp.where(finished_bk1, options.end, words_bkc)
    totals_bkc = beam.scores_bk[:, :, None] + gains_bkc
    keys_bkc = jnp.where(finished_bk1 & only_11c, jnp.inf, totals_bkc)
    _, chosen_bk = jax.lax.top_k(keys_bkc.reshape(sentences, -1), hypotheses)
    words_bk, gains_bk = (
        jnp.take_along_axis(x_bkc.reshape(sentences, -1), chosen_bk, axis=1)
        for x_bkc in (words_bkc, gains_bkc)
    )
    return chosen_bk // candidates, words_bk, gains_bk


def _top(scores_bkv: Array, count: int) -> tuple[Array, Array]:
    """`lax.top_k`, by way of the best blocks: on a CPU five times as fast for 8,000 words."""
    sentences, hypotheses, vocabulary = scores_bkv.shape
    if vocabulary <= 4 * _BLOCK * count:
        best_bkc, at_bkc = jax.lax.top_k(scores_bkv, count)
        return best_bkc, at_bkc
    fill = ((0, 0), (0, 0), (0, -vocabulary % _BLOCK))
    filled_bkv = jnp.pad(scores_bkv, fill, constant_values=-jnp.inf)
    blocks_bkow = filled_bkv.reshape(sentences, hypotheses, -1, _BLOCK)
    # The best words lie in the blocks with the best maxima.
    _, blocks_bkc = jax.lax.top_k(blocks_bkow.max(axis=3), count)
    pool_bkcw = jnp.take_along_axis(blocks_bkow, blocks_bkc[..., None], axis=2)
    best_bkc, at_bkc = jax.lax.top_k(pool_bkcw.reshape(sentences, hypotheses, -1), count)
    block_bkc = jnp.take_along_axis(blocks_bkc, at_bkc // _BLOCK, axis=2)
    return best_bkc, jnp.minimum(block_bkc * _BLOCK + at_bkc % _BLOCK, vocabulary - 1)


def _grow(beam: Beam, attention_bks: Array, parents_bk: Array, chosen: tuple[Array, Array]) -> Beam:
    """Every hypothesis with its parent's past and one more word, if the parent still grows."""
    words_bk, gains_bk = chosen

    def inherit(x_bk: Array) -> Array:
        index_bk = parents_bk.reshape(*parents_bk.shape, *[1] * (x_bk.ndim - 2))
        return jnp.take_along_axis(x_bk, index_bk, axis=1)

    past = jax.tree.map(
        inherit, Beam(*beam[:5], position_b=parents_bk, done_b=parents_bk)
    )._replace(position_b=beam.position_b, done_b=beam.done_b)
    grows_bk = ~past.finished_bk
    attention_bks = inherit(attention_bks)
    news = Trace(words_bk, gains_bk, attention_bks.argmax(axis=2), attention_bks.max(axis=2))
    here_b1t = (
        jnp.arange(past.trace.words_bkt.shape[2])[None, None] == past.position_b[:, None, None]
    )
    trace = jax.tree.map(
        lambda old_bkt, new_bk: jnp.where(
            here_b1t & grows_bk[:, :, None], new_bk[:, :, None].astype(old_bkt.dtype), old_bkt
        ),
        past.trace,
        news,
    )
    coverage_bks = past.coverage_bks
    if coverage_bks.shape[2]:
        coverage_bks += jnp.where(grows_bk[:, :, None], attention_bks, 0.0)
    return past._replace(
        trace=trace,
        lengths_bk=past.lengths_bk + grows_bk,
        scores_bk=past.scores_bk + gains_bk,
        coverage_bks=coverage_bks,
        position_b=past.position_b + 1,
    )


def _end(beam: Beam, words_bk: Array, task: Task, options: Options) -> Beam:
    """Marks the hypotheses that ended now, and the sentences whose result is settled."""
    alive_bk = beam.scores_bk > -jnp.inf
    beam = beam._replace(finished_bk=alive_bk & (beam.finished_bk | (words_bk == options.end)))
    # The most that any growing hypothesis can reach: no further cost, over the longest length.
    longest_b1 = (task.limit_b + 1)[:, None].astype(jnp.float32)
    hopes_bk = beam.scores_bk / longest_b1**options.length_penalty
    hope_b = jnp.where(beam.finished_bk, -jnp.inf, hopes_bk).max(axis=1)
    ranks_bk = jnp.sort(_ranks(beam, task, options), axis=1)
    return beam._replace(done_b=ranks_bk[:, -options.nbest] >= hope_b)


def _ranks(beam: Beam, task: Task, options: Options) -> Array:
    """The figure that orders finished hypotheses (Wu et al. 2016, with plain length)."""
    lengths_bk = jnp.maximum(beam.lengths_bk, 1).astype(jnp.float32)
    ranks_bk = beam.scores_bk / lengths_bk**options.length_penalty
    if options.coverage_penalty:
        covered_bks = jnp.log(jnp.clip(beam.coverage_bks, 1e-6, 1.0))
        missing_bk = jnp.where(task.mask_bs[:, None], covered_bks, 0.0).sum(axis=2)
        ranks_bk += options.coverage_penalty * missing_bk
    return jnp.where(beam.finished_bk, ranks_bk, -jnp.inf)


def _ranked(beam: Beam, task: Task, options: Options) -> Hypotheses:
    ranks_bk = _ranks(beam, task, options)
    order_bk = jnp.argsort(-ranks_bk, axis=1, stable=True)
    result = Hypotheses(beam.trace, beam.lengths_bk, beam.scores_bk, ranks_bk)
    return jax.tree.map(
        lambda x_bk: jnp.take_along_axis(
            x_bk, order_bk.reshape(*order_bk.shape, *[1] * (x_bk.ndim - 2)), axis=1
        ),
        result,
    )


def _like(x_b: Array, other: Array) -> Array:
    """`x_b` with the axes that make it comparable to `other`, whose first axis is b too."""
    return x_b.reshape(-1, *[1] * (other.ndim - 1))
