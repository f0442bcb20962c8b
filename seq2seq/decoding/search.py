"""Search over a queue of sentences, by any step function. Knows no model and no text.

As many sentences as there are slots are searched at a time; whoever is done makes room for the
next. A step reads the hypotheses that grow, packed into rows: where they are more than the rows,
the sentences that came last wait. Nothing in a sentence's search looks at its neighbours: every
sentence has its own position, limit and end, so that it matters to none of them who sits in the
other slots, nor for how long.

Axes: q sentence of the queue   b slot   k hypothesis   n row   g place in the grid (b·k)
v vocabulary   t target position   s source position
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Int

from seq2seq.decoding import rules
from seq2seq.decoding.beam import Beam, Hypotheses, Options, Task, Trace
from seq2seq.decoding.choosing import candidates, choose, grow
from seq2seq.model.reduction import among_many
from seq2seq.model.rows import Rows

Step: TypeAlias = Callable[[Array, Rows, Any, Any], tuple[Array, Array, Any, Array]]
"""(previous words [n], whose rows they are, memory, state) -> (scores [n, v], their log-sum-exp
[n], state, attention [n, s]).

A word's log-probability is its score less the log-sum-exp. Every leaf of the memory has the
slots b as its first axis, every leaf of the state the rows n.
"""


class Sentences(NamedTuple):
    """What the model knows of the queue; every leaf has the sentences q as its first axis."""

    memory: Any  # what a step reads
    state: Any  # what it hands on, as it is before the first word


class _Slots(NamedTuple):
    """The sentences that are being searched."""

    place_b: Int[Array, " b"]  # in the queue; behind its end: nobody
    task: Task
    memory: Any
    beam: Beam
    state: Any  # of every place of the grid


class _Progress(NamedTuple):
    slots: _Slots
    taken: Int[Array, ""]  # sentences that have left the queue
    results: Hypotheses  # of those that are done


def search(step: Step, sentences: Sentences, task: Task, options: Options) -> Hypotheses:
    """The best hypotheses that `step` can be followed to, for every sentence of the queue.

    A hypothesis that ends keeps its place in the beam and never changes again, so the beam
    of those that still grow narrows. So does one that is given up: it would not overtake the
    `nbest` best that have ended, were its next words certain, `patience` of them. A sentence is
    done when nobody grows any more. At the limit only the end is permitted, so that every score is
    that of the whole output.
    """
    queue = task.limit_b.shape[0]
    is_real_q = task.limit_b > 0  # there may be places without a sentence
    count = is_real_q.sum()
    is_number_qq = jnp.cumsum(is_real_q)[None] == 1 + jnp.arange(queue)[:, None]
    order_q = (is_number_qq & is_real_q[None]).argmax(axis=1)

    def seated(at: _Slots) -> Array:
        return (at.place_b < queue).any()

    def working(at: _Slots) -> Array:
        # Who is done may wait as long as the others fill all rows.
        is_full = _growing(at, queue).sum() >= options.rows
        return seated(at) & (is_full | (_leaving(at, queue) == queue).all())

    def relieve(progress: _Progress) -> _Progress:
        at, taken, results = progress
        results = _stored(results, _leaving(at, queue), _ranked(at.beam, at.task, options))
        free_b = at.beam.done_b | (at.place_b == queue)
        next_b = taken + jnp.cumsum(free_b) - 1
        new_b = jnp.where(next_b < count, order_q[jnp.minimum(next_b, queue - 1)], queue)
        at = _refilled(at, free_b, _seated(new_b, sentences, task, options))
        at = jax.lax.while_loop(working, lambda at: _advanced(step, at, queue, options), at)
        return _Progress(at, jnp.minimum(taken + free_b.sum(), count), results)

    def busy(progress: _Progress) -> Array:
        return (progress.taken < count) | seated(progress.slots)

    def nobody() -> _Progress:
        nowhere_b = jnp.full(options.slots, queue)
        results = _ranked(_begin(task, options), task, options)
        return _Progress(_seated(nowhere_b, sentences, task, options), count, results)

    # Its shapes are all that matters of it: who takes a slot, or is done, is written over it.
    empty = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(nobody))
    begin = empty._replace(
        slots=empty.slots._replace(place_b=jnp.full(options.slots, queue)),
        results=empty.results._replace(ranks_bk=jnp.full_like(empty.results.ranks_bk, -jnp.inf)),
    )
    return jax.lax.while_loop(busy, relieve, begin).results


def _leaving(at: _Slots, queue: int) -> Array:
    """The places of the sentences that are done; `queue` for all other slots."""
    return jnp.where(at.beam.done_b, at.place_b, queue)


def _stored(results: Hypotheses, place_b: Array, found: Hypotheses) -> Hypotheses:
    """The results with those found at their places (a scatter would go slot by slot)."""
    here_qb = place_b[None] == jnp.arange(len(results.ranks_bk))[:, None]
    slot_q, new_q = here_qb.argmax(axis=1), here_qb.any(axis=1)
    return jax.tree.map(
        lambda old_q, found_b: jnp.where(_like(new_q, old_q), found_b[slot_q], old_q),
        results,
        found,
    )


def _seated(place_b: Array, sentences: Sentences, task: Task, options: Options) -> _Slots:
    """These sentences, before their first word; nobody does what the last of the queue would."""
    index_b = jnp.minimum(place_b, task.limit_b.shape[0] - 1)
    task, sentences = jax.tree.map(lambda leaf: leaf[index_b], (task, sentences))
    state = jax.tree.map(lambda leaf: jnp.repeat(leaf, options.beam, axis=0), sentences.state)
    return _Slots(place_b, task, sentences.memory, _begin(task, options), state)


def _refilled(at: _Slots, free_b: Array, new: _Slots) -> _Slots:
    return jax.tree.map(functools.partial(_renewed, free_b), at, new)


def _renewed(is_new_b: Array, old: Array, new: Array) -> Array:
    """An array of slots, or of places of the grid, with what is new in some slots."""
    is_new = jnp.repeat(is_new_b, old.shape[0] // len(is_new_b))
    return jnp.where(_like(is_new, old), new, old)


def _growing(at: _Slots, queue: int) -> Array:
    """The hypotheses [b, k] that another word can be added to."""
    is_searched_b = (at.place_b < queue) & ~at.beam.done_b
    return is_searched_b[:, None] & (at.beam.scores_bk > -jnp.inf) & ~at.beam.finished_bk


def _packed(at: _Slots, queue: int, options: Options) -> tuple[Array, Rows]:
    """The slots whose turn it is, the queue's first before others, and their rows."""
    grows_bk = _growing(at, queue)
    count_b = grows_bk.sum(axis=1)
    is_ahead_bb = at.place_b[None] < at.place_b[:, None]
    before_b = jnp.where(is_ahead_bb, count_b[None], 0).sum(axis=1)
    moves_b = (count_b > 0) & (before_b + count_b <= options.rows)
    row_bk = before_b[:, None] + jnp.cumsum(grows_bk, axis=1) - 1
    is_row_g = (grows_bk & moves_b[:, None]).reshape(-1)
    is_mine_ng = is_row_g[None] & (row_bk.reshape(-1)[None] == jnp.arange(options.rows)[:, None])
    return moves_b, Rows(is_mine_ng.argmax(axis=1), row_bk.clip(0, options.rows - 1))


