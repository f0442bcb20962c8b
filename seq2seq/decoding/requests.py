"""A line to translate with wishes of its own, and how a line of JSON spells it. Knows no model."""

import difflib
import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from seq2seq.corpus.text import normalise
from seq2seq.errors import UserError

MOST_PHRASES = 8  # to contain: all their subsets are told apart


@dataclass(frozen=True, slots=True)
class Request:
    """A source, and what its translation must be like.

    >>> Request("Der Hund schläft.", prefix="The", contain=("dog",), avoid=("cat",))
    """

    source: str
    prefix: str = ""  # it begins with this; a space at the end: with whole words
    contain: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(map(normalise, (*self.contain, *self.avoid))):
            raise UserError("a phrase to contain or to avoid must not be blank")
        if len(self.contain) > MOST_PHRASES:
            raise UserError(
                f"contain has {len(self.contain)} phrases; at most {MOST_PHRASES} are possible"
            )

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing but the source."""
        return not (normalise(self.prefix) or self.contain or self.avoid)


def read(chunks: Iterable[list[str]]) -> Iterator[list[Request]]:
    """Lines of JSON; a mistake ends it with the number of the line."""
    numbers = itertools.count(1)
    for chunk in chunks:
        yield [_numbered(line, number) for line, number in zip(chunk, numbers, strict=False)]


def _numbered(line: str, number: int) -> Request:
    try:
        return parse(line)
    except UserError as error:
        raise UserError(f"line {number} of the input: {error}") from None


def parse(line: str) -> Request:
    """Reads one JSON object; an empty line is an empty source."""
    if not line.strip():
        return Request("")
    try:
        tree = json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(f"no JSON ({error.msg} at column {error.colno}); {_EXAMPLE}") from None
    if not isinstance(tree, dict):
        raise UserError(f"must be one JSON object; {_EXAMPLE}")
    if "source" not in tree:
        raise UserError(f"source is missing; {_EXAMPLE}")
    return Request(**{key: _checked(key, value) for key, value in tree.items()})


def _checked(key: str, value: Any) -> Any:
    if key not in _KEYS:
        close = difflib.get_close_matches(key, _KEYS, n=1)
        hint = f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(_KEYS)}"
        raise UserError(f"unknown key {key!r}{hint}")
    if key in _TEXTS:
        if not isinstance(value, str):
            raise UserError(f"{key} must be text, not {value!r}")
        return value
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UserError(f"{key} must be a list of texts, not {value!r}")
    return tuple(value)


_KEYS = tuple(field.name for field in fields(Request))
_TEXTS = ("source", "prefix")
_EXAMPLE = """it wants one object a line, as in {"source": "Guten Tag.", "prefix": "Good"}"""
