"""The whole network, and its life as a pure function of its weights.

`initialise` makes the weights, a nested dict of arrays; `bind` gives them a network back inside
any traced function. Knows no optimizer, no devices, no text.

Axes: b sentence   k hypothesis   n row (b·k)   s source   t position   e embedding   r readout
v vocabulary   u some words of it
"""

import functools
from typing import Any, TypeAlias

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from seq2seq.config import ModelConfig
from seq2seq.model.attention import Memory
from seq2seq.model.bits import as_bits, from_bits
from seq2seq.model.decoder import Decoder, DecoderState
from seq2seq.model.dropout import OFF, Dropout
from seq2seq.model.encoder import Encoder
from seq2seq.model.initial import Draw
from seq2seq.model.lstm import Rematerialise
from seq2seq.model.product import product
from seq2seq.model.quantised import Quantised
from seq2seq.model.weights import Sizes, Weights

Output: TypeAlias = tuple[Any, Float[Array, " v"]]
"""Weights [v, r], which may be `Quantised`, and bias of a softmax layer."""


class Network(nnx.Module):
    """Embeddings, encoder, decoder and softmax weights."""

    def __init__(
        self,
        config: ModelConfig,
        sizes: Sizes,
        *,
        rematerialise: Rematerialise = "none",
        dtype: DTypeLike,
        draw: Draw,
    ) -> None:
        def table(vocabulary: int, width: int = config.embedding) -> nnx.Param:
            return nnx.Param(draw.table(vocabulary, width))

        self.target_ve = table(sizes.target)
        self.source_ve = None if config.tie == "all" else table(sizes.source)
        self.output_ve = table(sizes.target, config.readout) if config.tie == "none" else None
        self.output_bias_v = nnx.Param(draw.zeros(sizes.target))
        self.encoder = Encoder(config, rematerialise=rematerialise, dtype=dtype, draw=draw)
        self.decoder = Decoder(config, rematerialise=rematerialise, dtype=dtype, draw=draw)
        self.config = config
        self.dtype = dtype

    def encode(
        self,
        source_bs: Int[Array, "b s"],
        length_b: Int[Array, " b"],
        dropout: Dropout = OFF,
        *,
        upto: Int[Array, ""] | None = None,
    ) -> Memory:
        """Reads the sources; what stands behind `length` is padding and has no influence.

        Where nobody asks for gradients, no more than `upto` positions need be read.
        """
        table_ve = self.target_ve if self.source_ve is None else self.source_ve
        x_sbe = _rows(table_ve[...], source_bs.T)
        x_sbe = dropout(x_sbe, self.config.dropout_embedding, site=0)
        memory_sbm, summary_bm = self.encoder(x_sbe, length_b, dropout=dropout.at(1), upto=upto)
        mask_bs = jnp.arange(source_bs.shape[1])[None] < length_b[:, None]
        return self.decoder.attention.remember(memory_sbm, mask_bs, summary_bm)

    def begin(self, memory: Memory, hypotheses: int = 1) -> DecoderState:
        """The decoder's state before the first word, for so many hypotheses a sentence."""
        return self.decoder.begin(memory, hypotheses)

    def decode(
        self,
        words_tn: Int[Array, "t n"],
        state: DecoderState,
        memory: Memory,
        dropout: Dropout = OFF,
    ) -> tuple[Float[Array, "t n r"], DecoderState, Float[Array, "t n s"]]:
        """Reads words (the previous ones) and gives readouts for the next, and the attention."""
        x_tne = _rows(self.target_ve[...], words_tn)
        x_tne = dropout(x_tne, self.config.dropout_embedding, site=2)
        return self.decoder(x_tne, state, memory, dropout=dropout.at(3))

    def logits(
        self, readout_tnr: Float[Array, "t n r"], output: Output | None = None
    ) -> Float[Array, "t n v"]:
        """Unnormalised log-probabilities of all words, or of those whose `output` is given."""
        kernel_vr, bias_v = output or self.output
        return product("tnr,vr->tnv", readout_tnr, kernel_vr, self.dtype) + bias_v[None, None]

    @property
    def output(self) -> Output:
        """The softmax layer's weights and bias."""
        table_ve = self.target_ve if self.output_ve is None else self.output_ve
        return table_ve[...], self.output_bias_v[...]

    def output_of(self, words_u: Int[Array, " u"]) -> Output:
        """The same for some words."""
        table_ve, bias_v = self.output
        return _found(table_ve, words_u), bias_v[words_u]


def _rows(table_ve: Array | Quantised, words: Array) -> Array:
    """Embeddings, in float32."""
    found = _found(table_ve, words)
    if isinstance(found, Quantised):
        return found.values * found.scale
    return found.astype(jnp.float32)


def _found(table_ve: Any, words: Array) -> Any:
    return jax.tree.map(
        lambda leaf: from_bits(jnp.take(as_bits(leaf), words, axis=0, mode="clip")), table_ve
    )


def initialise(config: ModelConfig, sizes: Sizes, seed: int) -> Weights:
    """Fresh float32 weights, in the host's memory."""
    network = Network(config, sizes, dtype=jnp.float32, draw=Draw(seed))
    return nnx.to_pure_dict(nnx.state(network))


def shapes(config: ModelConfig, sizes: Sizes) -> Weights:
    """The weights as shapes and types, without making any."""
    _, abstract = _structure(config, sizes, "none", jnp.dtype(jnp.float32))
    return nnx.to_pure_dict(abstract)


def bind(
    config: ModelConfig,
    weights: Weights,
    dtype: DTypeLike = jnp.float32,
    rematerialise: Rematerialise = "none",
) -> Network:
    """The network with these weights, which may be traced; its products run in `dtype`."""
    source = weights.get("source_ve", weights["target_ve"]).shape[0]
    sizes = Sizes(source, weights["target_ve"].shape[0])
    graph, abstract = _structure(config, sizes, rematerialise, jnp.dtype(dtype))
    state = jax.tree.map(lambda leaf: leaf, abstract)
    nnx.replace_by_pure_dict(state, weights)
    return nnx.merge(graph, state)


@functools.lru_cache
def _structure(
    config: ModelConfig, sizes: Sizes, rematerialise: Rematerialise, dtype: Any
) -> tuple[Any, Any]:
    def make() -> Network:
        return Network(config, sizes, rematerialise=rematerialise, dtype=dtype, draw=Draw(None))

    return nnx.split(nnx.eval_shape(make))
