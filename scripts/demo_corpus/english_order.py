"""The English that answers to a clause: auxiliaries, the order of objects and adverbials.

Knows clauses and inflection; nothing of what makes sense together.
"""

from collections.abc import Sequence
from dataclasses import replace

from demo_corpus import english
from demo_corpus.clauses import TENSES, Clause, Object, spaced
from demo_corpus.phrases import Adverbial


def main_clause(clause: Clause, front: Adverbial | None = None) -> str:
    """Subject, verb, objects, and what German had in front."""
    auxiliary, tail, plain = _verb(clause)
    middle = _frequency(clause)
    if clause.negation:
        words = [english.negative(auxiliary), *middle, tail]
    elif plain and not _is_be(clause):
        words = [*middle, plain]
    elif plain:
        first, _, rest = plain.partition(" ")
        words = [first, *middle, rest]
    else:
        words = [auxiliary, *middle, tail]
    return spaced(
        *_fronted(clause, front),
        clause.subject.subject,
        _with_objects(clause, spaced(*words)),
        *_trailing(clause, front),
    )


def question(clause: Clause, word: str = "", *, but: Object | None = None) -> str:
    """`but` is the object that the question word asks for."""
    auxiliary, tail, plain = _verb(clause)
    if plain and _is_be(clause):
        auxiliary, _, tail = plain.partition(" ")
    first = english.negative(auxiliary) if clause.negation else auxiliary
    if clause.negation and first == "am not":
        raise ValueError("English has no short form of `am I not`")
    asked = clause.but(objects=tuple(thing for thing in clause.objects if thing is not but))
    rest = _with_objects(asked, spaced(*_frequency(clause), tail))
    return spaced(word, first, clause.subject.subject, rest, *_trailing(clause, None))


def infinitive(clause: Clause) -> str:
    """`read the book`, as after `to`."""
    verb = _forms(clause)
    return spaced(*_frequency(clause), _with_objects(clause, verb.base), *_trailing(clause, None))


def gerund(clause: Clause) -> str:
    """`reading the book`."""
    verb = _forms(clause)
    return spaced(_with_objects(clause, verb.ing), *_trailing(clause, None))


def verb_phrase(clause: Clause) -> str:
    """A clause without its subject, which a relative pronoun has replaced."""
    return main_clause(clause.but(subject=replace(clause.subject, subject="")))


def _is_be(clause: Clause) -> bool:
    """Whether the plain form begins with a form of `be`, before which nothing is put."""
    return english.is_be(_forms(clause)) and not clause.modal


def _forms(clause: Clause) -> english.Verb:
    return english.passive(clause.verb.english) if clause.passive else clause.verb.english


def _verb(clause: Clause) -> tuple[str, str, str]:
    """The auxiliary and the rest, with which one asks and denies, and the plain form if any."""
    verb, person = _forms(clause), clause.subject.english_person
    if clause.modal:
        return _modal(clause, verb, person)
    tense = TENSES[clause.tense].english
    is_be = english.is_be(verb)
    if tense == "progressive":
        tense = "progressive" if verb.act else "present"
    if tense == "present perfect progressive":
        tense = tense if verb.act else "present perfect"
    if tense in ("present", "past"):
        inflect = english.present if tense == "present" else english.past
        plain = inflect(verb, person)
        if is_be:
            first, _, rest = plain.partition(" ")
            return first, rest, plain
        return english.do(tense, person), verb.base, plain
    have = english.have("present", person)
    auxiliary, tail = {
        "progressive": (english.be("present", person), verb.ing),
        "future": ("will", verb.base),
        "conditional": ("would", verb.base),
        "past perfect": ("had", verb.participle),
        "present perfect": (have, verb.participle),
        "present perfect progressive": (have, f"been {verb.ing}"),
    }[tense]
    return auxiliary, tail, ""


def _modal(clause: Clause, verb: english.Verb, person: str) -> tuple[str, str, str]:
    past = TENSES[clause.tense].german == "preterite"
    tense = "past" if past else "present"
    if clause.modal in ("müssen", "wollen"):
        helper = {
            "müssen": english.HAVE,
            "wollen": english.Verb("want", "wanted", "wanted", "wanting", act=False),
        }[clause.modal]
        inflect = english.past if past else english.present
        plain = f"{inflect(helper, person)} to {verb.base}"
        return english.do(tense, person), f"{helper.base} to {verb.base}", plain
    if clause.modal == "dürfen":
        return english.be(tense, person), f"allowed to {verb.base}", ""
    auxiliary, tail = {
        "können": ("could" if past else "can", verb.base),
        "sollen": ("should", verb.base),
        "möchten": ("would", f"like to {verb.base}"),
    }[clause.modal]
    return auxiliary, tail, ""


def _with_objects(clause: Clause, verb: str) -> str:
    """Indirect before direct; a pronoun before the verb's particle."""
    bare = [thing for thing in clause.objects if not thing.slot.english_preposition]
    bare.sort(key=lambda thing: thing.slot.case == "acc")
    prepositional = [thing for thing in clause.objects if thing.slot.english_preposition]
    complement = [clause.complement.english] if clause.complement is not None else []
    if len(bare) == 1:
        words, _, particle = verb.rpartition(" ")
        if bare[0].phrase.is_pronoun and particle in english.PARTICLES and words:
            verb = f"{words} {bare[0].english()} {particle}"
            bare = []
    return spaced(verb, *(thing.english() for thing in (*bare, *prepositional)), *complement)


def _frequency(clause: Clause) -> list[str]:
    return [word.english for word in clause.adverbials if word.role == "frequency"]


def _fronted(clause: Clause, front: Adverbial | None) -> Sequence[str]:
    """Comments open the English sentence wherever the German one has them."""
    words = [word for word in clause.adverbials if word.role == "comment" and word is not front]
    if front is not None and front.role != "frequency":
        words.append(front)
    return [f"{word.english}," for word in words]


def _trailing(clause: Clause, front: Adverbial | None) -> list[str]:
    return [
        word.english
        for role in ("direction", "manner", "place", "time")
        for word in clause.adverbials
        if word.role == role and word is not front
    ]
