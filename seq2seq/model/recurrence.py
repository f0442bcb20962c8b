"""The LSTM loop over projected inputs, with its backward pass. Knows no layer, no mask, no Flax.

The gradient of the recurrent weights becomes one product after the loop, where autodiff would
add up one at every position. Two implementations compute the same; `scripts/bench_recurrence.py`
measures them:

scan      stacks what the backward pass needs, as any framework does.
inplace   puts the gates in the place of the projected inputs, and their gradients in the place of
          the gates: no array of that size is made or cleared. The gates are kept before their
          nonlinearities, which the backward pass computes anew.

Axes: t position   n row   d hidden   g gate (4d: input, forget, cell, output)
"""

import functools
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import jax
import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from seq2seq.model.product import operand, product, stored, weight_gradient

Implementation: TypeAlias = Literal["auto", "scan", "inplace"]


class LSTMState(NamedTuple):
    """What a layer carries from one position to the next."""

    hidden_nd: Float[Array, "n d"]
    cell_nd: Float[Array, "n d"]


class Loop(NamedTuple):
    """The weights inside the loop."""

    recurrent_dg: Float[Array, "d g"]
    bias_g: Float[Array, " g"]


def recur(
    projected_tng: Float[Array, "t n g"],
    loop: Loop,
    state: LSTMState,
    dtype: DTypeLike,
    *,
    implementation: Implementation = "auto",
) -> tuple[Float[Array, "t n d"], LSTMState]:
    """Outputs at every position, and the last state."""
    if implementation == "auto":
        # Elsewhere nothing holds XLA back from copying the gates at every position.
        implementation = "inplace" if jax.default_backend() == "cpu" else "scan"
    function = {"scan": _scan, "inplace": _inplace}[implementation]
    return cast(Any, function(projected_tng, loop, state, dtype))


class _Saved(NamedTuple):
    gates_tng: Array  # "scan": after their nonlinearities, "inplace": before them
    cells_tnd: Array
    hidden_tnd: Array
    state: LSTMState
    recurrent_dg: Array


_Output: TypeAlias = tuple[Array, LSTMState]


def _gates(projected_ng: Array, state: LSTMState, loop: Loop, dtype: DTypeLike) -> Array:
    recurrent_ng = product("nd,dg->ng", state.hidden_nd, loop.recurrent_dg, dtype)
    return recurrent_ng + projected_ng + loop.bias_g[None]


def _activated(gates_ng: Array) -> list[Array]:
    i_nd, f_nd, g_nd, o_nd = jnp.split(gates_ng, 4, axis=1)
    return [jax.nn.sigmoid(i_nd), jax.nn.sigmoid(f_nd), jnp.tanh(g_nd), jax.nn.sigmoid(o_nd)]


def _cell(active: list[Array], cell_nd: Array) -> LSTMState:
    i_nd, f_nd, g_nd, o_nd = active
    cell_nd = f_nd * cell_nd + i_nd * g_nd
    return LSTMState(o_nd * jnp.tanh(cell_nd), cell_nd)


def _back(
    active: list[Array], cells: tuple[Array, Array], later: LSTMState, recurrent_dg: Array
) -> tuple[LSTMState, Array]:
    """Gradients of the state before a position and of its gates, from those of its outputs."""
    (i_nd, f_nd, g_nd, o_nd), (before_nd, cell_nd) = active, cells
    tanh_nd = jnp.tanh(cell_nd)
    d_cell_nd = stored(later.cell_nd + later.hidden_nd * o_nd * (1 - tanh_nd**2))
    d_gates_ng = jnp.concatenate(
        [
            d_cell_nd * g_nd * i_nd * (1 - i_nd),
            d_cell_nd * before_nd * f_nd * (1 - f_nd),
            d_cell_nd * i_nd * (1 - g_nd**2),
            later.hidden_nd * tanh_nd * o_nd * (1 - o_nd),
        ],
        axis=1,
    )
    d_before_nd = product("ng,dg->nd", d_gates_ng, recurrent_dg, recurrent_dg.dtype)
    return LSTMState(d_before_nd, d_cell_nd * f_nd), d_gates_ng


def _weight_gradients(saved: _Saved, d_gates_tng: Array, dtype: DTypeLike) -> Loop:
    inputs_tnd = jnp.concatenate([saved.state.hidden_nd[None], saved.hidden_tnd[:-1]])
    d_recurrent_dg = weight_gradient("tnd,tng->dg", inputs_tnd, d_gates_tng, dtype)
    return Loop(d_recurrent_dg, d_gates_tng.sum(axis=(0, 1)))


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _scan(projected_tng: Array, loop: Loop, state: LSTMState, dtype: DTypeLike) -> _Output:
    return _scan_forward(projected_tng, loop, state, dtype)[0]


