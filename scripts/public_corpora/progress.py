"""How far a file has come: one line that changes on a terminal, a line now and then elsewhere."""

import contextlib
import logging
import sys
import time
from collections.abc import Callable, Iterator

_SECONDS_BETWEEN_LINES = 30.0
_SECONDS_BETWEEN_CHANGES = 0.2
_log = logging.getLogger("seq2seq.get_data")


@contextlib.contextmanager
def report(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Gives a function to call with the bytes that are there; a `total` of 0 is unknown."""
    terminal = sys.stderr.isatty()
    pause = _SECONDS_BETWEEN_CHANGES if terminal else _SECONDS_BETWEEN_LINES
    last = time.monotonic()

    def arrived(size: int) -> None:
        nonlocal last
        if time.monotonic() - last < pause:
            return
        last = time.monotonic()
        share = f" of {total / 1e6:,.1f} MB ({size / total:.0%})" if total else " MB"
        text = f"{name}: {size / 1e6:,.1f}{share}"
        if terminal:
            print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        else:
            _log.info("%s", text)

    try:
        yield arrived
    finally:
        if terminal:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
