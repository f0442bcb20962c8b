"""Sends batches through the compiled update, one ahead of what the host has read.

Knows neither epochs nor files: the loop decides what comes next, and what the numbers mean.
"""

import time
from collections import deque
from collections.abc import Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seq2seq.corpus.batching import Planned, Shape
from seq2seq.training import parallel
from seq2seq.training.progress import Place
from seq2seq.training.step import Sentences, TrainState, Update, make_step
from seq2seq.training.task import Task
from seq2seq.training.validation import read_sentences


class Updates:
    """The update of a training, for all shapes of batches."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._pieces = task.config.train.accumulate
        step = make_step(task.config, parallel.AXIS)
        self._program = parallel.Program(
            parallel.over_devices(step, divided=(False, True, True), donate=True)
        )
        self._waiting: deque[tuple[Place, Update]] = deque()

    def compile(self, state: TrainState) -> str:
        """Compiles the largest shape now, the others in a thread; says what it needs."""
        started, plan = time.monotonic(), self._task.plan
        arguments = {shape: self._arguments(state, shape) for shape in plan.shapes}
        needed = self._program.prepare(plan.largest, arguments)
        return (
            f"compiled the largest batch ({', '.join(map(str, plan.largest))}) in "
            f"{time.monotonic() - started:.1f} s; it needs {needed / 1e6:,.0f} MB a device"
        )

    def send(
        self, state: TrainState, planned: Planned, *, wishes: np.ndarray, place: Place
    ) -> TrainState:
        """The state after a batch, which leads to `place`; `wishes` (stop, save) travel along."""
        devices = self._task.devices
        batch = read_sentences(self._task.plan, planned, devices, pieces=self._pieces)
        # Only one device a process carries its wishes, so that their sum counts processes.
        requests = np.zeros((len(devices.local), 2), np.int32)
        requests[0] = wishes
        state, update = self._program(planned.shape, state, batch, requests)
        self._waiting.append((place, update))
        return state

    def read(self, *, leave: int) -> Iterator[tuple[Place, Update]]:
        """The results so far, but for the latest few, which the device may still work on."""
        while len(self._waiting) > leave:
            place, update = self._waiting.popleft()
            yield place, parallel.to_host(update)

    def forget(self) -> None:
        """Drops results that were not read."""
        self._waiting.clear()

    def close(self) -> None:
        """Stops compiling."""
        self._program.close()

    def _arguments(self, state: TrainState, shape: Shape) -> tuple[Any, ...]:
        """The shapes and types of the update's arguments for a shape of batch."""
        devices = self._task.devices
        rows = devices.filled_up(shape.rows, self._pieces) // (devices.total * self._pieces)
        grid = (len(devices.local), self._pieces, rows)
        parts: list[Any] = [
            jax.ShapeDtypeStruct(grid + size, jnp.int32)
            for size in ((shape.source,), (), (shape.target,), ())
        ]
        return state, Sentences(*parts), jax.ShapeDtypeStruct((len(devices.local), 2), jnp.int32)
