"""Tags around the words of an output."""

import random
import re

import pytest

from seq2seq.decoding import keeping, literals
from seq2seq.decoding.translation import Aligned, Token, Translation


def moved(line: str, order: list[int]) -> str:
    """The line with its words in another order, as a model would give it, with its tags."""
    result = keeping.translate([line], run_in(order), one_piece_a_word, (",", "."))[0]
    return result.translation


def one_piece_a_word(text: str) -> list[int]:
    return list(range(len(text.split())))


def run_in(order: list[int]):
    """A model that says the words of its source in an order; a negative one it makes up."""

    def run(lines, texts):
        words = texts[0].split()
        said = [words[place] if place >= 0 else "oh" for place in order]
        return [
            Translation(
                lines[0],
                " ".join(said),
                tokens=(*(Token(f"▁{word}", -0.1) for word in said), Token("</s>", -0.1)),
                alignment=tuple(
                    Aligned(place if place >= 0 else len(words), "x", 0.5)
                    for place in (*order, len(words))
                ),
            )
        ]

    return run


@pytest.mark.parametrize(
    ("source", "order", "output"),
    [
        ("Das <b>ist</b> gut.", [0, 1, 2], "Das <b>ist</b> gut."),
        ("<b>Das ist</b> gut.", [2, 0, 1], "gut. <b>Das ist</b>"),
        ("<p>Das ist gut.</p>", [2, -1, 0], "<p>gut. oh Das</p>"),
        ("<b>Das</b> ist <i>gut</i>", [2, 1, 0], "<i>gut</i> ist <b>Das</b>"),
        ("<i>Das <b>ist</b></i> gut", [1, 0, 2], "<i><b>ist</b> Das</i> gut"),
        ("Das ist <b>gut</b>.", [0, 1, 2], "Das ist <b>gut</b>."),
        ("Das ist <b>gut.</b>", [0, 1, 2], "Das ist <b>gut.</b>"),
        ("Das ist<br/>gut", [0, 1, 2], "Das ist <br/>gut"),
        ("Das <b>ist</b> gut", [0, 2], "Das <b></b>gut"),
        ("Das ist gut</b>", [0, 1, 2], "Das ist gut</b>"),
        ("Das <img src='a.png'> ist", [0, 1], "Das <img src='a.png'>ist"),
        ("Auf<b>gabe</b>", [0], "<b>Aufgabe</b>"),
        ("<li>Das<li>ist", [1, 0], "<li><li>ist Das"),
    ],
)
def test_tags_go_around_the_words_that_came_of_theirs(source, order, output):
    assert moved(source, order) == output


def test_what_is_well_formed_stays_so_whatever_the_order():
    draw = random.Random(0)
    for _ in range(300):
        source = " ".join(nested(draw, 3))
        size = len(re.sub(r"<[^<>]*>", " ", source).split())
        order = [draw.randrange(-1, size) for _ in range(draw.randint(1, 2 * size))]
        output = moved(source, order)
        tags = re.findall(r"<[^<>]*>", source)
        assert sorted(re.findall(r"<[^<>]*>", output)) == sorted(tags), (source, order)
        assert is_balanced(output), (source, order, output)


def nested(draw: random.Random, depth: int) -> list[str]:
    words = []
    for _ in range(draw.randint(1, 4)):
        words.append(draw.choice(("wort", "satz.", "ding,")))
        if depth and draw.random() < 0.6:
            name = draw.choice("bipx")
            words.append(f"<{name}>{' '.join(nested(draw, depth - 1))}</{name}>")
    return words


def is_balanced(text: str) -> bool:
    waiting = []
    for closes, name in re.findall(r"<(/?)(\w+)>", text):
        if closes and (not waiting or waiting.pop() != name):
            return False
        if not closes:
            waiting.append(name)
    return not waiting


def test_tags_without_end_are_no_trouble():
    for source in (
        "<b>" * 3_000 + "Wort" + "</b>" * 3_000,
        "</b>" * 3_000 + "Wort",
        "<b><i>Wort</b></i>",
    ):
        tags = [
            item for item in literals.scan(source, (",", ".")) if isinstance(item, literals.Tag)
        ]
        output = moved(source, [0])
        assert output.count("<") == source.count("<")
        assert tags
