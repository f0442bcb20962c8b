"""Matrix products in a chosen precision, with float32 results. Knows no layer.

Weights may be `Quantised`; what they are multiplied with is then rounded to eight bits too, each
row by its own scale. Such products have no gradient.

On a CPU, bfloat16 operands with float32 results run at twice float32's rate, while bfloat16
results run at half of it. JAX's own transpose rule for such a product would mix the two types
in the backward pass, which is slow again, hence the hand-written one.
"""

import functools
from typing import Any, cast

import jax
import jax.numpy as jnp
from jax import Array
from jax.experimental.layout import Layout, with_layout_constraint
from jax.typing import DTypeLike

from seq2seq.model.quantised import Quantised

_LEAST = 1e-12  # the scale of a row of zeros


def product(spec: str, left: Array, right: Array | Quantised, dtype: DTypeLike) -> Array:
    """`einsum(spec, left, right)` with operands in `dtype` and a float32 result.

    Every letter of `spec` must stand in at least two of its three terms.
    """
    if isinstance(right, Quantised):
        return _quantised_product(spec, left, right)
    return cast(Array, _product_with_gradient(spec, left, right, dtype))


def weight_gradient(spec: str, left: Array, right: Array, dtype: DTypeLike) -> Array:
    """The same where what is summed over leads in both operands, as in a weight's gradient.

    On a CPU, bfloat16 products over leading axes run at 40 % of the rate of those over trailing
    ones, and XLA takes every transposition back unless its result must be in memory; in float32
    it turns the operand itself, but while it is made, which is slow.
    """
    # Stored as they are, since turned while they are made they would be made word by word.
    left, right = stored(left.astype(dtype)), right.astype(dtype)
    terms, out = spec.split("->")
    left_term, right_term = terms.split(",")
    leading = len(left_term) - 1
    summed = left_term[:leading]
    matrices = right_term.startswith(summed) and not set(summed) & set(out)
    if not (matrices and jax.default_backend() == "cpu"):
        return _product(spec, left, right)
    left, right = (x.reshape(-1, *x.shape[leading:]) for x in (left, right))
    row, column, rest = left_term[0], left_term[leading:], right_term[leading:]
    return _product(f"{column}{row},{row}{rest}->{out}", stored(left.T), right)


def operand(weight: Array | Quantised, dtype: DTypeLike) -> Any:
    """A weight as products in `dtype` read it, for loops that it is converted outside of."""
    return weight if isinstance(weight, Quantised) else weight.astype(dtype)


def stored(x: Array) -> Array:
    """`x` in memory, row by row: on a CPU, XLA may not compute it anew wherever it is read."""
    if jax.default_backend() != "cpu":
        return x
    return with_layout_constraint(x, Layout(tuple(range(x.ndim))))


@functools.partial(jax.custom_vjp, nondiff_argnums=(0, 3))
def _product_with_gradient(spec: str, left: Array, right: Array, dtype: DTypeLike) -> Array:
    return _product(spec, left.astype(dtype), right.astype(dtype))


def _quantised_product(spec: str, left: Array, right: Quantised) -> Array:
    # The sum is over the last axis on the left, and the last of the result is the weight's other.
    most = jnp.maximum(jnp.abs(left).max(axis=-1, keepdims=True), _LEAST)
    whole = jnp.round(left * (127 / most)).astype(jnp.int8)
    sums = jnp.einsum(spec, whole, right.values, preferred_element_type=jnp.int32)
    scale = right.scale.reshape(*[1] * (sums.ndim - 1), -1)
    return sums.astype(jnp.float32) * (most / 127) * scale


def _product(spec: str, left: Array, right: Array) -> Array:
    return jnp.einsum(spec, left, right, preferred_element_type=jnp.float32)


def _forward(
    spec: str, left: Array, right: Array, dtype: DTypeLike
) -> tuple[Array, tuple[Array, Array]]:
    operands = left.astype(dtype), right.astype(dtype)
    return _product(spec, *operands), operands


def _backward(
    spec: str, dtype: DTypeLike, operands: tuple[Array, Array], cotangent: Array
) -> tuple[Array, Array]:
    left, right = operands
    terms, out = spec.split("->")
    left_term, right_term = terms.split(",")
    cotangent = cotangent.astype(dtype)
    return (
        _product(f"{out},{right_term}->{left_term}", cotangent, right),
        weight_gradient(f"{left_term},{out}->{right_term}", left, cotangent, dtype),
    )


_product_with_gradient.defvjp(_forward, _backward)
