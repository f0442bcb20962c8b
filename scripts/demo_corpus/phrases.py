"""Noun phrases, pronouns and adverbials, each in both languages at once. Knows no verbs."""

from dataclasses import dataclass, replace
from typing import NamedTuple

from demo_corpus import english, german
from demo_corpus.lexicon import Adjective, Noun, Place


class Pair(NamedTuple):
    """The same thing said in German and in English."""

    german: str
    english: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrase:
    """Somebody or something: what verbs agree with, and what stands in each case."""

    cases: dict[str, str]  # the German text in each case
    subject: str  # the English text, as a subject and as an object
    object: str
    person: str  # that the German verb agrees with; the English one agrees with `english_person`
    english_person: str
    gender: str  # of the German noun; p is the plural
    possessive: Pair  # the determiner that refers to it: sein, his
    is_pronoun: bool = False
    is_definite: bool = True
    noun: Noun | None = None
    adjective: Adjective | None = None

    def after(self, preposition: str, case: str) -> str:
        """`im Park`, `mit dem Bus`."""
        return german.contracted(f"{preposition} {self.cases[case]} ").rstrip()

    def described(self, relative: Pair) -> "Phrase":
        """With a relative clause: German puts it between commas, English does not."""
        cases = {case: f"{text}, {relative.german}," for case, text in self.cases.items()}
        text = f"{self.subject} {relative.english}"
        return replace(self, cases=cases, subject=text, object=text)

    def of(self, owner: "Phrase") -> "Phrase":
        """With an owner: das Auto meines Bruders, my brother's car."""
        cases = {case: f"{text} {owner.cases['gen']}" for case, text in self.cases.items()}
        thing = self.subject.removeprefix("the ")
        text = f"{english.possessive(owner.subject, owner.english_person)} {thing}"
        return replace(self, cases=cases, subject=text, object=text)


@dataclass(frozen=True, kw_only=True, slots=True)
class Determiner:
    """A German stem with its English words before one thing, several, and what is not counted."""

    stem: str
    one: str
    several: str
    mass: str
    is_definite: bool = True


THE = Determiner(stem="der", one="the", several="the", mass="the")
THIS = Determiner(stem="dies", one="this", several="these", mass="this")
A = Determiner(stem="ein", one="a", several="", mass="", is_definite=False)
NO = Determiner(stem="kein", one="a", several="any", mass="any", is_definite=False)
NONE = Determiner(stem="kein", one="no", several="no", mass="no", is_definite=False)


def possessive(owner: Pair) -> Determiner:
    """mein, my."""
    return Determiner(
        stem=owner.german, one=owner.english, several=owner.english, mass=owner.english
    )


def noun_phrase(
    noun: Noun,
    determiner: Determiner,
    *,
    adjective: Adjective | None = None,
    count: Pair | None = None,
    plural: bool = False,
) -> Phrase:
    """`count` is a number above one in words, and makes it a plural."""
    plural = plural or count is not None
    gender = "p" if plural else noun.gender
    stem = determiner.stem if (noun.counted and not plural) or determiner.stem != "ein" else ""
    cases = {
        case: _german(noun, stem, (gender, case), adjective=adjective, count=count)
        for case in german.CASES
    }
    words = noun.english_plural if plural else noun.english
    if adjective is not None:
        words = f"{adjective.english} {words}"
    if count is not None:
        words = f"{count.english} {words}"
    said = determiner.several if plural else determiner.one if noun.counted else determiner.mass
    text = english.with_article(words) if said == "a" else f"{said} {words}".strip()
    human = bool(noun.kinds & {"person", "relative"})
    return Phrase(
        cases=cases,
        subject=text,
        object=text,
        person="3p" if plural else "3s",
        english_person="3p" if plural else "3s",
        gender=gender,
        possessive=_POSSESSIVES[gender, human],
        is_definite=determiner.is_definite,
        noun=noun,
        adjective=adjective,
    )


_POSSESSIVES = {
    ("m", True): Pair("sein", "his"),
    ("f", True): Pair("ihr", "her"),
    ("n", True): Pair("sein", "its"),
    ("m", False): Pair("sein", "its"),
    ("f", False): Pair("ihr", "its"),
    ("n", False): Pair("sein", "its"),
    ("p", True): Pair("ihr", "their"),
    ("p", False): Pair("ihr", "their"),
}


