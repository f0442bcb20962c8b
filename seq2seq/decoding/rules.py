"""Which words may come next. Knows no model and no other sentence.

Axes: b sentence   k hypothesis   v vocabulary   t target position
q state of a wording   u kind of word   m set of phrases
"""

import jax.numpy as jnp
from jax import Array

from seq2seq.decoding.beam import Beam, Options, Progress, Task, Wording


def permitted(scores_bkv: Array, beam: Beam, task: Task, options: Options) -> Array:
    """The scores of the words that may come next; -inf is that of all others."""
    end_1v = (jnp.arange(scores_bkv.shape[2]) == options.end)[None]
    least_b = 1 if task.least_b is None else task.least_b
    early_b1 = (beam.position_b < least_b)[:, None]
    last_b1 = beam.position_b[:, None] >= task.limit_b[:, None]
    permitted_bv = jnp.where(last_b1, end_1v, ~task.banned_bv & ~(early_b1 & end_1v))
    if options.block_ngrams:
        scores_bkv = _without_repeats(scores_bkv, beam, options.block_ngrams)
    # NaN is not above -inf either, and must not win.
    kept_bkv = permitted_bv[:, None] & (scores_bkv > -jnp.inf)
    if task.wording is not None and beam.progress is not None:
        room_b11 = (task.limit_b - beam.position_b)[:, None, None] - 1
        needed_bku = _needed_after(beam.progress, task.wording)
        is_end_11u = (jnp.arange(needed_bku.shape[2]) == 0)[None, None]
        kept_bku = needed_bku <= jnp.where(is_end_11u, 0, room_b11)
        kept_bkv &= _by_word(kept_bku, task.wording)
    return jnp.where(kept_bkv, scores_bkv, -jnp.inf)


def begin(task: Task, hypotheses: int) -> Progress | None:
    """The progress of hypotheses without a word."""
    if task.wording is None:
        return None
    missing_b1 = task.wording.missing_b[:, None]
    missing_bk = jnp.broadcast_to(missing_b1, (missing_b1.shape[0], hypotheses))
    return Progress(jnp.ones_like(missing_bk), missing_bk)


def read(beam: Beam, task: Task, words_bk: Array) -> Progress | None:
    """The progress after one more word; what has ended reads no more."""
    if task.wording is None or beam.progress is None:
        return None
    kind_bk1 = jnp.take_along_axis(task.wording.kind_bv, words_bk, axis=1)[:, :, None]
    after = (
        jnp.take_along_axis(x_bku, kind_bk1, axis=2)[:, :, 0]
        for x_bku in _after(beam.progress, task.wording)
    )
    return Progress(
        *(
            jnp.where(beam.finished_bk, old_bk, new_bk)
            for old_bk, new_bk in zip(beam.progress, after, strict=True)
        )
    )


def needed(progress: Progress, wording: Wording) -> tuple[Array, Array]:
    """How many words each hypothesis must still have: now [b, k], and after a word [b, k, v]."""
    now_bk = _needed(progress.state_bk, progress.missing_bk, wording)
    return now_bk, _by_word(_needed_after(progress, wording), wording)


def _by_word(x_bku: Array, wording: Wording) -> Array:
    return jnp.take_along_axis(x_bku, wording.kind_bv[:, None], axis=2)


def _needed_after(progress: Progress, wording: Wording) -> Array:
    return _needed(*_after(progress, wording), wording)


def _after(progress: Progress, wording: Wording) -> tuple[Array, Array]:
    """States and missing phrases after a word of each kind."""
    state_bk1 = progress.state_bk[:, :, None]
    next_bku = jnp.take_along_axis(wording.next_bqu, state_bk1, axis=1)
    found_bku = jnp.take_along_axis(wording.found_bqu, state_bk1, axis=1)
    return next_bku, progress.missing_bk[:, :, None] & ~found_bku


def _needed(state: Array, missing: Array, wording: Wording) -> Array:
    sentences, _, sets = wording.needed_bqm.shape
    at_bn = (state * sets + missing).reshape(sentences, -1)
    flat_bn = wording.needed_bqm.reshape(sentences, -1)
    return jnp.take_along_axis(flat_bn, at_bn, axis=1).reshape(state.shape)


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
