"""Frames that compare things and say whose they are."""

from demo_corpus import german, lexicon, particles, phrases
from demo_corpus.phrases import Pair
from demo_corpus.sampling import Draw


def owner(draw: Draw) -> Pair | None:
    """Das Auto meines Bruders ist neu."""
    noun = draw.noun("vehicle", "garment", "pet", "readable", "instrument", "device")
    who = phrases.noun_phrase(
        draw.noun("relative", counted=True),
        phrases.possessive(draw.one((phrases.ICH, phrases.DU, phrases.WIR, phrases.ER)).possessive),
    )
    adjective = draw.adjective(noun)
    if adjective is None:
        return None
    plural = noun.counted and draw.chance(0.2)
    thing = phrases.noun_phrase(noun, phrases.THE, plural=plural).of(who)
    be = draw.one(
        (Pair("sind", "are"), Pair("waren", "were"))
        if plural
        else (Pair("ist", "is"), Pair("war", "was"))
    )
    return Pair(
        f"{thing.cases['nom']} {be.german} {adjective.german}.",
        f"{thing.subject} {be.english} {adjective.english}.",
    )


def comparison(draw: Draw) -> Pair | None:
    """Der Hund ist viel größer als die Katze."""
    kind = draw.one((
        "animal",
        "food",
        "vehicle",
        "building",
        "garment",
        "furniture",
        "readable",
        "event",
        "plant",
        "relative",
        "object",
    ))
    one = draw.noun(kind)
    other = draw.noun(kind, unlike=one)
    shared = [
        word
        for word in lexicon.adjectives_of(one)
        if word.comparative and word.kinds & other.kinds & {kind}
    ]
    if not shared:
        return None
    adjective = draw.one(shared)
    draw.lemmas.append(adjective.german)
    mine = phrases.possessive(phrases.ICH.possessive)
    determiners = (
        (mine, mine) if kind == "relative" else (draw.one((phrases.THE, phrases.THIS)), phrases.THE)
    )
    left, right = (
        phrases.noun_phrase(noun, determiner)
        for noun, determiner in zip((one, other), determiners, strict=True)
    )
    be = Pair("ist", "is")
    how = draw.number(0, 3)
    more = Pair(adjective.comparative, adjective.english_comparative)
    if how == 0:
        than = Pair(f"so {adjective.german} wie", f"as {adjective.english} as")
    elif how == 1:
        than = Pair(f"nicht so {adjective.german} wie", f"not as {adjective.english} as")
    elif how == 2:
        than = Pair(f"viel {more.german} als", f"much {more.english} than")
    else:
        than = Pair(f"{more.german} als", f"{more.english} than")
    return Pair(
        f"{left.cases['nom']} {be.german} {than.german} {right.cases['nom']}.",
        f"{left.subject} {be.english} {than.english} {right.object}.",
    )


def superlative(draw: Draw) -> Pair | None:
    """Das ist das älteste Haus, das ich kenne."""
    noun = draw.noun(
        "animal",
        "food",
        "vehicle",
        "building",
        "garment",
        "readable",
        "event",
        "show",
        "person",
        "sayable",
        counted=True,
    )
    adjective = draw.adjective(noun, graded=True)
    if adjective is None:
        return None
    article = german.article(noun.gender, "nom")
    stem = german.adjective(adjective.superlative, "der", noun.gender, "nom")
    accusative = german.article(noun.gender, "acc")
    city = draw.one(particles.CITIES)
    more = adjective.english_superlative
    if draw.chance(0.5):
        return Pair(
            f"das ist {article} {stem} {noun.german}, {accusative} ich kenne.",
            f"this is the {more} {noun.english} that I know.",
        )
    return Pair(
        f"das war {article} {stem} {noun.german} in ganz {city.german}.",
        f"that was the {more} {noun.english} in all of {city.english}.",
    )
