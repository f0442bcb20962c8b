"""Which hypotheses go on, and with which words. Knows no model and no other sentence.

Axes: b sentence   k hypothesis   n row, or candidate of any hypothesis   v vocabulary
c candidate of a hypothesis   t target position   s source position   o block of words
w word in a block
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jaxtyping import Float, Int

from seq2seq.decoding.beam import Beam, Options, Task, Trace
from seq2seq.decoding.rules import needed, permitted
from seq2seq.model.reduction import among_many
from seq2seq.model.rows import Rows

_BLOCKS = range(64, 31, -1)  # words; of 16 to 128, some 64 are the fastest


class Candidates(NamedTuple):
    """What could continue each hypothesis: for every bank, the best words, best first."""

    words_bkc: Int[Array, "b k c"]
    gains_bkc: Float[Array, "b k c"]  # log-probabilities
    banks_bkc: Int[Array, "b k c"] | None  # words that phrases still need then


def candidates(
    scores_nv: Array, total_n: Array, rows: Rows, *, beam: Beam, task: Task, options: Options
) -> Candidates:
    """The candidates of all hypotheses, from the scores of the rows; `total` is the log-sum-exp."""
    # As so many sentences of one hypothesis (n1): what is permitted depends on nothing else.
    beam, task = _of_rows(beam, rows), jax.tree.map(lambda leaf: leaf[rows.sentence_n], task)
    allowed_n1v, banks_n1c = permitted(scores_nv[:, None], beam, task, options), None
    count = min(rows.row_bk.shape[1], scores_nv.shape[1])
    if options.sampling and task.seed_b2 is not None:
        noise_n1v = _noise(allowed_n1v.shape[2], rows.hypothesis_n, beam, task.seed_b2)
        words_n1c = (_likeliest(allowed_n1v, options) + noise_n1v).argmax(axis=2)[:, :, None]
        scores_n1c = jnp.take_along_axis(allowed_n1v, words_n1c, axis=2)
    elif options.banks and beam.progress is not None and task.wording is not None:
        needs = needed(beam.progress, task.wording)
        scores_n1c, words_n1c, banks_n1c = _banked(allowed_n1v, count, *needs)
    else:
        scores_n1c, words_n1c = top(allowed_n1v, count)
    gains_n1c = scores_n1c - total_n[:, None, None]
    gains_n1c = jnp.where(jnp.isnan(gains_n1c), -jnp.inf, gains_n1c)
    found = Candidates(words_n1c, gains_n1c, banks_n1c)
    return jax.tree.map(lambda x_n1c: x_n1c[:, 0][rows.row_bk], found)


def _of_rows(beam: Beam, rows: Rows) -> Beam:
    """The hypotheses that are rows, each as the only one of a sentence."""
    rest = beam._replace(position_b=beam.lengths_bk, done_b=beam.finished_bk)
    return jax.tree.map(lambda x_bk: rows.packed(x_bk)[:, None], rest)._replace(
        position_b=beam.position_b[rows.sentence_n], done_b=beam.done_b[rows.sentence_n]
    )


def choose(found: Candidates, beam: Beam, options: Options) -> tuple[Array, Array, Array]:
    """The parents, words and gains of the next hypotheses."""
    words_bkc, gains_bkc, banks_bkc = found
    sentences, hypotheses, count = words_bkc.shape
    # A finished hypothesis has one continuation, another end at no cost, and keeps its place.
    finished_bk1 = beam.finished_bk[:, :, None]
    only_11c = (jnp.arange(count) == 0)[None, None]
    gains_bkc = jnp.where(finished_bk1, jnp.where(only_11c, 0.0, -jnp.inf), gains_bkc)
    words_bkc = jnp.where(finished_bk1, options.end, words_bkc)
    if options.sampling:  # every hypothesis in its place, with its own word
        parents_bk = jnp.broadcast_to(jnp.arange(hypotheses)[None], (sentences, hypotheses))
        return parents_bk, words_bkc[:, :, 0], gains_bkc[:, :, 0]
    totals_bkc = beam.scores_bk[:, :, None] + gains_bkc
    if options.diversity:
        # Li and Jurafsky 2016: siblings pay for their place behind the best of them.
        place_c = jnp.arange(count) % (count if banks_bkc is None else count // 2)
        totals_bkc -= (options.diversity * place_c)[None, None]
    keys_bkc = jnp.where(finished_bk1 & only_11c, jnp.inf, totals_bkc)
    if banks_bkc is not None:
        keys_bkc = _from_every_bank(keys_bkc, banks_bkc, beam, options)
    keys_bk, chosen_bk = jax.lax.top_k(keys_bkc.reshape(sentences, -1), hypotheses)
    words_bk, gains_bk = (
        jnp.take_along_axis(x_bkc.reshape(sentences, -1), chosen_bk, axis=1)
        for x_bkc in (words_bkc, gains_bkc)
    )
    if options.prune and banks_bkc is None:
        gains_bk = jnp.where(_is_behind(keys_bk, options), -jnp.inf, gains_bk)
    return chosen_bk // count, words_bk, gains_bk


def _is_behind(keys_bk: Array, options: Options) -> Array:
    """Whether what was chosen, best first, is so much less likely than the best (or nth best)."""
    grows_bk = keys_bk < jnp.inf
    is_measure_bk = grows_bk & (jnp.cumsum(grows_bk, axis=1) == options.nbest)
    measure_b1 = jnp.where(is_measure_bk, keys_bk, -jnp.inf).max(axis=1, keepdims=True)
    return keys_bk < measure_b1 - options.prune


def _noise(vocabulary: int, hypothesis_n: Array, beam: Beam, seed_n2: Array) -> Array:
    """Gumbel noise for every row: the likeliest word after it is a sample."""

    def draw(seed_2: Array, position: Array, hypothesis: Array) -> Array:
        key = jax.random.wrap_key_data(seed_2, impl="threefry2x32")
        key = jax.random.fold_in(jax.random.fold_in(key, position), hypothesis)
        return jax.random.gumbel(key, (1, vocabulary))

    return jax.vmap(draw)(seed_n2, beam.position_b, hypothesis_n)


def _likeliest(scores_bkv: Array, options: Options) -> Array:
    """What is drawn from: the `top_k` best words, and of these the best that share `top_p`."""
    scores_bkv /= options.temperature
    vocabulary = scores_bkv.shape[2]
    if not options.top_k and options.top_p >= 1:
        return scores_bkv
    best_bkc, _ = top(scores_bkv, min(options.top_k or vocabulary, vocabulary))
    shares_bkc = among_many(jax.nn.softmax, best_bkc)
    before_bkc = jnp.cumsum(shares_bkc, axis=2) - shares_bkc
    least_bk1 = jnp.where(before_bkc < options.top_p, best_bkc, jnp.inf).min(axis=2, keepdims=True)
    return jnp.where(scores_bkv >= least_bk1, scores_bkv, -jnp.inf)


def _banked(
    allowed_bkv: Array, count: int, now_bk: Array, after_bkv: Array
) -> tuple[Array, Array, Array]:
    """Scores and words of candidates, those that bring phrases nearer too, and how near."""
    nearer_bkv = after_bkv < now_bk[:, :, None]
    best, nearer = (
        top(jnp.where(nearer_bkv == is_nearer, allowed_bkv, -jnp.inf), count)
        for is_nearer in (False, True)
    )
    scores_bkc, words_bkc = (
        jnp.concatenate(both, axis=2) for both in zip(best, nearer, strict=True)
    )
    return scores_bkc, words_bkc, jnp.take_along_axis(after_bkv, words_bkc, axis=2)


def _from_every_bank(keys_bkc: Array, banks_bkc: Array, beam: Beam, options: Options) -> Array:
    """Keys that choose the best candidate of every bank, then every second best, and so on.

    As Post and Vilar (2018) do it: what has words of a phrase already would lose to what has none.
    Of the finished hypotheses only those stay that may be asked for: places are scarce.
    """
    lengths_bk = jnp.maximum(beam.lengths_bk, 1).astype(jnp.float32)
    ranks_bk = jnp.where(
        beam.finished_bk, beam.scores_bk / lengths_bk**options.length_penalty, -jnp.inf
    )
    better_bk = (ranks_bk[:, None] > ranks_bk[:, :, None]).sum(axis=2)
    stays_bk1 = (beam.finished_bk & (better_bk < options.nbest))[:, :, None]
    finished_bk1 = beam.finished_bk[:, :, None]
    keys_bkc = jnp.where(finished_bk1 & ~stays_bk1, -jnp.inf, keys_bkc)
    keys_bn, banks_bn = (x_bkc.reshape(len(x_bkc), -1) for x_bkc in (keys_bkc, banks_bkc))
    # A finished hypothesis is in no bank, nor is what is not permitted.
    grows_bn = jnp.isfinite(keys_bn)
    better_bnn = grows_bn[:, None] & (keys_bn[:, None] > keys_bn[:, :, None])
    turn_bn = (better_bnn & (banks_bn[:, None] == banks_bn[:, :, None])).sum(axis=2)
    sooner_bnn = grows_bn[:, None] & (turn_bn[:, None] < turn_bn[:, :, None])
    same_bnn = turn_bn[:, None] == turn_bn[:, :, None]
    place_bn = (sooner_bnn | (same_bnn & better_bnn)).sum(axis=2)
    return jnp.where(grows_bn, -place_bn.astype(jnp.float32), keys_bn).reshape(keys_bkc.shape)


def grow(beam: Beam, attention_bks: Array, parents_bk: Array, chosen: tuple[Array, Array]) -> Beam:
    """Every hypothesis with its parent's past and one more word, if the parent still grows."""
    words_bk, gains_bk = chosen

    def inherit(x_bk: Array) -> Array:
        index_bk = parents_bk.reshape(*parents_bk.shape, *[1] * (x_bk.ndim - 2))
        return jnp.take_along_axis(x_bk, index_bk, axis=1)

    past = jax.tree.map(inherit, beam._replace(position_b=parents_bk, done_b=parents_bk))._replace(
        position_b=beam.position_b, done_b=beam.done_b
    )
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


