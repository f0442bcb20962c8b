"""Frames of two clauses side by side: reasons, conditions, times, reported speech."""

from demo_corpus import english, english_order, german, german_order, particles, phrases
from demo_corpus.clauses import Clause
from demo_corpus.frames import common
from demo_corpus.lexicon import Verb
from demo_corpus.phrases import Pair, Phrase
from demo_corpus.sampling import Draw

_PRESENT = ("now", "habit", "soon", "future")


_MATRICES = (
    Pair("ich glaube", "I think"),
    Pair("ich weiß", "I know"),
    Pair("ich hoffe", "I hope"),
    Pair("wir wissen", "we know"),
    Pair("wir hoffen", "we hope"),
    Pair("es ist schade", "it is a pity"),
    Pair("es ist schön", "it is nice"),
    Pair("es ist wahr", "it is true"),
    Pair("es ist klar", "it is clear"),
    Pair("es ist möglich", "it is possible"),
    Pair("es stimmt nicht", "it is not true"),
    Pair("ich bin sicher", "I am sure"),
    Pair("ich bin froh", "I am glad"),
    Pair("alle sagen", "everybody says"),
    Pair("niemand glaubt", "nobody believes"),
    Pair("in der Zeitung steht", "the newspaper says"),
)


_TELLERS = (
    Pair("sagt", "says"),
    Pair("glaubt", "thinks"),
    Pair("weiß", "knows"),
    Pair("hofft", "hopes"),
    Pair("behauptet", "claims"),
    Pair("erzählt", "says"),
)


# German in the present and the past, English likewise.
_WEATHERS = (
    ("es regnet", "es regnete", "it is raining", "it was raining"),
    ("es schneit", "es schneite", "it is snowing", "it was snowing"),
    ("es kalt ist", "es kalt war", "it is cold", "it was cold"),
    ("es sehr heiß ist", "es sehr heiß war", "it is very hot", "it was very hot"),
    ("es schon dunkel ist", "es schon dunkel war", "it is already dark", "it was already dark"),
    ("die Sonne scheint", "die Sonne schien", "the sun is shining", "the sun was shining"),
    ("das Wetter schön ist", "das Wetter schön war", "the weather is nice", "the weather was nice"),
    (
        "das Wetter schlecht ist",
        "das Wetter schlecht war",
        "the weather is bad",
        "the weather was bad",
    ),
    (
        "der Wind zu stark ist",
        "der Wind zu stark war",
        "the wind is too strong",
        "the wind was too strong",
    ),
    ("es neblig ist", "es neblig war", "it is foggy", "it was foggy"),
)


_HAD = (
    Pair("genug Zeit", "enough time"),
    Pair("keine Zeit", "no time"),
    Pair("zu viel Arbeit", "too much work"),
    Pair("genug Geld", "enough money"),
    Pair("kein Geld", "no money"),
    Pair("große Angst", "great fear"),
    Pair("Besuch", "visitors"),
    Pair("Geburtstag", "a birthday"),
    Pair("Urlaub", "a holiday"),
    Pair("keine Geduld", "no patience"),
    Pair("viele Freunde", "many friends"),
)


_ARRIVING = Verb(
    german.Verb("kommen", "an", "kommst", "kommt", "kam", "angekommen", "sein", reflexive=False),
    english.Verb("arrive", "arrived", "arrived", "arriving", act=True),
    ("person",),
    (),
)


def reason(draw: Draw) -> Pair:
    """Die Köchin bleibt zu Hause, weil sie müde ist."""
    link = draw.word((Pair("weil", "because"), Pair("weil", "because"), Pair("obwohl", "although")))
    subject = common.actor(draw)
    clause = draw.action(verb=draw.verb(), subject=subject, adverbs=0.25, negated=draw.chance(0.25))
    clause = clause.but(
        adverbials=tuple(
            word
            for word in clause.adverbials
            if not (clause.negation and word.role in ("frequency", "manner"))
        )
    )
    if clause.tense in ("habit", "soon") and not clause.adverbials:
        clause = clause.but(tense="future")
    because = _circumstance(draw, subject, past=clause.tense not in _PRESENT)
    if draw.chance(0.3):
        first = german_order.question(clause)  # the verb comes first after a clause in front
        return Pair(
            f"{link.german} {because.german}, {first}.",
            f"{link.english} {because.english}, {english_order.main_clause(clause)}.",
        )
    return Pair(
        f"{german_order.main_clause(clause)}, {link.german} {because.german}.",
        f"{english_order.main_clause(clause)} {link.english} {because.english}.",
    )


def _circumstance(draw: Draw, subject: Phrase, *, past: bool) -> Pair:
    who = phrases.reference(subject)
    tense = "told" if past else "now"
    kind = draw.number(0, 5)
    if kind == 0:
        weather = draw.one(_WEATHERS)
        draw.lemmas.append(weather[0])
        return Pair(weather[past], weather[2 + past])
    if kind == 1:
        owned = draw.word(_HAD)
        verb = (german.preterite if past else german.present)(german.HABEN, who.person)
        have = english.have("past" if past else "present", who.english_person)
        return Pair(
            f"{who.cases['nom']} {owned.german} {verb}", f"{who.subject} {have} {owned.english}"
        )
    clause = Clause(
        subject=who,
        verb=common.BEING,
        tense=tense,
        complement=draw.word(particles.MOODS),
        negation="nicht" if draw.chance(0.2) else "",
    )
    return Pair(german_order.final_clause(clause), english_order.main_clause(clause))


