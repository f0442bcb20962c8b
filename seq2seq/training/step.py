"""One update: the loss of a batch, its gradient over all devices, and the new state.

Everything is divided by the global count of real target tokens, so that any number of devices
and any accumulation compute the gradient of one big batch.

Axes: a piece of an accumulated batch   b sentence   s source   t target
"""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float, Int

from seq2seq.config import Config
from seq2seq.model import network
from seq2seq.model.dropout import OFF, Dropout
from seq2seq.model.network import Weights
from seq2seq.training import optimizer
from seq2seq.training.loss import Losses, Softmax, cross_entropy
from seq2seq.training.sharing import is_divided, sharing

BEGIN = 1  # the word before the first, as the tokenizer numbers it


class TrainState(NamedTuple):
    """All that an update changes.

    With `train.shard_optimizer` the devices keep the moments and the average in parts.
    """

    step: Int[Array, ""]
    weights: Weights
    moments: optax.OptState
    average: Weights | None  # moving average of the weights, if wanted
    rate_scale: Float[Array, ""]  # halved on plateaus and after rolling back
    skipped: Int[Array, ""]  # updates left out because a gradient was not finite
    skipped_in_a_row: Int[Array, ""]


class Sentences(NamedTuple):
    """A batch on a device; a target of length 0 weighs nothing."""

    source_bs: Int[Array, "*a b s"]
    source_length_b: Int[Array, "*a b"]
    target_bt: Int[Array, "*a b t"]
    target_length_b: Int[Array, "*a b"]


class Update(NamedTuple):
    """What is told of an update; sums and counts are over all devices."""

    loss: Float[Array, ""]  # per target token, as minimised
    likelihood: Float[Array, ""]  # negative log-likelihood per target token
    target_tokens: Int[Array, ""]
    source_tokens: Int[Array, ""]
    norm: Float[Array, ""]  # of the gradient, before clipping
    rate: Float[Array, ""]
    skipped: Int[Array, ""]
    skipped_in_a_row: Int[Array, ""]
    requests: Int[Array, " r"]  # how many processes ask to stop, and to save


@functools.partial(jax.jit, static_argnums=0)  # for the cache, as the weights themselves
def initial_state(config: Config, weights: Weights) -> TrainState:
    """The state before the first update, whole."""
    return TrainState(
        step=jnp.int32(0),
        weights=weights,
        moments=optimizer.make(config.train).init(weights),
        average=jax.tree.map(jnp.copy, weights) if config.train.ema > 0 else None,
        rate_scale=jnp.float32(1),
        skipped=jnp.int32(0),
        skipped_in_a_row=jnp.int32(0),
    )


def divided(config: Config) -> TrainState:
    """For each part of a state, in its place, whether it differs by device."""
    shard = config.train.shard_optimizer
    init = optimizer.make(config.train).init
    like = jax.eval_shape(init, jax.ShapeDtypeStruct((1,), jnp.float32))
    marks: dict[str, Any] = dict.fromkeys(TrainState._fields, False)
    marks["moments"] = jax.tree.map(lambda leaf: shard and is_divided(leaf), like)
    marks["average"] = shard
    return TrainState(**marks)


def losses(
    config: Config,
    weights: Weights,
    batch: Sentences,
    dropout: Dropout = OFF,
    *,
    scale: Float[Array, ""] | float = 1.0,
) -> Losses:
    """Sums over the real target tokens of a batch without an axis of pieces, times `scale`."""
    precision, rematerialise = config.train.precision, config.train.rematerialise
    net = network.bind(config.model, weights, jnp.dtype(precision), rematerialise)
    memory = net.encode(batch.source_bs, batch.source_length_b, dropout)
    target_tb = batch.target_bt.T
    words_tb = jnp.concatenate([jnp.full_like(target_tb[:1], BEGIN), target_tb[:-1]])
    readout_tbe, _, _ = net.decode(words_tb, net.begin(memory), memory, dropout)
    real_tb = jnp.arange(target_tb.shape[0])[:, None] < batch.target_length_b[None]
    return cross_entropy(
        readout_tbe.reshape(-1, readout_tbe.shape[-1]),
        Softmax(*net.output),
        target_tb.reshape(-1),
        real_n=real_tb.reshape(-1),
        scale=scale,
        smoothing=config.train.label_smoothing,
        dtype=net.dtype,
    )


