"""Cuts a text that is too long for the model where it hurts least. Knows no model.

At ends of sentences first, then at punctuation, then between words, and only as a last resort
inside a word. Nothing is dropped: the parts together are the text.
"""

import re
from collections.abc import Callable, Iterator

_CUTS = (
    re.compile(r"(?<=[.!?…])[\"'”’»«)\]]*\s+|(?<=[。！？])"),  # noqa: RUF001
    re.compile(r"(?<=[,;:–—])\s+|(?<=[，、；：])"),  # noqa: RUF001
    re.compile(r"\s+"),
)


def split(text: str, encode: Callable[[str], list[int]], limit: int) -> list[list[int]]:
    """The pieces of the text, in parts of at most `limit`; one part if it fits."""
    ids = encode(text)
    return [ids] if len(ids) <= limit else list(_parts(text, encode, limit))


def _parts(
    text: str, encode: Callable[[str], list[int]], limit: int, level: int = 0
) -> Iterator[list[int]]:
    if level == len(_CUTS):
        ids = encode(text)
        yield from (ids[at : at + limit] for at in range(0, len(ids), limit))
        return
    gathered, size = "", 0
    for fragment in _fragments(text, _CUTS[level]):
        length = len(encode(fragment))
        if gathered and size + length > limit:
            yield from _fitting(gathered, encode, limit, level)
            gathered, size = "", 0
        gathered, size = gathered + fragment, size + length
    yield from _fitting(gathered, encode, limit, level)


def _fitting(
    text: str, encode: Callable[[str], list[int]], limit: int, level: int
) -> Iterator[list[int]]:
    ids = encode(text)
    if len(ids) > limit:
        yield from _parts(text, encode, limit, level + 1)
    elif ids:
        yield ids


def _fragments(text: str, cut: re.Pattern[str]) -> Iterator[str]:
    """Everything up to the end of each cut: what is matched stays with what it ends."""
    start = 0
    for match in cut.finditer(text):
        if match.end() > start:
            yield text[start : match.end()]
            start = match.end()
    if start < len(text):
        yield text[start:]
