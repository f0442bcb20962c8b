"""Cross-entropy with label smoothing, fused with the vocabulary product.

The logits of all positions would fill more memory than the rest of the model, and cost several
passes through it. So the real positions are moved to the front, and a chunk of them at a time is
multiplied, normalised and, when gradients are wanted, differentiated while its logits are still
near the processor. Chunks of padding alone are never reached.

Axes: n position   e embedding   v vocabulary   c position in a chunk
"""

import functools
from typing import NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Bool, Float, Int

from seq2seq.model.product import product, weight_gradient

# Positions at a time: on a CPU what leaves little of the last chunk unused, on a GPU more.
_CHUNK_CPU, _CHUNK_GPU = 256, 4096
_TILE = 128  # rows and words come in multiples of this, as the matrix units like them
_NO_WORD = -1e9  # bias of the words that fill up the vocabulary: their probability is zero


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
    real_n: Bool[Array, " n"],
    scale: Float[Array, ""] | float = 1.0,
    smoothing: float,
    dtype: DTypeLike,
) -> Losses:
    """Loss of the labels at the real positions under the softmax of the readouts, times `scale`.

    With smoothing s, the target distribution is 1 - s on the label and s spread evenly over
    the whole vocabulary. Only `smoothed` has a gradient.
    """
    words, positions = softmax.kernel_ve.shape[0], len(label_n)
    fill = -words % _TILE
    softmax = Softmax(
        jnp.pad(softmax.kernel_ve, ((0, fill), (0, 0))),
        jnp.pad(softmax.bias_v, (0, fill), constant_values=_NO_WORD),
    )
    chunk = _CHUNK_CPU if jax.default_backend() == "cpu" else _CHUNK_GPU
    chunk = min(chunk, positions + -positions % _TILE)
    room = positions + -positions % chunk
    order_n, place_n = _packing(real_n)
    packed = _Packed(
        _filled(label_n[order_n], room),
        reals=real_n.sum(),
        scale=jnp.asarray(scale, jnp.float32),
    )
    form = _Form(words, chunk, smoothing, dtype)
    readout_ne = _filled(permuted(readout_ne, order_n, place_n), room)
    return cast(Losses, _cross_entropy(readout_ne, softmax, packed, form))


def _filled(x_n: Array, room: int) -> Array:
    return jnp.pad(x_n, ((0, room - len(x_n)), *[(0, 0)] * (x_n.ndim - 1)))


def _packing(real_n: Array) -> tuple[Array, Array]:
    """The order that has the real positions first, and the place of each position in it."""
    # Not by sorting: XLA cannot keep a program that sorts, and would compile it at every start.
    padding_n = ~real_n
    place_n = jnp.where(
        real_n, jnp.cumsum(real_n) - 1, real_n.sum() + jnp.cumsum(padding_n) - 1
    ).astype(jnp.int32)
    at_n = jnp.arange(len(place_n), dtype=jnp.int32)
    return jnp.zeros_like(at_n).at[place_n].set(at_n, unique_indices=True), place_n


@jax.custom_vjp
def permuted(
    x_ne: Float[Array, "n e"], order_n: Int[Array, " n"], place_n: Int[Array, " n"]
) -> Float[Array, "n e"]:
    """`x[order]`; knowing the `place` of each row in that order, its gradient needs no scatter."""
    return x_ne[order_n]


def _permuted_forward(x_ne: Array, order_n: Array, place_n: Array) -> tuple[Array, Array]:
    return permuted(x_ne, order_n, place_n), place_n


def _permuted_backward(place_n: Array, d_ne: Array) -> tuple[Array, None, None]:
    return d_ne[place_n], None, None


permuted.defvjp(_permuted_forward, _permuted_backward)


class _Packed(NamedTuple):
    """What is asked of the packed positions; those from `reals` on are filling."""

    label_n: Int[Array, " n"]
    reals: Int[Array, ""]
    scale: Float[Array, ""]


class _Form(NamedTuple):
    """What is known when the program is compiled."""

    words: int  # of the vocabulary, without what fills it up
    chunk: int
    smoothing: float
    dtype: DTypeLike


class _Kernel(NamedTuple):
    """The output layer as the products read it, and what smoothing asks of it."""

    kernel_ve: Array
    bias_v: Array
    mean_e: Array  # the mean of all words' kernels: gives the mean of the logits in one product
    mean_bias: Array

    @classmethod
    def of(cls, softmax: Softmax, form: _Form) -> "_Kernel":
        kernel_ve, bias_v = softmax
        return cls(
            kernel_ve.astype(form.dtype),
            bias_v,
            kernel_ve.sum(axis=0) / form.words,
            bias_v[: form.words].mean(),
        )


