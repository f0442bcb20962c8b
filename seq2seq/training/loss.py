"""Cross-entropy with label smoothing, fused with the vocabulary product.

The logits of all positions would fill more memory than the rest of the model, and cost several
passes through it. Here a chunk of positions at a time is multiplied, normalised and, when
gradients are wanted, differentiated while its logits are still in the processor's cache.

Axes: n position   e embedding   v vocabulary   m chunk   c position in a chunk
"""

import functools
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from seq2seq.model.product import product

_CHUNK = 512


class Softmax(NamedTuple):
    """The output layer."""

    kernel_ve: Float[Array, "v e"]
    bias_v: Float[Array, " v"]


class Losses(NamedTuple):
    """Sums over positions: what is minimised, and the plain negative log-likelihood."""

    smoothed: Float[Array, ""]
    likelihood: Float[Array, ""]


def cross_entropy(
    readout_ne: Float[Array, "n e"],
    softmax: Softmax,
    label_n: Int[Array, " n"],
    *,
    weight_n: Float[Array, " n"],
    smoothing: float,
    dtype: DTypeLike,
) -> Losses:
    """Loss of `label` under the softmax of `readout`; positions of weight 0 do not count.

    With smoothing s, the target distribution is 1 - s on the label and s spread evenly over
    the whole vocabulary. Only `smoothed` has a gradient.
    """
    fill = -len(label_n) % _CHUNK
    readout_ne = jnp.pad(readout_ne, ((0, fill), (0, 0)))
    label_n, weight_n = jnp.pad(label_n, (0, fill)), jnp.pad(weight_n, (0, fill))
    form = _Form(smoothing, dtype)
    return cast(Losses, _cross_entropy(readout_ne, softmax, (label_n, weight_n), form))


class _Form(NamedTuple):
    """What is known when the program is compiled."""

    smoothing: float
    dtype: DTypeLike


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _cross_entropy(
    readout_ne: Array,
    softmax: Softmax,
    targets: tuple[Array, Array],
    form: _Form,
) -> Losses:
    def add(total: Losses, at: tuple[Array, Array, Array]) -> tuple[Losses, None]:
        losses, _ = _chunk(softmax, at, form)
        return jax.tree.map(jnp.add, total, losses), None

    zero = Losses(jnp.float32(0), jnp.float32(0))
    losses, _ = jax.lax.scan(add, zero, _chunks(readout_ne, targets))
    return losses


def _chunks(readout_ne: Array, targets: tuple[Array, Array]) -> tuple[Array, Array, Array]:
    label_n, weight_n = targets
    return (
        readout_ne.reshape(-1, _CHUNK, readout_ne.shape[1]),
        label_n.reshape(-1, _CHUNK),
        weight_n.reshape(-1, _CHUNK),
    )


def _chunk(softmax: Softmax, at: tuple[Array, Array, Array], form: _Form) -> tuple[Losses, Array]:
    """Losses of a chunk, and their gradient with respect to its logits."""
    readout_ce, label_c, weight_c = at
    smoothing, dtype = form
    vocabulary = softmax.kernel_ve.shape[0]
    logits_cv = product("ce,ve->cv", readout_ce, softmax.kernel_ve, dtype) + softmax.bias_v[None]
    top_c1 = logits_cv.max(axis=1, keepdims=True)
    exp_cv = jnp.exp(logits_cv - top_c1)
    sum_c1 = exp_cv.sum(axis=1, keepdims=True)
    total_c = (jnp.log(sum_c1) + top_c1)[:, 0]
    label_logit_c = jnp.take_along_axis(logits_cv, label_c[:, None], axis=1)[:, 0]
    likelihood_c = total_c - label_logit_c
    even_c = total_c - logits_cv.mean(axis=1)
    smoothed_c = (1 - smoothing) * likelihood_c + smoothing * even_c
    is_label_cv = label_c[:, None] == jnp.arange(vocabulary)[None]
    target_cv = jnp.where(is_label_cv, 1 - smoothing, 0.0) + smoothing / vocabulary
    d_logits_cv = weight_c[:, None] * (exp_cv / sum_c1 - target_cv)
    return Losses((weight_c * smoothed_c).sum(), (weight_c * likelihood_c).sum()), d_logits_cv


def _forward(
    readout_ne: Array,
    softmax: Softmax,
    targets: tuple[Array, Array],
    form: _Form,
) -> tuple[Losses, tuple[Array, Softmax]]:
    """The losses, and already their gradients: the backward pass only scales them."""

    def add(
        carry: tuple[Losses, Softmax], at: tuple[Array, Array, Array]
    ) -> tuple[tuple[Losses, Softmax], Array]:
        total, d_softmax = carry
        losses, d_logits_cv = _chunk(softmax, at, form)
        d_softmax = Softmax(
            d_softmax.kernel_ve + product("cv,ce->ve", d_logits_cv, at[0], form.dtype),
            d_softmax.bias_v + d_logits_cv.sum(axis=0),
        )
        d_readout_ce = product("cv,ve->ce", d_logits_cv, softmax.kernel_ve, form.dtype)
        return (jax.tree.map(jnp.add, total, losses), d_softmax), d_readout_ce

    zero = Losses(jnp.float32(0), jnp.float32(0)), jax.tree.map(jnp.zeros_like, softmax)
    chunks = _chunks(readout_ne, targets)
    (losses, d_softmax), d_readout_mce = jax.lax.scan(add, zero, chunks)
    return losses, (d_readout_mce.reshape(readout_ne.shape), d_softmax)


def _backward(
    form: _Form, gradients: tuple[Array, Softmax], cotangent: Losses
) -> tuple[Array, Softmax, None]:
    scale = cotangent.smoothed
    d_readout_ne, d_softmax = jax.tree.map(lambda leaf: leaf * scale, gradients)
    return d_readout_ne, d_softmax, None


_cross_entropy.defvjp(_forward, _backward)
