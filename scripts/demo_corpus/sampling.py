"""Draws words and clauses that make sense together, and records which lemmas were drawn.

Knows the lexicon's kinds; nothing of what a sentence says. All chance is here, from one generator.
"""

import dataclasses
import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from demo_corpus import lexicon, numbers, particles, phrases
from demo_corpus.clauses import Clause, Object
from demo_corpus.lexicon import Noun, Slot, Verb
from demo_corpus.phrases import Adverbial, Determiner, Name, Pair, Phrase

T = TypeVar("T")

_HUMAN = frozenset({"person", "job", "relative"})
_OWNED = frozenset({
    *("relative", "pet", "object", "garment", "device", "vehicle", "readable", "container"),
    *("instrument", "furniture", "bodypart"),
})
_SPEAKERS = (phrases.ICH, phrases.DU, phrases.WIR, phrases.IHR)
_OTHERS = (phrases.ER, phrases.SIE)
# Where verbs of motion lead: anywhere, out of the house, to another town.
_DIRECTION, _JOURNEY, _CITY = ("direction",), ("journey",), ("city",)
TO_PLACES = (_DIRECTION, _JOURNEY)
_GOALS = (*TO_PLACES, _CITY)
# Nobody has several.
_ONLY = frozenset({"mother", "father", "husband", "wife", "mother-in-law", "father-in-law"})
_NO_PRETERITE = frozenset({"2s", "2p"})


def is_human(verb: Verb) -> bool:
    """Whether people do it, and not only animals or things."""
    return bool(_HUMAN & set(verb.subjects))


