"""Several networks as one: what they say of the next word, on average. Knows no search, no text.

The mean is that of probabilities, not of their logarithms. It is a distribution again, so that a
score stays the logarithm of a probability; and a word that one network has never learnt to trust
keeps the share that the others give it, where a product would drop it.

Axes: b sentence   n row (sentence x hypothesis)   s source   t position   v vocabulary
"""

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import jax.numpy as jnp
from jax import Array
from jax.typing import DTypeLike
from jaxtyping import Float, Int

from seq2seq.config import ModelConfig
from seq2seq.decoding import kernels
from seq2seq.decoding.vocabularies import EVERYTHING, Words
from seq2seq.model import network
from seq2seq.model.attention import Memory
from seq2seq.model.decoder import DecoderState
from seq2seq.model.reduction import among_many

_LANES = 16  # of a vector register, at most


class Step(NamedTuple):
    """What is known of the next words: a log-probability is the score less the total."""

    scores_tnv: Float[Array, "t n v"]
    total_tn: Float[Array, "t n"]
    states: tuple[DecoderState, ...]
    attention_tns: Float[Array, "t n s"]


class Ensemble(NamedTuple):
    """Networks over one vocabulary; of a single one nothing is averaged, and nothing computed."""

    networks: tuple[network.Network, ...]

    def outputs_of(self, words_u: Int[Array, " u"] | None) -> tuple[network.Output, ...]:
        """Every network's softmax layer for some words, or for all."""
        return tuple(
            each.output if words_u is None else each.output_of(words_u) for each in self.networks
        )

    def encode(
        self, source_bs: Int[Array, "b s"], length_b: Int[Array, " b"]
    ) -> tuple[Memory, ...]:
        """Every network's memory of the sources."""
        upto = length_b.max()
        return tuple(each.encode(source_bs, length_b, upto=upto) for each in self.networks)

    def begin(self, memories: tuple[Memory, ...], hypotheses: int = 1) -> tuple[DecoderState, ...]:
        """Their states before the first word, for so many hypotheses a sentence."""
        return tuple(
            each.begin(memory, hypotheses)
            for each, memory in zip(self.networks, memories, strict=True)
        )

    def step(
        self,
        words_tn: Int[Array, "t n"],
        states: tuple[DecoderState, ...],
        memories: tuple[Memory, ...],
        *,
        words: Words = EVERYTHING,
        outputs: Sequence[network.Output | None] = (),
    ) -> Step:
        """Reads words (the previous ones), and tells of the next among those to choose from.

        The `outputs`, if there are any, are all that `words` chooses from.
        """
        scores, after, attention = [], [], []
        outputs = outputs or [None] * len(self.networks)
        for each, state, memory, output in zip(
            self.networks, states, memories, outputs, strict=True
        ):
            readout_tnr, state, weights_tns = each.decode(words_tn, state, memory)
            scores.append(words.among(each.logits(readout_tnr, output)))
            after.append(state)
            attention.append(weights_tns)
        if len(scores) == 1:
            return Step(scores[0], _log_sum_exp(scores[0]), tuple(after), attention[0])
        mean_tnv = _log_mean([each - _log_sum_exp(each)[:, :, None] for each in scores])
        attention_tns = sum(attention[1:], attention[0]) / len(attention)
        return Step(mean_tnv, jnp.zeros(words_tn.shape), tuple(after), attention_tns)


def bind(
    models: Sequence[ModelConfig], weights: Sequence[network.Weights], dtype: DTypeLike
) -> Ensemble:
    """The networks with weights as programs take them; their products run in `dtype`."""
    return Ensemble(
        tuple(
            network.bind(model, kernels.upright(leaves), dtype)
            for model, leaves in zip(models, weights, strict=True)
        )
    )


def _log_sum_exp(x_tnv: Array) -> Array:
    most_tn = x_tnv.max(axis=2)
    sum_tn = among_many(lambda x_nv: jnp.exp(x_nv).sum(axis=1), x_tnv - most_tn[:, :, None])
    # Filled up: the few that do not fill a vector register get other bits of the logarithm.
    filled = jnp.pad(sum_tn.reshape(-1), (0, -sum_tn.size % _LANES))
    return jnp.log(filled)[: sum_tn.size].reshape(sum_tn.shape) + most_tn


def _log_mean(logs: Sequence[Array]) -> Array:
    """The logarithm of the mean of what the logarithms are of."""
    words = logs[0].shape[2]
    fill = ((0, 0), (0, 0), (0, -words % _LANES))  # as above
    filled = [jnp.pad(each_tnv, fill) for each_tnv in logs]
    mean_tnv = functools.reduce(jnp.logaddexp, filled) - math.log(len(logs))
    return mean_tnv[:, :, :words]