def _advanced(step: Step, at: _Slots, queue: int, options: Options) -> _Slots:
    """One word more for the hypotheses that grow, as many as there are rows for."""
    beam, task = at.beam, at.task
    moves_b, rows = _packed(at, queue, options)
    index_b11 = jnp.maximum(beam.position_b - 1, 0)[:, None, None]
    last_bk = jnp.take_along_axis(beam.trace.words_bkt, index_b11, axis=2, mode="clip")[:, :, 0]
    words_bk = jnp.where(beam.position_b[:, None] == 0, options.begin, last_bk)
    state_n = jax.tree.map(lambda leaf_g: leaf_g[rows.place_n], at.state)
    scores_nv, total_n, state_n, attention_ns = step(
        rows.packed(words_bk), rows, at.memory, state_n
    )
    found_bk = candidates(scores_nv, total_n, rows, beam=beam, task=task, options=options)
    parents_bk, words_bk, gains_bk = choose(found_bk, beam, options)
    grown = grow(beam, attention_ns[rows.row_bk], parents_bk, (words_bk, gains_bk))
    grown = grown._replace(progress=rules.read(grown, task, words_bk))
    row_g = jnp.take_along_axis(rows.row_bk, parents_bk, axis=1).reshape(-1)
    after = (_ended(grown, words_bk, task, options), jax.tree.map(lambda x_n: x_n[row_g], state_n))
    beam, state = jax.tree.map(functools.partial(_renewed, moves_b), (at.beam, at.state), after)
    return at._replace(beam=beam, state=state)


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
    # All hypotheses are equal at first: only one of them may grow, unless each is drawn by itself.
    grows_k = (jnp.arange(options.beam) == 0) | options.sampling
    scores_k = jnp.where(grows_k, 0.0, -jnp.inf)
    return Beam(
        trace,
        lengths_bk=jnp.zeros(shape, jnp.int32),
        scores_bk=jnp.broadcast_to(scores_k[None], shape).astype(jnp.float32),
        finished_bk=jnp.zeros(shape, bool),
        given_up_bk=jnp.zeros(shape, bool),
        coverage_bks=jnp.zeros((*shape, sources if options.coverage_penalty else 0), jnp.float32),
        position_b=jnp.zeros(sentences, jnp.int32),
        done_b=jnp.zeros(sentences, bool),
        progress=rules.begin(task, options.beam),
    )


