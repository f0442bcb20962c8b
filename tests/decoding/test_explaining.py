import math
import re

import pytest

from seq2seq.confidence import Calibration
from seq2seq.decoding import explaining
from seq2seq.decoding.explaining import Page
from seq2seq.decoding.translation import FLAGS, Aligned, Alternative, Token, Translation

# The probability is the confidence.
CALIBRATION = Calibration(
    weights=(1.0, 0.0),
    sums=tuple(math.log(share / 1000) for share in range(1, 1001)),
    confidences=tuple(share / 1000 for share in range(1, 1001)),
    words=9,
)


def made(pairs, **changes) -> Translation:
    """One source word for each of (word, source word, probability)."""
    output, source, shares = zip(*pairs, strict=True)
    given = {
        "source": " ".join(source),
        "translation": " ".join(output),
        "score": -1.5,
        "rank": -0.25,
        "tokens": (
            *(
                Token("▁" + word, math.log(share))
                for word, share in zip(output, shares, strict=True)
            ),
            Token("</s>", -0.1),
        ),
        "alignment": (
            *(Aligned(place, "▁" + word, 0.9) for place, word in enumerate(source)),
            Aligned(len(source), "</s>", 0.9),
        ),
        "source_pieces": tuple("▁" + word for word in source),
        "calibration": CALIBRATION,
    }
    return Translation(**(given | changes))


MORNING = made([("Good", "Guten", 0.95), ("morning.", "Morgen.", 0.8), ("oops", "Welt", 0.2)])


def rows(result: Translation, page: Page) -> list[str]:
    (text,) = explaining.explained([result], page)
    return text.split("\n")


def cells(rows: list[str], label: str) -> list[str]:
    return [cell for row in rows if row.startswith(label) for cell in row[12:].split()]


def test_every_word_stands_over_its_origin_and_its_confidence() -> None:
    found = rows(MORNING, Page(80, colours=False))
    assert found == [
        "source      Guten Morgen. Welt",
        "output      Good   morning.  oops",
        "from        Guten  Morgen    Welt",
        "confidence  95%    80%       20%",
        "score       -1.50 (by length: -0.25)",
        "",
    ]


def test_without_a_calibration_it_is_called_probability() -> None:
    found = rows(made([("a", "b", 1.0)], calibration=None), Page(80, colours=False))
    assert cells(found, "probability") == ["99%"]
    assert cells(found, "confidence") == []
    (text,) = explaining.explained([made([("a", "b", 1.0)], calibration=None)], Page(80, True))
    assert "probability" in text


def test_colours_take_the_place_of_numbers_and_are_explained_once() -> None:
    first, second = explaining.explained([MORNING, MORNING], Page(80, colours=True))
    painted = dict(re.findall(r"\x1b\[([\d;]+)m([^\x1b ]+)\x1b\[0m", second)[::-1])
    words = [
        re.search(rf"\x1b\[([\d;]+)m{word}\x1b", second) for word in ("Good", "morning.", "oops")
    ]
    assert len({found[1] for found in words if found}) == 3, painted
    assert "%" in first
    assert "%" not in second
    plain = re.sub(r"\x1b\[[\d;]*m", "", second)
    assert plain.split("\n")[1].startswith("output      Good   morning.  oops")


@pytest.mark.parametrize("columns", [10, 33, 40, 80])
@pytest.mark.parametrize("colours", [False, True])
def test_no_row_is_wider_than_the_terminal_and_nothing_is_lost(columns, colours) -> None:
    pairs = [(f"word{n}", "Donaudampfschiff" * (n % 2) + f"x{n}", 0.5) for n in range(30)]
    pairs[7] = ("日本語", "ニホンゴ", 0.5)
    result = made(pairs, alternatives=(Alternative("w " * 90 + "語" * 90, -2.0, -0.5),))
    found = [re.sub(r"\x1b\[[\d;]*m", "", row) for row in rows(result, Page(columns, colours))]
    assert max(map(explaining.width, found)) <= max(columns, 32)
    assert cells(found, "output") == [word for word, _, _ in pairs]
    assert cells(found, "from") == [origin for _, origin, _ in pairs]
    assert "".join("".join(row[12:].split()) for row in found).count("語") == 91


def test_wide_characters_take_two_columns() -> None:
    found = rows(made([("日本", "Japan", 0.9), ("q\u0301", "x", 0.9)]), Page(80, colours=False))
    assert found[1:3] == ["output      日本   q\u0301", "from        Japan  x"]


def test_a_word_wider_than_the_terminal_is_cut() -> None:
    found = rows(made([("w" * 200, "a", 0.9), ("end", "b", 0.9)]), Page(60, colours=False))
    assert found[1] == "output      " + "w" * 47 + "…"
    assert cells(found, "output")[1] == "end"


def test_the_other_outputs_and_what_guards_did_are_told_in_words() -> None:
    others = (Alternative("Hello.", -2.0, -0.5), Alternative("Hi.", -3.0, -0.75))
    found = rows(
        made([("a", "b", 0.9)], alternatives=others, flags=("blank", "split")),
        Page(100, colours=False),
    )
    assert "2.          -2.00 (by length: -0.50)  Hello." in found
    assert "3.          -3.00 (by length: -0.75)  Hi." in found
    assert [f"note        {FLAGS[flag]}" in found for flag in ("blank", "split")] == [True, True]


def test_an_empty_line_is_an_empty_explanation() -> None:
    assert rows(Translation(""), Page(80, colours=False)) == [""]


def test_what_controls_a_terminal_does_not_reach_it() -> None:
    (text,) = explaining.explained([Translation("a\x1b[2Jb\x07")], Page(80, colours=False))
    assert not {"\x1b", "\x07"} & set(text)
