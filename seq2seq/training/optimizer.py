"""The optimizer and its learning rate, as pure functions of the step. Knows no model."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array
from jaxtyping import Float, Int

from seq2seq.config import TrainConfig


def make(config: TrainConfig) -> optax.GradientTransformation:
    """Clipped gradients in, steps of rate 1 out (to be subtracted); each element by itself."""
    parts = [optax.identity()]
    if config.optimizer in ("adam", "adamw"):
        parts.append(optax.scale_by_adam(config.beta1, config.beta2, config.epsilon))
    if config.optimizer == "adamw" and config.weight_decay > 0:
        parts.append(optax.add_decayed_weights(config.weight_decay))
    return optax.chain(*parts)


def clipped(config: TrainConfig, gradients: Any, norm: Float[Array, ""]) -> Any:
    """Gradients, of which `norm` is that of the whole gradient, no longer than is allowed."""
    if config.clip_norm == 0:
        return gradients
    # One factor, which XLA multiplies where the gradient is read; it would store quotients first.
    factor = jnp.where(norm < config.clip_norm, 1.0, config.clip_norm / norm)
    return jax.tree.map(lambda leaf: leaf * factor, gradients)


def rate(config: TrainConfig, step: Int[Array, ""]) -> Float[Array, ""]:
    """The scheduled learning rate of a step, counted from 0: warm-up, then the way down."""
    at = step.astype(jnp.float32) + 1
    warmup = jnp.minimum(at / max(config.warmup_steps, 1), 1.0)
    hold = max(config.hold_steps, config.warmup_steps)
    done = jnp.clip((at - hold) / max(config.decay_steps - hold, 1), 0.0, 1.0)
    match config.schedule:
        case "constant":
            after = jnp.float32(1)
        case "inverse_sqrt":
            after = jnp.sqrt(max(hold, 1) / jnp.maximum(at, max(hold, 1)))
        case "cosine":
            after = config.rate_floor + (1 - config.rate_floor) * 0.5 * (1 + jnp.cos(jnp.pi * done))
        case "linear":
            after = config.rate_floor + (1 - config.rate_floor) * (1 - done)
    return config.rate * warmup * after
