"""The order of German words: second, first and last places of the finite verb, and the middle.

Knows clauses and inflection; nothing of what makes sense together.
"""

from demo_corpus import german
from demo_corpus.clauses import TENSES, Clause, Object, spaced
from demo_corpus.phrases import Adverbial

_MIDDLE = ("comment", "time", "frequency")
_LATE = ("place", "manner")


def main_clause(clause: Clause, front: Adverbial | Object | None = None) -> str:
    """The finite verb is second; the subject is first where nothing else is put in front."""
    finite, end = _verb(clause)
    if front is None:
        words = [clause.subject.cases["nom"], finite, *_middle(clause, None)]
    else:
        first = front.german() if isinstance(front, Object) else front.german
        words = [first, finite, clause.subject.cases["nom"], *_middle(clause, front)]
    return spaced(*words, end)


def question(clause: Clause, word: str = "") -> str:
    """The finite verb comes first, or second after a question word."""
    finite, end = _verb(clause)
    return spaced(word, finite, clause.subject.cases["nom"], *_middle(clause, None), end)


def final_clause(clause: Clause) -> str:
    """The finite verb is last, as after weil and dass."""
    return spaced(clause.subject.cases["nom"], verb_phrase(clause))


def verb_phrase(clause: Clause) -> str:
    """A final clause without its subject, which a relative pronoun may have replaced."""
    finite, end = _verb(clause)
    simple = not clause.modal and TENSES[clause.tense].german in ("present", "preterite")
    tail = end + finite if simple else f"{end} {finite}"
    return spaced(*_middle(clause, None), tail)


def order(clause: Clause) -> str:
    """What one says to a friend: gib mir bitte das Buch."""
    forms = clause.verb.german
    return spaced(german.imperative(forms), *_middle(clause, None), forms.prefix)


def to_infinitive(clause: Clause) -> str:
    """`das Buch zu lesen`: no subject, no tense."""
    return spaced(*_middle(clause, None), german.to_infinitive(_forms(clause)))


def _forms(clause: Clause) -> german.Verb:
    return german.PASSIVE if clause.passive else clause.verb.german


def _verb(clause: Clause) -> tuple[str, str]:
    """The finite form, and what ends the clause."""
    forms, person = _forms(clause), clause.subject.person
    tense = TENSES[clause.tense].german
    base = forms.prefix + forms.infinitive
    if clause.modal:
        return german.modal(clause.modal, tense, person), base
    if tense == "present":
        return german.present(forms, person), forms.prefix
    if tense == "preterite":
        return german.preterite(forms, person), forms.prefix
    if tense == "future":
        return german.present(german.WERDEN, person), base
    if tense == "unreal":
        if forms.infinitive in ("sein", "haben"):
            return german.unreal(forms, person), ""
        return german.unreal(german.WERDEN, person), base
    auxiliary = german.SEIN if forms.auxiliary == "sein" else german.HABEN
    if tense == "perfect":
        return german.present(auxiliary, person), forms.participle
    return german.preterite(auxiliary, person), forms.participle


def _middle(clause: Clause, front: Adverbial | Object | None) -> list[str]:
    """Everything between the finite verb with its subject and the end, in order."""

    def adverbs(*roles: str) -> list[str]:
        return [
            word.german for word in clause.adverbials if word.role in roles and word is not front
        ]

    def objects(*, case: str, prepositional: bool = False) -> list[Object]:
        return [
            thing
            for thing in clause.objects
            if bool(thing.slot.preposition) == prepositional
            and (prepositional or thing.slot.case == case)
            and thing is not front
        ]

    accusatives, datives = objects(case="acc"), objects(case="dat")
    bare = [*accusatives, *datives]
    words = [german.reflexive(clause.subject.person)] if clause.verb.german.reflexive else []
    words += [thing.german() for thing in bare if thing.phrase.is_pronoun]
    for role in _MIDDLE:
        words += adverbs(role)
    words += [thing.german() for thing in datives if not thing.phrase.is_pronoun]
    nouns = [thing for thing in accusatives if not thing.phrase.is_pronoun]
    words += [thing.german() for thing in nouns if thing.phrase.is_definite]
    words += ["nicht"] if clause.negation == "nicht" else []
    for role in _LATE:
        words += adverbs(role)
    words += [thing.german() for thing in nouns if not thing.phrase.is_definite]
    words += [thing.german() for thing in objects(case="", prepositional=True)]
    words += adverbs("direction")
    if clause.complement is not None:
        words.append(clause.complement.german)
    if clause.passive:
        words.append(clause.verb.german.participle)
    return words