class _Gradients(NamedTuple):
    """The losses so far, and their gradients with respect to all that they depend on."""

    losses: Losses
    readout_ne: Array
    kernel_ev: Array
    bias_v: Array


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _cross_entropy(readout_ne: Array, softmax: Softmax, packed: _Packed, form: _Form) -> Losses:
    kernel = _Kernel.of(softmax, form)

    def add(index: Array, total: Losses) -> Losses:
        losses, _ = _chunk(kernel, _at(index, readout_ne, packed, form), form)
        return Losses(*map(jnp.add, total, losses))

    return jax.lax.fori_loop(0, _chunks(packed, form), add, Losses(*jnp.zeros(2)))


class _Chunk(NamedTuple):
    readout_ce: Array
    label_c: Array
    weight_c: Array


def _chunks(packed: _Packed, form: _Form) -> Array:
    return (packed.reals + form.chunk - 1) // form.chunk


def _at(index: Array, readout_ne: Array, packed: _Packed, form: _Form) -> _Chunk:
    start = index * form.chunk
    real_c = start + jnp.arange(form.chunk) < packed.reals
    return _Chunk(
        jax.lax.dynamic_slice_in_dim(readout_ne, start, form.chunk),
        jax.lax.dynamic_slice_in_dim(packed.label_n, start, form.chunk),
        jnp.where(real_c, packed.scale, 0.0),
    )


def _chunk(kernel: _Kernel, at: _Chunk, form: _Form) -> tuple[Losses, Array]:
    """Losses of a chunk, and their gradient with respect to its logits, as products read it."""
    readout_ce, label_c, weight_c = at
    words_v = jnp.arange(kernel.kernel_ve.shape[0])
    logits_cv = product("ce,ve->cv", readout_ce, kernel.kernel_ve, form.dtype) + kernel.bias_v[None]
    top_c1 = logits_cv.max(axis=1, keepdims=True)
    exp_cv = jnp.exp(logits_cv - top_c1)
    sum_c1 = exp_cv.sum(axis=1, keepdims=True)
    total_c = (jnp.log(sum_c1) + top_c1)[:, 0]
    label_logit_c = jnp.take_along_axis(logits_cv, label_c[:, None], axis=1)[:, 0]
    likelihood_c = total_c - label_logit_c
    even_c = total_c - (readout_ce @ kernel.mean_e + kernel.mean_bias)
    smoothed_c = (1 - form.smoothing) * likelihood_c + form.smoothing * even_c
    evenly_1v = jnp.where(words_v < form.words, form.smoothing / form.words, 0.0)[None]
    is_label_cv = label_c[:, None] == words_v[None]
    target_cv = jnp.where(is_label_cv, 1 - form.smoothing, 0.0) + evenly_1v
    d_logits_cv = exp_cv * (weight_c[:, None] / sum_c1) - weight_c[:, None] * target_cv
    losses = Losses((weight_c * smoothed_c).sum(), (weight_c * likelihood_c).sum())
    return losses, d_logits_cv.astype(form.dtype)


def _forward(
    readout_ne: Array, softmax: Softmax, packed: _Packed, form: _Form
) -> tuple[Losses, tuple[Array, Softmax]]:
    """The losses, and already their gradients: the backward pass only scales them."""
    kernel = _Kernel.of(softmax, form)

    def add(index: Array, carry: _Gradients) -> _Gradients:
        at = _at(index, readout_ne, packed, form)
        losses, d_logits_cv = _chunk(kernel, at, form)
        # This way round the product wants the readouts turned, and not the many more logits.
        d_kernel_ev = weight_gradient("ce,cv->ev", at.readout_ce, d_logits_cv, form.dtype)
        d_readout_ce = product("cv,ve->ce", d_logits_cv, kernel.kernel_ve, form.dtype)
        start = index * form.chunk
        return _Gradients(
            Losses(*map(jnp.add, carry.losses, losses)),
            jax.lax.dynamic_update_slice_in_dim(carry.readout_ne, d_readout_ce, start, 0),
            carry.kernel_ev + d_kernel_ev,
            carry.bias_v + d_logits_cv.sum(axis=0, dtype=jnp.float32),
        )

    kernel_ve, bias_v = softmax
    zero = Losses(*jnp.zeros(2)), readout_ne, kernel_ve.T, bias_v
    zero = _Gradients(*jax.tree.map(jnp.zeros_like, zero))
    got = jax.lax.fori_loop(0, _chunks(packed, form), add, zero)
    return got.losses, (got.readout_ne, Softmax(got.kernel_ev.T, got.bias_v))


def _backward(
    form: _Form, gradients: tuple[Array, Softmax], cotangent: Losses
) -> tuple[Array, Softmax, None]:
    d_readout_ne, d_softmax = jax.tree.map(lambda leaf: leaf * cotangent.smoothed, gradients)
    return d_readout_ne, d_softmax, None


_cross_entropy.defvjp(_forward, _backward)
