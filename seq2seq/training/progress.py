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
from seq2seq.progress import duration
from seq2seq.training.step import Update

_log = logging.getLogger(__name__)


class Place(NamedTuple):
    """Where a training is."""

    step: int
    epoch: int
    batch: int  # of the epoch
    batches: int  # in the epoch


class Reporter:
    """Tells people, and writes for machines; a process other than the first is silent."""

    def __init__(self, metrics: Path, *, speaks: bool, every: int, tensorboard: bool) -> None:
        self._metrics = metrics
        self._speaks = speaks
        self._board = _tensorboard(metrics.parent) if tensorboard and speaks else None
        self._bar = _bar() if speaks and sys.stderr.isatty() else None
        self._every = every
        self._since = time.monotonic()
        self._seen: list[Update] = []  # since the last report

    def cut_back(self, step: int) -> None:
        """Drops what was said of steps after the one that training goes on from."""
        self._seen = []
        if not self._speaks or not self._metrics.exists():
            return
        kept = []
        for line in self._metrics.read_text(encoding="utf-8").splitlines(keepends=True):
            # A line that was being written when we were killed has no end.
            if line.endswith("\n") and json.loads(line)["step"] <= step:
                kept.append(line)
        self._metrics.write_text("".join(kept), encoding="utf-8")

    def update(self, place: Place, update: Update) -> None:
        """Takes note of an update, and reports when enough have come together."""
        self._seen.append(update)
        if place.step % self._every == 0 or place.batch == place.batches:
            self._report(place)

    def leave_out(self, seconds: float) -> None:
        """Takes time that was not spent on updates (on a validation, say) out of the speed."""
        self._since += seconds

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

    def _report(self, place: Place) -> None:
        seconds = max(time.monotonic() - self._since, 1e-9)
        target = sum(int(update.target_tokens) for update in self._seen)
        source = sum(int(update.source_tokens) for update in self._seen)
        last = self._seen[-1]
        numbers = {
            "loss": sum(float(one.loss * one.target_tokens) for one in self._seen) / target,
            "likelihood": sum(float(one.likelihood * one.target_tokens) for one in self._seen)
            / target,
            "norm": float(last.norm),
            "rate": float(last.rate),
            "skipped": int(last.skipped),
            "tokens_per_second": (source + target) / seconds,
            "target_tokens_per_second": target / seconds,
        }
        self._record(place, numbers)
        left = (place.batches - place.batch) * seconds / len(self._seen)
        text = (
            f"loss {numbers['loss']:.3f}  rate {numbers['rate']:.2e}  "
            f"{numbers['tokens_per_second']:,.0f} tokens/s "
            f"({numbers['target_tokens_per_second']:,.0f} target)  "
            f"epoch ends in {duration(left)}"
        )
        if numbers["skipped"]:
            text += f"  {numbers['skipped']} updates skipped"
        self._show(place, text)
        self._since = time.monotonic()
        self._seen = []

    def _show(self, place: Place, text: str) -> None:
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
