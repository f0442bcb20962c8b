"""What a training tells: a bar on a terminal, plain lines elsewhere, `metrics.jsonl`, TensorBoard.

Knows numbers and their names, nothing of how they are made.
"""

import json
import logging
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from seq2seq.errors import UserError

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a training is."""

    step: int
    epoch: int
    batch: int  # of the epoch
    batches: int  # in the epoch


class Reporter:
    """Tells people, and writes for machines; a process other than the first is silent."""

    def __init__(self, metrics: Path, *, speaks: bool, tensorboard: bool) -> None:
        self._metrics = metrics
        self._speaks = speaks
        self._board = _tensorboard(metrics.parent) if tensorboard and speaks else None
        self._bar = _bar() if speaks and sys.stderr.isatty() else None
        self._since = time.monotonic()
        self._steps = self._tokens = self._target_tokens = 0

    def cut_back(self, step: int) -> None:
        """Drops what `metrics.jsonl` says of steps after the one that training resumes from."""
        if not self._speaks or not self._metrics.exists():
            return
        kept = []
        for line in self._metrics.read_text(encoding="utf-8").splitlines(keepends=True):
            # A line that was being written when we were killed has no end.
            if line.endswith("\n") and json.loads(line)["step"] <= step:
                kept.append(line)
        self._metrics.write_text("".join(kept), encoding="utf-8")

    def count(self, *, tokens: int, target_tokens: int) -> None:
        """Adds an update to the speed; tokens are source + target."""
        self._steps += 1
        self._tokens += tokens
        self._target_tokens += target_tokens

    def leave_out(self, seconds: float) -> None:
        """Takes time that was not spent on updates (on a validation, say) out of the speed."""
        self._since += seconds

    def updates(self, place: Place, numbers: Mapping[str, float]) -> None:
        """Reports the updates since the last report."""
        seconds = max(time.monotonic() - self._since, 1e-9)
        speed = {
            "tokens_per_second": self._tokens / seconds,
            "target_tokens_per_second": self._target_tokens / seconds,
        }
        left = (place.batches - place.batch) * seconds / max(self._steps, 1)
        self._record(place, {**numbers, **speed})
        text = (
            f"loss {numbers['loss']:.3f}  rate {numbers['rate']:.2e}  "
            f"{speed['tokens_per_second']:,.0f} tokens/s "
            f"({speed['target_tokens_per_second']:,.0f} target)  epoch ends in {_duration(left)}"
        )
        if numbers["skipped"]:
            text += f"  {numbers['skipped']:.0f} updates skipped"
        if self._bar:
            self._bar.update(
                self._bar.task_ids[0],
                completed=place.batch,
                total=place.batches,
                description=f"epoch {place.epoch}",
                told=text,
            )
        else:
            where = f"epoch {place.epoch}  {place.batch}/{place.batches}"
            self.note(f"{where}  step {place.step}  {text}")
        self._since = time.monotonic()
        self._steps = self._tokens = self._target_tokens = 0

    def validation(self, place: Place, numbers: Mapping[str, float], stopper: object) -> None:
        """Reports a validation, and how near training is to stopping."""
        self._record(place, {f"valid_{name}": value for name, value in numbers.items()})
        scores = "  ".join(f"{name} {value:.4g}" for name, value in numbers.items())
        self.note(f"epoch {place.epoch}  step {place.step}  validation: {scores}  ({stopper})")

    def note(self, text: str) -> None:
        """Says a sentence, above the bar if there is one."""
        if self._bar:
            self._bar.console.print(text, markup=False, highlight=False)
        elif self._speaks:
            _log.info("%s", text)

    def close(self) -> None:
        """Leaves the terminal as it was."""
        if self._bar:
            self._bar.stop()
        if self._board:
            self._board.close()

    def _record(self, place: Place, numbers: Mapping[str, float]) -> None:
        if not self._speaks:
            return
        entry = {"step": place.step, "epoch": place.epoch, **numbers}
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
        if self._board:
            for name, value in numbers.items():
                self._board.add_scalar(name.replace("valid_", "valid/"), value, place.step)


def _bar() -> Progress:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[told]}"),
        console=Console(stderr=True),
    )
    bar.add_task("", total=None, told="compiling")
    bar.start()
    return bar


def _tensorboard(folder: Path) -> Any:
    try:
        from tensorboardX import SummaryWriter  # pyright: ignore[reportMissingImports]
    except ImportError:
        raise UserError(
            "train.tensorboard=true needs tensorboardX; install it with "
            "scripts/setup.sh tensorboard, or leave the setting out"
        ) from None
    return SummaryWriter(str(folder / "tensorboard"))


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
