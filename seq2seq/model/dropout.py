"""Dropout as a value that is handed down. Knows no layer."""

import dataclasses

import jax
import jax.numpy as jnp
from jax import Array


@dataclasses.dataclass(frozen=True, slots=True)
class Dropout:
    """Zeroes random features; `key=None` turns it off.

    Every place that drops has its own `site` number, so that masks are independent.
    """

    key: Array | None = None
    variational: bool = False  # one mask for all positions

    def at(self, index: int | Array) -> "Dropout":
        """The same dropout with other masks: of a layer, or of a time step."""
        if self.key is None:
            return self
        return dataclasses.replace(self, key=jax.random.fold_in(self.key, index))

    def at_time(self, index: Array) -> "Dropout":
        """Masks of one time step, for loops over time; all the same if variational."""
        return self if self.variational else self.at(index)

    def __call__(self, x_tnd: Array, rate: float, site: int) -> Array:
        """Drops features of `x`, whose first axis is the position."""
        if self.key is None or rate == 0:
            return x_tnd
        shape = (1, *x_tnd.shape[1:]) if self.variational else x_tnd.shape
        threshold = round(rate * 256)
        kept = _random_bytes(jax.random.fold_in(self.key, site), shape) >= threshold
        return jnp.where(kept, x_tnd * (256 / (256 - threshold)), 0.0)


def _random_bytes(key: Array, shape: tuple[int, ...]) -> Array:
    # Eight random bits a feature are enough; JAX would spend 32 on each of them.
    *leading, width = shape
    words = jax.random.bits(key, (*leading, -(-width // 4)), jnp.uint32)
    return jax.lax.bitcast_convert_type(words, jnp.uint8).reshape(*leading, -1)[..., :width]


OFF = Dropout()