class Draw:
    """A source of chance; `lemmas` are the words drawn since the last sentence began."""

    def __init__(self, seed: str) -> None:
        """The same seed draws the same sentences, on any machine."""
        self._random = random.Random(seed)
        self.lemmas: list[str] = []

    def one(self, choices: Sequence[T]) -> T:
        """Any of them."""
        return choices[int(self._random.random() * len(choices))]

    def chance(self, probability: float) -> bool:
        """True that often."""
        return self._random.random() < probability

    def number(self, lowest: int, highest: int) -> int:
        """Both ends included."""
        return lowest + int(self._random.random() * (highest - lowest + 1))

    def until(self, draw: Callable[[], T], fits: Callable[[T], bool]) -> T:
        """Draws until it fits; the lemmas of what did not are forgotten."""
        while True:
            known = len(self.lemmas)
            found = draw()
            if fits(found):
                return found
            del self.lemmas[known:]

    def word(self, pairs: Sequence[Pair]) -> Pair:
        """A word that is not inflected, recorded."""
        pair = self.one(pairs)
        self.lemmas.append(pair.german)
        return pair

    def adverb(self, words: Sequence[Adverbial]) -> Adverbial:
        """An adverbial, recorded."""
        adverb = self.one(words)
        self.lemmas.append(adverb.key())
        return adverb

    def noun(self, *kinds: str, unlike: Noun | None = None, counted: bool = False) -> Noun:
        """A noun of any of the kinds, other than `unlike`."""
        choices = lexicon.nouns_of(kinds)
        while True:
            noun = self.one(choices)
            if (unlike is None or noun.english != unlike.english) and (noun.counted or not counted):
                self.lemmas.append(noun.german)
                return noun

    def adjective(self, noun: Noun, *, graded: bool = False) -> lexicon.Adjective | None:
        """One that goes with the noun, if there is any."""
        choices = [word for word in lexicon.adjectives_of(noun) if word.comparative or not graded]
        if not choices:
            return None
        adjective = self.one(choices)
        self.lemmas.append(adjective.german)
        return adjective

    def thing(
        self,
        noun: Noun,
        determiner: Determiner,
        *,
        plural: bool = False,
        described: float = 0.3,
    ) -> Phrase:
        """The noun as a phrase, with an adjective that often."""
        adjective = self.adjective(noun) if self.chance(described) else None
        return phrases.noun_phrase(noun, determiner, adjective=adjective, plural=plural)

    def name(self) -> Name:
        """A first name."""
        return self.one(particles.NAMES)

    def somebody(self, *, pronouns: bool = True, plural: bool = True) -> Phrase:
        """A person as a subject: a pronoun, a name, a relative, somebody of a calling."""
        kind = self._random.random()
        if pronouns and kind < 0.3:
            return self.one(_SPEAKERS if self.chance(0.6) else _OTHERS)
        if kind < 0.42:
            return phrases.name_phrase((self.name(),))
        if plural and kind < 0.45:
            first, second = self.name(), self.name()
            return phrases.name_phrase((first,) if first == second else (first, second))
        if kind < 0.52:
            return self.titled()
        if kind < 0.68:
            owner = self.one((phrases.ICH, phrases.ICH, phrases.DU, phrases.WIR, phrases.ER))
            noun = self.noun("relative", counted=True)
            many = plural and noun.english not in _ONLY and self.chance(0.15)
            return phrases.noun_phrase(noun, phrases.possessive(owner.possessive), plural=many)
        noun = self.stranger()
        determiner = self.one((phrases.THE, phrases.THE, phrases.THE, phrases.THIS, phrases.A))
        many = plural and determiner is not phrases.A and self.chance(0.2)
        return self.thing(noun, determiner, plural=many, described=0.15)

    def stranger(self) -> Noun:
        """A person who is nobody's relative."""
        while True:
            noun = self.one(lexicon.nouns_of(("person",)))
            if "relative" not in noun.kinds:
                self.lemmas.append(noun.german)
                return noun

    def titled(self) -> Phrase:
        """Herr Weber, Mr Weber."""
        surname = self.one(particles.SURNAMES)
        if self.chance(0.5):
            phrase = phrases.name_phrase((Name(f"Frau {surname}", "f"),))
            title = "Mrs"
        else:
            phrase = phrases.name_phrase((Name(f"Herr {surname}", "m"),))
            oblique = dict.fromkeys(("acc", "dat", "gen"), f"Herrn {surname}")
            phrase = dataclasses.replace(phrase, cases={**phrase.cases, **oblique})
            title = "Mr"
        text = f"{title} {surname}"
        return dataclasses.replace(phrase, subject=text, object=text)

    def subject(self, verb: Verb, **options: bool) -> Phrase:
        """Who may do it: mostly people, where people do it."""
        if is_human(verb) and (_HUMAN.issuperset(verb.subjects) or self.chance(0.8)):
            return self.somebody(**options)
        noun = self.noun(*verb.subjects)
        determiner = (
            self.one((phrases.THE, phrases.THE, phrases.THIS)) if noun.counted else phrases.THE
        )
        many = noun.counted and options.get("plural", True) and self.chance(0.15)
        return self.thing(noun, determiner, plural=many)

    def verb(self, *, human: bool = True, transitive: bool = False, act: bool = False) -> Verb:
        """A verb that people do, or any; with an accusative object, or any."""
        while True:
            verb = self.one(lexicon.verbs())
            if human and not is_human(verb):
                continue
            if transitive and not any(
                slot.case == "acc" and not slot.preposition for slot in verb.slots
            ):
                continue
            if act and not verb.english.act:
                continue
            self.lemmas.append(verb.lemma)
            return verb

    def object(self, slot: Slot, subject: Phrase, *, negated: bool = False) -> Object:
        """What fits the slot: `negated` makes an indefinite one `kein`."""
        noun = self.noun(*slot.kinds, unlike=subject.noun)
        bare = not slot.preposition
        if bare and "person" in noun.kinds and self.chance(0.12):
            return Object(slot, self._pronoun(slot, subject))
        determiner = self._determiner(noun, subject)
        plural = bare and noun.counted and noun.english not in _ONLY and self.chance(0.12)
        if negated and bare and slot.case == "acc" and not determiner.is_definite:
            determiner = phrases.NO
        return Object(slot, self.thing(noun, determiner, plural=plural, described=0.25))

    def _pronoun(self, slot: Slot, subject: Phrase) -> Phrase:
        choices = [phrases.ICH, phrases.DU, phrases.WIR, phrases.IHR, phrases.ER]
        choices += [phrases.SIE, phrases.THEY] if slot.case == "dat" else []
        if subject.person[0] == "3":
            return self.one([word for word in choices if word.person[0] != "3"])
        return self.one([word for word in choices if word.person[0] != subject.person[0]])

    def _determiner(self, noun: Noun, subject: Phrase) -> Determiner:
        owner = phrases.ICH if subject.gender == "n" else subject
        if "relative" in noun.kinds:
            return phrases.possessive(owner.possessive)
        kind = self._random.random()
        if noun.kinds & _OWNED and kind < 0.25:
            return phrases.possessive(owner.possessive)
        if noun.kinds & {"language", "weather"}:
            return phrases.A
        return phrases.THE if kind < 0.55 else phrases.THIS if kind < 0.62 else phrases.A

    def place(self) -> Adverbial:
        """Where it is done: at a place of the lexicon, or in a city."""
        if self.chance(0.25):
            city = self.one(particles.CITIES)
            return Adverbial(f"in {city.german}", f"in {city.english}", "place")
        place = self.one(lexicon.places())
        self.lemmas.append(place.noun.german)
        return phrases.where(place)

    def _goal(self, slot: Slot) -> Adverbial:
        if slot.kinds == _CITY:
            city = self.one(particles.CITIES)
            return Adverbial(f"nach {city.german}", f"to {city.english}", "direction")
        place = self.one(lexicon.places())
        while slot.kinds == _JOURNEY and "room" in place.noun.kinds:
            place = self.one(lexicon.places())
        self.lemmas.append(place.noun.german)
        return phrases.whither(place)

    def tense(self, verb: Verb, subject: Phrase) -> str:
        """One that the verb and the person take."""
        choices = ["now", "past", "past", "told", "future", "soon"]
        choices += ["habit"] if verb.english.act else ["now"]
        tense = self.one(choices)
        return "past" if tense == "told" and subject.person in _NO_PRETERITE else tense

    def action(
        self,
        *,
        verb: Verb | None = None,
        subject: Phrase | None = None,
        tense: str = "",
        adverbs: float = 0.7,
        negated: bool = False,
    ) -> Clause:
        """A clause of a verb with everything it asks for, and adverbials that often."""
        verb = verb or self.verb(human=subject is None or subject.noun is None)
        subject = subject or self.subject(verb)
        tense = tense or self.tense(verb, subject)
        slots = [slot for slot in verb.slots if slot.kinds not in _GOALS]
        objects = tuple(self.object(slot, subject, negated=negated) for slot in slots)
        denied = any(thing.phrase.cases["nom"].startswith("kein") for thing in objects)
        return Clause(
            subject=subject,
            verb=verb,
            tense=tense,
            objects=objects,
            negation="" if not negated else "kein" if denied else "nicht",
            adverbials=tuple(self._adverbs(verb, tense, adverbs)),
        )

    def _adverbs(self, verb: Verb, tense: str, often: float) -> list[Adverbial]:
        found = [self._goal(slot) for slot in verb.slots if slot.kinds in _GOALS]
        moves = bool(found)
        state_now = tense == "now" and not verb.english.act
        # A habit and a plan are such by their adverb alone: without it the English would differ.
        if tense in ("habit", "soon", "since") or (self.chance(often) and not state_now):
            table = particles.TIMES[tense]
            if tense == "habit" and self.chance(0.4):
                table = particles.FREQUENCIES
            found.append(self.adverb(table))
        transitive = any(slot.case == "acc" for slot in verb.slots)
        if verb.english.act and not moves and self.chance(often * 0.25):
            found.append(self.place())
        if verb.english.act and transitive and self.chance(often * 0.12):
            found.append(self.adverb(particles.MANNERS))
        return found

    def days(self) -> Pair:
        """On a day of the week."""
        day = self.one(numbers.DAYS)
        return Pair(f"am {day.german}", f"on {day.english}")
