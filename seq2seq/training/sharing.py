"""Who does the work of an update: every device all of it, or each its part.

In parts, a device receives the summed gradient of its part alone, keeps that part of the moments
and of the average, and updates that part of the weights; then all exchange their parts. This moves
as many bytes as summing everywhere does. A part is a leaf's own: flat, the leaf being filled up to
a multiple of the devices. Knows neither the model nor the rule of the update.

Leaf by leaf, never as one vector: the sum of a leaf then waits for nothing but its own gradient,
and XLA can send it while the backward pass goes on. It joins small sums itself, on GPUs up to
30 MiB. (A table that is tied to both sides is complete only at the very end.)
"""

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float

from seq2seq.config import TrainConfig


class Everywhere(NamedTuple):
    """Every device does all of it."""

    axis: str
    dtype: str  # in which gradients travel

    def summed(self, gradients: Any) -> Any:
        """The sum over all devices of what each of them has."""
        if jax.lax.axis_size(self.axis) == 1:
            return gradients  # XLA would copy every one of them
        return jax.tree.map(
            lambda leaf: jax.lax.psum(leaf.astype(self.dtype), self.axis).astype(leaf.dtype),
            gradients,
        )

    def norm(self, gradients: Any) -> Float[Array, ""]:
        """Of the whole gradient, given what `summed` gave."""
        return optax.tree.norm(gradients)

    def part(self, tree: Any) -> Any:
        """What this device updates."""
        return tree

    def whole(self, parts: Any, like: Any) -> Any:
        """All of it, in the shapes of `like`."""
        del like
        return parts


class InParts(NamedTuple):
    """As `Everywhere`, but each device does its part."""

    axis: str
    dtype: str

    def summed(self, gradients: Any) -> Any:
        """The sum over all devices, of this device's part."""

        def of_leaf(leaf: Array) -> Array:
            flat = self._filled(leaf).astype(self.dtype)
            return jax.lax.psum_scatter(flat, self.axis, tiled=True).astype(leaf.dtype)

        return jax.tree.map(of_leaf, gradients)

    def norm(self, gradients: Any) -> Float[Array, ""]:
        """Of the whole gradient, whose parts all devices have."""
        return jnp.sqrt(jax.lax.psum(optax.tree.norm(gradients, squared=True), self.axis))

    def part(self, tree: Any) -> Any:
        """What this device updates."""
        return jax.tree.map(lambda leaf: self._part(self._filled(leaf)), tree)

    def whole(self, parts: Any, like: Any) -> Any:
        """All of it, in the shapes of `like`."""
        return jax.tree.map(lambda part, leaf: shaped(self.joined(part), leaf), parts, like)

    def joined(self, part: Array) -> Array:
        """A flat leaf of all parts, as it was filled up."""
        return jax.lax.all_gather(part, self.axis, tiled=True)

    def _filled(self, leaf: Array) -> Array:
        return jnp.pad(leaf.reshape(-1), (0, -leaf.size % jax.lax.axis_size(self.axis)))

    def _part(self, flat: Array) -> Array:
        rows = flat.reshape(jax.lax.axis_size(self.axis), -1)
        return jax.lax.dynamic_index_in_dim(rows, jax.lax.axis_index(self.axis), keepdims=False)


def shaped(flat: Any, like: Any) -> Any:
    """A joined leaf without what it was filled up with."""
    return flat[: like.size].reshape(like.shape)


def is_divided(leaf: Any) -> bool:
    """Whether a leaf of what is kept in parts is so itself; counters are not."""
    return leaf.ndim > 0


def sharing(config: TrainConfig, axis: str) -> Everywhere | InParts:
    """How the settings want it."""
    return (InParts if config.shard_optimizer else Everywhere)(axis, config.reduce)
