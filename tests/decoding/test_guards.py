import pytest

from seq2seq.decoding.guards import is_blank, longest_run, loops


@pytest.mark.parametrize("text", ["", " ", "\t\n", "\u200b", " \u200d\u200c ", "\ufe0f"])
def test_what_shows_nothing_is_blank(text):
    assert is_blank(text)


@pytest.mark.parametrize("text", [".", "0", "\ufffd", "👩‍👧", "שלום"])
def test_what_shows_something_is_not_blank(text):
    assert not is_blank(text)


@pytest.mark.parametrize(
    "output",
    [
        "the the the the",
        "I think that it seems that it seems that it seems that it seems that",
        "a b c d e f a b c d e f a b c d e f a b c d e f",
        " ".join(f"{word} in the middle of the night and" for word in "xyxzxyxz"),
    ],
)
def test_a_loop_without_counterpart_in_the_source_is_noticed(output):
    assert loops(output.split(), ["ein", "ganz", "gewöhnlicher", "Satz", "."])


@pytest.mark.parametrize(
    ("output", "source"),
    [
        ("no , no , no , no , no !", "nein , nein , nein , nein , nein !"),
        ("- - - - - - - -", "- - - - - - - -"),
        ("very very very good", "sehr gut"),
        ("one after the other , step by step , day by day", "eins nach dem anderen"),
        ("", "nichts"),
        ("0 0 0 0 0", "0 0 0 0"),
    ],
)
def test_repetition_that_the_source_has_too_or_that_is_natural_is_left_alone(output, source):
    assert not loops(output.split(), source.split())


@pytest.mark.parametrize(
    ("text", "run"), [("", 0), ("a", 1), ("a b", 1), ("a a b", 2), ("a b a b a", 2), ("aaaa", 1)]
)
def test_the_longest_run_counts_whole_units(text, run):
    assert longest_run(text.split()) == run
