import itertools
import os
import threading

import pytest

from seq2seq.decoding.lines import arriving, decode, growing, is_utf8, sizes, without_mark


def through_a_pipe(data: bytes, count: int = 3) -> list[list[bytes]]:
    reader, writer = os.pipe()

    def write() -> None:
        for start in range(0, len(data), 1 << 14):
            os.write(writer, data[start : start + (1 << 14)])
        os.close(writer)

    thread = threading.Thread(target=write)
    thread.start()
    found = list(arriving(reader, itertools.repeat(count)))
    thread.join()
    os.close(reader)
    return found


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"\n", b"\n\n", b"a", b"a\n", b"a\nb", b"\na\n\n"),
        *(b"a\r\nb\x00\xff\n", b"x" * 200_000 + b"\nb\n", b"a\n" * 50_000, b"\x0b\x0c\x85\n"),
    ],
)
def test_every_line_of_a_pipe_arrives_once_and_in_order(data):
    lines = data.split(b"\n")
    chunks = through_a_pipe(data)
    assert list(itertools.chain(*chunks)) == (lines if lines[-1] else lines[:-1])
    assert all(1 <= len(chunk) <= 3 for chunk in chunks)


def test_a_line_is_given_out_while_the_writer_still_thinks_about_the_next():
    reader, writer = os.pipe()
    chunks = arriving(reader, itertools.repeat(100))
    for line in (b"first", b"second"):
        os.write(writer, line + b"\n")
        assert next(chunks) == [line]
    os.write(writer, b"one\ntwo\nhalf of th")
    assert next(chunks) == [b"one", b"two"]
    os.close(writer)
    assert next(chunks) == [b"half of th"]
    assert list(chunks) == []
    os.close(reader)


def test_a_file_comes_in_full_chunks(tmp_path):
    (tmp_path / "text").write_bytes(b"line\n" * 100)
    with (tmp_path / "text").open("rb") as file:
        assert [len(chunk) for chunk in arriving(file.fileno(), sizes(5, 40))] == [5, 20, 40, 35]


def test_chunks_grow_up_to_the_most():
    assert list(itertools.islice(sizes(16, 200), 4)) == [16, 64, 200, 200]
    assert next(sizes(16, 3)) == 3


def test_an_iterable_is_read_no_further_than_it_must():
    source = iter(map(str, range(100)))
    chunks = growing(source, sizes(4, 100))
    assert next(chunks) == ["0", "1", "2", "3"]
    assert next(source) == "4"


def test_invalid_bytes_become_a_replacement_character():
    assert decode(b"a\xffb\r") == "a\ufffdb"
    assert not is_utf8(b"a\xffb")
    assert is_utf8("äöü😀".encode())
    assert without_mark("\ufeffa".encode()) == b"a"
