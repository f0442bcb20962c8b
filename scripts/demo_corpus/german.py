"""German inflection as pure functions on strings. Knows no lexicon and no English.

Genders are m, f, n and p, the plural; cases are nom, acc, dat, gen; persons are 1s 2s 3s 1p 2p 3p.
"""

import re
from functools import cache
from typing import NamedTuple

CASES: tuple[str, ...] = ("nom", "acc", "dat", "gen")
PERSONS: tuple[str, ...] = ("1s", "2s", "3s", "1p", "2p", "3p")

_ENDINGS = {
    "der": {"nom": "er e es e", "acc": "en e es e", "dat": "em er em en", "gen": "es er es er"},
    "ein": {"nom": "- e - e", "acc": "en e - e", "dat": "em er em en", "gen": "es er es er"},
    "weak": {"nom": "e e e en", "acc": "en e e en", "dat": "en en en en", "gen": "en en en en"},
    "mixed": {"nom": "er e es en", "acc": "en e es en", "dat": "en en en en", "gen": "en en en en"},
    "strong": {"nom": "er e es e", "acc": "en e es e", "dat": "em er em en", "gen": "en er en er"},
}
_ARTICLES = {
    "nom": "der die das die",
    "acc": "den die das die",
    "dat": "dem der dem den",
    "gen": "des der des der",
}
_CONTRACTIONS = {
    "in dem": "im",
    "an dem": "am",
    "zu dem": "zum",
    "zu der": "zur",
    "bei dem": "beim",
    "von dem": "vom",
    "in das": "ins",
    "an das": "ans",
}
_REFLEXIVES: dict[str, str] = dict(
    zip(PERSONS, ("mich", "dich", "sich", "uns", "euch", "sich"), strict=True)
)
_SEIN: dict[str, dict[str, str]] = {
    "present": dict(zip(PERSONS, ("bin", "bist", "ist", "sind", "seid", "sind"), strict=True)),
    "preterite": dict(zip(PERSONS, ("war", "warst", "war", "waren", "wart", "waren"), strict=True)),
}
_UNREAL: dict[str, str] = dict(zip(PERSONS, ("e", "est", "e", "en", "et", "en"), strict=True))
# Present singular (first and third), second singular, and the stem of the plural and the preterite.
_MODALS = {
    "können": ("kann", "kannst", "könn", "konnte"),
    "müssen": ("muss", "musst", "müss", "musste"),
    "wollen": ("will", "willst", "woll", "wollte"),
    "sollen": ("soll", "sollst", "soll", "sollte"),
    "dürfen": ("darf", "darfst", "dürf", "durfte"),
    "möchten": ("möchte", "möchtest", "möcht", "wollte"),
}


_VOWELS = re.compile("[aeiouäöü]+")


class Verb(NamedTuple):
    """The forms that a verb's others follow from; those of the present without the prefix."""

    infinitive: str
    prefix: str
    du: str
    er: str
    preterite: str
    participle: str
    auxiliary: str
    reflexive: bool


SEIN = Verb("sein", "", "bist", "ist", "war", "gewesen", "sein", reflexive=False)
HABEN = Verb("haben", "", "hast", "hat", "hatte", "gehabt", "haben", reflexive=False)
WERDEN = Verb("werden", "", "wirst", "wird", "wurde", "geworden", "sein", reflexive=False)
PASSIVE = WERDEN._replace(participle="worden")


def _of_gender(row: str, gender: str) -> str:
    return row.split()["mfnp".index(gender)].replace("-", "")


def article(gender: str, case: str) -> str:
    """der, die, das; as a relative pronoun too, but for the dative plural and the genitive."""
    return _of_gender(_ARTICLES[case], gender)


def relative_pronoun(gender: str, case: str) -> str:
    """der, die, das, denen."""
    return "denen" if (gender, case) == ("p", "dat") else article(gender, case)


@cache
def determiner(stem: str, gender: str, case: str) -> str:
    """Inflects dies- and jed- like the article; ein, kein, mein and their like by their own."""
    if stem == "der":
        return article(gender, case)
    if stem in ("dies", "jed"):
        return stem + _of_gender(_ENDINGS["der"][case], gender)
    ending = _of_gender(_ENDINGS["ein"][case], gender)
    return ("eur" if stem == "euer" and ending else stem) + ending


