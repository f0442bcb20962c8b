"""The recurrence and its hand-written backward pass, against the textbook and autodiff.

Axes: t position   n row   d hidden   g gate
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.model.product import product, weight_gradient
from seq2seq.model.recurrence import Loop, LSTMState, recur


def textbook(projected_tng, loop, state):
    hidden, cell, outputs = *state, []
    for projected in projected_tng:
        gates = projected + hidden @ loop.recurrent_dg + loop.bias_g[None]
        i, f, g, o = jnp.split(gates, 4, axis=1)
        cell = jax.nn.sigmoid(f) * cell + jax.nn.sigmoid(i) * jnp.tanh(g)
        hidden = jax.nn.sigmoid(o) * jnp.tanh(cell)
        outputs.append(hidden)
    return jnp.stack(outputs), LSTMState(hidden, cell)


@pytest.fixture(name="arguments")
def random_arguments():
    keys = jax.random.split(jax.random.key(0), 5)
    shapes = ((7, 3, 20), (5, 20), (20,), (3, 5), (3, 5))
    projected, recurrent, bias, *state = (
        jax.random.normal(key, shape) for key, shape in zip(keys, shapes, strict=True)
    )
    return projected, Loop(recurrent, bias), LSTMState(*state)


each_implementation = pytest.mark.parametrize("implementation", ["auto", "scan", "inplace"])


@each_implementation
def test_the_loop_computes_the_textbook_lstm(arguments, implementation):
    jax.tree.map(
        lambda ours, theirs: np.testing.assert_allclose(ours, theirs, atol=1e-5),
        jax.jit(recur, static_argnums=3, static_argnames="implementation")(
            *arguments, jnp.float32, implementation=implementation
        ),
        jax.jit(textbook)(*arguments),
    )


@each_implementation
def test_the_backward_pass_equals_autodiff(arguments, implementation):
    def scalar(function):
        def value(*arguments):
            outputs, last = function(*arguments)
            weights = jnp.arange(outputs.size).reshape(outputs.shape)
            return (outputs * jnp.sin(weights)).sum() + (last.hidden_nd - 2 * last.cell_nd).sum()

        return jax.jit(jax.grad(value, argnums=(0, 1, 2)))(*arguments)

    jax.tree.map(
        lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4),
        scalar(lambda *arguments: recur(*arguments, jnp.float32, implementation=implementation)),
        scalar(textbook),
    )


def test_what_stands_behind_a_position_does_not_change_it(arguments):
    projected, loop, state = arguments
    run = jax.jit(recur, static_argnums=3)
    whole, _ = run(projected, loop, state, jnp.float32)
    changed, _ = run(projected.at[4:].set(9.0), loop, state, jnp.float32)
    np.testing.assert_array_equal(whole[:4], changed[:4])


@pytest.mark.parametrize(
    ("spec", "shape"),
    [("bij,bjk->bik", (4, 6, 6)), ("tni,ig->tng", (6, 5)), ("tne,ve->tnv", (5, 6))],
)
def test_a_product_in_bfloat16_has_float32_results_and_gradients(spec, shape):
    left = jax.random.normal(jax.random.key(1), (4, 6, 6))
    right = jax.random.normal(jax.random.key(2), shape)

    def value(left, right, dtype):
        return jnp.sin(product(spec, left, right, dtype)).sum()

    exact = jax.grad(value, argnums=(0, 1))(left, right, jnp.float32)
    plain = jax.grad(lambda a, b: jnp.sin(jnp.einsum(spec, a, b)).sum(), argnums=(0, 1))(
        left, right
    )
    rounded = jax.grad(value, argnums=(0, 1))(left, right, jnp.bfloat16)
    for ours, theirs, half in zip(exact, plain, rounded, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        assert half.dtype == jnp.float32
        assert 0 < jnp.abs(half - theirs).max() < 0.2


def test_a_weights_gradient_is_the_same_product_in_either_precision():
    left, right = (jax.random.normal(jax.random.key(k), (3, 4, 6)) for k in (1, 2))
    expected = np.einsum("tni,tng->ig", left, right)
    for dtype, tolerance in ((jnp.float32, 1e-5), (jnp.bfloat16, 0.1)):
        found = weight_gradient("tni,tng->ig", left, right, dtype)
        np.testing.assert_allclose(found, expected, atol=tolerance)
