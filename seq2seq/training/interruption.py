"""Wishes from outside that a training obeys between two updates: stop, or save.

Knows nothing of what is trained. With several processes the wishes travel through the update
itself (summed over devices), so that all processes act on them after the same step.
"""

import faulthandler
import logging
import os
import signal
import sys
import threading
import time
from types import FrameType, TracebackType
from typing import Any

import numpy as np

from seq2seq.config import TrainConfig

_log = logging.getLogger(__name__)


class Requests:
    """SIGTERM, Ctrl-C and clocks, turned into numbers that an update can carry."""

    def __init__(self, config: TrainConfig, *, process: int) -> None:
        self._save_seconds = config.checkpoint_every_minutes * 60
        self._limit_seconds = config.max_minutes * 60
        # One clock decides: the first process's.
        self._has_clock = process == 0
        self._started = self._saved = time.monotonic()
        self._signalled = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> "Requests":
        for number in (signal.SIGTERM, signal.SIGINT):
            if threading.current_thread() is threading.main_thread():
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._signalled:  # the second Ctrl-C does not wait
            raise KeyboardInterrupt
        self._signalled = True
        _log.info("stopping after this step; saving first")

    def now(self) -> np.ndarray:
        """(stop, save): 1 where this process wants it."""
        clock = time.monotonic()
        late = self._has_clock and 0 < self._limit_seconds <= clock - self._started
        due = self._has_clock and 0 < self._save_seconds <= clock - self._saved
        return np.array([self._signalled or late, due], np.int32)

    def saved(self) -> None:
        """Starts the time to the next timed checkpoint anew."""
        self._saved = time.monotonic()


class Watchdog:
    """Ends a process that has stopped making progress, with the stacks of all its threads."""

    def __init__(self, minutes: float) -> None:
        self._seconds = minutes * 60
        self._silent = 0.0
        self._closed = threading.Event()
        if minutes > 0:
            threading.Thread(target=self._watch, daemon=True, name="watchdog").start()

    def beat(self) -> None:
        """Tells that a step, or a sentence of a validation, has been done."""
        self._silent = 0.0

    def close(self) -> None:
        """Stops watching."""
        self._closed.set()

    def _watch(self) -> None:
        pause = min(self._seconds / 4, 10)
        while not self._closed.wait(pause):
            # Not by a clock: that goes on while the whole process is suspended, by Ctrl-Z say.
            self._silent += pause
            if self._silent > self._seconds:
                _log.error(
                    "no progress for %.1f minutes (a hanging device, network or disk); the stacks "
                    "of all threads follow. The same command goes on from the last checkpoint "
                    "(train.watchdog_minutes sets this limit)",
                    self._silent / 60,
                )
                faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
                os._exit(1)
