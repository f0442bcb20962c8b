"""Weights of eight bits: products near those of the weights they stand for, row by row.

Axes: n row   i what is summed over   j output channel
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.model.product import product
from seq2seq.model.quantised import Quantised, quantise

DRAW = np.random.default_rng(1)


def normal(*shape):
    return DRAW.normal(size=shape).astype(np.float32)


@pytest.mark.parametrize(
    ("spec", "left", "right"),
    [
        ("ni,ij->nj", (6, 64), (64, 40)),
        ("tni,ij->tnj", (2, 6, 64), (64, 40)),
        ("tni,ji->tnj", (2, 6, 64), (40, 64)),
    ],
)
def test_a_product_is_near_that_of_the_whole_weights(spec, left, right):
    x, matrix = normal(*left), normal(*right)
    x[..., 0, :] *= 1_000  # a row has a scale of its own, and so has an output channel
    axis = spec.split(",")[1].index("i")
    matrix *= 1 + np.arange(40).reshape((1, 40) if axis == 0 else (40, 1))
    expected = np.einsum(spec, x, matrix)
    found = product(spec, jnp.asarray(x), quantise(matrix, axis), jnp.float32)
    # Half a step on each side of every term, at most; they cancel for the most part.
    size = np.abs(expected).std(axis=-1, keepdims=True)
    assert np.abs(found - expected).max(axis=-1, keepdims=True).max() > 0
    assert (np.abs(found - expected) < 0.1 * size).all()


def test_a_row_has_the_same_bits_among_any_others():
    x_ni, kernel = normal(120, 64), quantise(normal(64, 40), axis=0)
    multiply = jax.jit(lambda x_ni: product("ni,ij->nj", x_ni, kernel, jnp.float32))
    alone = [multiply(x_ni[row : row + 1])[0] for row in range(5)]
    np.testing.assert_array_equal(multiply(x_ni)[:5], alone)


def test_what_is_whole_already_stays_as_it_is():
    first = quantise(normal(8, 5), axis=0)
    again = quantise(first.values * first.scale, axis=0)
    np.testing.assert_array_equal(again.values, first.values)
    np.testing.assert_allclose(again.scale, first.scale, rtol=1e-6)
    assert np.abs(first.values).max(axis=0).tolist() == [127] * 5


def test_zeros_give_zeros():
    kernel = quantise(np.zeros((8, 5), np.float32), axis=0)
    assert not np.any(product("ni,ij->nj", jnp.asarray(normal(3, 8)), kernel, jnp.float32))
    kernel = quantise(normal(8, 5), axis=0)
    assert not np.any(product("ni,ij->nj", jnp.zeros((3, 8)), kernel, jnp.float32))


def test_what_is_no_number_shows_in_the_scale():
    broken = normal(8, 5)
    broken[2, 3] = np.nan
    assert np.isnan(quantise(broken, axis=0).scale).tolist() == [[False] * 3 + [True, False]]


def test_all_of_it_is_the_same_thing_and_has_the_shape_of_the_matrix():
    made = quantise(normal(8, 5), axis=0)
    assert made[...] is made
    assert made.shape == (8, 5)
    assert jax.tree.map(lambda leaf: leaf, made) == Quantised(*made)
