"""The rules of a text as tables over the pieces that spell it, for the search. Knows no model.

Whatever pieces spell a phrase, single bytes too, the tables see it. Also how many pieces must still
follow: a phrase is never left for when there is no room for it.

Axes: q state   v piece   u kind of piece   m set of phrases
"""

from collections.abc import Collection, Iterable, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from seq2seq.corpus.text import normalise
from seq2seq.corpus.tokenizer import EOS, Tokenizer
from seq2seq.decoding import phrases
from seq2seq.decoding.requests import Request
from seq2seq.decoding.wishes import NEVER, Tables


class Wanted(NamedTuple):
    """What a translation must be like."""

    rules: phrases.Automaton
    tables: Tables | None  # None: no output can be like that

    @property
    def pieces(self) -> int:
        """More than usual that it may have."""
        return self.tables.pieces if self.tables else 0

    def accepts(self, text: str) -> bool:
        """Whether the text is like that."""
        return self.rules.accepts(text)

    def given_up(self) -> "Wanted":
        """The same, no longer enforced."""
        return self._replace(tables=None)


class Wordings:
    """Makes tables for the pieces of a tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def of(self, request: Request, parts: int) -> list[Wanted | None]:
        """What a line asks of the parts that it is cut into: the first has to have everything."""
        prefix = normalise(request.prefix)
        if prefix and request.prefix[-1].isspace():
            prefix += " "
        avoid = _normalised(request.avoid)
        first = self._wanted(prefix, _normalised(request.contain), avoid)
        others = self._wanted("", (), avoid) if avoid and parts > 1 else None
        return [first, *[others] * (parts - 1)][:parts]

    def _wanted(self, prefix: str, contain: Sequence[str], avoid: Sequence[str]) -> Wanted:
        rules = phrases.automaton(prefix, contain, avoid)
        enforced = self._tables(rules, prefix)
        if enforced is None and prefix:  # then the prefix at least
            enforced = self._tables(phrases.automaton(prefix, (), ()), prefix)
        return Wanted(rules, enforced)

    def _tables(self, rules: phrases.Automaton, prefix: str) -> Tables | None:
        banned, pieces = self._tokenizer.banned_ids, self._tokenizer.encode(prefix)
        return tables(rules, self._spelling, banned=banned, prefix=pieces)

    @cached_property
    def _spelling(self) -> "Spelling":
        return Spelling(self._tokenizer.spellings)


def _normalised(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(map(normalise, texts)))


class Spelling:
    """The bytes of all pieces."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self.pieces = pieces
        lengths = np.array([len(piece) for piece in pieces])
        self.order = np.argsort(-lengths, kind="stable")  # the longest first
        self.counts = [int((lengths > at).sum()) for at in range(int(lengths.max()))]
        self.bytes_vl = np.zeros((len(pieces), len(self.counts)), np.uint8)
        for row, piece in enumerate(self.order):
            text = pieces[piece]
            self.bytes_vl[row, : len(text)] = np.frombuffer(text, np.uint8)


def tables(
    rules: phrases.Automaton,
    spelling: Spelling,
    *,
    banned: Collection[int],
    prefix: Sequence[int],
) -> Tables | None:
    """The tables, or None if no output can be like that.

    `prefix` are the pieces that the prefix is spelled with; only its last word may be spelled in
    another way, for it may go on.
    """
    full = phrases.table(rules)
    next_qv, found_qv = _by_piece(full, spelling)
    next_qv[:, np.array(sorted(banned), int)] = 0
    _force(next_qv, prefix if rules.prefix.endswith(b" ") else _before_last(prefix, spelling))
    columns, kind_v = np.unique(np.stack([next_qv, found_qv]), axis=2, return_inverse=True)
    ends_q = full.ends_q
    # The end is of a kind of its own, the first; it leaves the state as it is.
    end_q = np.where(ends_q >= 0, np.arange(len(ends_q)), 0)
    next_qu = np.concatenate([end_q[:, None], columns[0]], axis=1)
    found_qu = np.concatenate([np.maximum(ends_q, 0)[:, None], columns[1]], axis=1)
    kind_v = kind_v.reshape(-1) + 1
    kind_v[EOS] = 0
    missing = rules.bits
    needed_qm = _needed(next_qu[:, 1:], found_qu[:, 1:], ends_q, missing + 1)
    pieces = int(needed_qm[1, -1])
    if pieces >= NEVER:
        return None
    begun, held = rules.run(rules.prefix)
    stages = needed_qm[full.numbers[begun], missing & ~held] if begun else 0
    return Tables(
        *(each.astype(np.int32) for each in (kind_v, next_qu, found_qu, needed_qm)),
        missing=np.array(missing, np.int32),
        pieces=pieces,
        stages=int(stages) if missing else 0,
    )


def _by_piece(full: phrases.Table, spelling: Spelling) -> tuple[np.ndarray, np.ndarray]:
    """Where each piece leads from each state, and which phrases it completes."""
    states = len(full.next_qa)
    next_qv = np.repeat(np.arange(states)[:, None], len(spelling.pieces), axis=1)
    found_qv = np.zeros_like(next_qv)
    symbols_vl = full.symbols[spelling.bytes_vl]
    for at, count in enumerate(spelling.counts):
        before_qv, symbols_1v = next_qv[:, :count], symbols_vl[None, :count, at]
        found_qv[:, :count] |= full.found_qa[before_qv, symbols_1v]
        next_qv[:, :count] = full.next_qa[before_qv, symbols_1v]
    back = np.argsort(spelling.order)
    return next_qv[:, back], found_qv[:, back]


def _force(next_qv: np.ndarray, pieces: Sequence[int]) -> None:
    state = 1
    for piece in pieces:
        after = next_qv[state, piece]
        if after != state:  # a space at the very start is nothing
            next_qv[state] = 0
            next_qv[state, piece] = after
        state = after


def _before_last(prefix: Sequence[int], spelling: Spelling) -> Sequence[int]:
    """The pieces before the last word."""
    starts = [at for at, piece in enumerate(prefix) if spelling.pieces[piece].startswith(b" ")]
    return prefix[: starts[-1]] if starts else ()


def _needed(next_qu: np.ndarray, found_qu: np.ndarray, ends_q: np.ndarray, sets: int) -> np.ndarray:
    """The fewest pieces after which a text can end, by state and missing phrases."""
    needed_qm = np.full((len(ends_q), sets), NEVER)
    for missing in range(sets):
        can_end_q = (ends_q >= 0) & (missing & ~ends_q == 0)
        needed_qm[can_end_q, missing] = 0
        left_qu = missing & ~found_qu
        while True:
            better_q = np.minimum(
                needed_qm[:, missing], 1 + needed_qm[next_qu, left_qu].min(axis=1)
            )
            better_q[0] = NEVER
            if (better_q == needed_qm[:, missing]).all():
                break
            needed_qm[:, missing] = better_q
    return needed_qm