def top(scores_bkv: Array, count: int) -> tuple[Array, Array]:
    """`lax.top_k`, by way of the best blocks: on a CPU five times as fast for 8,000 words."""
    sentences, hypotheses, vocabulary = scores_bkv.shape
    if vocabulary <= 4 * _BLOCKS[0] * count:
        best_bkc, at_bkc = jax.lax.top_k(scores_bkv, count)
        return best_bkc, at_bkc
    block = next((size for size in _BLOCKS if vocabulary % size == 0), _BLOCKS[0])
    if vocabulary % block:
        fill = ((0, 0), (0, 0), (0, -vocabulary % block))
        scores_bkv = jnp.pad(scores_bkv, fill, constant_values=-jnp.inf)
    blocks_bkow = scores_bkv.reshape(sentences, hypotheses, -1, block)
    # The best words lie in the blocks with the best maxima.
    _, blocks_bkc = jax.lax.top_k(blocks_bkow.max(axis=3), count)
    pool_bkcw = jnp.take_along_axis(blocks_bkow, blocks_bkc[..., None], axis=2)
    best_bkc, at_bkc = jax.lax.top_k(pool_bkcw.reshape(sentences, hypotheses, -1), count)
    block_bkc = jnp.take_along_axis(blocks_bkc, at_bkc // block, axis=2)
    return best_bkc, jnp.minimum(block_bkc * block + at_bkc % block, vocabulary - 1)
