"""Frames of one clause that tells something: active, passive, denied, with modal verbs."""

import dataclasses

from demo_corpus import english_order, german_order, lexicon, particles, phrases
from demo_corpus.clauses import Clause, Object
from demo_corpus.frames import common
from demo_corpus.lexicon import Slot
from demo_corpus.phrases import Adverbial, Pair
from demo_corpus.sampling import Draw


def statement(draw: Draw) -> Pair:
    """Anna kauft heute einen Hut."""
    return common.telling(draw, draw.action())


def having(draw: Draw) -> Pair:
    """Mein Onkel hat eine Katze."""
    clause = draw.action(
        verb=common.HAVING,
        tense=draw.one(("now", "now", "past")),
        negated=draw.chance(0.3),
        adverbs=0,
    )
    return Pair(
        german_order.main_clause(clause.but(tense="told" if clause.tense == "past" else "now"))
        + ".",
        english_order.main_clause(clause) + ".",
    )


def denial(draw: Draw) -> Pair | None:
    """Anna kauft heute keinen Hut."""
    clause = draw.action(negated=True)
    if any(word.role in ("frequency", "manner") for word in clause.adverbials):
        return None
    return common.telling(draw, clause)


def experience(draw: Draw) -> Pair:
    """Wir haben das Museum noch nie besucht."""
    clause = draw.action(verb=draw.verb(act=True), tense="experience", adverbs=0)
    return common.telling(draw, clause.saying(draw.adverb(particles.EXPERIENCES)))


def duration(draw: Draw) -> Pair:
    """Paul wartet seit einer Stunde auf den Bus."""
    verb = draw.verb(act=True)
    return common.telling(draw, draw.action(verb=verb, tense="since", adverbs=0))


def modal(draw: Draw) -> Pair:
    """Du musst morgen die Ärztin anrufen."""
    return common.telling(draw, common.modal_clause(draw))


_NO_PASSIVE = frozenset({"bekommen", "erhalten", "verlieren", "haben", "nehmen"})


def passive(draw: Draw) -> Pair:
    """Die Brücke wurde 1930 gebaut."""
    return common.telling(draw, passive_clause(draw))


def passive_clause(draw: Draw) -> Clause:
    """Something is done, perhaps by somebody."""
    verb = draw.until(
        lambda: draw.verb(transitive=True, act=True),
        lambda found: (
            len(found.slots) == 1 and not found.german.reflexive and found.lemma not in _NO_PASSIVE
        ),
    )
    noun = draw.noun(*verb.slots[0].kinds)
    determiner = draw.one((phrases.THE, phrases.THE, phrases.THIS)) if noun.counted else phrases.THE
    subject = draw.thing(noun, determiner, plural=noun.counted and draw.chance(0.2))
    tense = draw.one(("now", "told", "told", "told", "future", "habit"))
    modal_verb = draw.one(("", "", "", "müssen", "können"))
    negated = modal_verb == "können"
    if modal_verb:
        tense = draw.one(("now", "told"))
    adverbs = ()
    if tense == "habit" or draw.chance(0.5):
        table = {"now": "now", "habit": "habit", "told": "past", "future": "future"}[tense]
        adverbs = (
            draw.adverb(particles.TIMES[table if tense != "now" or not modal_verb else "soon"]),
        )
    objects = ()
    if not modal_verb and draw.chance(0.3):
        agent = draw.somebody(pronouns=False)
        objects = (Object(Slot("von", "dat", ("person",), "by"), agent),)
    return Clause(
        subject=subject,
        verb=verb,
        tense=tense,
        objects=objects,
        modal=modal_verb,
        negation="nicht" if negated else "",
        adverbials=adverbs,
        passive=True,
    )


def neither(draw: Draw) -> Pair:
    """Karl isst weder Fisch noch Fleisch."""
    verb, subject, one = common.several(draw)
    other = common.general(draw.noun(*verb.slots[0].kinds, unlike=one.noun))
    join = draw.one((
        ("weder", "noch", "neither", "nor"),
        ("sowohl", "als auch", "both", "and"),
        ("nicht nur", "sondern auch", "not only", "but also"),
        ("entweder", "oder", "either", "or"),
    ))
    comma = "," if join[0] == "nicht nur" else ""
    both = dataclasses.replace(
        one,
        cases={
            case: f"{join[0]} {text}{comma} {join[1]} {other.cases[case]}"
            for case, text in one.cases.items()
        },
        object=f"{join[2]} {one.object} {join[3]} {other.object}",
    )
    clause = Clause(
        subject=subject,
        verb=verb,
        tense="past" if join[0] == "nicht nur" else draw.one(("past", "future")),
        objects=(Object(Slot("", "acc", (), ""), both),),
    )
    return common.stated(clause)


def shopping(draw: Draw) -> Pair | None:
    """Auf dem Markt haben wir Äpfel, Birnen und Milch gekauft."""
    nouns = [draw.noun("food"), draw.noun("food", "drink")]
    nouns.append(draw.noun("food"))
    if len({noun.english for noun in nouns}) < 3:
        return None
    first, second, third = (common.general(noun) for noun in nouns)
    listed = dataclasses.replace(
        first,
        cases={
            case: f"{text}, {second.cases[case]} und {third.cases[case]}"
            for case, text in first.cases.items()
        },
        object=f"{first.object}, {second.object} and {third.object}",
    )
    verb = next(verb for verb in lexicon.verbs() if verb.lemma == "kaufen")
    tense = draw.one(("past", "future", "told"))
    clause = draw.action(
        verb=verb, subject=common.actor(draw, plain=tense == "told"), tense=tense, adverbs=1
    )
    kept = tuple(word for word in clause.adverbials if word.role == "time")
    clause = clause.but(objects=(Object(verb.slots[0], listed),), adverbials=kept)
    fronts: tuple[Adverbial | None, ...] = (None, *kept)
    front = draw.one(fronts)
    return Pair(
        german_order.main_clause(clause, front) + ".",
        english_order.main_clause(clause, front) + ".",
    )
