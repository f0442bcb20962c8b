"""A small made-up test set: references, translations of them, and those of a poorer system."""

import random
from typing import NamedTuple

import pytest

TEXT = (
    "the The old new Small house river Bridge baker's über naïve 1,000 3.14 U.S. (see walks "
    "sings, reads; never often quickly to from with café bread «milk» — and-so-on yes! no?"
)
WORDS = TEXT.split()


class System(NamedTuple):
    references: list[str]
    good: list[str]
    poor: list[str]


def _spoiled(text: str, share: float, rng: random.Random) -> str:
    words = [word for word in text.split() if rng.random() > share / 2]
    words = [rng.choice(WORDS) if rng.random() < share / 2 else word for word in words]
    if len(words) > 3 and rng.random() < share:
        cut = rng.randrange(1, len(words))
        words = words[cut:] + words[:cut]
    return " ".join(words)


@pytest.fixture(scope="session")
def system() -> System:
    rng = random.Random(7)
    references = [
        " ".join(rng.choices(WORDS, k=rng.choice([1, 3, 6, 9, 12, 18, 25, 33, 55]))) + "."
        for _ in range(45)
    ]
    good = [_spoiled(text, 0.3, rng) for text in references]
    poor = [_spoiled(text, 0.6, rng) for text in references]
    good[5] = poor[9] = ""
    good[7] = references[7]
    return System(references, good, poor)
