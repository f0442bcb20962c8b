"""Lines with their translations: side by side or in columns, and what does not belong together."""

import pytest

from seq2seq.decoding import pairs
from seq2seq.errors import UserError

CHUNKS = [["a"], ["b", "c"]]


def test_each_line_meets_the_one_at_its_place_and_no_more_is_read():
    others = iter("uvw")
    found = pairs.beside(iter(CHUNKS), others, "out")
    assert next(found) == [("a", "u")]
    assert next(others) == "v"
    assert list(pairs.beside(CHUNKS, "uvw", "out")) == [[("a", "u")], [("b", "v"), ("c", "w")]]


@pytest.mark.parametrize(
    ("others", "message"),
    [
        ("uv", "'out' ends after 2 lines, but the input goes on"),
        ("uvwx", "the input ends after 3 lines, but 'out' goes on"),
        ("", "'out' ends after 0 lines"),
    ],
)
def test_other_numbers_of_lines_are_refused(others, message):
    with pytest.raises(UserError, match=message):
        list(pairs.beside(CHUNKS, others, "out"))


def test_columns_are_divided_at_tabs_and_further_ones_are_left_out():
    assert list(pairs.divided([["a\tb"], ["\t", "c\td\te"]])) == [
        [("a", "b")],
        [("", ""), ("c", "d")],
    ]
    with pytest.raises(UserError, match="line 2 of the input has no tab"):
        list(pairs.divided([["a\tb"], ["c"]]))


@pytest.mark.parametrize(
    ("text", "lines"), [("", 0), ("\n", 1), ("a", 1), ("a\n", 1), ("a\n\nb", 3)]
)
def test_lines_are_counted_with_a_last_one_that_lacks_its_end(tmp_path, text, lines):
    (tmp_path / "text").write_text(text)
    assert pairs.count(tmp_path / "text") == lines


def test_files_of_other_lengths_are_refused_with_both_counts(tmp_path):
    (tmp_path / "a").write_text("1\n2\n")
    (tmp_path / "b").write_text("1\n")
    pairs.require_as_many(tmp_path / "a", tmp_path / "a")
    with pytest.raises(UserError, match=r"a' has 2 lines, but '.*b' has 1"):
        pairs.require_as_many(tmp_path / "a", tmp_path / "b")
