"""The words: tables beside this file, read into rows and sorted by kind. Knows no grammar.

The columns are explained in the rows' classes; `-` in a table means that there is none.
"""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from demo_corpus import english, german

_HERE = Path(__file__).parent


class Noun(NamedTuple):
    """A noun; its kinds say which verbs and adjectives it goes with."""

    german: str
    gender: str
    forms: tuple[str, str, str]  # nominative, genitive, plural
    english: str
    english_plural: str  # empty for what is not counted, such as milk
    kinds: frozenset[str]

    @property
    def counted(self) -> bool:
        """Whether there is a plural, and so an indefinite article."""
        return bool(self.forms[2] and self.english_plural)


class Adjective(NamedTuple):
    """An adjective; comparative and superlative may be empty."""

    german: str
    stem: str
    comparative: str
    superlative: str
    english: str
    english_comparative: str
    english_superlative: str
    kinds: frozenset[str]


class Slot(NamedTuple):
    """What a verb asks for: a case, perhaps a preposition, and the nouns that fit."""

    preposition: str
    case: str
    kinds: tuple[str, ...]
    english_preposition: str


class Verb(NamedTuple):
    """A verb in one of its frames."""

    german: german.Verb
    english: english.Verb
    subjects: tuple[str, ...]
    slots: tuple[Slot, ...]

    @property
    def lemma(self) -> str:
        """The infinitive, as in a dictionary."""
        reflexive = "sich " if self.german.reflexive else ""
        return reflexive + self.german.prefix + self.german.infinitive


class Place(NamedTuple):
    """How one is at a place, and how one goes there, each with the definite article."""

    noun: Noun
    where: str
    where_english: str
    whither: str
    whither_case: str
    whither_english: str


@cache
def nouns() -> tuple[Noun, ...]:
    """All of them."""
    return tuple(_noun(row) for row in _rows("nouns"))


@cache
def nouns_of(kinds: tuple[str, ...]) -> tuple[Noun, ...]:
    """Every noun of any of these kinds; `lemma:WORD` is a kind with one noun."""
    wanted = set(kinds)
    found = tuple(word for word in nouns() if wanted & {*word.kinds, f"lemma:{word.german}"})
    if not found:
        raise ValueError(f"no noun is of the kinds {kinds}")
    return found


@cache
def adjectives() -> tuple[Adjective, ...]:
    """All of them."""
    return tuple(map(_adjective, _rows("adjectives")))


@cache
def adjectives_of(noun: Noun) -> tuple[Adjective, ...]:
    """Every adjective that goes with the noun."""
    return tuple(word for word in adjectives() if word.kinds & noun.kinds)


@cache
def verbs() -> tuple[Verb, ...]:
    """All of them, once for each frame."""
    return tuple(_verb(row) for row in _rows("verbs"))


@cache
def plans() -> tuple[Verb, ...]:
    """Verbs that ask for an infinitive with zu."""
    return tuple(_verb(row) for row in _rows("plans"))


@cache
def places() -> tuple[Place, ...]:
    """All of them."""
    return tuple(_place(row) for row in _rows("places"))


def _rows(name: str) -> Iterator[list[str]]:
    lines = (_HERE / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
    header, *rows = [line.split("\t") for line in lines if line and not line.startswith("#")]
    for row in rows:
        if len(row) != len(header) or not all(row):
            raise ValueError(f"{name}.tsv: {row} should have {len(header)} filled columns")
        yield ["" if field == "-" else field for field in row]


def _noun(row: list[str]) -> Noun:
    nominative, gender, genitive, plural, english_noun, english_plural, kinds = row
    forms = (nominative, genitive, plural)
    return Noun(nominative, gender, forms, english_noun, english_plural, frozenset(kinds.split()))


def _adjective(row: list[str]) -> Adjective:
    word, stem, comparative, superlative, *said, kinds = row
    english_word, more, most = said
    degrees = (comparative, superlative, english_word, more, most)
    return Adjective(word, stem, *degrees, frozenset(kinds.split()))


def _verb(row: list[str]) -> Verb:
    infinitive, du, er, preterite, participle, auxiliary, *english_forms, aspect = row[:11]
    reflexive = infinitive.startswith("sich ")
    prefix, _, base = infinitive.removeprefix("sich ").rpartition("|")
    forms = german.Verb(base, prefix, du, er, preterite, participle, auxiliary, reflexive)
    subjects, objects = row[11:]
    slots = tuple(_slot(text) for text in objects.split())
    return Verb(
        forms, english.Verb(*english_forms, act=aspect == "act"), tuple(subjects.split(",")), slots
    )


def _slot(text: str) -> Slot:
    """`acc=food`, `auf+acc=person,vehicle/for`; or `direction` and `city`, where one goes."""
    if "=" not in text:
        return Slot("", "", (text,), "")
    left, right = text.split("=")
    preposition, _, case = left.rpartition("+")
    kinds, _, english_preposition = right.partition("/")
    said = english_preposition.replace("_", " ")
    return Slot(preposition, case, tuple(kinds.split(",")), said)


def _place(row: list[str]) -> Place:
    lemma, where, where_english, whither, whither_english = row
    preposition, _, case = whither.partition("+")
    (noun,) = nouns_of((f"lemma:{lemma}",))
    return Place(noun, where, where_english, preposition, case, whither_english)
