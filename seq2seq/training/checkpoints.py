"""The full training state on disk, through Orbax: written while training goes on.

Arrays are saved as host NumPy arrays, so that any number of devices and processes reads them.
A save that is killed half-way leaves the one before it the latest.
"""

import functools
import logging
import shutil
import sys
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import jax
import numpy as np
import orbax.checkpoint as ocp

from seq2seq import files
from seq2seq.errors import UserError
from seq2seq.layout import RunFolder
from seq2seq.training import parallel

Kind = Literal["epoch", "step", "time", "stop"]
# Time depends on the machine: going back to such a checkpoint would not be repeatable.
PLACED: tuple[Kind, ...] = ("epoch", "step")
_DISCARDED = ".discarded-checkpoint-"


class Checkpoint(NamedTuple):
    """What is restored: arrays, and the loop's notes as JSON."""

    state: Any
    notes: dict[str, Any]


class Checkpoints:
    """The `checkpoints` folder of a run."""

    def __init__(self, run: RunFolder, *, keep: int) -> None:
        self._folder = run.checkpoints.resolve()
        self._keep = keep
        for left in self._folder.parent.glob(f"{_DISCARDED}*"):
            shutil.rmtree(left, ignore_errors=True)
        # Orbax tells much of its inner life, and at levels that alarm; what goes wrong in its
        # threads comes back through `finish`, without their tracebacks.
        for name in ("absl", "orbax"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        _hush_late_writers()
        self._manager = ocp.CheckpointManager(
            self._folder,
            options=ocp.CheckpointManagerOptions(
                max_to_keep=None, cleanup_tmp_directories=True, enable_async_checkpointing=True
            ),
        )
        self._kinds: dict[int, str] = {}

    @property
    def steps(self) -> list[int]:
        """The steps that can be restored, in order."""
        return sorted(self._manager.all_steps())

    def announce(self, state: Any, run: RunFolder) -> str:
        """How much disk the checkpoints will take; refuses if they do not fit."""
        size = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
        most = size * (self._keep + 2)  # the best, and the one being written
        present = sum(file.stat().st_size for file in self._folder.rglob("*") if file.is_file())
        files.require_space(run.path, max(most - present, size), "keeping the checkpoints")
        return f"a checkpoint is {size / 1e6:,.0f} MB, at most {most / 1e6:,.0f} MB of disk"

    def save(
        self, step: int, state: Any, *, kind: Kind, notes: dict[str, Any], best: int = 0
    ) -> None:
        """Begins to write NumPy arrays, and returns; they must not change from now on.

        Before it, discards what is no longer wanted; the checkpoint of step `best` is.
        """
        self.finish()
        if step in self.steps and self._kind(step) in PLACED:
            return  # a finished run that goes on: from there it comes here again by itself
        self._prune(step, best)
        files.require_space(
            self._folder, sum(leaf.nbytes for leaf in jax.tree.leaves(state)), "a checkpoint"
        )
        notes = {**notes, "kind": kind}
        self._explained(
            lambda: self._manager.save(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardSave(_plain(state)), notes=ocp.args.JsonSave(notes)
                ),
            )
        )
        self._kinds[step] = kind

    def finish(self) -> None:
        """Waits until what was begun is on disk."""
        self._explained(self._manager.wait_until_finished)

    def restore(self, step: int, like: Any) -> Checkpoint:
        """The checkpoint of a step; `like` is a state of the same structure."""
        target = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), _plain(like))
        try:
            found = self._manager.restore(
                step,
                args=ocp.args.Composite(
                    state=ocp.args.StandardRestore(target), notes=ocp.args.JsonRestore()
                ),
            )
        except (ValueError, OSError, KeyError) as error:
            earlier = [other for other in self.steps if other < step]
            go_on = f"from step {earlier[-1]}" if earlier else "from the beginning"
            raise UserError(
                f"checkpoint {str(self._folder / str(step))!r} is damaged "
                f"({str(error).splitlines()[0][:120]}); move it away, and the same command goes "
                f"on {go_on}"
            ) from None
        self._kinds[step] = found["notes"]["kind"]
        leaves = jax.tree.leaves(found["state"])
        return Checkpoint(jax.tree.unflatten(jax.tree.structure(like), leaves), found["notes"])

    def last_placed(self, before: int) -> int | None:
        """The latest checkpoint before a step that was placed by step or epoch."""
        self.finish()
        placed = [step for step in self.steps if step < before and self._kind(step) in PLACED]
        return placed[-1] if placed else None

    def forget_after(self, step: int) -> None:
        """Deletes what was saved after a step: training takes another way from there."""
        self._discard([later for later in self.steps if later > step])

    def close(self) -> None:
        """Waits for what is being written, and lets go of the folder."""
        self.finish()
        self._manager.close()

    def _prune(self, step: int, best: int) -> None:
        """Makes room for `step`: keeps the latest, the best, and the last to go back to."""
        steps = self.steps
        placed = [each for each in steps if each < step and self._kind(each) in PLACED]
        earlier = (
            [each for each in steps if each < step][1 - self._keep :] if self._keep > 1 else []
        )
        wanted = {*earlier, *placed[-1:], best} - {step}
        self._discard([each for each in steps if each not in wanted])

    def _discard(self, steps: Sequence[int]) -> None:
        """Deletes checkpoints so that a kill leaves each of them whole or not at all."""
        if not steps:
            return
        if jax.process_index() == 0:
            for step in steps:
                aside = self._folder.with_name(f"{_DISCARDED}{step}")
                shutil.rmtree(aside, ignore_errors=True)
                (self._folder / str(step)).rename(aside)
                shutil.rmtree(aside)
        parallel.wait_for_all("discard checkpoints")
        self._manager.reload()

    def _kind(self, step: int) -> str:
        if step not in self._kinds:
            try:
                found = self._manager.restore(
                    step, args=ocp.args.Composite(notes=ocp.args.JsonRestore())
                )
                self._kinds[step] = found["notes"]["kind"]
            except (ValueError, OSError, KeyError):
                self._kinds[step] = "damaged"
        return self._kinds[step]

    def _explained(self, action: Any) -> None:
        """Runs a write of Orbax's, whose complaints about the disk are plain ValueErrors."""
        try:
            action()
        except (ValueError, OSError) as error:
            text = str(error)
            causes = ("File too large", "No space left", "Disk quota", "Permission denied")
            cause = next((cause for cause in causes if cause in text), None)
            if cause is None:
                raise
            raise UserError(
                f"a checkpoint could not be written to {str(self._folder)!r} ({cause.lower()}); "
                "make room there, and the same command goes on from the checkpoint before it"
            ) from None


@functools.cache
def _hush_late_writers() -> None:
    """Where a save has failed, TensorStore's threads find their event loop closed, and print it."""
    said = sys.unraisablehook

    def hook(unraisable: Any) -> None:
        if str(unraisable.exc_value) != "Event loop is closed":
            said(unraisable)

    sys.unraisablehook = hook


def _plain(state: Any) -> dict[str, Any]:
    """Leaves under numbers: independent of how Optax and we name our tuples."""
    return {f"{number:05d}": leaf for number, leaf in enumerate(jax.tree.leaves(state))}