@cache
def adjective(stem: str, after: str, gender: str, case: str) -> str:
    """An attribute; `after` is the determiner's stem, or empty where there is none."""
    kind = "strong" if not after else "weak" if after in ("der", "dies", "jed") else "mixed"
    return stem + _of_gender(_ENDINGS[kind][case], gender)


@cache
def noun(forms: tuple[str, str, str], gender: str, case: str) -> str:
    """A noun given as nominative, genitive and plural; gender p asks for the plural."""
    nominative, genitive, plural = forms
    if gender == "p":
        return plural + ("n" if case == "dat" and plural[-1] not in "ns" else "")
    if case == "gen":
        return genitive
    if case in ("acc", "dat") and gender == "m" and genitive.endswith("n"):
        return genitive  # the weak nouns: den Studenten
    return nominative


def contracted(text: str) -> str:
    """`in dem Park` as `im Park`; `text` begins with a preposition and a definite article."""
    preposition, following, *rest = text.split(" ", 2)
    short = _CONTRACTIONS.get(f"{preposition} {following}")
    return " ".join([short, *rest]) if short else text


def reflexive(person: str) -> str:
    """mich, dich, sich ..."""
    return _REFLEXIVES[person]


def _needs_e(stem: str) -> bool:
    if stem[-1] in "td":
        return True
    if stem[-1] not in "mn" or len(stem) < 3:
        return False
    before = stem[-2]
    if before == "h":
        return stem[-3] == "c"
    return before not in "aeiouäöülr" + stem[-1]


def stem(infinitive: str) -> str:
    """The infinitive without -en or -n."""
    return infinitive[:-2] if infinitive.endswith("en") else infinitive[:-1]


def present(verb: Verb, person: str) -> str:
    """The finite form without the separable prefix."""
    if verb.infinitive == "sein":
        return _SEIN["present"][person]
    root = stem(verb.infinitive)
    if person == "1s":
        if verb.infinitive == "wissen":
            return verb.er
        return (root[:-2] + "l" if verb.infinitive.endswith("eln") else root) + "e"
    if person == "2p":
        return root + ("et" if _needs_e(root) else "t")
    return {"2s": verb.du, "3s": verb.er}.get(person, verb.infinitive)


def preterite(verb: Verb, person: str) -> str:
    """The finite form without the prefix; not for du and ihr, which prefer the perfect."""
    if verb.infinitive == "sein":
        return _SEIN["preterite"][person]
    if person in ("1s", "3s"):
        return verb.preterite
    if verb.infinitive in ("haben", "werden"):
        return verb.preterite + {"2s": "st", "2p": "t"}.get(person, "n")
    if person in ("1p", "3p"):
        return verb.preterite + ("n" if verb.preterite.endswith("e") else "en")
    raise ValueError(f"no preterite of {verb.infinitive!r} for {person!r}")


def unreal(verb: Verb, person: str) -> str:
    """hätte, wäre, würde; the other verbs say it with würde."""
    return {"haben": "hätt", "sein": "wär", "werden": "würd"}[verb.infinitive] + _UNREAL[person]


def imperative(verb: Verb) -> str:
    """What one says to a friend: gib, nimm, fahr, warte, lies."""
    root = stem(verb.infinitive)
    changed = _VOWELS.findall(verb.er.removesuffix("t"))[-1]
    if changed != _VOWELS.findall(root)[-1] and changed.startswith("i"):
        return verb.er if verb.er.endswith("tt") else verb.er.removesuffix("t")
    if verb.infinitive.endswith("eln"):
        return root[:-2] + "le"
    return root + ("e" if _needs_e(root) or verb.infinitive.endswith("ern") else "")


def modal(name: str, tense: str, person: str) -> str:
    """A modal verb in the present or the preterite; möchten has no preterite but wollte."""
    singular, second, root, past = _MODALS[name]
    if tense == "preterite":
        return past + {"2s": "st", "1p": "n", "2p": "t", "3p": "n"}.get(person, "")
    if person in ("1s", "3s"):
        return singular
    plural = {"1p": "en", "2p": "et" if root.endswith("t") else "t", "3p": "en"}
    return second if person == "2s" else root + plural[person]


def to_infinitive(verb: Verb) -> str:
    """anzurufen, zu lesen."""
    if verb.prefix:
        return f"{verb.prefix}zu{verb.infinitive}"
    return f"zu {verb.infinitive}"
