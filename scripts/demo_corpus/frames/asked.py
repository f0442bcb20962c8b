"""Frames that ask: questions direct and indirect, requests, suggestions."""

import dataclasses

from demo_corpus import english_order, german_order, particles, phrases
from demo_corpus.clauses import Clause, Object
from demo_corpus.frames import common
from demo_corpus.lexicon import Slot, Verb
from demo_corpus.phrases import Adverbial, Pair
from demo_corpus.sampling import Draw

WHO = dataclasses.replace(phrases.name_phrase((phrases.Name("wer", "m"),)), subject="who")


_DOUBTS = (
    Pair("ich weiß nicht", "I don't know"),
    Pair("niemand weiß", "nobody knows"),
    Pair("weißt du", "do you know"),
    Pair("wissen Sie", "do you know"),
    Pair("ich frage mich", "I wonder"),
    Pair("ich möchte wissen", "I would like to know"),
    Pair("können Sie mir sagen", "can you tell me"),
    Pair("hast du gehört", "have you heard"),
)


def question(draw: Draw) -> Pair:
    """Hast du gestern den Film gesehen?"""
    clause = asked(draw)
    if draw.chance(0.2):
        clause = clause.but(modal=draw.one(("können", "wollen", "müssen")))
        if clause.tense not in ("now", "soon"):
            clause = clause.but(tense="told")
    return common.asked(clause)


def asked(draw: Draw, *, verb: Verb | None = None, adverbs: float = 0.7) -> Clause:
    """A clause that one may ask about; never about oneself."""
    verb = verb or draw.verb(act=True)
    subject = draw.one((phrases.DU, phrases.POLITE, phrases.IHR, None, None))
    while subject is None or subject is phrases.ICH:
        subject = draw.somebody()
    tense = draw.one(("now", "past", "past", "soon", "future"))
    clause = draw.action(verb=verb, subject=subject, tense=tense, adverbs=adverbs)
    kept = [word for word in clause.adverbials if word.role != "manner"]
    return clause.but(adverbials=tuple(kept))


def why_question(draw: Draw) -> Pair:
    """Warum hat der Koch die Suppe nicht gegessen?"""
    clause = asked(draw, adverbs=0.3)
    if not draw.chance(0.5) or any(not thing.phrase.is_definite for thing in clause.objects):
        return _asked_with(clause, Pair("warum", "why"))
    return _asked_with(clause.but(negation="nicht"), Pair("warum", "why"))


def when_question(draw: Draw) -> Pair:
    """Wann wird Paul den Brief schreiben? Wo, um wie viel Uhr."""
    word = draw.one((
        Pair("wann", "when"),
        Pair("wo", "where"),
        Pair("um wie viel Uhr", "at what time"),
    ))
    clause = asked(draw, adverbs=0)
    tense = "past" if clause.tense == "past" else "future"
    if word.german == "wo" and clause.tense == "now":
        tense = "now"
    return _asked_with(clause.but(tense=tense).saying(), word)


def who_question(draw: Draw) -> Pair:
    """Wer hat den Schlüssel gefunden?"""
    tense = draw.one(("now", "past", "past", "future"))
    clause = draw.action(verb=draw.verb(act=True), subject=WHO, tense=tense, adverbs=0.4)
    return Pair(german_order.main_clause(clause) + "?", english_order.main_clause(clause) + "?")


def what_question(draw: Draw) -> Pair:
    """Was sucht Anna? Auf wen wartet Anna?"""
    clause = asked(draw, verb=draw.verb(transitive=draw.chance(0.6), act=True), adverbs=0.3)
    for thing in clause.objects:
        human = "person" in thing.slot.kinds
        others = tuple(other for other in clause.objects if other is not thing)
        if thing.slot.preposition and human:
            pronoun = "wen" if thing.slot.case == "acc" else "wem"
            word = Pair(f"{thing.slot.preposition} {pronoun}", "who")
            said = english_order.question(clause.but(objects=others), "who")
            return Pair(
                german_order.question(clause.but(objects=others), word.german) + "?",
                _stranded(said, clause, thing) + "?",
            )
        if thing.slot == Slot("", "acc", thing.slot.kinds, ""):
            word = Pair("wen", "who") if human else Pair("was", "what")
            return Pair(
                german_order.question(clause.but(objects=others), word.german) + "?",
                english_order.question(clause, word.english, but=thing) + "?",
            )
    return _asked_with(clause, Pair("warum", "why"))


def _stranded(said: str, clause: Clause, thing: Object) -> str:
    """`Who is Anna waiting for today`: the preposition stays before place and time."""
    rest = " ".join(
        word.english
        for role in ("place", "time")
        for word in clause.adverbials
        if word.role == role
    )
    head = said.removesuffix(rest).rstrip() if rest else said
    return f"{head} {thing.slot.english_preposition} {rest}".rstrip()


def _asked_with(clause: Clause, word: Pair) -> Pair:
    return Pair(
        german_order.question(clause, word.german) + "?",
        english_order.question(clause, word.english) + "?",
    )


def doubt(draw: Draw) -> Pair:
    """Weißt du, ob der Zug schon abgefahren ist?"""
    matrix = draw.word(_DOUBTS)
    word = draw.one((
        Pair("ob", "whether"),
        Pair("ob", "whether"),
        Pair("warum", "why"),
        Pair("wann", "when"),
        Pair("wo", "where"),
        Pair("wie", "how"),
    ))
    tense = draw.one(
        ("past", "past", "future") if word.german != "ob" else ("past", "now", "future", "soon")
    )
    clause = draw.action(
        verb=draw.verb(act=True), tense=tense, adverbs=0.4 if word.german in ("ob", "warum") else 0
    )
    if word.german in ("wie", "wo"):
        clause = clause.saying()
    mark = (
        "?"
        if matrix.german in ("weißt du", "wissen Sie", "können Sie mir sagen", "hast du gehört")
        else "."
    )
    return Pair(
        f"{matrix.german}, {word.german} {german_order.final_clause(clause)}{mark}",
        f"{matrix.english} {word.english} {english_order.main_clause(clause)}{mark}",
    )


def request(draw: Draw) -> Pair:
    """Öffnen Sie bitte das Fenster!"""
    verb = draw.verb(act=True)
    subject = draw.one((phrases.POLITE, phrases.DU))
    clause = draw.action(
        verb=verb, subject=subject, tense="now", adverbs=0, negated=draw.chance(0.2)
    )
    told = english_order.infinitive(clause)
    if clause.negation:
        said = f"don't {told}"
    else:
        please = Adverbial("bitte", "please", "comment")
        clause = clause.saying(please)
        said = f"please {told}"
    make = german_order.question if subject is phrases.POLITE else german_order.order
    return Pair(make(clause) + "!", said + "!")


def suggestion(draw: Draw) -> Pair:
    """Besuchen wir heute das Museum!"""
    clause = draw.action(verb=draw.verb(act=True), subject=phrases.WIR, tense="now", adverbs=0)
    when = draw.adverb((*particles.TIMES["now"][1:2], *particles.TIMES["soon"][:5]))
    clause = clause.saying(when)
    return Pair(
        german_order.question(clause) + "!", f"let's {english_order.infinitive(clause)}" + "!"
    )
