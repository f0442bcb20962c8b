"""What is compiled: the network under the search, and under forced words. Knows no text.

Every function takes the weights, then arrays, then what is fixed when it is compiled, and gives
a flat tuple of arrays. Named and called through `executables`, which spares most processes this
import and all that it brings with it.

Axes: q sentence of a queue   b sentence   k hypothesis   n row (b·k)   s source
t target position   v vocabulary   w word, after what begins a sentence
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float, Int

from seq2seq.config import ModelConfig
from seq2seq.decoding import ensemble
from seq2seq.decoding.beam import Options, Task, wished
from seq2seq.decoding.search import Sentences, normalised, search
from seq2seq.decoding.vocabularies import EVERYTHING, Lists
from seq2seq.model.bits import as_bits, from_bits
from seq2seq.model.product import stored
from seq2seq.model.rows import Rows
from seq2seq.model.weights import Weights

ENCODED = 16  # sentences at a time: as many in every queue where bits depend on rows (`tiles`)


# keep_unused: a stored executable is fed all arguments, those that it does not need too.
@functools.partial(
    jax.jit, static_argnames=("names", "models", "options", "dtype"), keep_unused=True
)
def search_queue(  # noqa: PLR0917 (the arrays of a program come by position)
    weights: tuple[Weights, ...],
    source_qs: Int[Array, "q s"],
    length_q: Int[Array, " q"],
    limit_q: Int[Array, " q"],
    banned_v: Bool[Array, " v"],
    *more: Array,
    names: tuple[str, ...],
    models: tuple[ModelConfig, ...],
    options: tuple[tuple[str, Any], ...],
    dtype: DTypeLike,
) -> tuple[Array, ...]:
    """The leaves of the `Hypotheses` for a queue of sentences, empty places (limit 0) at its end.

    `options` are those of the search; `names` tell what `more` is: a `shortlist.Narrowed`, and
    the wishes in its `Task`.
    """
    chosen, asked = Options(**dict(options)), dict(zip(names, more, strict=True))
    words, outputs, union_u = EVERYTHING, (), asked.pop("union_u", None)
    if union_u is not None:
        words = Lists.of(union_u, asked.pop("place_bl"))
        outputs = ensemble.bind(models, weights, dtype).outputs_of(union_u)
    # In float32 a row would get other bits among others (`kernels`).
    turns = jnp.dtype(dtype) == jnp.bfloat16
    if turns:
        # In memory as products read it: XLA's CPU would turn it anew for every sentence.
        outputs = outputs or ensemble.bind(models, weights, dtype).outputs_of(None)
        outputs = jax.tree.map(lambda leaf: stored(leaf.T), outputs)

    def step(
        words_n: Array, rows: Rows, memory: Any, state: Any
    ) -> tuple[Array, Array, Any, Array]:
        # Bound in here: weights that are turned outside of a loop are turned in memory.
        net = ensemble.bind(models, weights, dtype)
        memories, words = memory
        memories = tuple(each._replace(rows=rows) for each in memories)
        words = jax.tree.map(lambda leaf_b: leaf_b[rows.sentence_n], words)
        fed_1n = words.ids(words_n[:, None]).T
        upright = jax.tree.map(lambda leaf: leaf.T, outputs) if turns else outputs
        found = net.step(fed_1n, state, memories, words=words, outputs=upright)
        return found.scores_tnv[0], found.total_tn[0], found.states, found.attention_tns[0]

    memory, state = _encoded(weights, source_qs, length_q, limit_q, models=models, dtype=dtype)
    banned_qv = jnp.broadcast_to(banned_v[None], (len(limit_q), len(banned_v)))
    task = wished(Task(limit_q, memory[0].mask_bs, words.banned(banned_qv)), asked)
    found = search(step, Sentences((memory, words), state), task, chosen)
    words_qkt = words.ids(found.trace.words_bkt)
    trace = found.trace._replace(words_bkt=words_qkt)
    return (*trace, found.lengths_bk, found.scores_bk, found.ranks_bk)


def _encoded(
    weights: tuple[Weights, ...],
    source_qs: Array,
    length_q: Array,
    limit_q: Array,
    *,
    models: tuple[ModelConfig, ...],
    dtype: DTypeLike,
) -> tuple[Any, Any]:
    """Memory and first state of every sentence, a few at a time, and none for empty places."""
    queue = len(limit_q)
    few = min(queue, ENCODED)

    def encode(start: Array) -> tuple[Any, Any]:
        net = ensemble.bind(models, weights, dtype)
        source_bs, length_b = (
            jax.lax.dynamic_slice_in_dim(each, start, few) for each in (source_qs, length_q)
        )
        memory = net.encode(source_bs, length_b)
        return jax.tree.map(as_bits, (memory, net.begin(memory)))

    def more(carry: tuple[Array, Any]) -> tuple[Array, Any]:
        start, all_q = carry
        return start + few, jax.tree.map(
            lambda all_q, some_b: jax.lax.dynamic_update_slice_in_dim(all_q, some_b, start, 0),
            all_q,
            encode(start),
        )

    empty = jax.tree.map(
        lambda leaf: jnp.zeros((queue, *leaf.shape[1:]), leaf.dtype),
        jax.eval_shape(encode, jnp.zeros((), int)),
    )
    count = (limit_q > 0).sum()
    begin = jnp.zeros_like(count), empty
    encoded = jax.lax.while_loop(lambda carry: carry[0] < count, more, begin)[1]
    return jax.tree.map(from_bits, encoded)


@functools.partial(jax.jit, static_argnames=("models", "penalties", "dtype"), keep_unused=True)
def force_tile(  # noqa: PLR0917 (as above)
    weights: tuple[Weights, ...],
    source_bs: Int[Array, "b s"],
    length_b: Int[Array, " b"],
    words_bw: Int[Array, "b w"],
    count_b: Int[Array, " b"],
    *listed: Int[Array, "b l"],
    models: tuple[ModelConfig, ...],
    penalties: tuple[float, float],
    dtype: DTypeLike,
) -> tuple[Float[Array, "b t"], Float[Array, "b t s"], Float[Array, " b"], Float[Array, " b"]]:
    """Of so many words after the first of each row: log-probabilities, attention, score and rank.

    `penalties` are the search's, of length and of coverage. Probabilities are those among all
    words, or among what is `listed` (see `vocabularies`).
    """
    net = ensemble.bind(models, weights, dtype)
    memories = net.encode(source_bs, length_b)
    fed_tb, wanted_tb = words_bw[:, :-1].T, words_bw[:, 1:].T
    vocabulary = weights[0]["target_ve"].shape[0]
    words = Lists.of(jnp.arange(vocabulary), *listed) if listed else EVERYTHING
    found = net.step(fed_tb, net.begin(memories), memories, words=words)
    place_tb1 = words.places(wanted_tb.T).T[:, :, None]
    scores_tb = jnp.take_along_axis(found.scores_tnv, place_tb1, axis=2)[:, :, 0]
    gains_tb = scores_tb - found.total_tn
    real_tb = jnp.arange(fed_tb.shape[0])[:, None] < count_b[None]
    gains_tb = jnp.where(real_tb, gains_tb, 0.0)
    coverage_bs = jnp.where(real_tb[:, :, None], found.attention_tns, 0.0).sum(axis=0)
    score_b = gains_tb.sum(axis=0)
    rank_b1 = normalised(
        *(score_b[:, None], count_b[:, None], coverage_bs[:, None], memories[0].mask_bs),
        length_penalty=penalties[0],
        coverage_penalty=penalties[1],
    )
    return gains_tb.T, found.attention_tns.transpose(1, 0, 2), score_b, rank_b1[:, 0]
