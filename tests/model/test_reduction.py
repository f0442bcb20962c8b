"""Reductions: the same bits for a row, however many others are reduced with it."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.model.reduction import among_many


def softmax(x_nd: jax.Array) -> jax.Array:
    return among_many(jax.nn.softmax, x_nd)


def sums(x_nd: jax.Array) -> jax.Array:
    return among_many(lambda x_nd: jnp.exp(x_nd).sum(axis=1), x_nd)


@pytest.mark.parametrize("reduce_nd", [softmax, sums])
@pytest.mark.parametrize("width", [32, 100, 512, 5_000])
def test_a_row_has_the_same_bits_among_any_number(
    reduce_nd: Callable[[jax.Array], jax.Array], width: int
) -> None:
    x_nd = np.random.default_rng(1).normal(size=(300, width)).astype(np.float32)
    compiled = jax.jit(reduce_nd)
    all_nd = np.asarray(compiled(x_nd))
    for rows in (1, 5, 40, 120):
        np.testing.assert_array_equal(compiled(x_nd[:rows]), all_nd[:rows])


def test_rows_keep_their_axes() -> None:
    x = np.random.default_rng(2).normal(size=(2, 3, 4, 7))
    np.testing.assert_allclose(
        among_many(jax.nn.softmax, jnp.asarray(x)), jax.nn.softmax(x), rtol=1e-5
    )
    np.testing.assert_allclose(
        among_many(lambda x_nd: x_nd.sum(axis=1), jnp.asarray(x)), x.sum(axis=3), rtol=1e-5
    )
