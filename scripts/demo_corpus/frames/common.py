"""What several frames share: the verbs to be and to have, statements, people who act."""

from demo_corpus import english, english_order, german, german_order, lexicon, particles, phrases
from demo_corpus.clauses import Clause
from demo_corpus.lexicon import Slot, Verb
from demo_corpus.phrases import Pair, Phrase
from demo_corpus.sampling import Draw

HAVING = Verb(
    german.HABEN,
    english.HAVE,
    ("person",),
    (Slot("", "acc", ("pet", "object", "instrument", "vehicle", "garment", "readable"), ""),),
)


BEING = Verb(german.SEIN, english.BE, ("person",), ())


BECOMING = Verb(german.WERDEN, english.BECOME, ("person",), ())


_ENJOYED = frozenset({
    *("food", "drink", "readable", "show"),
    *("instrument", "plant", "animal", "garment"),
})


def stated(clause: Clause) -> Pair:
    """The clause as a statement."""
    return Pair(german_order.main_clause(clause) + ".", english_order.main_clause(clause) + ".")


def asked(clause: Clause) -> Pair:
    """The clause as a question that is answered by yes or no."""
    return Pair(german_order.question(clause) + "?", english_order.question(clause) + "?")


def telling(draw: Draw, clause: Clause) -> Pair:
    """The clause as a sentence, with something in front now and then."""
    if draw.chance(0.06):
        comment = draw.adverb(particles.COMMENTS)
        clause = clause.but(adverbials=(comment, *clause.adverbials))
    fronts = [word for word in clause.adverbials if word.role in ("comment", "time", "place")]
    front = draw.one(fronts) if fronts and draw.chance(0.4) else None
    return Pair(
        german_order.main_clause(clause, front) + ".",
        english_order.main_clause(clause, front) + ".",
    )


def modal_clause(draw: Draw) -> Clause:
    """With können, müssen and their like, also denied."""
    name = draw.one(("können", "müssen", "wollen", "sollen", "dürfen", "möchten"))
    draw.lemmas.append(name)
    negated = name != "möchten" and draw.chance(0.25)
    tense = "now" if name in ("sollen", "möchten") or draw.chance(0.65) else "told"
    clause = draw.action(verb=draw.verb(act=True), tense=tense, adverbs=0, negated=negated)
    adverbs = ()
    if draw.chance(0.5):
        adverbs = (draw.adverb(particles.TIMES["soon" if tense == "now" else "past"]),)
    return clause.but(modal=name).saying(*adverbs)


def actor(draw: Draw, *, plain: bool = False) -> Phrase:
    """Somebody who can be taken up by a pronoun; `plain` only what has a preterite too."""
    return draw.until(lambda: draw.somebody(pronouns=not plain), lambda found: found.gender != "n")


def several(draw: Draw) -> tuple[Verb, Phrase, Phrase]:
    """A verb, who does it, and to what in general: Äpfel, Musik."""
    verb = draw.until(
        lambda: draw.verb(transitive=True, act=True),
        lambda found: bool(
            len(found.slots) == 1
            and _ENJOYED & set(found.slots[0].kinds)
            and not found.german.prefix
        ),
    )
    subject = draw.somebody()
    noun = draw.noun(*verb.slots[0].kinds)
    return verb, subject, general(noun)


def general(noun: lexicon.Noun) -> Phrase:
    """Äpfel, apples; Milch, milk."""
    return phrases.noun_phrase(noun, phrases.A, plural=noun.counted)
