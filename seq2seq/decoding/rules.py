"""Which words may come next. Knows no model and no other sentence.

Axes: b sentence   k hypothesis   v vocabulary   t target position
"""

import jax.numpy as jnp
from jax import Array

from seq2seq.decoding.beam import Beam, Options, Task


def permitted(scores_bkv: Array, beam: Beam, task: Task, options: Options) -> Array:
    """The scores of the words that may come next; -inf is that of all others."""
    end_1v = (jnp.arange(scores_bkv.shape[2]) == options.end)[None]
    first_b1 = beam.position_b[:, None] == 0
    last_b1 = beam.position_b[:, None] >= task.limit_b[:, None]
    permitted_bv = jnp.where(last_b1, end_1v, ~task.banned_bv & ~(first_b1 & end_1v))
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
