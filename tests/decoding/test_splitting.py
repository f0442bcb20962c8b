import itertools

import pytest

from seq2seq.decoding.splitting import split


def encode(text: str) -> list[int]:
    """One piece a character, words joined by a space: like a tokenizer, it drops other spaces."""
    return [ord(letter) for letter in " ".join(text.split())]


def parts(text: str, limit: int) -> list[str]:
    return ["".join(map(chr, ids)) for ids in split(text, encode, limit)]


def test_a_text_that_fits_is_left_whole():
    assert parts("Eins. Zwei. Drei.", 17) == ["Eins. Zwei. Drei."]


def test_it_is_cut_at_ends_of_sentences_where_possible():
    assert parts("Eins, zwei. Drei vier! Fünf sechs?", 24) == [
        "Eins, zwei. Drei vier!",
        "Fünf sechs?",
    ]


def test_a_quotation_mark_stays_with_the_sentence_that_it_ends():
    assert parts("»Komm her.« Er ging.", 12) == ["»Komm her.«", "Er ging."]


def test_a_sentence_that_is_too_long_is_cut_at_punctuation():
    assert parts("Ja. Wenn er kommt, dann gehen wir", 16) == [
        "Ja.",
        "Wenn er kommt,",
        "dann gehen wir",
    ]


def test_without_punctuation_it_is_cut_between_words():
    assert parts("eins zwei drei vier fünf", 10) == ["eins zwei", "drei vier", "fünf"]


def test_a_word_without_end_is_cut_inside():
    assert parts("x" * 25, 10) == ["x" * 10, "x" * 10, "x" * 5]


def test_scripts_that_write_no_spaces_are_cut_at_their_full_stops():
    assert parts("你好。再见。", 4) == ["你好。", "再见。"]


@pytest.mark.parametrize("limit", [1, 2, 7, 30])
@pytest.mark.parametrize(
    "text",
    [
        "Wort " * 5_000,
        "Ein Satz. " * 300 + "kein Ende " * 40,
        "." * 99,
        "a,b;c" * 20,
        "👩‍👧 " * 50,
        "שלום עולם. " * 20,
    ],
)
def test_nothing_is_lost_and_every_part_fits(text, limit):
    found = split(text, encode, limit)
    assert all(0 < len(ids) <= limit for ids in found)
    letters = [letter for letter in itertools.chain(*found) if letter != ord(" ")]
    assert letters == [letter for letter in encode(text) if letter != ord(" ")]