def _scan_forward(
    projected_tng: Array, loop: Loop, state: LSTMState, dtype: DTypeLike
) -> tuple[_Output, _Saved]:
    loop = loop._replace(recurrent_dg=operand(loop.recurrent_dg, dtype))

    def step(carry: LSTMState, projected_ng: Array) -> tuple[LSTMState, tuple[Array, ...]]:
        active = _activated(_gates(projected_ng, carry, loop, dtype))
        after = _cell(active, carry.cell_nd)
        return after, (*after, jnp.concatenate(active, axis=1))

    last, (hidden_tnd, cells_tnd, active_tng) = jax.lax.scan(step, state, projected_tng)
    saved = _Saved(active_tng, cells_tnd, hidden_tnd, state, loop.recurrent_dg)
    return (hidden_tnd, last), saved


def _scan_backward(
    dtype: DTypeLike, saved: _Saved, cotangents: _Output
) -> tuple[Array, Loop, LSTMState]:
    d_hidden_tnd, d_last = cotangents
    before_tnd = jnp.concatenate([saved.state.cell_nd[None], saved.cells_tnd[:-1]])

    def step(carry: LSTMState, at: tuple[Array, ...]) -> tuple[LSTMState, Array]:
        d_hidden_nd, active_ng, before_nd, cell_nd = at
        later = carry._replace(hidden_nd=carry.hidden_nd + d_hidden_nd)
        active = jnp.split(active_ng, 4, axis=1)
        return _back(active, (before_nd, cell_nd), later, saved.recurrent_dg)

    along = d_hidden_tnd, saved.gates_tng, before_tnd, saved.cells_tnd
    d_first, d_gates_tng = jax.lax.scan(step, d_last, along, reverse=True)
    return d_gates_tng, _weight_gradients(saved, d_gates_tng, dtype), d_first


_scan.defvjp(_scan_forward, _scan_backward)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def _inplace(projected_tng: Array, loop: Loop, state: LSTMState, dtype: DTypeLike) -> _Output:
    return _inplace_forward(projected_tng, loop, state, dtype)[0]


def _inplace_forward(
    projected_tng: Array, loop: Loop, state: LSTMState, dtype: DTypeLike
) -> tuple[_Output, _Saved]:
    loop = loop._replace(recurrent_dg=operand(loop.recurrent_dg, dtype))
    positions, rows, _ = projected_tng.shape

    def step(t: Array, carry: tuple[LSTMState, Array, Array, Array]) -> Any:
        state, gates_tng, cells_tnd, hidden_tnd = carry
        gates_ng = stored(_gates(gates_tng[t], state, loop, dtype))
        after = _cell(_activated(gates_ng), state.cell_nd)
        return (
            after,
            _put(gates_tng, gates_ng, t),
            _put(cells_tnd, after.cell_nd, t),
            _put(hidden_tnd, after.hidden_nd, t),
        )

    empty_tnd = jnp.zeros((positions, rows, loop.recurrent_dg.shape[0]))
    carry = state, projected_tng, empty_tnd, empty_tnd
    last, gates_tng, cells_tnd, hidden_tnd = jax.lax.fori_loop(0, positions, step, carry)
    saved = _Saved(gates_tng, cells_tnd, hidden_tnd, state, loop.recurrent_dg)
    return (hidden_tnd, last), saved


def _put(x_tnd: Array, x_nd: Array, t: Array) -> Array:
    return jax.lax.dynamic_update_index_in_dim(x_tnd, x_nd, t, 0)


def _inplace_backward(
    dtype: DTypeLike, saved: _Saved, cotangents: _Output
) -> tuple[Array, Loop, LSTMState]:
    d_hidden_tnd, d_last = cotangents
    positions = d_hidden_tnd.shape[0]

    def step(index: Array, carry: tuple[LSTMState, Array]) -> tuple[LSTMState, Array]:
        later, gates_tng = carry
        t = positions - 1 - index
        later = later._replace(hidden_nd=later.hidden_nd + d_hidden_tnd[t])
        # Read before its place is written to; XLA would otherwise copy the whole array.
        active = _activated(stored(gates_tng[t]))
        before_nd = jnp.where(t == 0, saved.state.cell_nd, saved.cells_tnd[t - 1])
        d_state, d_gates_ng = _back(
            active, (before_nd, saved.cells_tnd[t]), later, saved.recurrent_dg
        )
        return d_state, _put(gates_tng, d_gates_ng, t)

    d_first, d_gates_tng = jax.lax.fori_loop(0, positions, step, (d_last, saved.gates_tng))
    return d_gates_tng, _weight_gradients(saved, d_gates_tng, dtype), d_first


_inplace.defvjp(_inplace_forward, _inplace_backward)
