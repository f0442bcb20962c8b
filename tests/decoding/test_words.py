import math

import pytest

from seq2seq.confidence import Calibration
from seq2seq.decoding import words
from seq2seq.decoding.translation import Aligned, Token, Translation
from seq2seq.decoding.words import Piece


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["▁Good", "▁mor", "ning", "."], ["Good", "morning."]),
        (["▁", "<0xF0>", "<0x9F>", "<0x98>", "<0x80>", "▁ok"], ["😀", "ok"]),
        (["▁a", "<0xFF>"], ["a\ufffd"]),
        (["▁", "▁a"], ["a"]),
        (["▁我", "是", "学生", "。"], ["我", "是", "学生。"]),
        (["▁안녕", "하세요"], ["안녕하세요"]),
        (["ning", "▁a"], ["ning", "a"]),
        ([], []),
    ],
)
def test_pieces_become_words(pieces, expected) -> None:
    assert words.texts(pieces) == expected


def test_a_word_is_as_probable_as_its_letters_and_comes_from_what_they_attended_to() -> None:
    output = [
        *(Piece("▁Good", -0.1, 3), Piece("▁mor", -0.5, 1), Piece("ning", -0.25, 2)),
        *(Piece("!", -9.0, 3), Piece("▁--", -0.2, None), Piece("▁so", -0.3, None)),
    ]
    found = words.gathered(output, ["▁Guten", "▁Mor", "gen", "▁Welt"], None)
    assert [word.text for word in found] == ["Good", "morning!", "--", "so"]
    assert [word.log_probability for word in found] == pytest.approx([-0.1, -0.75, -0.2, -0.3])
    assert [word.sources for word in found] == [(2,), (1,), (), ()]
    assert {word.confidence for word in found} == {None}


def test_confidence_is_what_the_calibration_says_of_the_word_and_its_sentence() -> None:
    calibration = Calibration(weights=(1.0, 1.0), sums=(-4.0, 0.0), confidences=(0.0, 1.0), words=9)
    output = [Piece("▁a", -1.0, 0), Piece("▁b", -2.0, 0)]
    found = words.gathered(output, ["▁c"], calibration)
    assert [word.confidence for word in found] == pytest.approx([1 - 2.5 / 4, 1 - 3.5 / 4])
    assert words.gathered([], [], calibration) == ()


def translation(**changes) -> Translation:
    """A line in two parts: the end of the first has the position of the second's beginning."""
    tokens = ("▁one", "</s>", "▁two", "</s>")
    given = {
        "source": "eins zwei",
        "tokens": tuple(Token(piece, math.log(0.5)) for piece in tokens),
        "alignment": (Aligned(1, "</s>", 0.9), *(Aligned(1, "▁zwei", 0.9),) * 3),
        "source_pieces": ("▁eins", "▁zwei"),
    }
    return Translation(**(given | changes))


def test_ends_of_parts_are_no_words_and_no_origin() -> None:
    assert [(word.text, word.sources) for word in translation().words] == [
        ("one", ()),
        ("two", (1,)),
    ]
    assert Translation("").words == ()


def test_json_calls_a_probability_a_probability() -> None:
    import json

    (one, _) = json.loads(translation().to_json())["words"]
    assert one == {"word": "one", "probability": 0.5, "confidence": None, "sources": []}
    calibration = Calibration(weights=(1.0, 0.0), sums=(0.0,), confidences=(0.75,), words=9)
    tree = json.loads(translation(calibration=calibration).to_json())
    assert tree["words"][1] == {
        "word": "two",
        "probability": 0.5,
        "confidence": 0.75,
        "sources": [1],
    }
    assert not tree.keys() & {"rank", "calibration", "source_pieces"}
