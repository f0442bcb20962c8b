"""Lines of text: read strictly, from plain, .gz and .xz files, and brought into one form.

A line ends at LF and nowhere else: U+2028, NEL or a lone CR inside a line would otherwise
count as a line in one file and not in its translation, and all pairs after it would be wrong.
"""

import gzip
import lzma
import re
import unicodedata
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from itertools import chain, zip_longest
from pathlib import Path

import numpy as np

from seq2seq.config import Corpus
from seq2seq.errors import UserError

BLOCK_BYTES = 1 << 18  # stays in the caches of the processor
LONGEST_LINE_BYTES = 4 << 20
BYTE_ORDER_MARK = "\ufeff"
META_SPACE = "\u2581"  # SentencePiece's own sign for a space
# A letter of a script that puts no space between words: Thai to Burmese, Khmer, Kana, Han.
UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)


def _replacements() -> dict[int, str]:
    spaces = [
        *range(0x21),
        *range(0x7F, 0xA1),  # DEL, the C1 controls with NEL, no-break space
        *(0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000),
    ]
    # Soft hyphen, zero-width space, direction marks, BOM: they show nothing, and would make two
    # vocabulary entries of one word. The joiners U+200C and U+200D stay: they change how
    # Persian, Hindi and emoji look.
    invisible = [
        *(0xAD, 0x200B, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2060, 0x2070)),
        *(0xFEFF, *range(0xFFF9, 0xFFFC)),
    ]
    surrogates = range(0xD800, 0xE000)
    return (
        dict.fromkeys(spaces, " ")
        | dict.fromkeys(invisible, "")
        | dict.fromkeys(surrogates, "\ufffd")
        | {ord(META_SPACE): "_"}
    )


_REPLACEMENTS = _replacements()


def normalise(line: str) -> str:
    """NFC; controls and exotic breaks become spaces, invisible characters go, spaces are single.

    Applying it twice changes nothing; the result has no line break of any kind.
    """
    if (
        line.isprintable()
        and "  " not in line
        and line.strip(" ") == line
        and unicodedata.is_normalized("NFC", line)
        and META_SPACE not in line
    ):
        return line
    return " ".join(unicodedata.normalize("NFC", line.translate(_REPLACEMENTS)).split())


def bare(word: str) -> str:
    """A word without the punctuation around it; what is nothing else stays."""
    start, end = 0, len(word)
    while start < end and not word[start].isalnum():
        start += 1
    while end > start and not word[end - 1].isalnum():
        end -= 1
    return word[start:end] or word


# What a byte of UTF-8 can mean for `normalise`. Tidy are printable ASCII and the leads of Latin and
# Cyrillic letters: none of these decomposes, or composes with another. Continuation bytes tell
# nothing by themselves.
_TIDY, _BLANK, _STRANGE = 0, 1, 2
_LEADS = {0xC3, *range(0xC4, 0xCC), 0xD0, 0xD1}
_KINDS = bytes(
    _BLANK
    if byte in b" \n"
    else _TIDY
    if 0x20 < byte < 0x7F or 0x80 <= byte < 0xC0 or byte in _LEADS
    else _STRANGE
    for byte in range(256)
)
# Dashes and quotation marks, U+2010 to U+203E, are the most frequent of the rest: by last byte.
_PUNCTUATION = np.array([
    0x80 <= byte < 0xC0 and normalise(chr(0x1F80 + byte)) == chr(0x1F80 + byte)
    for byte in range(256)
])


def normalised_lines(block: bytes) -> list[bytes]:
    """`normalise` of every line of a block of UTF-8; much faster, for most lines are tidy."""
    lines = block.split(b"\n")
    for place in untidy_lines(block):
        lines[place] = normalise(lines[place].decode()).encode()
    return lines


def untidy_lines(block: bytes) -> list[int]:
    """The lines of a block (from 0) that `normalise` might change; the others it would not."""
    framed = b"\n%b\n" % block
    kinds = np.frombuffer(framed.translate(_KINDS), np.uint8)
    suspicious, blank = kinds == _STRANGE, kinds == _BLANK
    suspicious[1:] |= blank[1:] & blank[:-1]  # a second space, one at an end, an empty line
    places = np.flatnonzero(suspicious)
    if not len(places):
        return []
    raw = np.frombuffer(framed, np.uint8)
    first, second, third = (raw.take(places + n, mode="clip") for n in range(3))
    harmless = (first == 0xE2) & (second == 0x80) & _PUNCTUATION[third]
    feeds = np.flatnonzero(raw == ord("\n"))
    return np.unique(np.searchsorted(feeds, places[~harmless]) - 1).tolist()


