"""Rates and rules, against their definitions and Optax's own optimizers."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seq2seq import configfile
from seq2seq.training import optimizer


def settings(**train):
    return configfile.from_tree({"train": train}).train


def rates(steps, **train):
    config = settings(rate=1.0, warmup_steps=10, **train)
    return [float(optimizer.rate(config, jnp.int32(step))) for step in steps]


@pytest.mark.parametrize("schedule", ["constant", "inverse_sqrt", "cosine", "linear"])
def test_every_schedule_warms_up_to_the_peak(schedule):
    warmup = rates(range(10), schedule=schedule, decay_steps=100)
    np.testing.assert_allclose(warmup, np.arange(1, 11) / 10, rtol=1e-6)


def test_inverse_sqrt_halves_the_rate_at_four_times_the_warmup():
    assert rates([39], schedule="inverse_sqrt") == pytest.approx([0.5])


@pytest.mark.parametrize("schedule", ["cosine", "linear"])
def test_the_way_down_is_half_done_in_the_middle_and_ends_at_the_floor(schedule):
    after = rates(
        [19, 59, 99, 500], schedule=schedule, hold_steps=20, decay_steps=100, rate_floor=0.1
    )
    np.testing.assert_allclose(after, [1.0, 0.55, 0.1, 0.1], rtol=1e-5)


def test_a_constant_rate_stays():
    assert rates([10, 1000, 100_000], schedule="constant") == [1.0, 1.0, 1.0]


@pytest.mark.parametrize(
    ("train", "reference"),
    [
        ({"optimizer": "adam"}, optax.adam(1.0, 0.9, 0.999, 1e-8)),
        (
            {"optimizer": "adamw", "weight_decay": 0.1},
            optax.adamw(1.0, 0.9, 0.999, 1e-8, weight_decay=0.1),
        ),
        ({"optimizer": "sgd"}, optax.sgd(1.0)),
    ],
    ids=["adam", "adamw", "sgd"],
)
def test_a_step_is_that_of_optax_with_the_sign_turned(train, reference):
    rule = optimizer.make(settings(clip_norm=0.0, **train))
    weights = {"a": jnp.array([1.0, -2.0]), "b": jnp.array([[3.0]])}
    ours, theirs = rule.init(weights), reference.init(weights)
    for scale in (1.0, -0.5, 2.0):
        gradient = {"a": jnp.array([0.1, 0.2]) * scale, "b": jnp.array([[-0.3]]) * scale}
        change, ours = rule.update(gradient, ours, weights)
        expected, theirs = reference.update(gradient, theirs, weights)
        for name in weights:
            np.testing.assert_allclose(change[name], -expected[name], rtol=1e-5)


def test_clipping_bounds_the_norm_of_the_whole_gradient():
    gradient = {"a": jnp.array([3.0]), "b": jnp.array([4.0])}
    for limit, expected in ((1.0, [0.6, 0.8]), (6.0, [3.0, 4.0]), (0.0, [3.0, 4.0])):
        found = optimizer.clipped(settings(clip_norm=limit), gradient, jnp.float32(5))
        np.testing.assert_allclose([found["a"][0], found["b"][0]], expected, rtol=1e-6)
