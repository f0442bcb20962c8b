"""The fused loss against Optax's, which makes all logits at once.

Axes: n position   e embedding   v vocabulary
"""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seq2seq.training.loss import Softmax, cross_entropy


def plain(readout_ne, softmax, label_n, weight_n, smoothing):
    logits_nv = readout_ne @ softmax.kernel_ve.T + softmax.bias_v[None]
    target_nv = optax.smooth_labels(jax.nn.one_hot(label_n, logits_nv.shape[1]), smoothing)
    return (weight_n * optax.softmax_cross_entropy(logits_nv, target_nv)).sum()


def fused(readout_ne, softmax, label_n, weight_n, smoothing):
    losses = cross_entropy(
        readout_ne, softmax, label_n, real_n=weight_n > 0, smoothing=smoothing, dtype=jnp.float32
    )
    return losses.smoothed


@pytest.fixture(name="arguments", params=[5, 512, 700])
def positions(request):
    count = request.param
    keys = jax.random.split(jax.random.key(count), 4)
    softmax = Softmax(jax.random.normal(keys[0], (11, 6)), jax.random.normal(keys[1], (11,)))
    label_n = jax.random.randint(keys[2], (count,), 0, 11)
    weight_n = (jnp.arange(count) % 3 > 0).astype(jnp.float32)
    return jax.random.normal(keys[3], (count, 6)), softmax, label_n, weight_n


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_fused_loss_and_its_gradient_equal_optax(arguments, smoothing):
    def with_gradient(loss):
        return jax.jit(jax.value_and_grad(loss, argnums=(0, 1)), static_argnums=4)(
            *arguments, smoothing
        )

    jax.tree.map(
        lambda ours, theirs: np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=2e-4),
        with_gradient(fused),
        with_gradient(plain),
    )


def test_positions_without_weight_do_not_count(arguments):
    readout_ne, softmax, label_n, weight_n = arguments
    elsewhere_n = jnp.where(weight_n > 0, label_n, (label_n + 1) % 11)
    assert fused(readout_ne, softmax, label_n, weight_n, 0.1) == fused(
        readout_ne, softmax, elsewhere_n, weight_n, 0.1
    )


def test_the_likelihood_is_the_loss_without_smoothing(arguments):
    readout_ne, softmax, label_n, weight_n = arguments
    losses = cross_entropy(
        readout_ne, softmax, label_n, real_n=weight_n > 0, smoothing=0.3, dtype=jnp.float32
    )
    np.testing.assert_allclose(
        losses.likelihood, plain(readout_ne, softmax, label_n, weight_n, 0.0), rtol=1e-5
    )