def _ended(beam: Beam, words_bk: Array, task: Task, options: Options) -> Beam:
    """Marks what ended now, or is given up, and the sentences whose result is settled."""
    alive_bk = beam.scores_bk > -jnp.inf
    beam = beam._replace(finished_bk=alive_bk & (beam.finished_bk | (words_bk == options.end)))
    # The most that a growing hypothesis is expected to reach: words at no cost, and so many.
    longest_bk = jnp.broadcast_to((task.limit_b + 1)[:, None], beam.lengths_bk.shape)
    if options.patience:
        longest_bk = jnp.minimum(longest_bk, beam.lengths_bk + options.patience)
    hopes_bk = beam.scores_bk / longest_bk.astype(jnp.float32) ** options.length_penalty
    ranks_bk = _ranks(beam, task, options)
    last_b1 = _best_first(ranks_bk)[:, options.nbest - 1 : options.nbest]
    to_beat_b1 = jnp.take_along_axis(ranks_bk, last_b1, axis=1)
    given_up_bk = alive_bk & ~beam.finished_bk & (hopes_bk <= to_beat_b1)
    beam = beam._replace(
        finished_bk=beam.finished_bk | given_up_bk, given_up_bk=beam.given_up_bk | given_up_bk
    )
    return beam._replace(done_b=(beam.finished_bk | ~alive_bk).all(axis=1))


def _ranks(beam: Beam, task: Task, options: Options) -> Array:
    ranks_bk = normalised(
        *(beam.scores_bk, beam.lengths_bk, beam.coverage_bks, task.mask_bs),
        length_penalty=options.length_penalty,
        coverage_penalty=options.coverage_penalty,
    )
    return jnp.where(beam.finished_bk & ~beam.given_up_bk, ranks_bk, -jnp.inf)


def normalised(
    scores_bk: Array,
    lengths_bk: Array,
    coverage_bks: Array,
    mask_bs: Array,
    *,
    length_penalty: float,
    coverage_penalty: float,
) -> Array:
    """The figure that orders finished hypotheses (Wu et al. 2016, with plain length)."""
    lengths_bk = jnp.maximum(lengths_bk, 1).astype(jnp.float32)
    ranks_bk = scores_bk / lengths_bk**length_penalty
    if coverage_penalty:
        covered_bks = jnp.log(jnp.clip(coverage_bks, 1e-6, 1.0))
        missing_bks = jnp.where(mask_bs[:, None], covered_bks, 0.0)
        missing_bk = among_many(lambda x_ns: x_ns.sum(axis=1), missing_bks)
        ranks_bk += coverage_penalty * missing_bk
    return ranks_bk


def _ranked(beam: Beam, task: Task, options: Options) -> Hypotheses:
    ranks_bk = _ranks(beam, task, options)
    # Samples stay as they were drawn.
    order_bk = _best_first(ranks_bk > -jnp.inf if options.sampling else ranks_bk)
    result = Hypotheses(beam.trace, beam.lengths_bk, beam.scores_bk, ranks_bk)
    return jax.tree.map(
        lambda x_bk: jnp.take_along_axis(
            x_bk, order_bk.reshape(*order_bk.shape, *[1] * (x_bk.ndim - 2)), axis=1
        ),
        result,
    )


def _best_first(keys_bk: Array) -> Array:
    """The order of the hypotheses, equal ones as they are. XLA cannot keep programs that sort."""
    mine_bk1, other_b1k = keys_bk[:, :, None], keys_bk[:, None]
    at_k = jnp.arange(keys_bk.shape[1])
    earlier_1kk = (at_k[None] < at_k[:, None])[None]
    place_bk = ((other_b1k > mine_bk1) | ((other_b1k == mine_bk1) & earlier_1kk)).sum(axis=2)
    return (place_bk[:, None] == at_k[None, :, None]).argmax(axis=2)


def _like(x_b: Array, other: Array) -> Array:
    """`x_b` with the axes that make it comparable to `other`, whose first axis is b too."""
    return x_b.reshape(-1, *[1] * (other.ndim - 1))
