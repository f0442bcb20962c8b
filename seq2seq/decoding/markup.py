"""Puts the tags of a source line around the words of its translation that they belong to.

Opened and closed tags make a tree, whose order the translation keeps: where the source is well
formed, so is the output. Knows no model: which source word an output word belongs to is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from seq2seq.decoding.literals import Tag

_BLOCKS = frozenset({
    *(
        "address",
        "article",
        "aside",
        "blockquote",
        "br",
        "caption",
        "dd",
        "div",
        "dl",
        "dt",
        "figure",
    ),
    *(
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "li",
        "main",
        "nav",
        "ol",
    ),
    *(
        "option",
        "p",
        "section",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "title",
        "tr",
        "ul",
    ),
})
_VOID = frozenset({
    *("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"),
})
_DEEPEST = 50
PUNCTUATION = ".,;:!?…)]»”\"'"


class Placed(NamedTuple):
    """A tag in a text that is shown without it."""

    tag: Tag
    at: int  # the character that it stands before


@dataclass(slots=True)
class Node:
    """Source words [start, end) between two tags, or a tag alone, which surrounds none."""

    start: int
    end: int
    opening: str = ""
    closing: str = ""
    punctuated: bool = False  # ends with punctuation
    inside: list["Node"] = field(default_factory=list)


class Insertion(NamedTuple):
    """A tag and the output word that it is written before; or behind the one before that."""

    word: int
    text: str
    behind: bool = False
    punctuated: bool = True  # and behind its punctuation too


def divides(tag: Tag) -> bool:
    """Whether words on its two sides are two words."""
    return _name(tag) in _BLOCKS


def tree(placed: Sequence[Placed], text: str) -> list[Node]:
    """The tags of a line; what does not close what is open stands alone."""
    root = Node(0, len(text.split()))
    partners = _partners(placed)
    stack = [(root, -1)]
    for number, (tag, at) in enumerate(placed):
        node, closes = stack[-1]
        if number == closes:
            node.closing, node.end = tag.text, max(_words_until(text, at), node.start)
            node.punctuated = text[:at].rstrip()[-1:] in tuple(PUNCTUATION)
            stack.pop()
        elif number in partners:
            inner = Node(_words_begun(text, at), 0, opening=tag.text)
            node.inside.append(inner)
            stack.append((inner, partners[number]))
        else:
            here = _words_begun(text, at)
            node.inside.append(Node(here, here, opening=tag.text))
    return root.inside


def _partners(placed: Sequence[Placed]) -> dict[int, int]:
    """Opening tag to closing tag, by number; only what is nested well."""
    pairs: dict[int, int] = {}
    waiting: list[int] = []
    for number, (tag, _) in enumerate(placed):
        name = _name(tag)
        if tag.text.startswith("</"):
            names = [_name(placed[begun].tag) for begun in waiting]
            if name in names:
                while _name(placed[waiting[-1]].tag) != name:
                    waiting.pop()
                pairs[waiting.pop()] = number
        elif name and name not in _VOID and not tag.text.endswith("/>"):
            waiting = [*waiting[1 - _DEEPEST :], number]  # what is deeper is no markup
    return pairs


def _name(tag: Tag) -> str:
    """`br` for `<br/>`, nothing for a comment."""
    if tag.text[1] in "!?":
        return ""
    return tag.text.strip("</>").split(maxsplit=1)[0].lower()


def _words_begun(text: str, at: int) -> int:
    """How many words lie before what begins here."""
    before = text[:at]
    inside = bool(before) and not before.endswith(" ") and text[at : at + 1] not in ("", " ")
    return _words_until(text, at) - inside


def _words_until(text: str, at: int) -> int:
    """How many words lie before what ends here; spaces are single, as `normalise` leaves them."""
    before = text[:at]
    return before.count(" ") + (before[-1:] not in ("", " "))


class Ground:
    """The words of an output, and the source word that each belongs to (-1: to none)."""

    def __init__(self, sources: Sequence[int]) -> None:
        """One number for each output word."""
        self.sources_t = np.array(sources, np.int64)

    def boundary(self, word: int, low: int, high: int) -> int:
        """The place of [low, high] that best has what lies before this source word before it."""
        here_t = self.sources_t[low:high]
        known_t = here_t >= 0
        late_t = np.cumsum(known_t & (here_t >= word))
        early_t = np.cumsum((known_t & (here_t < word))[::-1])[::-1]
        return low + int(np.argmin(np.append(early_t, 0) + np.insert(late_t, 0, 0)))

    def stretch(self, node: Node, low: int, high: int) -> tuple[int, int]:
        """The output words [begin, end) that belong to the node's source words."""
        here_t = self.sources_t[low:high]
        inside_t = (here_t >= node.start) & (here_t < node.end)
        places = low + np.flatnonzero(inside_t)
        if not len(places):
            place = self.boundary(node.start, low, high)
            return place, place
        # A stray word far away does not pull all that lies between into the tag.
        runs = np.split(places, np.flatnonzero(np.diff(places) > 2) + 1)
        longest = max(runs, key=len)
        return int(longest[0]), int(longest[-1]) + 1


def insertions(nodes: Sequence[Node], source_words: int, ground: Ground) -> list[Insertion]:
    """All tags, in the order in which they are written."""
    found: list[Insertion] = []
    line = Node(0, source_words, inside=list(nodes))
    _place(line, ground, (0, len(ground.sources_t)), found)
    return found


def _place(around: Node, ground: Ground, room: tuple[int, int], found: list[Insertion]) -> None:
    """Places the nodes inside of one, in the order of the output, none into another."""
    low, high = room
    wanted = [_wanted(node, around, ground, room) for node in around.inside]
    for place in sorted(range(len(wanted)), key=lambda place: (wanted[place][0], place)):
        node = around.inside[place]
        begin = max(wanted[place][0], low)
        end = max(wanted[place][1], begin)
        found.append(Insertion(begin, node.opening))
        _place(node, ground, (begin, end), found)
        if node.closing:
            found.append(Insertion(end, node.closing, end > begin, node.punctuated))
        low = min(end, high)


def _wanted(node: Node, around: Node, ground: Ground, room: tuple[int, int]) -> tuple[int, int]:
    if node.closing and (node.start, node.end) == (around.start, around.end):
        return room
    if node.closing and node.end > node.start:
        return ground.stretch(node, *room)
    place = ground.boundary(node.start, *room)
    return place, place