def gradient(
    config: Config, weights: Weights, batch: Sentences, *, axis: str, dropout_key: Array
) -> tuple[Losses, Weights]:
    """Losses per token and their gradient, of the batch over all devices and pieces.

    The gradient is whole, or this device's part of it, as the devices share the work.
    """
    tokens = jax.lax.psum(batch.target_length_b.sum(), axis)
    per_token = 1 / jnp.maximum(tokens, 1).astype(jnp.float32)
    dropout = Dropout(dropout_key, config.model.variational_dropout)

    def of_piece(piece: Sentences, dropout: Dropout) -> tuple[Losses, Weights]:
        def loss(weights: Weights) -> tuple[Array, Losses]:
            total = losses(config, weights, piece, dropout, scale=per_token)
            return total.smoothed, total

        (_, total), gradients = jax.value_and_grad(loss, has_aux=True)(weights)
        return total, gradients

    if config.train.accumulate == 1:
        summed = of_piece(Sentences(*(leaf[0] for leaf in batch)), dropout)
    else:

        def add(total: Any, at: tuple[Array, Sentences]) -> tuple[Any, None]:
            index, piece = at
            return jax.tree.map(jnp.add, total, of_piece(piece, dropout.at(index))), None

        zero = Losses(jnp.float32(0), jnp.float32(0)), jax.tree.map(jnp.zeros_like, weights)
        summed, _ = jax.lax.scan(add, zero, (jnp.arange(config.train.accumulate), batch))
    total, gradients = summed
    return jax.lax.psum(total, axis), sharing(config.train, axis).summed(gradients)


def make_step(
    config: Config, axis: str
) -> Callable[[TrainState, Sentences, Int[Array, " r"]], tuple[TrainState, Update]]:
    """The update as a function of (state, a device's part of the batch, its process's requests)."""
    rule, shared = optimizer.make(config.train), sharing(config.train, axis)

    def step(
        state: TrainState, batch: Sentences, requests: Int[Array, " r"]
    ) -> tuple[TrainState, Update]:
        key = jax.random.fold_in(jax.random.key(config.train.seed), state.step)
        key = jax.random.fold_in(key, jax.lax.axis_index(axis))
        total, gradients = gradient(config, state.weights, batch, axis=axis, dropout_key=key)
        norm = shared.norm(gradients)
        finite = jnp.isfinite(norm) & jnp.isfinite(total.smoothed)
        rate = optimizer.rate(config.train, state.step) * state.rate_scale
        gradients = optimizer.clipped(config.train, gradients, norm)
        before = shared.part(state.weights)
        steps, moments = rule.update(gradients, state.moments, before)
        weights = jax.tree.map(lambda old, change: old - rate * change, before, steps)
        average = state.average
        if average is not None:
            decay = jnp.minimum(config.train.ema, (1.0 + state.step) / (10.0 + state.step))
            average = jax.tree.map(lambda a, w: decay * a + (1 - decay) * w, average, weights)
        # A gradient that is not finite changes nothing but the count of such gradients.
        weights, moments, average = jax.tree.map(
            lambda new, old: jnp.where(finite, new, old),
            (weights, moments, average),
            (before, state.moments, state.average),
        )
        weights = shared.whole(weights, state.weights)
        skipped = state.skipped + ~finite
        in_a_row = jnp.where(finite, 0, state.skipped_in_a_row + 1)
        counts = (
            batch.target_length_b.sum(),
            jnp.where(batch.target_length_b > 0, batch.source_length_b, 0).sum(),
        )
        target_tokens, source_tokens, asked = jax.lax.psum((*counts, requests), axis)
        update = Update(
            *(total.smoothed, total.likelihood, target_tokens, source_tokens),
            *(norm, rate, skipped, in_a_row, asked),
        )
        state = TrainState(
            *(state.step + 1, weights, moments, average),
            *(state.rate_scale, skipped, in_a_row),
        )
        return state, update

    return step
