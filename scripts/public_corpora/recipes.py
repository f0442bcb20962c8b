"""From archives to the files that the configs name: raw text, line n beside line n.

Everything streams, so memory stays the same for a corpus of any size.
"""

import contextlib
import functools
import hashlib
import lzma
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO
from xml.sax.saxutils import unescape

from public_corpora.archives import Take, lines, read_members
from public_corpora.homes import Corpus
from seq2seq.errors import UserError

_SIDES = ("de", "en")
_SEGMENT = re.compile(r"<seg[^>]*>(.*?)</seg>")
_REMARK = re.compile(r"<(url|talkid|keywords|speaker|reviewer|translator|/?doc)\b")
_HEADING = re.compile(r"</?(title|description)>")
_ENTITIES = {"&quot;": '"', "&apos;": "'"}
_IWSLT_TESTS = ("TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012")
_IWSLT_VALID = 23  # of so many lines one
_TATOEBA_PARTS = ("test", "valid")
_TATOEBA_BUCKETS = 100  # of which each of those gets one


def multi30k(archives: Path, out: Path) -> None:
    """Each file is one text; only the packing changes."""
    for archive in sorted(archives.glob("*.gz")):
        target = out / f"{archive.stem}.xz"
        read_members(archive, {archive.stem: functools.partial(_pack, target)})


def wmt17(archives: Path, out: Path) -> None:
    """Four texts to train on as they are, two test sets out of their markup."""
    texts = {
        "training-parallel-europarl-v7.tgz": "training/europarl-v7.de-en",
        "training-parallel-commoncrawl.tgz": "commoncrawl.de-en",
        "training-parallel-nc-v12.tgz": "training/news-commentary-v12.de-en",
        "rapid2016.tgz": "rapid2016.de-en",
    }
    for archive, path in texts.items():
        stem = path.rsplit("/", 1)[-1].removesuffix(".de-en")
        takes = {f"{path}.{side}": _copy_to(out / f"{stem}.{side}") for side in _SIDES}
        read_members(archives / archive, takes)
    tests: dict[str, Take] = {}
    for year in (2016, 2017):
        for side, role in zip(_SIDES, ("src", "ref"), strict=True):
            target = out / f"newstest{year}.{side}"
            tests[f"dev/newstest{year}-deen-{role}.{side}.sgm"] = _write_to(target, segments)
    read_members(archives / "dev.tgz", tests)


def iwslt14(archives: Path, out: Path) -> None:
    """The split of fairseq's prepare-iwslt14.sh, on raw text."""
    takes: dict[str, Take] = {}
    for side in _SIDES:
        takes[f"de-en/train.tags.de-en.{side}"] = _write_to(out / f"all.{side}", talks)
        for test in _IWSLT_TESTS:
            name = f"IWSLT14.{test}.de-en.{side}.xml"
            takes[f"de-en/{name}"] = _write_to(out / f"{test}.{side}", segments)
    read_members(archives / "de-en.tgz", takes)
    for side in _SIDES:
        with (
            (out / f"all.{side}").open("rb") as source,
            (out / f"train.{side}").open("wb") as train,
            (out / f"valid.{side}").open("wb") as valid,
        ):
            for number, line in enumerate(source, 1):
                (train if number % _IWSLT_VALID else valid).write(line)
        with (out / f"test.{side}").open("wb") as target:
            for test in _IWSLT_TESTS:
                target.write((out / f"{test}.{side}").read_bytes())
                (out / f"{test}.{side}").unlink()
        (out / f"all.{side}").unlink()


