"""Reductions of rows whose bits do not depend on how many rows there are. Knows no layer.

XLA's CPU reduces 4,096 numbers and more by other code than fewer (JAX 0.10 and 0.12), and what it
fuses with a reduction follows suit: whatever may be computed for one sentence or for many is
filled up to so many.

Axes: n row   d what is reduced
"""

from collections.abc import Callable

import jax.numpy as jnp
from jax import Array

_MANY = 4_096


def among_many(reduce_nd: Callable[[Array], Array], x: Array) -> Array:
    """`reduce_nd`, which treats the rows of a matrix alike, for the rows (last axis) of `x`."""
    x_nd = x.reshape(-1, x.shape[-1])
    rows, width = x_nd.shape
    missing = max(0, -(-_MANY // width) - rows)
    reduced_n = reduce_nd(jnp.pad(x_nd, ((0, missing), (0, 0))))[:rows]
    return reduced_n.reshape(*x.shape[:-1], *reduced_n.shape[1:])
