"""What a text must begin with, hold and avoid, as an automaton over its bytes. Knows no pieces.

A phrase that begins or ends with a letter or digit is a phrase of whole words there: "cat" is not
in "category". That is so for alphabets that part words by spaces, Latin to Arabic (up to U+07FF);
elsewhere a phrase may stand anywhere. It counts as written, or with its first letter as a capital,
as at the start of a sentence. Several spaces are one, and none begins or ends a text.
"""

import functools
import operator
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

_SPACE, _SIGN, _LETTER = range(3)  # kinds of characters
_BLANK = 0x20


class Phrase(NamedTuple):
    """A spelling of something to hold or to avoid."""

    spelling: bytes
    bit: int  # of the set of phrases to hold; 0: to avoid

    @property
    def begins_a_word(self) -> bool:
        """Whether no letter may stand before it."""
        return _kind(self.spelling[0]) == _LETTER

    @property
    def ends_a_word(self) -> bool:
        """Whether no letter may stand behind it."""
        return _kind(_last_lead(self.spelling)) == _LETTER

    def read(self, length: int, byte: int, *, ends_word: bool) -> int:
        """How many bytes are read after one more; 0: it is another text, one too many: complete."""
        size = len(self.spelling)
        if length == size:  # and waits for the end of its last word
            return size + 1 if ends_word else 0
        if self.spelling[length] != byte:
            return 0
        return length + (2 if length + 1 == size and not self.ends_a_word else 1)


class State(NamedTuple):
    """What matters of the text so far."""

    begun: int = 0  # bytes of the prefix
    last: int = _SPACE  # kind of the last character
    open: frozenset[tuple[int, int]] = frozenset()  # phrases begun, and how many bytes of them


class Automaton(NamedTuple):
    """A prefix (a space at its end: whole words) and phrases."""

    prefix: bytes
    phrases: tuple[Phrase, ...]

    def read(self, state: State, byte: int) -> tuple[State | None, int]:
        """The state after a byte, and the phrases it completes; no state: against the rules."""
        if byte == _BLANK and state.last == _SPACE:
            return state, 0
        begun = state.begun
        if begun < len(self.prefix):
            if self.prefix[begun] != byte:
                return None, 0
            begun += 1
        goes_on = _continues(byte)  # the same character
        kind = state.last if goes_on else _kind(byte)
        ends_word = not goes_on and kind != _LETTER
        found, going = 0, set[tuple[int, int]]()
        for number, length in {*state.open, *self._beginning(state.last, goes_on=goes_on)}:
            phrase = self.phrases[number]
            length = phrase.read(length, byte, ends_word=ends_word)
            if length <= len(phrase.spelling):
                going.update([(number, length)] if length else [])
            elif phrase.bit:
                found |= phrase.bit
            else:
                return None, 0
        return State(begun, kind, frozenset(going)), found

    def end(self, state: State) -> int | None:
        """The phrases that the end of the text completes; None: it must not end here."""
        after, found = self.read(state, _BLANK)
        return found if after and after.begun == len(self.prefix) else None

    def run(self, text: bytes) -> tuple[State | None, int]:
        """What `read` gives for a whole text."""
        state, found = State(), 0
        for byte in text:
            state, more = self.read(state, byte)
            if state is None:
                return None, 0
            found |= more
        return state, found

    @property
    def bits(self) -> int:
        """All phrases that have to be held."""
        return functools.reduce(operator.or_, (phrase.bit for phrase in self.phrases), 0)

    def accepts(self, text: str) -> bool:
        """Whether a whole text keeps the rules, and holds all phrases."""
        state, found = self.run(text.encode())
        ended = None if state is None else self.end(state)
        return ended is not None and self.bits & ~(found | ended) == 0

    def _beginning(self, last: int, *, goes_on: bool) -> Iterator[tuple[int, int]]:
        for number, phrase in enumerate(self.phrases):
            if not goes_on and not (phrase.begins_a_word and last == _LETTER):
                yield number, 0


def automaton(prefix: str, contain: Sequence[str], avoid: Sequence[str]) -> Automaton:
    """Of normalised texts; the bits of the phrases to hold are 1, 2, 4 and so on."""
    wanted = [(phrase, 1 << number) for number, phrase in enumerate(contain)]
    return Automaton(
        prefix.encode(),
        tuple(
            Phrase(spelling.encode(), bit)
            for phrase, bit in [*wanted, *((phrase, 0) for phrase in avoid)]
            for spelling in sorted({phrase, phrase[:1].upper() + phrase[1:]})
        ),
    )


class Table(NamedTuple):
    """All states that a text can be in (0: against the rules, 1: empty), and where bytes lead.

    Axes: q state   a symbol
    """

    symbols: np.ndarray  # of each byte: many bytes are the same to these phrases
    next_qa: np.ndarray
    found_qa: np.ndarray
    ends_q: np.ndarray  # phrases completed by the end; -1: must not end here
    numbers: dict[State, int]


def table(rules: Automaton) -> Table:
    """The automaton in full."""
    symbols, samples = _symbols(rules)
    numbers, queue = {State(): 1}, [State()]
    next_rows, found_rows = [[0] * len(samples)], [[0] * len(samples)]
    for state in queue:  # grows on the way
        row, found_row = [], []
        for byte in samples:
            after, found = rules.read(state, byte)
            if after is not None and after not in numbers:
                numbers[after] = len(numbers) + 1
                queue.append(after)
            row.append(0 if after is None else numbers[after])
            found_row.append(found)
        next_rows.append(row)
        found_rows.append(found_row)
    ends = [-1, *(-1 if (found := rules.end(state)) is None else found for state in queue)]
    return Table(symbols, np.array(next_rows), np.array(found_rows), np.array(ends), numbers)


def _symbols(rules: Automaton) -> tuple[np.ndarray, list[int]]:
    """Which symbol each byte is, and a byte for each symbol."""
    own = {_BLANK, *rules.prefix, *(byte for phrase in rules.phrases for byte in phrase.spelling)}
    groups: dict[tuple[int, ...], int] = {}
    symbols, samples = np.zeros(256, np.int64), []
    for byte in range(256):
        group = (byte,) if byte in own else (-1, _kind(byte), _continues(byte))
        if group not in groups:
            groups[group] = len(samples)
            samples.append(byte)
        symbols[byte] = groups[group]
    return symbols, samples


def _continues(byte: int) -> bool:
    return 0x80 <= byte < 0xC0


def _kind(byte: int) -> int:
    """Of the character that begins with this byte."""
    if byte == _BLANK:
        return _SPACE
    ascii_letter = byte < 0x80 and chr(byte).isalnum()
    # U+0080 to U+00BF, which begin with 0xC2, are signs, and so is most punctuation from U+2000 on.
    return _LETTER if ascii_letter or 0xC3 <= byte < 0xE0 else _SIGN


def _last_lead(text: bytes) -> int:
    return next(byte for byte in reversed(text) if not _continues(byte))
