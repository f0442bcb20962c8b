"""Notices outputs that must not leave the house: blank ones, and loops. Knows no model."""

from collections import Counter
from collections.abc import Hashable, Sequence

LONGEST_UNIT = 6  # of a loop, in pieces
RUN = 4  # the same unit so many times in a row, if the source has nothing like it
LONG_OUTPUT = 24  # pieces, from which on little variety alone is suspicious
LEAST_VARIETY = 0.4  # distinct share of the 3-grams

BLOCKED_NGRAMS = 3  # what an output with a loop is decoded again without

_INVISIBLE = "\u200b\u200c\u200d\ufe0e\ufe0f"


def is_blank(text: str) -> bool:
    """Whether a reader would see nothing."""
    return not text.strip().strip(_INVISIBLE)


def loops(output: Sequence[Hashable], source: Sequence[Hashable]) -> bool:
    """Whether the output repeats itself in a way that the source does not.

    Seen are a unit of a few pieces many times in a row ("the the the the"), and long outputs
    made of few phrases. "Nein, nein, nein, nein!" or a row of dashes may be translated as it is.
    """
    # Counting is quick, and a unit that stands there so often has a piece that does.
    if max(Counter(output).values(), default=0) >= RUN:
        run = longest_run(output)
        if run >= RUN and run > longest_run(source) + 1:
            return True
    if len(output) < LONG_OUTPUT:
        return False
    return variety(output) < LEAST_VARIETY <= variety(source)


def longest_run(pieces: Sequence[Hashable]) -> int:
    """How many times in a row a unit stands, of the unit that is repeated most."""
    longest = min(len(pieces), 1)
    for unit in range(1, min(LONGEST_UNIT, len(pieces) // 2) + 1):
        same = 0  # consecutive pieces that equal the one a unit before
        for before, piece in zip(pieces, pieces[unit:], strict=False):
            same = same + 1 if piece == before else 0
            longest = max(longest, same // unit + 1)
    return longest


def variety(pieces: Sequence[Hashable]) -> float:
    """The share of 3-grams that are distinct; 1 if there are none."""
    grams = [tuple(pieces[at : at + 3]) for at in range(len(pieces) - 2)]
    return len(set(grams)) / len(grams) if grams else 1.0
