"""What is compiled: the network under the search, and under forced words. Knows no text.

Every function takes the weights, then arrays, then what is fixed when it is compiled, and gives
a flat tuple of arrays. Named and called through `executables`, which spares most processes this
import and all that it brings with it.

Axes: q sentence of a queue   b sentence   k hypothesis   n row (b·k)   s source
t target position   v vocabulary
"""

import functools
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float, Int

from seq2seq.config import ModelConfig
from seq2seq.decoding import kernels
from seq2seq.decoding.beam import Options, Task
from seq2seq.decoding.search import Sentences, search
from seq2seq.model import network

_LANES = 16
_ENCODED = 8  # sentences at a time: so few rows are multiplied alike, however long the queue


# keep_unused: a stored executable is fed all arguments, those that it does not need too.
@functools.partial(jax.jit, static_argnames=("model", "options", "dtype"), keep_unused=True)
def search_queue(  # noqa: PLR0917 (the arrays of a program come by position)
    weights: network.Weights,
    source_qs: Int[Array, "q s"],
    length_q: Int[Array, " q"],
    limit_q: Int[Array, " q"],
    banned_v: Bool[Array, " v"],
    *,
    model: ModelConfig,
    options: tuple[tuple[str, Any], ...],
    dtype: DTypeLike,
) -> tuple[Array, ...]:
    """The leaves of the `Hypotheses` for a queue of sentences, empty places (limit 0) at its end.

    `options` are those of the search.
    """
    chosen = Options(**dict(options))

    def step(words_bk: Array, memory: Any, state: Any) -> tuple[Array, Array, Any, Array]:
        # Bound in here: weights that are turned outside of a loop are turned in memory.
        net = network.bind(model, kernels.upright(weights), dtype)
        readout_1ne, state, weights_1ns = net.decode(words_bk.reshape(1, -1), state, memory)
        logits_nv = net.logits(readout_1ne)[0]
        shape = words_bk.shape
        return (
            logits_nv.reshape(*shape, -1),
            _log_sum_exp(logits_nv).reshape(shape),
            state,
            weights_1ns[0].reshape(*shape, -1),
        )

    memory, state = _encoded(weights, source_qs, length_q, limit_q, model=model, dtype=dtype)
    banned_qv = jnp.broadcast_to(banned_v[None], (len(limit_q), len(banned_v)))
    task = Task(limit_q, memory.mask_bs, banned_qv)
    found = search(step, Sentences(memory, state), task, chosen)
    return (*found.trace, found.lengths_bk, found.scores_bk, found.ranks_bk)


def _log_sum_exp(x_nv: Array) -> Array:
    most_n = x_nv.max(axis=1)
    sum_n = jnp.exp(x_nv - most_n[:, None]).sum(axis=1)
    # Filled up: the few that do not fill a vector register get other bits of the logarithm.
    return jnp.log(jnp.pad(sum_n, (0, -len(sum_n) % _LANES)))[: len(sum_n)] + most_n


def _encoded(
    weights: network.Weights,
    source_qs: Array,
    length_q: Array,
    limit_q: Array,
    *,
    model: ModelConfig,
    dtype: DTypeLike,
) -> tuple[Any, Any]:
    """Memory and first state of every sentence, a few at a time, and none for empty places."""
    queue = len(limit_q)
    few = min(queue, _ENCODED)

    def encode(start: Array) -> tuple[Any, Any]:
        net = network.bind(model, kernels.upright(weights), dtype)
        source_bs, length_b = (
            jax.lax.dynamic_slice_in_dim(each, start, few) for each in (source_qs, length_q)
        )
        memory = net.encode(source_bs, length_b)
        return memory, net.begin(memory)

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
    return jax.lax.while_loop(lambda carry: carry[0] < count, more, begin)[1]


@functools.partial(jax.jit, static_argnames=("model", "dtype"), keep_unused=True)
def force(
    weights: network.Weights,
    source_bs: Int[Array, "b s"],
    length_b: Int[Array, " b"],
    words_tb: Int[Array, "t b"],
    *,
    model: ModelConfig,
    dtype: DTypeLike,
) -> tuple[Float[Array, "t v"], Float[Array, "t s"]]:
    """Log-probabilities of all words at each position of the first sentence, and the attention."""
    net = network.bind(model, kernels.upright(weights), dtype)
    memory = net.encode(source_bs, length_b)
    readout_tbe, _, attention_tbs = net.decode(words_tb, net.begin(memory), memory)
    return jax.nn.log_softmax(net.logits(readout_tbe)[:, 0]), attention_tbs[:, 0]
