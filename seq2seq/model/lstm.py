"""The LSTM layer: a product for all positions at once, then the loop. Knows no mask, no direction.

Padding trails every sequence, so what happens at padded positions changes nothing before them.

Axes: t position   n row   i input feature   d hidden   g gate (4d: input, forget, cell, output)
"""

from typing import Literal, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from seq2seq.model.chunks import in_chunks, in_chunks_upto
from seq2seq.model.initial import Draw
from seq2seq.model.product import product
from seq2seq.model.recurrence import Implementation, Loop, LSTMState, recur
from seq2seq.model.reduction import among_many

Rematerialise: TypeAlias = Literal["none", "layers", "time"]
"""What the backward pass computes anew instead of keeping it."""

_ROWS, _POSITIONS = 64, 8


def chunk(*, sentences: int) -> int:
    """Positions at a time, where a layer may end early: enough rows for a product to be fast.

    Four sentences have as many rows as eight, since on a CPU the bits depend on the number.
    """
    return max(_POSITIONS, _ROWS // sentences)


class LSTM(nnx.Module):
    """One unidirectional layer: the input projection for all positions at once, then the loop."""

    def __init__(
        self,
        inputs: int,
        units: int,
        *,
        layer_norm: bool,
        recurrence: Implementation,
        rematerialise: Rematerialise,
        dtype: DTypeLike,
        draw: Draw,
    ) -> None:
        self.input_ig = nnx.Param(draw.input_gates(inputs, units))
        self.recurrent_dg = nnx.Param(draw.recurrent_gates(units))
        self.bias_g = nnx.Param(draw.gate_bias(units))
        # Normalising the layer's input keeps the loop itself free of reductions.
        self.norm = nnx.LayerNorm(inputs, rngs=nnx.Rngs(0)) if layer_norm else None
        self.recurrence: Implementation = recurrence
        self.rematerialise: Rematerialise = rematerialise
        self.dtype = dtype

    def __call__(
        self,
        x_tni: Float[Array, "t n i"],
        state: LSTMState | None = None,
        *,
        upto: Int[Array, ""] | None = None,
    ) -> tuple[Float[Array, "t n d"], LSTMState]:
        """Runs over all positions, from `state` or zeros; gives the outputs and the last state.

        What stands from position `upto` on need not be read; then there is no gradient.
        """
        if self.norm is not None:
            x_tni = among_many(self.norm, x_tni)
        if state is None:
            zeros_nd = jnp.zeros((x_tni.shape[1], self.recurrent_dg[...].shape[0]))
            state = LSTMState(zeros_nd, zeros_nd)
        weights = self.input_ig[...], Loop(self.recurrent_dg[...], self.bias_g[...])

        def run(state: LSTMState, x_tni: Array) -> tuple[LSTMState, Array]:
            input_ig, loop = weights
            projected_tng = product("tni,ig->tng", x_tni, input_ig, self.dtype)
            output_tnd, last = recur(
                projected_tng, loop, state, self.dtype, implementation=self.recurrence
            )
            return last, output_tnd

        if upto is not None:
            size = chunk(sentences=x_tni.shape[1])
            last, output_tnd = in_chunks_upto(run, state, x_tni, chunk=size, upto=upto)
            return output_tnd, last
        match self.rematerialise:
            case "none":
                last, output_tnd = run(state, x_tni)
            case "layers":
                last, output_tnd = jax.checkpoint(run)(state, x_tni)
            case "time":
                last, output_tnd = in_chunks(run, state, x_tni)
        return output_tnd, last
