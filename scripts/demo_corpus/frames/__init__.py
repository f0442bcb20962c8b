"""All frames with their weights, and what makes a drawn pair a sentence. Knows no files.

A frame draws a sentence and returns it in both languages: without a capital letter, and with a
comma after each relative clause wherever it stands, which `sentence` puts right.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from demo_corpus.frames import asked, compared, counted, described, linked, located, nested, told
from demo_corpus.phrases import Pair
from demo_corpus.sampling import Draw


class Sentence(NamedTuple):
    """A pair with its origin: the frame, and the lemmas in the order in which they were drawn."""

    german: str
    english: str
    frame: str
    lemmas: tuple[str, ...]


# A frame's weight grows with the number of its sentences, so that none comes often twice.
# A frame may find that what it drew makes no sense together, and return nothing.
FRAMES: tuple[tuple[Callable[[Draw], Pair | None], int], ...] = (
    (told.statement, 16),
    (told.denial, 6),
    (told.having, 2),
    (told.experience, 3),
    (told.duration, 2),
    (told.modal, 8),
    (asked.question, 6),
    (asked.why_question, 3),
    (asked.when_question, 3),
    (asked.who_question, 2),
    (asked.what_question, 2),
    (asked.request, 3),
    (asked.suggestion, 1),
    (told.passive, 6),
    (described.quality, 2),
    (described.mood, 1),
    (described.calling, 1),
    (described.liking, 2),
    (described.pain, 1),
    (counted.living, 1),
    (linked.reason, 8),
    (linked.report, 8),
    (asked.doubt, 4),
    (linked.order_of_events, 5),
    (linked.meanwhile, 3),
    (linked.condition, 5),
    (nested.plan, 4),
    (nested.judgement, 2),
    (nested.purpose, 5),
    (nested.doer, 4),
    (nested.deed, 4),
    (nested.companion, 1),
    (linked.contrast, 3),
    (told.neither, 2),
    (told.shopping, 2),
    (counted.price, 3),
    (counted.age, 1),
    (counted.birthday, 2),
    (counted.built, 2),
    (counted.today, 1),
    (counted.appointment, 3),
    (counted.departure, 2),
    (located.distance, 2),
    (compared.comparison, 2),
    (compared.superlative, 1),
    (located.location, 2),
    (located.existence, 2),
    (located.direction, 1),
    (counted.weather, 1),
    (counted.ingredients, 2),
    (compared.owner, 1),
    (counted.rank, 1),
)
_DEALT = tuple(frame for frame, weight in FRAMES for _ in range(weight))
_COMMAS = re.compile(r",+(?=[,.?!])")


def sentence(draw: Draw) -> Sentence:
    """The next sentence of the draw."""
    while True:
        draw.lemmas.clear()
        frame = draw.one(_DEALT)
        pair = frame(draw)
        if pair is not None:
            break
    return Sentence(
        _finished(pair.german), _finished(pair.english), frame.__name__, tuple(draw.lemmas)
    )


def _finished(text: str) -> str:
    text = _COMMAS.sub("", text)
    return text[0].upper() + text[1:]
