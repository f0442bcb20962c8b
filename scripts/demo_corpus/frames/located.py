"""Frames about where things are: on the table, in town, and how far."""

from demo_corpus import lexicon, numbers, particles, phrases
from demo_corpus.phrases import Pair
from demo_corpus.sampling import Draw


def distance(draw: Draw) -> Pair:
    """Der Bahnhof ist 300 Meter von der Schule entfernt."""
    here = draw.noun("building")
    there = draw.noun("building", unlike=here)
    metres = 50 * draw.number(2, 19)
    unit = Pair(f"{metres} Meter", f"{metres} metres")
    if draw.chance(0.4):
        kilometres = numbers.cardinal(draw.number(2, 40))
        unit = Pair(f"{kilometres.german} Kilometer", f"{kilometres.english} kilometres")
    start = phrases.noun_phrase(there, phrases.THE)
    goal = draw.thing(here, phrases.THE)
    return Pair(
        f"{goal.cases['nom']} ist {unit.german} {start.after('von', 'dat')} entfernt.",
        f"{goal.subject} is {unit.english} from {start.object}.",
    )


def location(draw: Draw) -> Pair:
    """Auf dem Tisch liegen drei Bücher."""
    spot, case = draw.one((("surface", "auf on"), ("container", "in in"))), "dat"
    preposition, said = spot[1].split()
    where = draw.thing(draw.noun(spot[0]), phrases.THE, described=0.25)
    thing = draw.noun("object", "readable", unlike=where.noun, counted=True)
    if draw.chance(0.4):
        count = numbers.cardinal(draw.number(2, 12))
        things = phrases.noun_phrase(thing, phrases.A, count=count)
        return Pair(
            f"{where.after(preposition, case)} liegen {things.cases['nom']}.",
            f"there are {things.subject} {said} {where.object}.",
        )
    one = draw.thing(thing, phrases.A)
    if draw.chance(0.5):
        the = draw.thing(
            thing,
            draw.one((
                phrases.THE,
                phrases.possessive(phrases.DU.possessive),
                phrases.possessive(phrases.ICH.possessive),
            )),
        )
        return Pair(
            f"{the.cases['nom']} liegt {where.after(preposition, case)}.",
            f"{the.subject} is lying {said} {where.object}.",
        )
    return Pair(
        f"{where.after(preposition, case)} liegt {one.cases['nom']}.",
        f"there is {one.subject} {said} {where.object}.",
    )


def existence(draw: Draw) -> Pair:
    """In Köln gibt es zwölf Museen."""
    noun = draw.noun("building", counted=True)
    city = draw.one(particles.CITIES)
    kind = draw.number(0, 3)
    if kind == 0:
        count = numbers.cardinal(draw.number(2, 40))
        things = phrases.noun_phrase(noun, phrases.A, count=count)
        return Pair(
            f"in {city.german} gibt es {things.cases['acc']}.",
            f"there are {things.object} in {city.english}.",
        )
    if kind == 1:
        none = phrases.noun_phrase(noun, phrases.NONE)
        return Pair(
            f"in {city.german} gibt es {none.cases['acc']}.",
            f"there is {none.object} in {city.english}.",
        )
    one = draw.thing(noun, phrases.A, described=0.8)
    if kind == 2:
        return Pair(
            f"gibt es in {city.german} {one.cases['acc']}?",
            f"is there {one.object} in {city.english}?",
        )
    return Pair(
        f"in {city.german} gibt es {one.cases['acc']}.", f"there is {one.object} in {city.english}."
    )


def direction(draw: Draw) -> Pair:
    """Entschuldigung, wie komme ich zum Bahnhof?"""
    place = draw.one(lexicon.places())
    draw.lemmas.append(place.noun.german)
    here = phrases.noun_phrase(place.noun, phrases.THE)
    excuse = draw.one((
        Pair("Entschuldigung, ", "excuse me, "),
        Pair("", ""),
        Pair("guten Tag, ", "good afternoon, "),
    ))
    if draw.chance(0.5):
        return Pair(
            f"{excuse.german}wo ist {here.cases['nom']}?",
            f"{excuse.english}where is {here.subject}?",
        )
    start = draw.one(lexicon.places())
    origin = phrases.noun_phrase(start.noun, phrases.THE)
    if start.noun == place.noun or draw.chance(0.5):
        return Pair(
            f"{excuse.german}wie komme ich {here.after('zu', 'dat')}?",
            f"{excuse.english}how do I get to {here.object}?",
        )
    draw.lemmas.append(start.noun.german)
    return Pair(
        f"{excuse.german}wie komme ich {origin.after('von', 'dat')} {here.after('zu', 'dat')}?",
        f"{excuse.english}how do I get from {origin.object} to {here.object}?",
    )
