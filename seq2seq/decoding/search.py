"""Batched beam search over any step function. Knows no model, no tokenizer, no configuration.

Nothing in a sentence's search looks at its neighbours: every sentence has its own position,
limit and end, and once done it is frozen, however long the others run.

Axes: b sentence   k hypothesis   v vocabulary   t target position   s source position
n row (b·k)
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array

from seq2seq.decoding.beam import Beam, Hypotheses, Options, Task, Trace
from seq2seq.decoding.choosing import choose, grow
from seq2seq.decoding.rules import permitted

Step: TypeAlias = Callable[[Array, Any], tuple[Array, Any, Array]]
"""(previous words [b, k], state) -> (log-probabilities [b, k, v], state, attention [b, k, s]).

Every leaf of the state has rows n = b·k as its first axis.
"""


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
        allowed_bkv = permitted(scores_bkv, beam, task, options)
        parents_bk, words_bk, gains_bk = choose(allowed_bkv, beam, options)
        grown = grow(beam, attention_bks, parents_bk, (words_bk, gains_bk))
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