def corpus_paths(corpus: Corpus, root: str) -> tuple[Path, ...]:
    """Where the files of a corpus lie: one (tab-separated) or two, checked to be files."""
    paths = tuple(Path(root) / path for path in corpus.paths)
    for path in paths:
        if not path.exists():
            raise UserError(f"corpus file {str(path)!r} does not exist (data.root={root!r})")
        if not path.is_file():
            raise UserError(
                f"corpus file {str(path)!r} is not a regular file; "
                "it is read more than once, so a folder or a pipe will not do"
            )
    return paths


def raw_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, decompressed by its suffix, without line ends; in bounded memory."""
    return chain.from_iterable(block.split(b"\n") for block in line_blocks(path))


def line_blocks(path: Path) -> Iterator[bytes]:
    """The same lines in blocks of about this size, joined by line feeds."""
    rest, number = b"", 1
    try:
        with _opened(path) as file:
            while block := file.read(BLOCK_BYTES):
                lines, feed, tail = block.rpartition(b"\n")
                if feed:
                    yield rest + lines
                    number += lines.count(b"\n") + 1
                    rest = tail
                else:
                    rest += block
                if len(rest) > LONGEST_LINE_BYTES:
                    raise UserError(
                        f"line {number} of {str(path)!r} is longer than "
                        f"{LONGEST_LINE_BYTES >> 20} MiB; a corpus has one sentence a line"
                    )
    except EOFError:
        raise UserError(
            f"{str(path)!r} ends in the middle of its compressed data (line {number}); "
            "it was cut off: fetch it again"
        ) from None
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise UserError(
            f"{str(path)!r} cannot be decompressed ({error}); "
            "its name says what it is compressed with: check it, or fetch the file again"
        ) from None
    if rest:
        yield rest


def _opened(path: Path) -> BufferedIOBase:
    match path.suffix:
        case ".gz":
            return gzip.GzipFile(path, "rb")
        case ".xz":
            return lzma.LZMAFile(path, "rb")
        case _:
            return path.open("rb")


def decode(raw: bytes, path: Path | str, first: int = 1) -> str:
    """Strict UTF-8; an error names file, line (`raw` begins with line `first`) and byte."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = first + raw.count(b"\n", 0, error.start)
        byte = error.start - raw.rfind(b"\n", 0, error.start)
        raise UserError(
            f"{str(path)!r} is not valid UTF-8: line {line}, byte {byte} "
            f"is 0x{raw[error.start]:02X} ({_guess(raw, first)})"
        ) from None


def _guess(raw: bytes, first: int) -> str:
    if first == 1 and raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it looks like UTF-16; save it as UTF-8"
    if first == 1 and raw.startswith((b"\x1f\x8b", b"\xfd7zXZ")):
        return "it looks compressed; its name must end in .gz or .xz"
    return "convert it, for example with iconv -f WINDOWS-1252 -t UTF-8"


def read_lines(path: str | Path) -> Iterator[str]:
    """The lines of a text file as they are, less the CR of a CRLF ending and a leading BOM."""
    for number, raw in enumerate(raw_lines(Path(path)), start=1):
        line = decode(raw, path, number).removesuffix("\r")
        yield line.removeprefix(BYTE_ORDER_MARK) if number == 1 else line


def read_pairs(corpus: Corpus, root: str) -> Iterator[tuple[str, str]]:
    """The pairs of a corpus as they are; both sides must have the same number of lines."""
    paths = corpus_paths(corpus, root)
    if len(paths) == 1:
        for number, line in enumerate(read_lines(paths[0]), start=1):
            yield columns(line, paths[0], number)
        return
    for number, (source, target) in enumerate(zip_longest(*map(read_lines, paths)), start=1):
        if source is None or target is None:
            longer, shorter = paths if target is None else reversed(paths)
            raise UserError(
                f"{str(shorter)!r} ends after {number - 1} lines, but {str(longer)!r} goes on; "
                "both sides of a corpus need the same number of lines"
            )
        yield source, target


def columns(line: str, path: Path | str, number: int) -> tuple[str, str]:
    """The first two columns of a tab-separated line."""
    source, tab, rest = line.partition("\t")
    if not tab:
        raise UserError(
            f"line {number} of {str(path)!r} has no tab; "
            "a file given as pairs has source, tab, target on every line"
        )
    return source, rest.partition("\t")[0]
