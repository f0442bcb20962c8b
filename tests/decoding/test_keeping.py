"""Literals through models that copy, garble, double or drop what they see."""

import re
from collections.abc import Callable

import pytest

from seq2seq.decoding import keeping
from seq2seq.decoding.translation import Aligned, Alternative, Token, Translation


def model(says: Callable[[str], str], seen: list[str] | None = None):
    """A model that says this of each line, word by word, and notes what it sees."""

    def run(lines, texts):
        if seen is not None:
            seen.extend(texts)
        return [translation(line, says(text)) for line, text in zip(lines, texts, strict=True)]

    return run


def translation(line: str, said: str) -> Translation:
    words = said.split()
    return Translation(
        line,
        said,
        score=-1.0,
        tokens=(*(Token(f"▁{word}", -0.1) for word in words), Token("</s>", -0.1)),
        alternatives=(Alternative(f"{said} again", -2.0, -2.0),),
        alignment=tuple(Aligned(place, "x", 0.5) for place in range(len(words) + 1)),
    )


def kept(line: str, says: Callable[[str], str], seen: list[str] | None = None) -> Translation:
    def words(text: str) -> list[int]:
        return list(range(len(text.split())))

    return keeping.translate([line], model(says, seen), words, (",", "."))[0]


@pytest.mark.parametrize("line", ["Ein Hund.", "", "Zwei Hunde, 2 Katzen.", "Ist es gut?", "日本"])
def test_a_line_without_literals_goes_through_untouched(line):
    seen: list[str] = []
    assert kept(line, str.upper, seen) == translation(line, line.upper())
    assert seen == [line]


def test_numbers_that_come_out_right_are_left_alone():
    seen: list[str] = []
    result = kept("Es sind 37 im Jahr 2012.", str.upper, seen)
    assert (result.translation, result.flags) == ("ES SIND 37 IM JAHR 2012.", ())
    assert seen == ["Es sind 37 im Jahr 2012."]


@pytest.mark.parametrize(
    "literal", ["https://a-b.de/c?d=e", "anna@see.de", "`x = 1`", "{name}", "<code>a b</code>"]
)
def test_the_model_never_sees_an_address_and_the_output_has_it(literal):
    seen: list[str] = []
    result = kept(f"Lies {literal}, bitte.", str.upper, seen)
    assert result.translation == f"LIES {literal}, BITTE."
    assert result.flags == ("kept",)
    assert literal not in seen[0]
    assert result.alternatives[0].translation == f"LIES {literal}, BITTE. again"


def test_numbers_in_the_model_s_own_writing_get_the_target_language_s():
    result = kept("Es kostet 1.250,50 Euro.", str.upper)
    assert (result.translation, result.flags) == ("ES KOSTET 1,250.50 EURO.", ("kept",))
    result = kept("Es kostet 1.250 Euro.", lambda text: text.replace("1.250", "1,250"))
    assert (result.translation, result.flags) == ("Es kostet 1,250 Euro.", ())


def test_a_number_that_the_model_garbles_is_hidden_the_second_time():
    seen: list[str] = []
    result = kept("Es sind 349 Hunde.", lambda text: text.replace("349", "34"), seen)
    assert result.translation == "Es sind 349 Hunde."
    assert result.flags == ("kept",)
    assert len(seen) == 2


def test_a_part_of_a_longer_number_is_not_the_number():
    result = kept("Es sind 349 Hunde.", lambda text: text.replace("349", "3490 oder 349.000"))
    assert result.translation == "Es sind 349 Hunde."


def test_other_stand_ins_are_tried_until_one_comes_out():
    seen: list[str] = []

    def drops_years(text: str) -> str:
        return re.sub(r"\b(19|20)\d\d\b", "nie", text)

    result = kept("Lies a@b.de und c@d.de.", drops_years, seen)
    assert result.translation == "Lies a@b.de und c@d.de."
    assert len(seen) == 3


def test_a_stand_in_is_no_number_of_the_line():
    seen: list[str] = []
    result = kept("Im Jahr 2012 schrieb ich an a@b.de.", str.upper, seen)
    assert result.translation == "IM JAHR 2012 SCHRIEB ICH AN a@b.de."
    assert seen[0].count("2012") == 1


def test_what_never_comes_out_is_put_where_it_belongs_and_flagged():
    result = kept("Lies a@b.de heute.", lambda text: re.sub(r" \d+", "", text))
    assert sorted(result.translation.split()) == ["Lies", "a@b.de", "heute."]
    assert result.flags == ("inserted", "kept")
    result = kept("Lies heute a@b.de.", lambda text: "Read today.")
    assert result.translation == "Read today a@b.de."


def test_punctuation_that_stands_alone_gets_no_second_space_before_it():
    result = kept("Lies heute a@b.de.", lambda text: "Read .")
    assert result.translation == "Read a@b.de ."


def test_a_garbled_number_makes_room_for_the_literal():
    result = kept("Lies a@b.de heute.", lambda text: re.sub(r"(\d+)", r"\g<1>7", text))
    assert (result.translation, result.flags) == ("Lies a@b.de heute.", ("inserted", "kept"))


def test_a_stand_in_that_comes_out_twice_is_never_left_standing():
    result = kept("Lies a@b.de.", lambda text: re.sub(r"(\d+)", r"\1 und \1", text))
    assert result.translation == "Lies a@b.de und a@b.de."


def test_the_same_literal_twice_must_come_twice():
    line = "Von 384 sind 384 da."
    once = kept(line, lambda text: text.replace("384 sind 384", "384 sind alle"))
    assert once.translation.count("384") == 2


@pytest.mark.parametrize(
    "line",
    ["https://a.de", "42,5", "<br/>", "<b>2012</b>", "1984!", "&nbsp;", "!!", "😀", "\u200d"],
)
def test_a_line_of_nothing_but_literals_needs_no_model(line):
    seen: list[str] = []
    result = kept(line, str.upper, seen)
    assert result.translation == line.replace(",", ".")
    assert result.flags == ("kept",)
    assert seen == [""]


def test_signs_written_as_entities_are_written_so_again():
    assert kept("Tom &amp; Maria", str.upper).translation == "TOM &amp; MARIA"
    assert kept("Tom &amp; Maria", lambda text: text.replace("&", "und")).translation in (
        *("Tom &amp; und Maria", "Tom &amp; Maria"),
    )


def test_neighbours_change_nothing():
    lines = ["Lies a@b.de.", "Ein Hund.", "Es sind 349 Hunde.", "<b>Lies</b> c@d.de.", "", "12"]

    def says(text: str) -> str:
        return text.replace("349", "34").replace("2012", "nie")

    def words(text: str) -> list[int]:
        return list(range(len(text.split())))

    together = keeping.translate(lines, model(says), words, (",", "."))
    alone = [keeping.translate([line], model(says), words, (",", "."))[0] for line in lines]
    assert together == alone


def test_a_line_full_of_numbers_is_searched_once():
    seen: list[str] = []
    line = " ".join(map(str, range(100, 160))) + " Ende"
    kept(line, lambda text: text[:40], seen)
    assert len(seen) == 1
