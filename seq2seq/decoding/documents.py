"""Documents: paragraphs of sentences, and the form around them, which is kept. Knows no model.

A document is read into paragraphs, each of which becomes one line of the output. A paragraph is a
skeleton (indentation, quote marks, bullets, numbers, white space between sentences, whatever has
no letters) with gaps for the translations of its sentences. Lines that follow one another belong
to one paragraph, unless their form says otherwise:

- a blank line, a heading, a bullet or number, a row of a table, and a line without letters and
  digits stand alone or begin something new; what stands between lines of ``` is kept as it is;
- a line that is less indented than the one before, or is quoted more or less deeply, begins a
  paragraph, as does one that is more indented after the end of a sentence;
- two spaces at the end of a line keep the line break (as in Markdown).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from seq2seq.decoding.sentences import ends_sentence, sentences

_LONGEST_PARAGRAPH = 100_000  # characters, after which a line break is kept
_MONTHS = "Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez"
_HEAD = re.compile(
    r"(?P<quote>(?:\s{0,3}>)*)(?P<indent>\s*)"
    r"(?P<marker>#{1,6}\s+"
    r"|[-*+•‣◦▪–—]\s+(?:\[[ xX]\]\s+)?"  # noqa: RUF001
    rf"|(?:\d{{1,3}}\.)+\s++(?!{_MONTHS})"
    r"|\(?(?:\d{1,3}|[A-Za-z])\)\s+|[IVX]{2,}\.\s+)?"
)
_FENCE = re.compile(r"[\s>]*```")
_HAS_WORD = re.compile(r"[^\W_]")
_HAS_LETTER = re.compile(r"[^\W\d_]")
_ADDRESS = re.compile(r"<?(?:[a-z]+://\S+|www\.\S+|[^\s@]+@[^\s@]+\.\w+)", re.IGNORECASE)
_SUSPENDED = re.compile(r"(?:und|oder|bzw|sowie|bis|als|and|or|to|nor)\b")  # Vor- und Nachteile


class Skeleton(NamedTuple):
    """What stands before, between and after the sentences of a paragraph."""

    literals: tuple[str, ...]

    def fill(self, translations: Sequence[str]) -> str:
        """The line, with a translation for each sentence."""
        line = self.literals[0]
        for translation, literal in zip(translations, self.literals[1:], strict=True):
            # Between sentences of a script that writes no spaces there are none.
            if line.endswith((".", "!", "?")):
                line += " "
            line += translation + literal
        return line


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One line of the output: its form, and its text, unwrapped."""

    head: str  # quote marks, indentation, bullet or number
    text: str
    tail: str = ""  # white space
    is_row: bool = False  # of a table

    def parts(self) -> tuple[Skeleton, list[str]]:
        """What stays, and the sentences to translate."""
        literals, found = [self.head], list[str]()
        for text, gap in self._pieces():
            if _HAS_LETTER.search(text) and not _ADDRESS.fullmatch(text):
                found.append(text)
                literals.append(gap)
            else:
                literals[-1] += text + gap
        literals[-1] += self.tail
        return Skeleton(tuple(literals)), found

    def _pieces(self) -> Iterator[tuple[str, str]]:
        if not self.is_row:
            yield from sentences(self.text)
            return
        for cell in re.split(r"(\|)", self.text):
            body = cell.lstrip()
            text = body.rstrip()
            yield "", cell[: len(cell) - len(body)]
            yield text, body[len(text) :]


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of the input, taken apart."""

    depth: int  # of quotes
    indent: int
    marker: str
    paragraph: Paragraph  # if it stands alone

    @classmethod
    def read(cls, line: str) -> "_Line":
        match = _HEAD.match(line)
        head = match[0] if match else ""
        text = line[len(head) :].rstrip()
        if match is None or not _HAS_WORD.search(text):
            return cls(0, 0, "", Paragraph(line, ""))
        paragraph = Paragraph(head, text, line[len(head) + len(text) :], text.startswith("|"))
        indent = len(match["indent"].expandtabs())
        return cls(match["quote"].count(">"), indent, match["marker"] or "", paragraph)

    @property
    def stands_alone(self) -> bool:
        paragraph = self.paragraph
        return not paragraph.text or paragraph.is_row or self.marker.startswith("#")

    @property
    def may_be_wrapped(self) -> bool:
        """Whether a text may have been wrapped before what looks like a number or a bullet.

        (Before "3. Mal", or before a dash.) A list inside a paragraph begins with 1.
        """
        return self.marker[0] in "–—" or bool(re.match(r"(?!1\D)\d", self.marker))  # noqa: RUF001


class _Open(NamedTuple):
    """A paragraph that may go on."""

    paragraph: Paragraph
    first: _Line
    last: _Line

    def takes(self, line: _Line) -> bool:
        """Whether the line goes on with this paragraph."""
        if line.stands_alone or line.depth != self.first.depth or self._ends():
            return False
        deeper = line.indent > self.first.indent
        if line.marker and (self._has_ended() or not line.may_be_wrapped):
            return False
        if self.first.marker and not deeper:
            return not line.marker and line.paragraph.text[0].islower()
        if self.last is self.first and (self.first.marker or not deeper):
            return True  # the first line alone has a bullet, or is indented
        if line.indent < self.last.indent:
            return False
        return line.indent == self.last.indent or not self._has_ended()

    def joined(self, line: _Line) -> "_Open":
        before, after = self.paragraph.text, line.marker + line.paragraph.text
        hyphenated = before[-1:] == "-" and before[-2:-1].isalnum()
        gap = "" if hyphenated and not _SUSPENDED.match(after) else " "
        paragraph = replace(self.paragraph, text=f"{before}{gap}{after}", tail=line.paragraph.tail)
        return _Open(paragraph, self.first, line)

    def _ends(self) -> bool:
        paragraph = self.paragraph
        return len(paragraph.tail) > 1 or len(paragraph.text) > _LONGEST_PARAGRAPH

    def _has_ended(self) -> bool:
        return ends_sentence(self.last.paragraph.text)


def paragraphs(chunks: Iterable[Iterable[str]]) -> Iterator[list[Paragraph]]:
    """The paragraphs that are complete after each chunk of lines, and at last the last one."""
    opened: _Open | None = None
    in_code = False
    for chunk in chunks:
        found = []
        for text in chunk:
            fence = _FENCE.match(text) is not None
            line = _verbatim(text) if in_code or fence else _Line.read(text)
            in_code ^= fence
            if opened and opened.takes(line):
                opened = opened.joined(line)
                continue
            if opened:
                found.append(opened.paragraph)
            opened = None if line.stands_alone else _Open(line.paragraph, line, line)
            if not opened:
                found.append(line.paragraph)
        yield found
    if opened:
        yield [opened.paragraph]


def _verbatim(line: str) -> _Line:
    return _Line(0, 0, "", Paragraph(line, ""))
