"""A loop in chunks against the loop in one piece, all of it or as far as it matters.

Axes: t position   n row
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.model.chunks import in_chunks, in_chunks_upto


def run(weight, state_n, x_tn):
    def step(state_n, x_n):
        state_n = jnp.tanh(weight * state_n + x_n)
        return state_n, {"out": 2 * state_n}

    return jax.lax.scan(step, state_n, x_tn)


def value(loop, weight, state_n, x_tn):
    last_n, outputs = loop(lambda state_n, x_tn: run(weight, state_n, x_tn), state_n, x_tn)
    return (last_n**2).sum() + jnp.sin(outputs["out"]).sum(), outputs


@pytest.mark.parametrize("positions", [1, 2, 7, 16])
def test_chunks_change_neither_values_nor_gradients(positions):
    arguments = jnp.float32(0.7), jnp.ones(3), jax.random.normal(jax.random.key(0), (positions, 3))

    def result(loop):
        differentiated = jax.value_and_grad(value, argnums=(1, 2, 3), has_aux=True)
        return jax.jit(differentiated, static_argnums=0)(loop, *arguments)

    jax.tree.map(
        lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6),
        result(in_chunks),
        result(lambda run, state_n, x_tn: run(state_n, x_tn)),
    )


def test_memory_grows_with_the_root_of_the_length():
    def needed(loop, positions):
        wide = jnp.ones(3000)

        def loss(weight, x_t):
            def run(state_n, x_t):
                return jax.lax.scan(lambda s, x: (jnp.tanh(weight * s + x), x), state_n, x_t)

            return loop(run, wide, x_t)[0].sum()

        compiled = jax.jit(jax.grad(loss)).lower(jnp.float32(1), jnp.ones(positions)).compile()
        return compiled.memory_analysis().temp_size_in_bytes

    plainly = needed(lambda run, state_n, x_t: run(state_n, x_t), 1024)
    assert needed(in_chunks, 1024) < plainly / 6
    assert needed(in_chunks, 1024) < 3 * needed(in_chunks, 256)


@pytest.mark.parametrize(("positions", "upto"), [(12, 1), (12, 4), (12, 5), (12, 12), (13, 5)])
def test_no_position_before_the_end_misses_anything(positions, upto):
    state_n, x_tn = jnp.ones(3), jax.random.normal(jax.random.key(0), (positions, 3))

    def loop(state_n, x_tn):
        return run(0.7, state_n, x_tn)

    shorter = jax.jit(lambda upto: in_chunks_upto(loop, state_n, x_tn, chunk=4, upto=upto))
    ours, theirs = shorter(jnp.asarray(upto))[1]["out"], loop(state_n, x_tn)[1]["out"]
    np.testing.assert_allclose(ours[:upto], theirs[:upto], rtol=1e-6)


def test_positions_behind_the_end_are_not_computed():
    x_tn = jnp.full((12, 3), jnp.nan).at[:4].set(1.0)

    def loop(state_n, x_tn):
        return run(0.7, state_n, x_tn)

    state_n, outputs = in_chunks_upto(loop, jnp.ones(3), x_tn, chunk=4, upto=jnp.asarray(3))
    assert jnp.isfinite(state_n).all()
    assert (outputs["out"][4:] == 0).all()
