"""Frames that describe: qualities, moods, callings, what people like, comparisons."""

from demo_corpus import english, english_order, german, german_order, particles, phrases
from demo_corpus.clauses import Clause, Object
from demo_corpus.frames import common
from demo_corpus.phrases import Adverbial, Pair
from demo_corpus.sampling import Draw

_WORKING = german.Verb(
    *("arbeiten", "", "arbeitest", "arbeitet", "arbeitete", "gearbeitet", "haben"), reflexive=False
)
_DEGREES = (
    Pair("sehr", "very"),
    Pair("zu", "too"),
    Pair("ziemlich", "quite"),
    Pair("wirklich", "really"),
    Pair("viel zu", "much too"),
    Pair("ein bisschen", "a little"),
    Pair("", ""),
    Pair("", ""),
)


_DESCRIBED = (
    ("food",),
    ("drink",),
    ("animal",),
    ("object",),
    ("garment",),
    ("building", "place"),
    ("vehicle",),
    ("readable", "show", "event"),
    ("person", "relative"),
    ("furniture", "device"),
    ("plant",),
    ("sayable",),
)


def quality(draw: Draw) -> Pair | None:
    """Die Suppe ist viel zu heiß."""
    noun = draw.noun(*draw.one(_DESCRIBED))
    adjective = draw.adjective(noun)
    if adjective is None:
        return None
    mine = phrases.possessive(draw.one((phrases.ICH, phrases.DU, phrases.WIR)).possessive)
    choices = (phrases.THE, phrases.THE, phrases.THIS) if "relative" not in noun.kinds else (mine,)
    plural = noun.counted and draw.chance(0.2)
    subject = phrases.noun_phrase(noun, draw.one(choices), plural=plural)
    degree = draw.one(_DEGREES) if adjective.comparative else Pair("", "")
    negated = draw.chance(0.2) and degree.german in ("", "sehr")
    clause = Clause(
        subject=subject,
        verb=common.BEING,
        tense=draw.one(("now", "now", "told")),
        negation="nicht" if negated else "",
        complement=Pair(
            f"{degree.german} {adjective.german}".strip(),
            f"{degree.english} {adjective.english}".strip(),
        ),
    )
    if draw.chance(0.2):
        return common.asked(clause)
    return common.telling(draw, clause)


def mood(draw: Draw) -> Pair:
    """Wir sind heute sehr müde."""
    pair = draw.word(particles.MOODS)
    clause = Clause(
        subject=draw.somebody(),
        verb=common.BEING,
        tense=draw.one(("now", "told")),
        negation="nicht" if draw.chance(0.25) else "",
        complement=pair,
    )
    if clause.tense == "told" or draw.chance(0.5):
        table = particles.TIMES["past"] if clause.tense == "told" else particles.TIMES["now"][1:2]
        clause = clause.but(adverbials=(draw.adverb(table),))
    if clause.subject.person.startswith("2") or draw.chance(0.15):
        clause = clause.but(negation="")
        if clause.subject is not phrases.ICH:
            return common.asked(clause)
    return common.telling(draw, clause)


def calling(draw: Draw) -> Pair:
    """Meine Schwester ist Ärztin."""
    subject = draw.until(
        lambda: draw.somebody(plural=False),
        lambda found: (
            found.gender in "mf"
            and (found.noun is None or "relative" in found.noun.kinds)
            and found.person in ("1s", "2s", "3s")
        ),
    )
    gender = subject.gender if subject.person == "3s" else draw.one("mf")
    noun = draw.until(lambda: draw.noun("job"), lambda found: found.gender == gender)
    complement = Pair(noun.german, english.with_article(noun.english))
    kind = draw.number(0, 4)
    if kind == 0:
        clause = Clause(
            subject=subject,
            verb=common.BECOMING,
            tense="now",
            modal=draw.one(("wollen", "möchten")),
            complement=complement,
        )
    elif kind == 1:
        city = draw.one(particles.CITIES)
        subject_text = subject.cases["nom"]
        verb = german.present(_WORKING, subject.person)
        works = "works" if subject.english_person == "3s" else "work"
        return Pair(
            f"{subject_text} {verb} als {noun.german} in {city.german}.",
            f"{subject.subject} {works} as {complement.english} in {city.english}.",
        )
    else:
        clause = Clause(
            subject=subject,
            verb=common.BEING,
            tense=draw.one(("now", "now", "told")),
            complement=complement,
        )
    return common.stated(clause)


def liking(draw: Draw) -> Pair:
    """Paul isst gern Äpfel. Der Film gefällt meiner Tante."""
    if draw.chance(0.4):
        return _pleasing(draw)
    verb, subject, things = common.several(draw)
    slot = verb.slots[0]
    clause = Clause(
        subject=subject,
        verb=verb,
        tense="now",
        objects=(Object(slot, things),),
        adverbials=(
            Adverbial("nicht gern" if (no := draw.chance(0.25)) else "gern", "", "manner"),
        ),
    )
    person = subject.english_person
    likes = (
        f"{english.negative(english.do('present', person))} like"
        if no
        else english.present(english.LIKE, person)
    )
    return Pair(
        german_order.main_clause(clause) + ".",
        f"{subject.subject} {likes} {english_order.gerund(clause.but(adverbials=()))}.",
    )


def _pleasing(draw: Draw) -> Pair:
    noun = draw.noun("garment", "show", "readable", "building", "vehicle", "plant", "event")
    thing = draw.thing(noun, draw.one((phrases.THE, phrases.THIS)), plural=draw.chance(0.15))
    who = draw.until(draw.somebody, lambda found: found.gender != "n")
    verb = "gefallen" if thing.person == "3p" else "gefällt"
    if draw.chance(0.3):
        dont = english.negative(english.do("present", who.english_person))
        return Pair(
            f"{thing.cases['nom']} {verb} {who.cases['dat']} nicht.",
            f"{who.subject} {dont} like {thing.object}.",
        )
    return Pair(
        f"{thing.cases['nom']} {verb} {who.cases['dat']}.",
        f"{who.subject} {english.present(english.LIKE, who.english_person)} {thing.object}.",
    )


_PAIRED = frozenset({
    *("Arm", "Auge", "Bein", "Finger", "Fuß", "Hand", "Knie"),
    *("Ohr", "Schulter", "Zahn", "Zeh", "Zehe"),
})


def pain(draw: Draw) -> Pair:
    """Mir tut der Kopf weh."""
    noun = draw.noun("bodypart")
    plural = noun.german in _PAIRED and draw.chance(0.4)
    part = phrases.noun_phrase(noun, phrases.THE, plural=plural)
    verb = "tun" if plural else "tut"
    who = draw.until(
        lambda: draw.somebody(plural=False),
        lambda found: found.gender in "mf" and found.person in ("1s", "2s", "3s"),
    )
    words = noun.english_plural if plural else noun.english
    owner = (
        who.possessive.english
        if who.is_pronoun
        else english.possessive(who.subject, who.english_person)
    )
    hurts = "hurt" if plural else "hurts"
    seit = draw.one((
        Pair("", ""),
        Pair("seit gestern", "since yesterday"),
        Pair("seit drei Tagen", "for three days"),
        Pair("seit einer Woche", "for a week"),
    ))
    if seit.german:
        has = "have" if plural else "has"
        return Pair(
            f"{who.cases['dat']} {verb} {seit.german} {part.cases['nom']} weh.",
            f"{owner} {words} {has} been hurting {seit.english}.",
        )
    return Pair(f"{who.cases['dat']} {verb} {part.cases['nom']} weh.", f"{owner} {words} {hurts}.")
