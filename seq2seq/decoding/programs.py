"""What is compiled: the network under the search, and under forced words. Knows no text.

Every function takes the weights, then arrays, then what is fixed when it is compiled, and gives
a flat tuple of arrays. Named and called through `executables`, which spares most processes this
import and all that it brings with it.

Axes: b sentence   k hypothesis   n row (b·k)   s source   t target position   v vocabulary
"""

import functools
from typing import Any

import jax
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float, Int

from seq2seq.config import ModelConfig
from seq2seq.decoding.beam import Options, Task
from seq2seq.decoding.search import search
from seq2seq.model import network


# keep_unused: a stored executable is fed all arguments, those that it does not need too.
@functools.partial(jax.jit, static_argnames=("model", "options", "dtype"), keep_unused=True)
def search_tile(  # noqa: PLR0917 (the arrays of a program come by position)
    weights: network.Weights,
    source_bs: Int[Array, "b s"],
    length_b: Int[Array, " b"],
    limit_b: Int[Array, " b"],
    banned_v: Bool[Array, " v"],
    *,
    model: ModelConfig,
    options: tuple[tuple[str, Any], ...],
    dtype: DTypeLike,
) -> tuple[Array, ...]:
    """The leaves of the `Hypotheses` for a tile of sentences; `options` are those of the search."""
    chosen = Options(**dict(options))
    net = network.bind(model, weights, dtype)
    memory = net.encode(source_bs, length_b)

    def step(words_bk: Array, state: Any) -> tuple[Array, Any, Array]:
        readout_1ne, state, weights_1ns = net.decode(words_bk.reshape(1, -1), state, memory)
        logits_nv = net.logits(readout_1ne)[0]
        scores_nv = jax.nn.log_softmax(logits_nv)
        shape = words_bk.shape
        return scores_nv.reshape(*shape, -1), state, weights_1ns[0].reshape(*shape, -1)

    task = Task(limit_b, memory.mask_bs, banned_v)
    found = search(step, net.begin(memory, chosen.beam), task, chosen)
    return (*found.trace, found.lengths_bk, found.scores_bk, found.ranks_bk)


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
    net = network.bind(model, weights, dtype)
    memory = net.encode(source_bs, length_b)
    readout_tbe, _, attention_tbs = net.decode(words_tb, net.begin(memory), memory)
    return jax.nn.log_softmax(net.logits(readout_tbe)[:, 0]), attention_tbs[:, 0]
