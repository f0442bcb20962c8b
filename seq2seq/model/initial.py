"""Initial weights, drawn by NumPy: there is nothing to compile before a training's first update.

A network is built by handing each of its parts the same `Draw`, which they take their weights from
one after the other. Knows no network.

Axes: i input   d output, or hidden   g gate (4d)
"""

import functools
from collections.abc import Callable
from typing import TypeAlias

import jax.numpy as jnp
import numpy as np
from jax import Array
from jaxtyping import Float

_Rule: TypeAlias = Callable[[np.random.Generator, int, int], np.ndarray]


class Draw:
    """Weights by the rules that the layers ask for; without a seed, zeros of the same shapes."""

    def __init__(self, seed: int | None) -> None:
        self._random = None if seed is None else np.random.default_rng(seed)

    def table(self, words: int, width: int) -> Float[Array | np.ndarray, "words width"]:
        """Embeddings: vectors of length 1, in the mean."""
        return self._matrix(_normal, words, width)

    def matrix(self, inputs: int, outputs: int) -> Float[Array | np.ndarray, "i d"]:
        """A layer that keeps the variance of what passes, either way (Glorot and Bengio 2010)."""
        return self._matrix(_glorot, inputs, outputs)

    def input_gates(self, inputs: int, units: int) -> Float[Array | np.ndarray, "i g"]:
        """The same for every gate: as the matrix it is, not as a quarter of one."""
        return self._gates(_glorot, inputs, units)

    def recurrent_gates(self, units: int) -> Float[Array | np.ndarray, "d g"]:
        """For every gate a rotation, which neither blows a state up nor lets it fade."""
        return self._gates(_rotation, units, units)

    def gate_bias(self, units: int) -> Float[Array | np.ndarray, " g"]:
        """Zeros, but for a forget gate that starts open: it lets gradients through at once."""
        return self.zeros(4 * units) + np.repeat(np.array([0, 1, 0, 0], np.float32), units)

    def zeros(self, size: int) -> Float[Array | np.ndarray, " d"]:
        """A bias that has no effect yet."""
        return jnp.zeros(size) if self._random is None else np.zeros(size, np.float32)

    def _gates(self, rule: _Rule, inputs: int, units: int) -> Array | np.ndarray:
        if self._random is None:
            return jnp.zeros((inputs, 4 * units))
        gates = [self._matrix(rule, inputs, units) for _ in range(4)]
        return np.concatenate(gates, axis=1)

    def _matrix(self, rule: _Rule, inputs: int, outputs: int) -> Array | np.ndarray:
        if self._random is None:
            return jnp.zeros((inputs, outputs))
        return rule(self._random, inputs, outputs)


def _normal(random: np.random.Generator, words: int, width: int) -> np.ndarray:
    return width**-0.5 * random.standard_normal((words, width), np.float32)


def _glorot(random: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    most = (6 / (inputs + outputs)) ** 0.5
    return most * (2 * random.random((inputs, outputs), np.float32) - 1)


def _rotation(random: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    # The factor Q of a matrix that is drawn is what one would take. But while threads compile,
    # LAPACK's threads wait for one another, seconds for each matrix. So these are cosines with
    # random signs, three times over (after Yu et al. 2016): a rotation too, and as mixed.
    signs = np.array([-1, 1], np.float32)
    first, second, third = (random.choice(signs, (inputs, 1)) * _cosines(outputs) for _ in range(3))
    return first @ second @ third


@functools.lru_cache
def _cosines(size: int) -> np.ndarray:
    """The cosine transform, as an orthogonal matrix."""
    wave = np.arange(size)
    cosines = np.cos(np.pi / size * np.outer(wave + 0.5, wave)) * (2 / size) ** 0.5
    cosines[:, 0] *= 0.5**0.5
    return cosines.astype(np.float32)