def report(draw: Draw) -> Pair | None:
    """Ich glaube, dass der Zug heute nicht fährt."""
    if draw.chance(0.5):
        matrix = draw.word(_MATRICES)
    else:
        who = draw.somebody(pronouns=False, plural=False)
        says = draw.word(_TELLERS)
        matrix = Pair(f"{who.cases['nom']} {says.german}", f"{who.subject} {says.english}")
    clause = (
        common.modal_clause(draw) if draw.chance(0.2) else draw.action(negated=draw.chance(0.15))
    )
    if clause.negation and any(word.role in ("frequency", "manner") for word in clause.adverbials):
        return None
    return Pair(
        f"{matrix.german}, dass {german_order.final_clause(clause)}.",
        f"{matrix.english} that {english_order.main_clause(clause)}.",
    )


def order_of_events(draw: Draw) -> Pair:
    """Nachdem Anna den Brief gelesen hatte, rief sie ihren Bruder an."""
    subject = common.actor(draw, plain=True)
    first = draw.action(verb=draw.verb(act=True), subject=subject, tense="told", adverbs=0)
    who = phrases.reference(subject)
    second = draw.action(verb=draw.verb(act=True), subject=who, tense="told", adverbs=0)
    link = draw.word((
        Pair("bevor", "before"),
        Pair("nachdem", "after"),
        Pair("nachdem", "after"),
        Pair("als", "when"),
    ))
    if link.german == "nachdem":
        first = first.but(tense="before")
    if link.german == "als":
        first = _arrival(draw, subject)
    return Pair(
        f"{link.german} {german_order.final_clause(first)}, {german_order.question(second)}.",
        f"{link.english} {english_order.main_clause(first)}, {english_order.main_clause(second)}.",
    )


def _arrival(draw: Draw, subject: Phrase) -> Clause:
    place = draw.place()
    return Clause(subject=subject, verb=_ARRIVING, tense="told", adverbials=(place,))


def meanwhile(draw: Draw) -> Pair:
    """Während der Vater kocht, liest die Mutter die Zeitung."""
    tense = draw.one(("now", "told"))
    first, second = _two(draw, tense)
    said = _was_doing(first) if tense == "told" else english_order.main_clause(first)
    return Pair(
        f"während {german_order.final_clause(first)}, {german_order.question(second)}.",
        f"while {said}, {english_order.main_clause(second)}.",
    )


def _two(draw: Draw, tense: str) -> tuple[Clause, Clause]:
    """What two different people do at the same time."""
    first = draw.action(
        verb=draw.verb(act=True), subject=common.actor(draw, plain=True), tense=tense, adverbs=0
    )
    other = draw.until(
        lambda: common.actor(draw, plain=True),
        lambda found: found.subject != first.subject.subject,
    )
    return first, draw.action(verb=draw.verb(act=True), subject=other, tense=tense, adverbs=0)


def _was_doing(clause: Clause) -> str:
    was = english.be("past", clause.subject.english_person)
    return f"{clause.subject.subject} {was} {english_order.gerund(clause)}"


def condition(draw: Draw) -> Pair:
    """Wenn das Wetter schön ist, gehen wir morgen in den Park."""
    subject = common.actor(draw)
    clause = draw.action(verb=draw.verb(act=True), subject=subject, tense="future", adverbs=0.3)
    if draw.chance(0.4):
        return _unreal(draw, clause)
    if_so = _circumstance(draw, subject, past=False)
    return Pair(
        f"wenn {if_so.german}, {german_order.question(clause)}.",
        f"if {if_so.english}, {english_order.main_clause(clause)}.",
    )


def _unreal(draw: Draw, clause: Clause) -> Pair:
    who = clause.subject if clause.subject.is_pronoun else phrases.reference(clause.subject)
    clause = clause.but(tense="unreal").saying()
    had = german.unreal(german.HABEN, clause.subject.person)
    been = german.unreal(german.SEIN, clause.subject.person)
    name, said = clause.subject.cases["nom"], clause.subject.subject
    were = "was" if clause.subject.english_person in ("1s", "3s") else "were"
    owned = draw.word((
        Pair("mehr Zeit", "more time"),
        Pair("mehr Geld", "more money"),
        Pair("weniger Arbeit", "less work"),
        Pair("mehr Geduld", "more patience"),
    ))
    mood = draw.word(particles.MOODS[:7])
    wish = draw.one((
        Pair(f"{name} {owned.german} {had}", f"{said} had {owned.english}"),
        Pair(f"{name} nicht so {mood.german} {been}", f"{said} {were} not so {mood.english}"),
    ))
    rest = clause.but(subject=who)
    return Pair(
        f"wenn {wish.german}, {german_order.question(rest)}.",
        f"if {wish.english}, {english_order.main_clause(rest)}.",
    )


def contrast(draw: Draw) -> Pair:
    """Anna liest ein Buch, und Paul kocht die Suppe."""
    tense = draw.one(("now", "past", "future"))
    first, second = _two(draw, tense)
    if draw.chance(0.5):
        return Pair(
            f"{german_order.main_clause(first)}, und {german_order.main_clause(second)}.",
            f"{english_order.main_clause(first)}, and {english_order.main_clause(second)}.",
        )
    who = phrases.reference(first.subject)
    owned = draw.word((
        Pair("keine Zeit", "no time"),
        Pair("kein Geld", "no money"),
        Pair("keine Geduld", "no patience"),
    ))
    wish = first.but(tense="now", modal="möchten")
    has = german.present(german.HABEN, who.person)
    have = english.have("present", who.english_person)
    return Pair(
        f"{german_order.main_clause(wish)}, aber {who.cases['nom']} {has} {owned.german}.",
        f"{english_order.main_clause(wish)}, but {who.subject} {have} {owned.english}.",
    )
