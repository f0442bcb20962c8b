"""A loop in chunks against the loop in one piece.

Axes: t position   n row
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.model.chunks import in_chunks


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
