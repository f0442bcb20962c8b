import gzip
import lzma
import unicodedata

import pytest

from seq2seq.config import Corpus
from seq2seq.corpus.chunks import read_chunks, sides
from seq2seq.corpus.text import normalise, normalised_lines, read_lines, read_pairs
from seq2seq.errors import UserError


def decoded(lines):
    return [line.decode() for line in lines]


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("plain text", "plain text"),
        ("  two   spaces ", "two spaces"),
        ("a\tb\x00c\x07d", "a b c d"),
        ("a\u2028b\u2029c\x85d\re\x0bf\x0cg", "a b c d e f g"),
        ("no\u00a0break\u202fspace\u3000wide", "no break space wide"),
        ("soft\u00adhyphen zero\u200bwidth \ufeffBOM \u200emark", "softhyphen zerowidth BOM mark"),
        ("Mu\u0308ller", "Müller"),
        ("\u0645\u06cc\u200c\u062e", "\u0645\u06cc\u200c\u062e"),
        ("lone \ud800 surrogate", "lone \ufffd surrogate"),
        ("\u2581meta", "_meta"),
        ("", ""),
        (" \u200b\t", ""),
    ],
)
def test_normalise_brings_text_into_one_form(raw, clean):
    assert normalise(raw) == clean


def test_normalise_applied_twice_changes_nothing_for_any_character():
    for block in range(0, 0x30000, 64):
        line = "x".join(map(chr, range(block, block + 64)))
        once = normalise(line)
        assert normalise(once) == once
        assert unicodedata.is_normalized("NFC", once)
        assert len(once.splitlines()) <= 1


def test_lines_of_a_block_are_normalised_as_each_alone():
    letters = [chr(n) for n in range(0x11000) if n != 0x0A and not 0xD800 <= n < 0xE000]
    lines = [f"a{letter}b{letter}\u0438{letter}" for letter in letters]
    block = "\n".join(lines)
    assert decoded(normalised_lines(block.encode())) == list(map(normalise, lines))


@pytest.mark.parametrize("line", [" a", "a ", "a  b", "a\r", "", "\ufeffa", "a\u0301"])
def test_one_untidy_line_is_found_wherever_it_stands(line):
    for lines in ([line, "b", "c"], ["b", line, "c"], ["b", "c", line], [line]):
        block = "\n".join(lines)
        assert decoded(normalised_lines(block.encode())) == list(map(normalise, lines))


@pytest.mark.parametrize(
    ("name", "pack"), [("a.txt", bytes), ("a.gz", gzip.compress), ("a.xz", lzma.compress)]
)
def test_lines_end_at_line_feeds_only_however_the_file_is_packed(tmp_path, name, pack):
    path = tmp_path / name
    path.write_bytes(pack("\ufeffeins\u2028zwei\r\n\ndrei\x85\rvier\nohne Ende".encode()))
    assert list(read_lines(path)) == ["eins\u2028zwei", "", "drei\x85\rvier", "ohne Ende"]


def test_lines_longer_than_a_block_of_reading_are_read_whole(tmp_path):
    path = tmp_path / "long.txt"
    lines = ["a" * 1_500_000, "b", "ü" * 700_000]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert list(read_lines(path)) == lines


def test_a_file_without_line_ends_is_refused_before_it_fills_the_memory(tmp_path):
    path = tmp_path / "blob"
    path.write_bytes(b"x" * 6_000_000)
    with pytest.raises(UserError, match=r"line 1 .* longer than 4 MiB"):
        list(read_lines(path))


def test_invalid_utf8_is_refused_with_file_line_and_byte(tmp_path):
    path = tmp_path / "latin1.txt"
    path.write_bytes(b"gut\nsch\xf6n\n")
    with pytest.raises(UserError, match=r"latin1\.txt.*line 2, byte 4 is 0xF6"):
        list(read_lines(path))


def test_chunks_name_the_same_line_of_invalid_utf8(tmp_path):
    path = tmp_path / "a.tsv"
    path.write_bytes(b"a\tb\n" * 10 + b"c\t\xff\n")
    with pytest.raises(UserError, match="line 11, byte 3"):
        list(map(sides, read_chunks((path,), size=4)))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_truncated_compressed_file_is_refused(tmp_path, pack):
    path = tmp_path / ("a.gz" if pack is gzip.compress else "a.xz")
    path.write_bytes(pack("".join(f"{n * 7919}\n" for n in range(10_000)).encode())[:-100])
    with pytest.raises(UserError, match="cut off"):
        list(read_lines(path))


def test_pairs_come_from_two_files_or_from_two_columns(tmp_path):
    (tmp_path / "a.de").write_text("eins\nzwei\n")
    (tmp_path / "a.en").write_text("one\r\ntwo\r\n")
    (tmp_path / "a.tsv").write_text("eins\tone\tremark\nzwei\ttwo\n")
    expected = [("eins", "one"), ("zwei", "two")]
    root = str(tmp_path)
    assert list(read_pairs(Corpus(source="a.de", target="a.en"), root)) == expected
    assert list(read_pairs(Corpus(pairs="a.tsv"), root)) == expected


def test_pairs_of_unequal_files_are_refused(tmp_path):
    (tmp_path / "a.de").write_text("eins\nzwei\n")
    (tmp_path / "a.en").write_text("one\n")
    with pytest.raises(UserError, match="ends after 1 lines"):
        list(read_pairs(Corpus(source="a.de", target="a.en"), str(tmp_path)))


@pytest.mark.parametrize("size", [1, 3, 100])
def test_chunks_hold_every_line_once_and_in_order(tmp_path, size):
    lines = ["", "a\r", "b", "", "ü\u2028", "", ""]
    (tmp_path / "s").write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")
    (tmp_path / "t").write_text("\n".join(lines[::-1]) + "\n", encoding="utf-8", newline="")
    found = [sides(chunk) for chunk in read_chunks((tmp_path / "s", tmp_path / "t"), size)]
    expected = list(map(normalise, lines))
    assert [line for source, _ in found for line in decoded(source.lines())] == expected
    assert [line for _, target in found for line in decoded(target.lines())] == expected[::-1]
