"""Frames with a clause inside: infinitives with zu, um, ohne, and relative clauses."""

from demo_corpus import english_order, german, german_order, lexicon, particles, phrases
from demo_corpus.clauses import Clause
from demo_corpus.frames import common
from demo_corpus.phrases import Pair
from demo_corpus.sampling import TO_PLACES, Draw

_JUDGEMENTS = (
    Pair("es ist nicht leicht", "it isn't easy to"),
    Pair("es ist wichtig", "it is important to"),
    Pair("es ist verboten", "it is forbidden to"),
    Pair("es ist gefährlich", "it is dangerous to"),
    Pair("es war schön", "it was nice to"),
    Pair("es war ein Fehler", "it was a mistake to"),
    Pair("es ist Zeit", "it is time to"),
    Pair("ich habe keine Zeit", "I have no time to"),
    Pair("ich habe Lust", "I feel like"),
    Pair("wir haben keine Lust", "we don't feel like"),
    Pair("hast du Lust", "do you feel like"),
)


_SHOWN = (
    Pair("wo ist", "where is"),
    Pair("hier ist", "here is"),
    Pair("das ist", "this is"),
)
_SHOWN_MANY = (
    Pair("wo sind", "where are"),
    Pair("hier sind", "here are"),
    Pair("das sind", "these are"),
)


def plan(draw: Draw) -> Pair:
    """Paul hat vergessen, das Fenster zu schließen."""
    verb = draw.one(lexicon.plans())
    draw.lemmas.append(verb.lemma)
    subject = draw.somebody()
    tense = draw.one(("now", "past", "past") if verb.english.act else ("past",))
    if verb.lemma == "hoffen":
        tense = "now"
    matrix = Clause(subject=subject, verb=verb, tense=tense)
    inner = draw.action(verb=draw.verb(act=True), subject=subject, tense="now", adverbs=0)
    return Pair(
        f"{german_order.main_clause(matrix)}, {german_order.to_infinitive(inner)}.",
        f"{english_order.main_clause(matrix)} to {english_order.infinitive(inner)}.",
    )


def judgement(draw: Draw) -> Pair | None:
    """Es ist nicht leicht, ein Haus zu bauen."""
    matrix = draw.word(_JUDGEMENTS)
    clause = draw.action(verb=draw.verb(act=True), subject=phrases.ICH, tense="now", adverbs=0)
    if any(thing.phrase.cases["nom"].startswith("mein") for thing in clause.objects):
        return None
    if clause.verb.german.reflexive:
        return None
    inner = german_order.to_infinitive(clause)
    if matrix.english.endswith("to"):
        said = english_order.infinitive(clause)
    else:
        said = english_order.gerund(clause)
    mark = "?" if matrix.german.startswith("hast") else "."
    return Pair(f"{matrix.german}, {inner}{mark}", f"{matrix.english} {said}{mark}")


def purpose(draw: Draw) -> Pair:
    """Lena fährt in die Stadt, um einen Mantel zu kaufen."""
    link = draw.word((
        Pair("um", "to"),
        Pair("um", "to"),
        Pair("ohne", "without"),
        Pair("anstatt", "instead of"),
    ))
    subject = draw.somebody()
    if link.german == "um":
        going = [
            verb for verb in lexicon.verbs() if verb.slots and verb.slots[0].kinds in TO_PLACES
        ]
        verb = draw.one(going)
        draw.lemmas.append(verb.lemma)
    else:
        verb = draw.verb(act=True)
    tense = draw.one(("now", "past", "future"))
    matrix = draw.action(verb=verb, subject=subject, tense=tense, adverbs=0)
    inner = draw.action(verb=draw.verb(act=True), subject=subject, tense="now", adverbs=0)
    said = (english_order.infinitive if link.german == "um" else english_order.gerund)(inner)
    return Pair(
        f"{german_order.main_clause(matrix)}, {link.german} {german_order.to_infinitive(inner)}.",
        f"{english_order.main_clause(matrix)} {link.english} {said}.",
    )


