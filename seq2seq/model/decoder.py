"""The decoder: one function for teacher forcing and for a step of the search.

Without input feeding (GNMT-v2) the bottom LSTM reads target embeddings alone, attention asks
with its outputs, and the context goes to every upper layer and to the readout: each part then
runs over all positions at once. With input feeding (Luong) the bottom LSTM also reads the
previous readout, so that positions follow one another.

Axes: t position   n row (sentence x hypothesis)   i input   e embedding   d hidden
r readout   m memory   s source
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float

from seq2seq.config import ModelConfig
from seq2seq.model.attention import Attention, Memory
from seq2seq.model.dropout import Dropout
from seq2seq.model.initial import Draw
from seq2seq.model.lstm import LSTM, Rematerialise
from seq2seq.model.product import product
from seq2seq.model.recurrence import LSTMState


class DecoderState(NamedTuple):
    """What decoding carries from one position to the next; every leaf has the rows first."""

    layers: tuple[LSTMState, ...]
    readout_nr: Float[Array, "n r"]  # the last one; read again only with input feeding


class Decoder(nnx.Module):
    """Embedded target words in, readouts (what the softmax sees) out."""

    def __init__(
        self, config: ModelConfig, *, rematerialise: Rematerialise, dtype: DTypeLike, draw: Draw
    ) -> None:
        units, memory = config.decoder_units, config.memory_units
        fed = config.readout if config.input_feeding else 0
        context = memory if config.context == "layers" else 0
        inputs = [config.embedding + fed, *[units + context] * (config.decoder_layers - 1)]
        self.layers = nnx.List([
            LSTM(
                width,
                units,
                layer_norm=config.layer_norm,
                recurrence=config.recurrence,
                rematerialise=rematerialise,
                dtype=dtype,
                draw=draw,
            )
            for width in inputs
        ])
        self.attention = Attention(
            config.attention,
            query=units,
            memory=memory,
            heads=config.attention_heads,
            dtype=dtype,
            draw=draw,
        )
        states, begins = 2 * config.decoder_layers * units, config.begin == "summary"
        self.begin_ms = nnx.Param(draw.matrix(memory, states)) if begins else None
        self.begin_bias_s = nnx.Param(draw.zeros(states)) if begins else None
        self.readout_de = nnx.Param(draw.matrix(units + memory, config.readout))
        self.readout_bias_e = nnx.Param(draw.zeros(config.readout))
        self.config = config
        self.dtype = dtype

    def begin(self, memory: Memory, hypotheses: int) -> DecoderState:
        """The state before the first word, for so many hypotheses a sentence."""
        count, units = 2 * self.config.decoder_layers, self.config.decoder_units
        if self.begin_ms is None or self.begin_bias_s is None:
            states_bs = jnp.zeros((len(memory.summary_bm), count * units))
        else:
            states_bs = jnp.tanh(
                product("bm,ms->bs", memory.summary_bm, self.begin_ms[...], self.dtype)
                + self.begin_bias_s[None]
            )
        rows_ns = jnp.repeat(states_bs, hypotheses, axis=0)
        parts = jnp.split(rows_ns, count, axis=1)
        layers = tuple(map(LSTMState, parts[::2], parts[1::2]))
        return DecoderState(layers, jnp.zeros((rows_ns.shape[0], self.config.readout)))

    def __call__(
        self, x_tne: Float[Array, "t n e"], state: DecoderState, memory: Memory, *, dropout: Dropout
    ) -> tuple[Float[Array, "t n r"], DecoderState, Float[Array, "t n s"]]:
        """Readouts and attention at every position, and the state after the last."""
        if not self.config.input_feeding:
            return self._positions(x_tne, state, memory, dropout=dropout)

        def step(
            carry: DecoderState, at: tuple[Array, Array]
        ) -> tuple[DecoderState, tuple[Array, Array]]:
            index, x_ne = at
            fed_ne = jnp.concatenate([x_ne, carry.readout_nr], axis=1)
            readout_tnr, carry, weights_tns = self._positions(
                fed_ne[None], carry, memory, dropout=dropout.at_time(index)
            )
            return carry, (readout_tnr[0], weights_tns[0])

        positions = jnp.arange(x_tne.shape[0])
        state, (readout_tnr, weights_tns) = jax.lax.scan(step, state, (positions, x_tne))
        return readout_tnr, state, weights_tns

    def _positions(
        self, x_tni: Float[Array, "t n i"], state: DecoderState, memory: Memory, *, dropout: Dropout
    ) -> tuple[Float[Array, "t n r"], DecoderState, Float[Array, "t n s"]]:
        config, states = self.config, []
        x_tnd, after = self.layers[0](x_tni, state.layers[0])
        states.append(after)
        context_tnm, weights_tns = self.attention(
            x_tnd, memory, dropout=dropout.at(0), rate=config.dropout_attention
        )
        for index, layer in enumerate(self.layers[1:], start=1):
            x_tnd = dropout.at(index)(x_tnd, config.dropout_layers, site=0)
            fed_tnd = x_tnd
            if config.context == "layers":
                fed_tnd = jnp.concatenate([x_tnd, context_tnm], axis=-1)
            y_tnd, after = layer(fed_tnd, state.layers[index])
            states.append(after)
            x_tnd = x_tnd + y_tnd if config.residual else y_tnd
        both_tnd = jnp.concatenate([x_tnd, context_tnm], axis=-1)
        readout_tnr = jnp.tanh(
            product("tnd,dr->tnr", both_tnd, self.readout_de[...], self.dtype)
            + self.readout_bias_e[None, None]
        )
        readout_tnr = dropout(readout_tnr, config.dropout_output, site=1)
        return readout_tnr, DecoderState(tuple(states), readout_tnr[-1]), weights_tns
