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
def progress(what: str, total: int) -> Iterator[Advance]:
    """Gives a function to call with the pairs that are done; a `total` of 0 is unknown."""
    if sys.stderr.isatty():
        with _bar(what, total) as advance_bar:
            yield advance_bar
        return
    done, last = 0, time.monotonic()

    def advance(pairs: int) -> None:
        nonlocal done, last
        done += pairs
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            share = f" ({done / total:.0%})" if total else ""
            _log.info("%s: %s pairs%s", what, f"{done:,}", share)

    yield advance


@contextlib.contextmanager
def _bar(what: str, total: int) -> Iterator[Advance]:
    from rich import progress as rich_progress
    from rich.console import Console

    columns = (
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeRemainingColumn(),
    )
    with rich_progress.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total or None)
        yield lambda pairs: bar.advance(task, pairs)
