"""English inflection as pure functions on strings. Knows no lexicon and no German.

Persons are 1s 2s 3s 1p 2p 3p. A verb may be of several words; its first is the one inflected.
"""

from typing import NamedTuple

PARTICLES = frozenset({"off", "on", "up", "out", "down", "away", "back", "over"})

_BE = {
    "present": {"1s": "am", "3s": "is"},
    "past": {"1s": "was", "3s": "was"},
}
_NEGATIVES = {
    "is": "isn't",
    "are": "aren't",
    "was": "wasn't",
    "were": "weren't",
    "do": "don't",
    "does": "doesn't",
    "did": "didn't",
    "have": "haven't",
    "has": "hasn't",
    "had": "hadn't",
    "will": "won't",
    "would": "wouldn't",
    "can": "can't",
    "could": "couldn't",
    "should": "shouldn't",
}
_SPOKEN_LIKE_A_CONSONANT = ("uni", "use", "usu", "euro", "one")
_SILENT_H = ("hour", "honest")


class Verb(NamedTuple):
    """Base, past, past participle, -ing form; `act` says that the progressive is natural."""

    base: str
    past: str
    participle: str
    ing: str
    act: bool


BE = Verb("be", "was", "been", "being", act=False)
HAVE = Verb("have", "had", "had", "having", act=False)
LIKE = Verb("like", "liked", "liked", "liking", act=False)
BECOME = Verb("become", "became", "become", "becoming", act=False)


def be(tense: str, person: str) -> str:
    """am, is, are, was, were."""
    return _BE[tense].get(person, "are" if tense == "present" else "were")


def have(tense: str, person: str) -> str:
    """have, has, had."""
    return "had" if tense == "past" else "has" if person == "3s" else "have"


def do(tense: str, person: str) -> str:
    """do, does, did."""
    return "did" if tense == "past" else "does" if person == "3s" else "do"


def negative(auxiliary: str) -> str:
    """isn't, won't; `am not` has no short form."""
    return _NEGATIVES.get(auxiliary, f"{auxiliary} not")


def present(verb: Verb, person: str) -> str:
    """The simple present."""
    first, _, rest = verb.base.partition(" ")
    if first == "be":
        first = be("present", person)
    elif person == "3s":
        first = _third(first)
    return f"{first} {rest}".rstrip()


def past(verb: Verb, person: str) -> str:
    """The simple past."""
    if is_be(verb):
        return f"{be('past', person)} {verb.base.removeprefix('be').strip()}".rstrip()
    return verb.past


def is_be(verb: Verb) -> bool:
    """The one main verb that asks and denies without `do`."""
    return verb.base.split(" ")[0] == "be"


def passive(verb: Verb) -> Verb:
    """Be read, being read."""
    done = verb.participle
    return Verb(f"be {done}", f"was {done}", f"been {done}", f"being {done}", verb.act)


def _third(word: str) -> str:
    if word == "have":
        return "has"
    if word.endswith(("s", "x", "z", "ch", "sh", "o")):
        return word + "es"
    if word.endswith("y") and word[-2] not in "aeiou":
        return word[:-1] + "ies"
    return word + "s"


def with_article(phrase: str) -> str:
    """`a` or `an` before it."""
    word = phrase.lower()
    vowel = word[0] in "aeiou" and not word.startswith(_SPOKEN_LIKE_A_CONSONANT)
    return ("an " if vowel or word.startswith(_SILENT_H) else "a ") + phrase


def possessive(phrase: str, person: str) -> str:
    """My brother's, my boss's, my parents'."""
    return phrase + ("'" if person == "3p" and phrase.endswith("s") else "'s")
