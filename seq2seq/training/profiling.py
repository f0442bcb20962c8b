"""A trace of some updates, once in a run: it shows where their time goes, and changes nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax

_BEFORE = 10  # updates that are left out: they wait for compiling, and fill the caches


class Profiler:
    """Counts the updates of this process, and traces some of them with JAX's profiler."""

    def __init__(self, folder: Path, steps: int, *, say: Callable[[str], None]) -> None:
        self._folder = folder
        self._say = say
        self._steps = 0 if folder.exists() else steps
        self._seen = 0
        self._tracing = False

    def after_update(self, state: Any) -> None:
        """Tells of an update that was sent; `state` is what it gives."""
        if self._steps == 0:
            return
        if self._seen == _BEFORE:
            jax.block_until_ready(state)
            jax.profiler.start_trace(self._folder)
            self._tracing = True
        elif self._seen == _BEFORE + self._steps:
            jax.block_until_ready(state)
            self.close()
        self._seen += 1

    def close(self) -> None:
        """Writes what was traced, even if fewer updates came than were wanted."""
        if self._tracing:
            jax.profiler.stop_trace()
            self._say(f"a trace is in {str(self._folder)!r}, for TensorBoard, XProf or Perfetto")
        self._tracing, self._steps = False, 0
