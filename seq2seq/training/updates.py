"""Sends batches through the compiled update, one ahead of what the host has read of the results.

A thread reads the batches themselves, so that the device waits for no disk. Knows neither epochs
nor files: the loop decides what comes next, and what the numbers mean.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from seq2seq.corpus.batching import Planned, Shape
from seq2seq.training import parallel, sizing
from seq2seq.training.ahead import Ahead
from seq2seq.training.progress import Place
from seq2seq.training.step import Sentences, TrainState, Update, divided, make_step
from seq2seq.training.task import Task
from seq2seq.training.validation import read_sentences

_BATCHES_AHEAD = 2
_WORTH_TELLING = 1.0  # seconds


class Ready(NamedTuple):
    """This process's part of a batch, laid out for its devices."""

    shape: Shape
    sentences: Sentences


class Updates:
    """The update of a training, for all shapes of batches."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._pieces = task.config.train.accumulate
        step, state = make_step(task.config, parallel.AXIS), divided(task.config)
        self._program = parallel.Program(
            parallel.over_devices(
                step, divided=(state, True, True), result=(state, False), donate=True
            )
        )
        self._waiting: deque[tuple[Place, Update]] = deque()
        self._reading: Ahead[Ready | None] | None = None
        self._started = 0.0
        self._told = False

    def compile(self, state: TrainState, coming: Iterable[Shape]) -> None:
        """Begins to compile for a state that looks like this, and for the `coming` shapes first.

        The largest goes before all: so a lack of memory shows in the first minute.
        """
        self._started, plan = time.monotonic(), self._task.plan
        order = dict.fromkeys((plan.largest, *coming, *plan.shapes))
        self._program.compile({shape: self._arguments(state, shape) for shape in order})

    def largest(self) -> str:
        """Waits until the largest shape is compiled, and says what it needs."""
        largest = self._task.plan.largest
        needed = self._program.needs(largest)
        return (
            f"compiled the largest batch ({', '.join(map(str, largest))}) in "
            f"{time.monotonic() - self._started:.1f} s; it needs {needed / 1e6:,.0f} MB a device"
        )

    def waited(self) -> str:
        """How long batches have waited for their shape; told once, when all are compiled."""
        if self._told or not self._program.is_complete:
            return ""
        self._told = True
        if self._program.waited < _WORTH_TELLING:
            return ""
        return (
            f"all {len(self._task.plan.shapes)} shapes are compiled; training has waited "
            f"{self._program.waited:.1f} s for them"
        )

    def batches(self, planned: Iterator[Planned | None]) -> Iterator[Ready | None]:
        """The planned batches, read ahead of their use; ends the reading that went before."""
        self._stop_reading()
        self._reading = Ahead(map(self._lay_out, planned), most=_BATCHES_AHEAD)
        return self._reading

    def send(
        self, state: TrainState, batch: Ready, *, wishes: np.ndarray, place: Place
    ) -> TrainState:
        """The state after a batch, which leads to `place`; `wishes` (stop, save) travel along."""
        # Only one device a process carries its wishes, so that their sum counts processes.
        requests = np.zeros((len(self._task.devices.local), 2), np.int32)
        requests[0] = wishes
        state, update = self._program(batch.shape, state, batch.sentences, requests)
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
        """Stops reading and compiling."""
        self._stop_reading()
        self._program.close()

    def _lay_out(self, planned: Planned | None) -> Ready | None:
        if planned is None:
            return None
        task = self._task
        sentences = read_sentences(task.plan, planned, task.devices, pieces=self._pieces)
        return Ready(planned.shape, sentences)

    def _stop_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()

    def _arguments(self, state: TrainState, shape: Shape) -> tuple[Any, ...]:
        """The shapes and types of the update's arguments for a shape of batch."""
        devices = self._task.devices
        return state, *sizing.arguments(devices, shape, self._pieces, here=len(devices.local))
