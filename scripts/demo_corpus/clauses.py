"""A clause: who does what, when, where and how, in no language's order yet.

Knows phrases and their roles; nothing of what makes sense together, and no order of words.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

from demo_corpus.lexicon import Slot, Verb
from demo_corpus.phrases import Adverbial, Pair, Phrase

# What each tense is in German and in English. An act under way is progressive in English
# ("now"), a habit is not; the rest is one to one, so that the English follows from the German.
TENSES = {
    "now": Pair("present", "progressive"),
    "habit": Pair("present", "present"),
    "soon": Pair("present", "future"),
    "future": Pair("future", "future"),
    "past": Pair("perfect", "past"),
    "told": Pair("preterite", "past"),
    "before": Pair("pluperfect", "past perfect"),
    "experience": Pair("perfect", "present perfect"),
    "since": Pair("present", "present perfect progressive"),
    "unreal": Pair("unreal", "conditional"),
}


class Object(NamedTuple):
    """A phrase in one of the verb's slots."""

    slot: Slot
    phrase: Phrase

    def german(self) -> str:
        """In its case, after its preposition."""
        if self.slot.preposition:
            return self.phrase.after(self.slot.preposition, self.slot.case)
        return self.phrase.cases[self.slot.case]

    def english(self) -> str:
        """After its preposition."""
        return f"{self.slot.english_preposition} {self.phrase.object}".strip()


@dataclass(frozen=True, kw_only=True, slots=True)
class Clause:
    """Who does what, when, where and how; `negation` is empty, nicht, or kein in an object."""

    subject: Phrase
    verb: Verb
    tense: str
    objects: tuple[Object, ...] = ()
    modal: str = ""
    negation: str = ""
    adverbials: tuple[Adverbial, ...] = ()
    complement: Pair | None = None  # what ends a clause of sein, werden and the passive
    passive: bool = False

    def but(self, **changes: object) -> "Clause":
        """The same clause with something else in it."""
        return replace(self, **changes)  # pyright: ignore[reportArgumentType]

    def saying(self, *adverbials: Adverbial) -> "Clause":
        """With these adverbials instead; but where somebody goes is part of the verb."""
        goals = tuple(word for word in self.adverbials if word.role == "direction")
        return replace(self, adverbials=(*adverbials, *goals))


def spaced(*words: str) -> str:
    """The words that are there, with a space between two."""
    return " ".join(word for word in words if word)
