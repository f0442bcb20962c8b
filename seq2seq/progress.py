"""How far a long step is: a bar on a terminal, a line now and then elsewhere; all on stderr."""

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator

_log = logging.getLogger(__name__)
_SECONDS_BETWEEN_LINES = 30.0
Advance = Callable[[int], None]


@contextlib.contextmanager
def progress(what: str, total: int, *, unit: str, done: int = 0) -> Iterator[Advance]:
    """Gives a function to call with the units that are done; a `total` of 0 is unknown.

    `done` units were there before, and say nothing about the speed.
    """
    if sys.stderr.isatty():
        with _bar(what, total, unit=unit, done=done) as advance_bar:
            yield advance_bar
        return
    before, began = done, time.monotonic()
    last = began

    def advance(units: int) -> None:
        nonlocal done, last
        done += units
        now = time.monotonic()
        if now - last >= _SECONDS_BETWEEN_LINES:
            last = now
            rate = (done - before) / (now - began)
            _log.info("%s: %s", what, _told(done, total, rate, unit=unit))

    yield advance


def duration(seconds: float) -> str:
    """As on a clock: 0:07, 1:02:03."""
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _told(done: int, total: int, rate: float, *, unit: str) -> str:
    if not total:
        return f"{done:,} {unit}, {_speed(rate, unit)}"
    left = f", {duration(max(total - done, 0) / rate)} left" if rate else ""
    return f"{done:,} of {total:,} {unit} ({done / total:.0%}), {_speed(rate, unit)}{left}"


def _speed(rate: float, unit: str) -> str:
    return f"{rate:,.0f} {unit}/s" if rate >= 10 else f"{rate:.2g} {unit}/s"


@contextlib.contextmanager
def _bar(what: str, total: int, *, unit: str, done: int) -> Iterator[Advance]:
    from rich import progress as rich_progress
    from rich.console import Console
    from rich.text import Text

    class Speed(rich_progress.ProgressColumn):
        def render(self, task: rich_progress.Task) -> Text:
            return Text(_speed(task.speed, unit) if task.speed else "")

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        Speed(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total or None, completed=done)
        yield lambda units: bar.advance(task, units)
