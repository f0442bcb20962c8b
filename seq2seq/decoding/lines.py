r"""Lines in chunks: few at first, so that results come early, then more, so that they come fast.

Knows no model. A line ends at `\n` and nowhere else.
"""

import itertools
import os
import select
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")
_BLOCK_BYTES = 1 << 16
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def sizes(first: int, most: int) -> Iterator[int]:
    """How many lines to take at a time: `first`, then four times as many, up to `most`."""
    size = min(first, most)
    while True:
        yield size
        size = min(4 * size, most)


def growing(lines: Iterable[_T], counts: Iterator[int]) -> Iterator[list[_T]]:
    """Lines of any source, or pairs of them, which is read no further than it must."""
    source = iter(lines)
    while chunk := list(itertools.islice(source, next(counts))):
        yield chunk


def arriving(descriptor: int, counts: Iterator[int]) -> Iterator[list[bytes]]:
    """Lines of an open file or pipe: what is there now, but at least one, at most the count.

    A slow writer so gets an answer to each line; from a file every chunk is full.
    """
    waiting, at_end = deque[bytes](), False
    unfinished: list[bytes] = []  # a line of many blocks is put together once
    while waiting or not at_end:
        count = next(counts)
        while not at_end and len(waiting) < count and (not waiting or _has_more(descriptor)):
            block = os.read(descriptor, _BLOCK_BYTES)
            head, *ends = block.split(b"\n")
            unfinished.append(head)
            at_end = not block
            if ends or (at_end and any(unfinished)):
                waiting.extend([b"".join(unfinished), *ends[:-1]])
                unfinished = ends[-1:]
        if waiting:
            yield [waiting.popleft() for _ in range(min(count, len(waiting)))]


def _has_more(descriptor: int) -> bool:
    try:
        return bool(select.select([descriptor], [], [], 0)[0])
    except (OSError, ValueError):  # a descriptor that cannot be asked: a pipe on Windows
        return True


def decode(raw: bytes) -> str:
    r"""The text of a line, without `\r`; bytes that are no UTF-8 become U+FFFD."""
    return raw.decode("utf-8", errors="replace").removesuffix("\r")


def shown(line: str) -> str:
    """The line as it can be written: half a surrogate pair, which is no text, as U+FFFD."""
    return line.encode("utf-8", errors="surrogatepass").decode("utf-8", errors="replace")


def without_mark(raw: bytes) -> bytes:
    """The first line of a file without its byte order mark."""
    return raw.removeprefix(_BYTE_ORDER_MARK)


def is_utf8(raw: bytes) -> bool:
    """Whether nothing of the line is lost in `decode`."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
