"""Rules of a text, read byte by byte and piece by piece, against a plain search in the text."""

import itertools
import re

import numpy as np
import pytest

from seq2seq.corpus.tokenizer import EOS
from seq2seq.decoding import phrases, wording

SPECIAL = (b"",) * 4  # the end among them
PIECES = (*SPECIAL, b" a", b"a", b"b", b" b", b"c", b" ab", b" ", b"bc", b".")
BANNED = (0, 1, 3)


def text(ids: tuple[int, ...]) -> str:
    return " ".join(b"".join(PIECES[piece] for piece in ids).decode().split())


def keeps(line: str, prefix: str, contain: list[str], avoid: list[str]) -> bool:
    """The rules, for letters a to c."""

    def has(phrase: str) -> bool:
        return bool(re.search(rf"(?<![a-c])({phrase}|{phrase.capitalize()})(?![a-c])", line))

    begins = f"{line} ".startswith(prefix) if prefix.endswith(" ") else line.startswith(prefix)
    return begins and all(map(has, contain)) and not any(map(has, avoid))


def read(tables: wording.Tables, ids: tuple[int, ...]) -> bool:
    state, missing = 1, int(tables.missing)
    for piece in (*ids, EOS):
        kind = tables.kind_v[piece]
        missing &= ~tables.found_qu[state, kind]
        state = tables.next_qu[state, kind]
    return state > 0 and missing == 0


@pytest.mark.parametrize(
    ("prefix", "contain", "avoid"),
    [
        ("", ["ab"], []),
        ("", ["a", "b"], ["c"]),
        ("", ["a b", "b a"], []),
        ("", [], ["a b", "c"]),
        ("ab", [], ["b", "a"]),
        ("b ", ["ab"], []),
        ("a b", ["bc"], ["a a"]),
    ],
)
def test_the_tables_accept_every_spelling_of_what_keeps_the_rules_and_no_other(
    prefix, contain, avoid
):
    rules = phrases.automaton(prefix, contain, avoid)
    tables = wording.tables(rules, wording.Spelling(PIECES), banned=BANNED, prefix=[])
    assert tables
    accepted = []
    for length in range(1, 5):
        for ids in itertools.product(range(4, len(PIECES)), repeat=length):
            expected = keeps(text(ids), prefix, contain, avoid)
            assert read(tables, ids) == rules.accepts(text(ids)) == expected, text(ids)
            accepted += [ids] * expected
    shortest = 0 if keeps("", prefix, contain, avoid) else len(accepted[0])
    assert tables.pieces == shortest


def test_whole_words_of_a_prefix_are_spelled_as_the_tokenizer_does_and_its_last_word_may_go_on():
    spelling = wording.Spelling(PIECES)
    tables = wording.tables(
        phrases.automaton("ab a", [], []), spelling, banned=BANNED, prefix=[9, 4]
    )
    assert tables
    assert read(tables, (9, 4))
    assert read(tables, (9, 10, 5))
    assert read(tables, (9, 9))
    assert not read(tables, (4, 6, 4))
    assert not read(tables, (9, 7))


@pytest.mark.parametrize(
    ("phrase", "line", "found"),
    [
        ("cat", "The cat sat.", True),
        ("cat", "Cat", True),
        ("cat", "CAT", False),
        ("cat", "category", False),
        ("cat", "wildcat", False),
        ("cat", "cat's", True),
        ("cat", "„cat“", True),
        ("café", "a café, here", True),
        ("caf", "a café", False),
        ("über", "Übertrag", False),
        ("über", "Über uns", True),
        ("猫", "黒猫です", True),
        ("😀", "a😀b", True),
        ("a b", "a b", True),
        ("a b", "a bc", False),
        ("aab", "aaab aab", True),
    ],
)
def test_a_phrase_is_one_of_whole_words(phrase, line, found):
    assert phrases.automaton("", [phrase], []).accepts(line) == found
    assert phrases.automaton("", [], [phrase]).accepts(line) != found


def test_characters_that_only_bytes_can_spell_are_read_too():
    pieces = (*SPECIAL, *(bytes([byte]) for byte in range(256)))
    tables = wording.tables(
        phrases.automaton("", ["😀"], []), wording.Spelling(pieces), banned=BANNED, prefix=[]
    )
    assert tables
    assert tables.pieces == tables.stages == 4
    assert read(tables, tuple(4 + byte for byte in "a😀b".encode()))
    assert not read(tables, tuple(4 + byte for byte in "a😃b".encode()))


def test_what_no_output_can_keep_has_no_tables():
    spelling = wording.Spelling(PIECES)
    for rules in (
        phrases.automaton("", ["x"], []),
        phrases.automaton("", ["a"], ["a"]),
        phrases.automaton("a b", [], ["a"]),
    ):
        assert wording.tables(rules, spelling, banned=BANNED, prefix=[]) is None


def test_the_pieces_that_are_still_needed_go_down_to_the_end():
    rules = phrases.automaton("", ["a b", "c"], [])
    tables = wording.tables(rules, wording.Spelling(PIECES), banned=BANNED, prefix=[])
    assert tables
    for (state, missing), needed in np.ndenumerate(tables.needed_qm):
        after = [
            tables.needed_qm[after, missing & ~found]
            for after, found in zip(tables.next_qu[state], tables.found_qu[state], strict=True)
        ]
        if 0 < needed < 100:
            assert min(after[1:]) == needed - 1
