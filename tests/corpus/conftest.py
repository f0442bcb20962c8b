"""Parallel text of our own making: simple sentences of many lengths, all different."""

import random

import pytest

_STARTS = [
    ("Der Zug nach {c} fährt heute um {n} Uhr ab", "The train to {c} leaves today at {n} o'clock"),
    ("{p} hat in {c} {n} Bücher gekauft", "{p} has bought {n} books in {c}"),
    ("Wir sind mit {p} nach {c} gefahren", "We have gone to {c} with {p}"),
    ("Das ist nicht das Haus von {p}", "That is not the house of {p}"),
    ("Ist der Brief von {p} schon in {c}", "Is the letter from {p} already in {c}"),
]
_ENDS = [
    ("", ""),
    (", weil es regnet und die Straße nass ist", ", because it is raining and the road is wet"),
    (" und das ist für uns sehr gut", " and that is very good for us"),
    (", aber die Kinder sind noch nicht da", ", but the children are not here yet"),
]
_CITIES = ["Berlin", "Hamburg", "Paris", "London", "Madrid", "Oslo", "Dresden", "Bremen"]
_PEOPLE = ["Anna", "Peter", "Thomas", "Julia", "Robert", "Sabine", "Martin", "Eva"]


def make_pairs(count, seed=1):
    draw = random.Random(seed)
    pairs = {}
    while len(pairs) < count:
        start, end = draw.choice(_STARTS), draw.choice(_ENDS)
        mark = "?" if start[0].startswith("Ist") else draw.choice(".!")
        values = {"c": draw.choice(_CITIES), "p": draw.choice(_PEOPLE), "n": draw.randrange(10_000)}
        tail = f" ({draw.randrange(1_000_000)})"
        source, target = (start[side].format(**values) + end[side] + tail + mark for side in (0, 1))
        pairs[source] = target
    return list(pairs.items())


@pytest.fixture(scope="session")
def pairs():
    """600 pairs, German and English."""
    return make_pairs(600)


@pytest.fixture(scope="session")
def more_pairs():
    """3,000 pairs, German and English."""
    return make_pairs(3_000, seed=2)