def _german(
    noun: Noun,
    stem: str,
    agreement: tuple[str, str],
    *,
    adjective: Adjective | None,
    count: Pair | None,
) -> str:
    gender, case = agreement
    words = [german.determiner(stem, gender, case)] if stem else []
    if count is not None:
        words.append(count.german)
    if adjective is not None:
        words.append(german.adjective(adjective.stem, stem, gender, case))
    words.append(german.noun(noun.forms, gender, case))
    return " ".join(word for word in words if word)


def _pronoun(forms: str, said: str, agreement: str, possessives: str) -> Phrase:
    nominative, accusative, dative = forms.split()
    subject, thing = said.split()
    person, english_person, gender = agreement.split()
    return Phrase(
        cases={"nom": nominative, "acc": accusative, "dat": dative, "gen": ""},
        subject=subject,
        object=thing,
        person=person,
        english_person=english_person,
        gender=gender,
        possessive=Pair(*possessives.split()),
        is_pronoun=True,
    )


ICH = _pronoun("ich mich mir", "I me", "1s 1s m", "mein my")
DU = _pronoun("du dich dir", "you you", "2s 2s m", "dein your")
ER = _pronoun("er ihn ihm", "he him", "3s 3s m", "sein his")
SIE = _pronoun("sie sie ihr", "she her", "3s 3s f", "ihr her")
ES = _pronoun("es es ihm", "it it", "3s 3s n", "sein its")
WIR = _pronoun("wir uns uns", "we us", "1p 1p p", "unser our")
IHR = _pronoun("ihr euch euch", "you you", "2p 2p p", "euer your")
THEY = _pronoun("sie sie ihnen", "they them", "3p 3p p", "ihr their")
POLITE = _pronoun("Sie Sie Ihnen", "you you", "3p 2p p", "Ihr your")


def reference(phrase: Phrase) -> Phrase:
    """The pronoun that takes up what was named: er for der Hut, which is it in English."""
    if phrase.is_pronoun:
        return phrase
    if phrase.gender == "p":
        return THEY
    pronoun = {"m": ER, "f": SIE, "n": ES}[phrase.gender]
    if phrase.noun is None or phrase.noun.kinds & {"person", "relative"}:
        return pronoun
    return replace(pronoun, subject="it", object="it")


@dataclass(frozen=True, slots=True)
class Name:
    """A first name; German and English spell it alike."""

    text: str
    gender: str


def name_phrase(names: tuple[Name, ...]) -> Phrase:
    """One name, or two joined by `und`."""
    genders = {name.gender for name in names}
    gender = "p" if len(names) > 1 else genders.pop()
    said, written = (word.join(name.text for name in names) for word in (" and ", " und "))
    genitive = f"von {written}"
    return Phrase(
        cases={"nom": written, "acc": written, "dat": written, "gen": genitive},
        subject=said,
        object=said,
        person="3p" if len(names) > 1 else "3s",
        english_person="3p" if len(names) > 1 else "3s",
        gender=gender,
        possessive=_POSSESSIVES[gender, True],
    )


class Adverbial(NamedTuple):
    """When, where, how: its place in the clause follows from its role.

    Roles: comment, time, frequency, place, manner, direction, complement. `tense` names the only
    tense of clauses.TENSES that it goes with; it is empty for any.
    """

    german: str
    english: str
    role: str
    tense: str = ""
    lemma: str = ""

    def key(self) -> str:
        """What the records of combinations call it."""
        return self.lemma or self.german


def where(place: Place) -> Adverbial:
    """Im Park, in the park."""
    phrase = noun_phrase(place.noun, THE)
    return Adverbial(
        phrase.after(place.where, "dat"),
        f"{place.where_english} {phrase.object}",
        "place",
        lemma=place.noun.german,
    )


def whither(place: Place) -> Adverbial:
    """In den Park, to the park."""
    phrase = noun_phrase(place.noun, THE)
    return Adverbial(
        phrase.after(place.whither, place.whither_case),
        f"{place.whither_english} {phrase.object}",
        "direction",
        lemma=place.noun.german,
    )
