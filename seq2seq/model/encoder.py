"""The encoder: layers of LSTMs over the source, bidirectional all through or at the bottom.

Axes: s source   b sentence   d feature
"""

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from seq2seq.config import ModelConfig
from seq2seq.model.dropout import Dropout
from seq2seq.model.initial import Draw
from seq2seq.model.lstm import LSTM, Rematerialise


class Bidirectional(nnx.Module):
    """Two LSTMs, one of which reads each sentence from its own last token to its first."""

    def __init__(self, inputs: int, units: int, **options) -> None:
        self.forward = LSTM(inputs, units, **options)
        self.backward = LSTM(inputs, units, **options)

    def __call__(
        self,
        x_sbd: Float[Array, "s b i"],
        length_b: Int[Array, " b"],
        *,
        upto: Int[Array, ""] | None,
    ) -> Float[Array, "s b d"]:
        """Both directions side by side."""
        ahead_sbd, _ = self.forward(x_sbd, upto=upto)
        back_sbd, _ = self.backward(reverse(x_sbd, length_b), upto=upto)
        return jnp.concatenate([ahead_sbd, reverse(back_sbd, length_b)], axis=-1)


class Encoder(nnx.Module):
    """Embedded source in, one vector a position out."""

    def __init__(
        self, config: ModelConfig, *, rematerialise: Rematerialise, dtype: DTypeLike, draw: Draw
    ) -> None:
        layers, width = [], config.embedding
        options = {
            **{"layer_norm": config.layer_norm, "recurrence": config.recurrence},
            **{"rematerialise": rematerialise, "dtype": dtype, "draw": draw},
        }
        for index in range(config.encoder_layers):
            both = config.bidirectional == "all" or index == 0
            kind = Bidirectional if both else LSTM
            layers.append(kind(width, config.encoder_units, **options))
            width = config.encoder_units * (2 if both else 1)
        self.layers = nnx.List(layers)
        self.config = config

    def __call__(
        self,
        x_sbd: Float[Array, "s b e"],
        length_b: Int[Array, " b"],
        *,
        dropout: Dropout,
        upto: Int[Array, ""] | None = None,
    ) -> tuple[Float[Array, "s b m"], Float[Array, "b m"]]:
        """The memory, and its summary: each direction's state after the whole sentence.

        Where there is `upto`, positions from there on need not be read (see `LSTM`).
        """
        for index, layer in enumerate(self.layers):
            if index > 0:
                x_sbd = dropout.at(index)(x_sbd, self.config.dropout_layers, site=0)
            if isinstance(layer, Bidirectional):
                y_sbd = layer(x_sbd, length_b, upto=upto)
            else:
                y_sbd, _ = layer(x_sbd, upto=upto)
            add = self.config.residual and index > 0 and x_sbd.shape == y_sbd.shape
            x_sbd = x_sbd + y_sbd if add else y_sbd
        last_bd = jnp.take_along_axis(x_sbd, (length_b - 1)[None, :, None], axis=0)[0]
        if not isinstance(self.layers[-1], Bidirectional):
            return x_sbd, last_bd
        half = x_sbd.shape[-1] // 2
        return x_sbd, jnp.concatenate([last_bd[:, :half], x_sbd[0, :, half:]], axis=-1)


@jax.custom_vjp
def reverse(x_sbd: Float[Array, "s b d"], length_b: Int[Array, " b"]) -> Float[Array, "s b d"]:
    """Each sequence in reverse order, within its length: padding stays behind."""
    position_s1 = jnp.arange(x_sbd.shape[0])[:, None]
    index_sb = jnp.where(
        position_s1 < length_b[None], length_b[None] - 1 - position_s1, position_s1
    )
    return jnp.take_along_axis(x_sbd, index_sb[:, :, None], axis=0, mode="promise_in_bounds")


def _reverse_forward(x_sbd: Array, length_b: Array) -> tuple[Array, Array]:
    return reverse(x_sbd, length_b), length_b


def _reverse_backward(length_b: Array, d_sbd: Array) -> tuple[Array, None]:
    # Its own inverse, and so its own gradient, where autodiff would scatter and add.
    return reverse(d_sbd, length_b), None


reverse.defvjp(_reverse_forward, _reverse_backward)