def tatoeba(archives: Path, out: Path) -> None:
    """A split by the sentences themselves, that no order, count or later release can shift.

    Tatoeba has many translations of one sentence: what shares a side with a held-out pair (case,
    punctuation and spaces aside) is in no other part, nor twice in its own.
    """
    takes = {f"Tatoeba.de-en.{side}": _write_to(out / f"all.{side}", iter) for side in _SIDES}
    read_members(archives / "de-en.txt.zip", takes)
    sources = [out / f"all.{side}" for side in _SIDES]
    held_out: set[tuple[int, str]] = set()
    with contextlib.ExitStack() as stack:
        writers = {part: _pair_writer(stack, out, part) for part in (*_TATOEBA_PARTS, "train")}
        for german, english in _pairs(*sources):
            part, keys = _part(german), set(enumerate(map(_key, (german, english))))
            if part in _TATOEBA_PARTS and held_out.isdisjoint(keys):
                held_out |= keys
                writers[part](german, english)
        for german, english in _pairs(*sources):
            if held_out.isdisjoint(enumerate(map(_key, (german, english)))):
                writers["train"](german, english)
    for path in sources:
        path.unlink()


RECIPES: dict[str, Callable[[Path, Path], None]] = {
    recipe.__name__: recipe for recipe in (multi30k, tatoeba, iwslt14, wmt17)
}


def segments(markup: Iterable[str]) -> Iterator[str]:
    """The sentences of an SGM or XML file of test data."""
    for line in markup:
        for text in _SEGMENT.findall(line):
            yield _plain(text)


def talks(markup: Iterable[str]) -> Iterator[str]:
    """The lines of IWSLT's training text: titles and descriptions stay, other remarks go."""
    for line in markup:
        if not _REMARK.match(line.lstrip()):
            yield _plain(_HEADING.sub("", line))


def count_pairs(corpus: Corpus, folder: Path) -> dict[str, int]:
    """Pairs of every text, whose two sides must have as many lines."""
    counts = {}
    for stem in corpus.stems:
        sides = [_count_lines(folder / f"{stem}.{side}{corpus.suffix}") for side in _SIDES]
        if len(set(sides)) > 1 or not sides[0]:
            raise UserError(
                f"{stem} has {sides[0]:,} German and {sides[1]:,} English lines, so these are not "
                "the archives that we know; look for the original ones"
            )
        counts[stem] = sides[0]
    return counts


def _plain(text: str) -> str:
    return unescape(text, _ENTITIES).strip()


def _pack(target: Path, stream: IO[bytes]) -> None:
    with lzma.open(target, "wb") as file:
        shutil.copyfileobj(stream, file)


def _copy_to(target: Path) -> Take:
    def take(stream: IO[bytes]) -> None:
        with target.open("wb") as file:
            shutil.copyfileobj(stream, file, 1 << 20)

    return take


def _write_to(target: Path, form: Callable[[Iterator[str]], Iterator[str]]) -> Take:
    def take(stream: IO[bytes]) -> None:
        with target.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in form(lines(stream)))

    return take


def _pairs(german: Path, english: Path) -> Iterator[tuple[str, str]]:
    with german.open("rb") as first, english.open("rb") as second:
        try:
            yield from zip(lines(first), lines(second), strict=True)
        except ValueError as error:
            raise UserError("Tatoeba's two sides have different numbers of lines") from error


def _pair_writer(stack: contextlib.ExitStack, out: Path, part: str) -> Callable[[str, str], None]:
    files = [
        stack.enter_context((out / f"{part}.{side}").open("w", encoding="utf-8", newline="\n"))
        for side in _SIDES
    ]

    def write(*sides: str) -> None:
        for file, text in zip(files, sides, strict=True):
            file.write(f"{text}\n")

    return write


def _key(text: str) -> str:
    return "".join(filter(str.isalnum, text.casefold()))


def _part(german: str) -> str:
    digest = hashlib.blake2b(_key(german).encode(), digest_size=8).digest()
    bucket = int.from_bytes(digest, "big") % _TATOEBA_BUCKETS
    return _TATOEBA_PARTS[bucket] if bucket < len(_TATOEBA_PARTS) else "train"


def _count_lines(path: Path) -> int:
    with lzma.open(path) if path.suffix == ".xz" else path.open("rb") as file:
        blocks = iter(functools.partial(file.read, 1 << 20), b"")
        count, last = 0, b"\n"
        for block in blocks:
            count, last = count + block.count(b"\n"), block[-1:]
    return count + (last != b"\n")
