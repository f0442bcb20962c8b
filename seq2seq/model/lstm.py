"""The recurrence, and the LSTM layer around it. Knows no attention, no direction and no mask.

Padding trails every sequence, so what happens at padded positions changes nothing before them.

Axes: t position   n row   i input feature   d hidden   g gate (4d: input, forget, cell, output)
"""

import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from seq2seq.model.product import product, stored, weight_gradient


class LSTMState(NamedTuple):
    """What a layer carries from one position to the next."""

    hidden_nd: Float[Array, "n d"]
    cell_nd: Float[Array, "n d"]


class LSTM(nnx.Module):
    """One unidirectional layer: the input projection for all positions at once, then the loop."""

    def __init__(
        self, inputs: int, units: int, *, layer_norm: bool, dtype: DTypeLike, rngs: nnx.Rngs
    ) -> None:
        glorot, orthogonal = nnx.initializers.glorot_uniform(), nnx.initializers.orthogonal()
        # Each gate is initialised as the matrix it is, not as a quarter of one.
        self.input_ig = nnx.Param(
            jnp.concatenate([glorot(rngs.params(), (inputs, units)) for _ in range(4)], axis=1)
        )
        self.recurrent_dg = nnx.Param(
            jnp.concatenate([orthogonal(rngs.params(), (units, units)) for _ in range(4)], axis=1)
        )
        # A forget gate that starts open lets gradients through from the first step.
        self.bias_g = nnx.Param(jnp.zeros(4 * units).at[units : 2 * units].set(1.0))
        # Normalising the layer's input keeps the loop itself free of reductions.
        self.norm = nnx.LayerNorm(inputs, rngs=rngs) if layer_norm else None
        self.dtype = dtype

    def __call__(
        self, x_tni: Float[Array, "t n i"], state: LSTMState | None = None
    ) -> tuple[Float[Array, "t n d"], LSTMState]:
        """Runs over all positions, from `state` or zeros; gives the outputs and the last state."""
        if self.norm is not None:
            x_tni = self.norm(x_tni)
        projected_tng = product("tni,ig->tng", x_tni, self.input_ig[...], self.dtype)
        if state is None:
            zeros_nd = jnp.zeros((x_tni.shape[1], self.recurrent_dg.shape[0]))
            state = LSTMState(zeros_nd, zeros_nd)
        loop = Loop(self.recurrent_dg[...], self.bias_g[...])
        return recur(projected_tng, loop, state, self.dtype)


class Loop(NamedTuple):
    """The weights inside the loop."""

    recurrent_dg: Float[Array, "d g"]
    bias_g: Float[Array, " g"]


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def recur(
    projected_tng: Float[Array, "t n g"],
    loop: Loop,
    state: LSTMState,
    dtype: DTypeLike,
) -> tuple[Float[Array, "t n d"], LSTMState]:
    """The LSTM loop over projected inputs: outputs at every position, and the last state.

    Its backward pass is written by hand: the gradient of the recurrent weights becomes one
    product after the loop, where autodiff would add up one at every position.
    """
    outputs, _ = _recur_forward(projected_tng, loop, state, dtype)
    return outputs


class _Saved(NamedTuple):
    gates_tng: Array  # before their nonlinearities
    cells_tnd: Array
    hidden_tnd: Array
    state: LSTMState
    recurrent_dg: Array


def _recur_forward(
    projected_tng: Array, loop: Loop, state: LSTMState, dtype: DTypeLike
) -> tuple[tuple[Array, LSTMState], _Saved]:
    recurrent_dg = loop.recurrent_dg.astype(dtype)
    positions, rows, _ = projected_tng.shape

    def step(t: Array, carry: tuple[LSTMState, Array, Array, Array]) -> Any:
        state, gates_tng, cells_tnd, hidden_tnd = carry
        gates_ng = product("nd,dg->ng", state.hidden_nd, recurrent_dg, dtype)
        gates_ng = stored(gates_ng + gates_tng[t] + loop.bias_g[None])
        i_nd, f_nd, g_nd, o_nd = _activated(gates_ng)
        cell_nd = f_nd * state.cell_nd + i_nd * g_nd
        hidden_nd = o_nd * jnp.tanh(cell_nd)
        return (
            LSTMState(hidden_nd, cell_nd),
            _put(gates_tng, gates_ng, t),
            _put(cells_tnd, cell_nd, t),
            _put(hidden_tnd, hidden_nd, t),
        )

    # The gates take the place of the projected inputs: no array of that size is made or cleared.
    empty_tnd = jnp.zeros((positions, rows, recurrent_dg.shape[0]))
    carry = state, projected_tng, empty_tnd, empty_tnd
    last, gates_tng, cells_tnd, hidden_tnd = jax.lax.fori_loop(0, positions, step, carry)
    return (hidden_tnd, last), _Saved(gates_tng, cells_tnd, hidden_tnd, state, recurrent_dg)


def _activated(gates_ng: Array) -> tuple[Array, Array, Array, Array]:
    i_nd, f_nd, g_nd, o_nd = jnp.split(gates_ng, 4, axis=1)
    return jax.nn.sigmoid(i_nd), jax.nn.sigmoid(f_nd), jnp.tanh(g_nd), jax.nn.sigmoid(o_nd)


def _put(x_tnd: Array, x_nd: Array, t: Array) -> Array:
    return jax.lax.dynamic_update_index_in_dim(x_tnd, x_nd, t, 0)


def _recur_backward(
    dtype: DTypeLike, saved: _Saved, cotangents: tuple[Array, LSTMState]
) -> tuple[Array, Loop, LSTMState]:
    d_hidden_tnd, d_last = cotangents
    positions = d_hidden_tnd.shape[0]

    def step(index: Array, carry: tuple[LSTMState, Array]) -> tuple[LSTMState, Array]:
        later, gates_tng = carry
        t = positions - 1 - index
        # Read before its place is written to; XLA would otherwise copy the whole array.
        i_nd, f_nd, g_nd, o_nd = _activated(stored(gates_tng[t]))
        before_nd = jnp.where(t == 0, saved.state.cell_nd, saved.cells_tnd[t - 1])
        tanh_nd = jnp.tanh(saved.cells_tnd[t])
        d_hidden_nd = d_hidden_tnd[t] + later.hidden_nd
        d_cell_nd = stored(later.cell_nd + d_hidden_nd * o_nd * (1 - tanh_nd**2))
        d_gates_ng = jnp.concatenate(
            [
                d_cell_nd * g_nd * i_nd * (1 - i_nd),
                d_cell_nd * before_nd * f_nd * (1 - f_nd),
                d_cell_nd * i_nd * (1 - g_nd**2),
                d_hidden_nd * tanh_nd * o_nd * (1 - o_nd),
            ],
            axis=1,
        )
        d_before_nd = product("ng,dg->nd", d_gates_ng, saved.recurrent_dg, dtype)
        return LSTMState(d_before_nd, d_cell_nd * f_nd), _put(gates_tng, d_gates_ng, t)

    # Here too the gradients take the place of what they are gradients of.
    d_first, d_gates_tng = jax.lax.fori_loop(0, positions, step, (d_last, saved.gates_tng))
    inputs_tnd = jnp.concatenate([saved.state.hidden_nd[None], saved.hidden_tnd[:-1]])
    d_recurrent_dg = weight_gradient("tnd,tng->dg", inputs_tnd, d_gates_tng, dtype)
    return d_gates_tng, Loop(d_recurrent_dg, d_gates_tng.sum(axis=(0, 1))), d_first


recur.defvjp(_recur_forward, _recur_backward)
