"""bfloat16 as bits, for where it is only moved. Knows no layer.

XLA's CPU widens a whole array of bfloat16 to look up a few of its rows, or to write a few.
"""

import jax
import jax.numpy as jnp
from jax import Array


def as_bits(x: Array) -> Array:
    """The same bits as whole numbers, where they are bfloat16."""
    return jax.lax.bitcast_convert_type(x, jnp.uint16) if x.dtype == jnp.bfloat16 else x


def from_bits(x: Array) -> Array:
    """What `as_bits` was given."""
    return jax.lax.bitcast_convert_type(x, jnp.bfloat16) if x.dtype == jnp.uint16 else x
