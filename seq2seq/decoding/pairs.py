"""Lines with their translations, in chunks: from a second file, or after a tab. Knows no model."""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from seq2seq.errors import UserError

_BLOCK_BYTES = 1 << 18
Chunk = list[tuple[str, str]]


def beside(chunks: Iterable[list[str]], translations: Iterable[str], name: str) -> Iterator[Chunk]:
    """Every line with the one at its place in another file, whose name is for messages."""
    others, number = iter(translations), 0
    for chunk in chunks:
        found = list(islice(others, len(chunk)))
        number += len(found)
        if len(found) < len(chunk):
            raise UserError(
                f"{name!r} ends after {number} lines, but the input goes on; "
                "each of its lines needs a translation"
            )
        yield list(zip(chunk, found, strict=True))
    if next(others, None) is not None:
        raise UserError(
            f"the input ends after {number} lines, but {name!r} goes on; "
            "each of its lines needs a source"
        )


def divided(chunks: Iterable[list[str]]) -> Iterator[Chunk]:
    """The first two columns of tab-separated lines."""
    number = 0
    for chunk in chunks:
        columns = [line.split("\t") for line in chunk]
        for offset, found in enumerate(columns, start=1):
            if len(found) < 2:
                raise UserError(
                    f"line {number + offset} of the input has no tab; "
                    "with --score - each line is a source, a tab, a translation"
                )
        number += len(chunk)
        yield [(source, translation) for source, translation, *_ in columns]


def require_as_many(source: Path, translations: Path) -> None:
    """Finds two files that cannot belong together before a model works on them for long."""
    counts = count(source), count(translations)
    if counts[0] != counts[1]:
        raise UserError(
            f"{str(source)!r} has {counts[0]} lines, but {str(translations)!r} has {counts[1]}; "
            "they must belong together line by line"
        )


def count(path: Path) -> int:
    """The lines of a file, of which the last may lack its end."""
    found, last = 0, b"\n"
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            found, last = found + block.count(b"\n"), block[-1:]
    return found + (last != b"\n")
