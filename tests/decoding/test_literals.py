import time

import pytest

from seq2seq.decoding.literals import Literal, Tag, decimal_mark, scan

GERMAN_TO_ENGLISH = (",", ".")


def written(text: str, marks: tuple[str, str] = GERMAN_TO_ENGLISH) -> list[str]:
    """What the line's literals become."""
    return [item.written for item in scan(text, marks) if isinstance(item, Literal)]


@pytest.mark.parametrize(
    "literal",
    [
        *("https://a.de/b?c=d&e=f#g", "http://de.wikipedia.org/wiki/Kirche_(Ort)", "www.haus.org"),
        *("anna.meier+post@haus-am-see.de", "mailto:anna@see.de", "ftp://see.de/a_b.txt"),
        *("/etc/passwd", "~/Bilder/see.jpg", "./lauf.sh", r"C:\Anna\Brief.txt", r"\\haus\anna"),
        *("Brief.pdf", "src/haus/see.py", "haus.de", "@anna_m", "#sommer", "`git pull`"),
        *("4711-ABC-99", "RTX4090", "DE89 3704 0044 0532 0130 00", "v2.3.1", "--help"),
        *("3f2a9c1b", "1b4e28ba-2fa1-11d2-883f-0016d3cca427", "mein_name", "lies_datei()"),
        *("{name}", "{{ name }}", "${HOME}", "%s", "%1$d", "%(name)s", "<code>x = 1</code>"),
        *("+49 171 2345678", "030/123456", "0171 234 56 78", "1234 5678 9012 3456"),
        *("24.12.2023", "2023-12-24", "192.168.1.1", "18:30", "2012", "1990-1995", "37", "007"),
    ],
)
def test_a_literal_is_found_whole_and_without_the_punctuation_around_it(literal):
    for text in ("Das ist {}.", "({})", "Hier: {}, und dort", "{}", "Ist es „{}“?"):
        assert written(text.format(literal)) == [literal], text


@pytest.mark.parametrize(
    "text",
    [
        *("Ein Hund läuft über die Straße.", "Er sagte: Halt! Wer da?", "und/oder", "A4", "U-Bahn"),
        *("Drei Hunde und 2 Katzen.", "ein 5-jähriges Kind", "die 90er", "x < y und y > z"),
        *("km/h", "z.B. so", "Ende.Anfang", "100er", "3D", "Müller & Söhne", "C:"),
    ],
)
def test_what_the_model_may_translate_freely_is_no_literal(text):
    assert scan(text, GERMAN_TO_ENGLISH) == [text]


@pytest.mark.parametrize(
    ("source", "target"),
    [
        *(("1.250", "1,250"), ("349.900,50", "349,900.50"), ("3,5", "3.5"), ("0,75", "0.75")),
        *(("1.2", "1.2"), ("1.25", "1.25"), ("1.234.56", "1.234.56"), ("12345", "12345")),
    ],
)
def test_numbers_are_written_as_the_target_language_does_where_the_source_is_clear(source, target):
    assert written(f"Es sind {source} Euro.") == [target]


def test_numbers_stay_as_they_are_where_languages_agree_or_are_unknown():
    for marks in ((",", ","), (".", "."), ("", "."), (",", "")):
        assert written("Es sind 1.250,5 Euro.", marks) == ["1.250,5"]


def test_decimal_marks_are_those_of_the_language():
    found = [decimal_mark(code) for code in ("de", "de-AT", "en", "en_US", "tlh")]
    assert found == [",", ",", ".", ".", ""]


def test_times_may_come_out_in_twelve_hours():
    (literal,) = (item for item in scan("Um 18:30 Uhr", (",", ".")) if isinstance(item, Literal))
    assert ("6:30", "6:30") in literal.forms


def test_tags_are_found_and_comparisons_are_not():
    text = '<p class="a b">Ist <b>a</b><br/> a<b und b>c <!-- nein --> </p>'
    tags = [item.text for item in scan(text, GERMAN_TO_ENGLISH) if isinstance(item, Tag)]
    assert tags == ['<p class="a b">', "<b>", "</b>", "<br/>", "<!-- nein -->", "</p>"]


def test_letters_written_as_entities_are_text_and_signs_are_literals():
    assert scan("M&uuml;ller &amp;&nbsp; S&#246;hne", GERMAN_TO_ENGLISH) == [
        *("Müller ", Literal("&", (("&", "&amp;"),)), " Söhne")
    ]


@pytest.mark.parametrize(
    "unit",
    [
        *(
            "a",
            "1",
            "A1",
            "<",
            "<b",
            "<b ",
            "<b a=",
            "<code>",
            "&",
            "&a",
            "@",
            "a@",
            "a.",
            "a/",
            "/a",
        ),
        *(
            "http://",
            "(",
            "https://a(",
            "`",
            "{",
            "{{",
            "%",
            "_",
            "a_",
            "-",
            "--a",
            "0 12",
            "1.",
            "0a",
        ),
        *("\\", "C:\\", "<!--", "<!", "A-", "A-1", "www.", "#", "v1.", "1234 ", "AB12 1234 "),
    ],
)
def test_a_line_of_any_kind_is_read_in_no_time(unit):
    began = time.process_time()
    scan(unit * (50_000 // len(unit)), GERMAN_TO_ENGLISH)
    assert time.process_time() - began < 2
