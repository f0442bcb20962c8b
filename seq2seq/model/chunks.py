"""A sequence in chunks, to keep less of it, or to end before its padding. Knows no layer.

Axes: t position (the first of every array)   c position in a chunk
"""

import functools
import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array


def in_chunks(run: Callable[[Any, Any], tuple[Any, Any]], state: Any, along: Any) -> Any:
    """`run(state, along)` -> (last state, outputs), chunk after chunk: memory for compute.

    `along` and the outputs are trees of arrays over positions. The backward pass computes each
    chunk anew. Only what passes from one to the next is kept, and one chunk's inner life at a
    time: with chunks of about the square root of the length both grow with that root.
    """
    positions = len(jax.tree.leaves(along)[0])
    chunk = math.isqrt(positions - 1) + 1
    whole = positions - positions % chunk
    # The loop keeps XLA from sharing the first computation with the second, which would keep
    # everything alive again; on a CPU nothing else does.
    run = jax.checkpoint(run, prevent_cse=False)
    split = jax.tree.map(lambda x: x[:whole].reshape(-1, chunk, *x.shape[1:]), along)
    state, parts = jax.lax.scan(run, state, split)
    outputs = jax.tree.map(lambda x: x.reshape(whole, *x.shape[2:]), parts)
    if whole == positions:
        return state, outputs
    state, rest = run(state, jax.tree.map(lambda x: x[whole:], along))
    return state, jax.tree.map(lambda a, b: jnp.concatenate([a, b]), outputs, rest)


def in_chunks_upto(
    run: Callable[[Any, Any], tuple[Any, Any]], state: Any, along: Any, *, chunk: int, upto: Array
) -> Any:
    """The same over no more chunks than hold the positions before `upto`; zeros behind them."""
    positions = len(jax.tree.leaves(along)[0])
    # The last chunk may begin before the one before it ends, and would go on from a later state.
    if positions % chunk:
        return run(state, along)

    def some(x: Array, start: Array) -> Array:
        return jax.lax.dynamic_slice_in_dim(x, start, chunk)

    def step(carry: tuple[Array, Any, Any]) -> tuple[Array, Any, Any]:
        start, state, outputs = carry
        state, part = run(state, jax.tree.map(lambda x: some(x, start), along))
        put = functools.partial(jax.lax.dynamic_update_slice_in_dim, start_index=start, axis=0)
        return start + chunk, state, jax.tree.map(put, outputs, part)

    shapes = jax.eval_shape(run, state, along)[1]
    empty = jax.tree.map(lambda x: jnp.zeros(x.shape, x.dtype), shapes)
    start = jnp.zeros((), upto.dtype)
    _, state, outputs = jax.lax.while_loop(lambda c: c[0] < upto, step, (start, state, empty))
    return state, outputs
