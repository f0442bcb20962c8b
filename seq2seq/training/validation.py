"""The loss of a held-out split: the training loss without dropout, over all devices.

Translating and scoring the split's text is the stage's business; it comes as a function.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from jax import Array

from seq2seq.config import Config
from seq2seq.corpus.batching import Plan, Planned
from seq2seq.model.network import Weights
from seq2seq.training import parallel
from seq2seq.training.parallel import Devices
from seq2seq.training.step import Sentences, losses

Judge = Callable[[Weights], Mapping[str, float]]
"""Translates with the given weights and gives scores by name (`bleu`, `chrf`)."""


def read_sentences(plan: Plan, planned: Planned, devices: Devices, *, pieces: int) -> Sentences:
    """This process's part of a batch, laid out by device and piece."""
    rows = devices.rows_here(planned.shape.rows, pieces)
    parts: list[Any] = [devices.divide(part, pieces) for part in plan.read(planned, rows)]
    return Sentences(*parts)


class Validation:
    """A validation split, compiled once and measured often."""

    def __init__(self, config: Config, plan: Plan, *, devices: Devices, judge: Judge) -> None:
        self._config = config
        self._plan = plan
        self._devices = devices
        self._judge = judge
        self._sums = parallel.over_devices(self._batch_sums, divided=(False, True), donate=False)

    def __call__(self, weights: Weights) -> dict[str, float]:
        """Loss, perplexity and the judge's scores; the same on all processes."""
        smoothed = likelihood = 0.0
        for planned in self._plan.epoch(seed=0, epoch=0):
            batch = read_sentences(self._plan, planned, self._devices, pieces=1)
            sums = parallel.to_host(self._sums(weights, batch))
            smoothed, likelihood = smoothed + float(sums[0]), likelihood + float(sums[1])
        tokens = self._plan.target_tokens
        numbers = {
            "loss": smoothed / tokens,
            "perplexity": math.exp(min(likelihood / tokens, 700.0)),
            **self._judge(parallel.to_host(weights)),
        }
        # Every process has the same, but for the last bits between unlike hosts; a decision
        # taken differently on two of them would be a deadlock.
        values = np.array(list(numbers.values()), np.float64)
        # As pairs of integers, since JAX would round them to float32.
        values = np.asarray(parallel.from_first(values.view(np.int32))).view(np.float64)
        return dict(zip(numbers, map(float, values), strict=True))

    def _batch_sums(self, weights: Weights, batch: Sentences) -> tuple[Array, ...]:
        piece = Sentences(*(leaf[0] for leaf in batch))
        return jax.lax.psum(tuple(losses(self._config, weights, piece)), parallel.AXIS)
