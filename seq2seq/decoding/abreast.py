"""Several calls at a time, each from a thread of its own; their results in order. Knows no network.

XLA's CPU computes what one thread starts one after the other, and many steps of a program are too
small for all processors: programs that run side by side fill them.
"""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from seq2seq import processor

_T = TypeVar("_T")
_AT_LEAST, _AT_MOST = 2, 8


def at_a_time(platform: str) -> int:
    """Programs to have under way: one for each processor; elsewhere the host works meanwhile."""
    processors = processor.count() if platform == "cpu" else 1
    return min(max(_AT_LEAST, processors), _AT_MOST)


def abreast(calls: Iterable[Callable[[], _T]], most: int) -> Iterator[_T]:
    """What the calls return, in their order; so many of them are under way, and none far ahead."""
    calls = iter(calls)
    first = list(itertools.islice(calls, 2))
    if len(first) < 2:  # one alone needs no thread, nor what comes with it
        yield from (call() for call in first)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(most) as threads:
        flying = deque()
        for call in itertools.chain(first, calls):
            flying.append(threads.submit(call))
            if len(flying) > most:
                yield flying.popleft().result()
        while flying:
            yield flying.popleft().result()
