"""What the command reads: the lines of its arguments, a file or a pipe, as many as are there.

Says once where bytes are no UTF-8; they are read as U+FFFD. Knows no model.
"""

import itertools
import logging
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from seq2seq.decoding import lines

_log = logging.getLogger("seq2seq.translate")
_STANDARD_INPUT = 0
_LINES = 256  # of a file of translations, read at a time


def chunks(text: Sequence[str], source: Path | None, sizes: Iterator[int]) -> Iterator[list[str]]:
    """The lines to work on, as many at a time as there are, and as `sizes` allow."""
    if text:
        # A line break separates lines here as it does in a file; the arguments are the chunk.
        given = [line for each in text for line in each.removesuffix("\n").split("\n")]
        yield from lines.growing(map(_repaired, given), sizes)
    elif source:
        with source.open("rb") as file:
            yield from decoded(file.fileno(), sizes)
    else:
        if os.isatty(_STANDARD_INPUT):
            _log.info("type a sentence and press Enter; Ctrl-D ends")
        yield from decoded(_STANDARD_INPUT, sizes)


def decoded(
    descriptor: int, sizes: Iterator[int], *, of: str = "", warn: bool = True
) -> Iterator[list[str]]:
    """The lines of an open file or pipe, which messages call the input or what `of` adds."""
    number = 0
    for chunk in lines.arriving(descriptor, sizes):
        if number == 0:
            chunk[0] = lines.without_mark(chunk[0])
        for offset, raw in enumerate(chunk, start=1):
            if warn and not lines.is_utf8(raw):
                warn = False
                _log.warning(
                    "line %d%s is not UTF-8; its invalid bytes are read as U+FFFD (said once; "
                    "--format json flags every such line)",
                    *(number + offset, of),
                )
        number += len(chunk)
        yield [lines.decode(raw) for raw in chunk]


def paired(chunks: Iterator[list[str]], given: Path | None) -> Iterator[list[tuple[str, str]]]:
    """The lines with their translations: in a file, or after a tab of each line."""
    from seq2seq.decoding import pairs  # late: translating needs none

    if given is None:
        yield from pairs.divided(chunks)
        return
    with given.open("rb") as file:
        read = decoded(file.fileno(), itertools.repeat(_LINES), of=f" of {str(given)!r}")
        yield from pairs.beside(chunks, itertools.chain.from_iterable(read), str(given))


def _repaired(text: str) -> str:
    """An argument of the command line, whose invalid bytes Python hides in surrogates."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
