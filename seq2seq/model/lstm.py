"""The recurrence, and the LSTM layer around it. Knows no attention, no direction and no mask.

Padding trails every sequence, so what happens at padded positions changes nothing before them.

Axes: t position   n row   i input feature   d hidden   g gate (4d: input, forget, cell, output)
"""

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from seq2seq.model.product import product


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
        gates_tng = product("tni,ig->tng", x_tni, self.input_ig[...], self.dtype)
        gates_tng = gates_tng + self.bias_g[None, None]
        if state is None:
            zeros_nd = jnp.zeros((x_tni.shape[1], gates_tng.shape[2] // 4))
            state = LSTMState(zeros_nd, zeros_nd)
        return recur(gates_tng, self.recurrent_dg[...], state, self.dtype)


@functools.partial(jax.custom_vjp, nondiff_argnums=(3,))
def recur(
    gates_tng: Float[Array, "t n g"],
    recurrent_dg: Float[Array, "d g"],
    state: LSTMState,
    dtype: DTypeLike,
) -> tuple[Float[Array, "t n d"], LSTMState]:
    """The LSTM loop over projected inputs: outputs at every position, and the last state.

    Its backward pass is written by hand: the gradient of the recurrent weights becomes one
    product after the loop, where autodiff would add up one at every position.
    """
    outputs, _ = _recur_forward(gates_tng, recurrent_dg, state, dtype)
    return outputs


class _Saved(NamedTuple):
    gates_tng: Array  # after their nonlinearities
    cells_tnd: Array
    hidden_tnd: Array
    state: LSTMState
    recurrent_dg: Array


def _recur_forward(
    gates_tng: Array, recurrent_dg: Array, state: LSTMState, dtype: DTypeLike
) -> tuple[tuple[Array, LSTMState], _Saved]:
    recurrent_dg = recurrent_dg.astype(dtype)

    def step(carry: LSTMState, projected_ng: Array) -> tuple[LSTMState, tuple[Array, ...]]:
        gates_ng = projected_ng + product("nd,dg->ng", carry.hidden_nd, recurrent_dg, dtype)
        i_nd, f_nd, g_nd, o_nd = jnp.split(gates_ng, 4, axis=1)
        i_nd, f_nd, o_nd = jax.nn.sigmoid(i_nd), jax.nn.sigmoid(f_nd), jax.nn.sigmoid(o_nd)
        g_nd = jnp.tanh(g_nd)
        cell_nd = f_nd * carry.cell_nd + i_nd * g_nd
        hidden_nd = o_nd * jnp.tanh(cell_nd)
        active_ng = jnp.concatenate([i_nd, f_nd, g_nd, o_nd], axis=1)
        return LSTMState(hidden_nd, cell_nd), (hidden_nd, cell_nd, active_ng)

    last, (hidden_tnd, cells_tnd, active_tng) = jax.lax.scan(step, state, gates_tng)
    saved = _Saved(active_tng, cells_tnd, hidden_tnd, state, recurrent_dg)
    return (hidden_tnd, last), saved


def _recur_backward(
    dtype: DTypeLike, saved: _Saved, cotangents: tuple[Array, LSTMState]
) -> tuple[Array, Array, LSTMState]:
    d_hidden_tnd, d_last = cotangents
    before_tnd = jnp.concatenate([saved.state.cell_nd[None], saved.cells_tnd[:-1]])

    def step(carry: LSTMState, at: tuple[Array, Array, Array, Array]) -> tuple[LSTMState, Array]:
        d_output_nd, gates_ng, cell_nd, before_nd = at
        i_nd, f_nd, g_nd, o_nd = jnp.split(gates_ng, 4, axis=1)
        tanh_nd = jnp.tanh(cell_nd)
        d_hidden_nd = d_output_nd + carry.hidden_nd
        d_cell_nd = carry.cell_nd + d_hidden_nd * o_nd * (1 - tanh_nd**2)
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
        return LSTMState(d_before_nd, d_cell_nd * f_nd), d_gates_ng

    d_first, d_gates_tng = jax.lax.scan(
        step,
        d_last,
        (d_hidden_tnd, saved.gates_tng, saved.cells_tnd, before_tnd),
        reverse=True,
    )
    inputs_tnd = jnp.concatenate([saved.state.hidden_nd[None], saved.hidden_tnd[:-1]])
    d_recurrent_dg = product("tnd,tng->dg", inputs_tnd, d_gates_tng, dtype)
    return d_gates_tng, d_recurrent_dg, d_first


recur.defvjp(_recur_forward, _recur_backward)