def doer(draw: Draw) -> Pair:
    """Die Frau, die gestern das Auto repariert hat, heißt Eva."""
    noun = draw.stranger()
    phrase = phrases.noun_phrase(noun, phrases.THE)
    clause = draw.action(
        verb=draw.verb(act=True),
        subject=phrase,
        tense=draw.one(("past", "now", "told", "habit")),
        adverbs=0.5,
    )
    relative = Pair(
        f"{german.relative_pronoun(noun.gender, 'nom')} {german_order.verb_phrase(clause)}",
        f"who {english_order.verb_phrase(clause)}",
    )
    who = phrase.described(relative)
    if draw.chance(0.4):
        knows = draw.one((
            Pair("kennst du {}?", "do you know {}?"),
            Pair("ich kenne {}.", "I know {}."),
            Pair("wir suchen {}.", "we are looking for {}."),
            Pair("das ist {}.", "this is {}."),
        ))
        case = "nom" if knows.german.startswith("das") else "acc"
        return Pair(knows.german.format(who.cases[case]), knows.english.format(who.object))
    name = draw.name()
    while noun.gender != "n" and name.gender != noun.gender:
        name = draw.name()
    city = draw.one(particles.CITIES)
    country = draw.one(particles.COUNTRIES)
    said = draw.one((
        Pair(f"heißt {name.text}", f"is called {name.text}"),
        Pair(f"wohnt in {city.german}", f"lives in {city.english}"),
        Pair(f"kommt aus {country.german}", f"comes from {country.english}"),
        Pair("ist sehr freundlich", "is very friendly"),
        Pair("ist mit mir verwandt", "is related to me"),
    ))
    return Pair(f"{who.cases['nom']} {said.german}.", f"{who.subject} {said.english}.")


def deed(draw: Draw) -> Pair:
    """Das Buch, das ich gestern gekauft habe, ist spannend."""
    verb = draw.until(
        lambda: draw.verb(transitive=True, act=True),
        lambda found: len(found.slots) == 1 and "person" not in found.slots[0].kinds,
    )
    tense = draw.one(("past", "past", "now", "habit"))
    clause = draw.action(verb=verb, tense=tense, adverbs=0.4)
    noun = draw.noun(*verb.slots[0].kinds)
    plural = noun.counted and draw.chance(0.2)
    thing = phrases.noun_phrase(noun, phrases.THE, plural=plural)
    kept = clause.but(objects=())
    pronoun = german.relative_pronoun(thing.gender, "acc")
    described = thing.described(
        Pair(
            f"{pronoun} {german_order.final_clause(kept)}",
            f"that {english_order.main_clause(kept)}",
        )
    )
    adjective = draw.adjective(noun)
    if adjective is None or draw.chance(0.3):
        shown = draw.one(_SHOWN_MANY if plural else _SHOWN)
        mark = "?" if shown.german.startswith("wo") else "."
        return Pair(
            f"{shown.german} {described.cases['nom']}{mark}",
            f"{shown.english} {described.subject}{mark}",
        )
    be = Clause(
        subject=described,
        verb=common.BEING,
        tense=draw.one(("now", "told")),
        complement=Pair(adjective.german, adjective.english),
    )
    return common.stated(be)


def companion(draw: Draw) -> Pair:
    """Der Freund, mit dem ich gestern gespielt habe, wohnt in Rom."""
    noun = draw.stranger()
    who = phrases.noun_phrase(noun, phrases.THE)
    subject = draw.one((phrases.ICH, phrases.WIR, phrases.name_phrase((draw.name(),))))
    verb = draw.until(
        lambda: draw.verb(act=True),
        lambda found: (
            not any(slot.preposition for slot in found.slots)
            and not found.german.reflexive
            and len(found.slots) < 2
        ),
    )
    clause = draw.action(verb=verb, subject=subject, tense="past", adverbs=0)
    when = draw.adverb(particles.TIMES["past"])
    pronoun = german.relative_pronoun(noun.gender, "dat")
    relative = Pair(
        f"mit {pronoun} {german_order.final_clause(clause.saying(when))}",
        f"with whom {english_order.main_clause(clause.saying(when))}",
    )
    described = who.described(relative)
    city = draw.one(particles.CITIES)
    return Pair(
        f"{described.cases['nom']} wohnt in {city.german}.",
        f"{described.subject} lives in {city.english}.",
    )
