"""Memory for compute: a sequence in chunks, each computed anew in the backward pass.

Only what passes from one chunk to the next is kept, and one chunk's inner life at a time: with
chunks of about the square root of the length both grow with that root. Knows no layer.

Axes: t position (the first of every array)   c position in a chunk
"""

import math
from collections.abc import Callable
from typing import Any

import jax


def in_chunks(run: Callable[[Any, Any], tuple[Any, Any]], state: Any, along: Any) -> Any:
    """`run(state, along)` -> (last state, outputs), chunk after chunk.

    `along` and the outputs are trees of arrays over positions.
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
    return state, jax.tree.map(lambda a, b: jax.numpy.concatenate([a, b]), outputs, rest)
