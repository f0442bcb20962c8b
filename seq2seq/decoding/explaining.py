"""A translation for people who want to see how it came about. Knows no model and no terminal.

source      Ich habe heute keine Zeit.
output      I    don't  have  time  today.
from        Ich  keine  habe  Zeit  heute
confidence  97%  88%    95%   98%   91%
score       -1.31 (by length: -0.22)

In colours the words of the output carry their confidence themselves. Without a measure of it the
row is called `probability`, which is what the network thinks.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from seq2seq.corpus.text import bare, normalise
from seq2seq.decoding import words
from seq2seq.decoding.translation import FLAGS, Alternative, Translation
from seq2seq.decoding.words import Word

_LABEL = 12  # columns of the terminal
_LEAST_ROOM = 20
_GAP = "  "
_NOTHING = "·"
_CUT = "…"
_DIM = "2"
# Green, yellow, and red with a line, for eyes that need it.
_LEVELS = ((0.9, "32"), (0.7, "33"), (0.0, "4;31"))


class Page(NamedTuple):
    """What is written on."""

    columns: int
    colours: bool

    @property
    def room(self) -> int:
        """Columns beside the labels."""
        return max(self.columns - _LABEL, _LEAST_ROOM)

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour, if there are any."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colours else text

    def row(self, label: str, text: str) -> str:
        """A labelled row."""
        return (self.paint(label.ljust(_LABEL), _DIM) + text).rstrip()


def explained(results: Iterable[Translation], page: Page) -> Iterator[str]:
    """The rows on each translation, the last of them empty; before all others what colours mean."""
    for number, result in enumerate(results):
        rows = [
            *_paragraph("source", normalise(result.source), page),
            *_grid(result.words, words.texts(result.source_pieces), page),
            *_scores(result, page),
            *(row for flag in result.flags for row in _paragraph("note", FLAGS[flag], page)),
            "",
        ]
        if number == 0 and page.colours:
            rows[:0] = [_legend(page, calibrated=result.calibration is not None), ""]
        yield "\n".join(rows)


def _legend(page: Page, *, calibrated: bool) -> str:
    painted = [
        page.paint(f"≥ {least:.0%}" if least else "less", colour) for least, colour in _LEVELS
    ]
    return page.row(_measure(calibrated=calibrated), _GAP.join(painted))


def _measure(*, calibrated: bool) -> str:
    return "confidence" if calibrated else "probability"


class _Column(NamedTuple):
    """A word of the output, what it comes from, and how sure it is."""

    word: str
    origin: str
    share: str
    colour: str

    @property
    def width(self) -> int:
        return max(map(width, self[:3]))


def _grid(found: Sequence[Word], source: Sequence[str], page: Page) -> Iterator[str]:
    """Word under word, in as many blocks as the width asks for."""
    calibrated = any(word.confidence is not None for word in found)
    for block in _blocks([_column(word, source, page.room) for word in found], page.room):
        yield page.row("output", _GAP.join(_padded(each, each.word, page) for each in block))
        yield page.row("from", _GAP.join(_padded(each, each.origin) for each in block))
        if not page.colours:
            shares = _GAP.join(_padded(each, each.share) for each in block)
            yield page.row(_measure(calibrated=calibrated), shares)


def _column(word: Word, source: Sequence[str], room: int) -> _Column:
    origin = " ".join(bare(source[place]) for place in word.sources) or _NOTHING
    sure = word.probability if word.confidence is None else word.confidence
    colour = next(colour for least, colour in _LEVELS if sure >= least)
    # A hundred per cent would be a promise.
    return _Column(_cut(word.text, room), _cut(origin, room), f"{min(sure, 0.99):.0%}", colour)


def _blocks(columns: Sequence[_Column], room: int) -> Iterator[list[_Column]]:
    block: list[_Column] = []
    for column in columns:
        taken = sum(each.width + len(_GAP) for each in block)
        if block and taken + column.width > room:
            yield block
            block = []
        block.append(column)
    if block:
        yield block


def _padded(column: _Column, text: str, page: Page | None = None) -> str:
    """The text, painted on a page, as wide as its column."""
    return (page.paint(text, column.colour) if page else text) + " " * (column.width - width(text))


def _scores(result: Translation, page: Page) -> Iterator[str]:
    if result.tokens:
        yield from _paragraph("score", _score(result), page)
    for place, other in enumerate(result.alternatives, start=2):
        yield from _paragraph(f"{place}.", f"{_score(other)}{_GAP}{other.translation}", page)


def _score(output: Translation | Alternative) -> str:
    return f"{output.score:.2f} (by length: {output.rank:.2f})"


def _paragraph(label: str, text: str, page: Page) -> Iterator[str]:
    """Rows of a text, the first with the label; none without a text."""
    for line in _wrapped(text, page.room):
        yield page.row(label, line)
        label = ""


def _wrapped(text: str, room: int) -> Iterator[str]:
    line = ""
    for character in text:
        if width(line) + width(character) > room:
            whole, space, rest = line.rpartition(" ")
            whole, rest = (whole, rest) if space and character != " " else (line, "")
            yield whole.rstrip()
            line = rest
        line = (line + character).lstrip()
    if line:
        yield line


def _cut(text: str, room: int) -> str:
    if width(text) <= room:
        return text
    while width(text) >= room:
        text = text[:-1]
    return text + _CUT


def width(text: str) -> int:
    """Columns that a terminal gives to a text: two to most of East Asia and to emoji."""
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
