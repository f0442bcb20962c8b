"""The parts of the corpus, and the files they become. Knows no grammar.

Which part a pair may belong to follows from hashes of what it says and how it is made, never from
what was written before: so no part needs the memory of another, and none shares a sentence.
"""

import lzma
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from demo_corpus.frames import Sentence, sentence
from demo_corpus.sampling import Draw
from seq2seq import processor
from seq2seq.corpus.workers import Workers

LANGUAGES = ("de", "en")
_CHUNK = 2_000


def part(drawn: Sentence) -> str:
    """Where the pair may go; empty for nowhere.

    A tenth of the combinations of a frame with its lemmas never occurs in train, valid and test;
    `unseen` is made of those alone.
    """
    text = zlib.crc32(drawn.german.encode()) % 10
    if is_held_out(drawn):
        return "unseen" if text == 9 else ""
    return "train" if text < 8 else "valid" if text == 8 else "test"


def combination(drawn: Sentence) -> str:
    """The frame and its lemmas, whatever their order, inflection, names and numbers."""
    return " ".join([drawn.frame, *sorted(drawn.lemmas)])


def is_held_out(drawn: Sentence) -> bool:
    """A frame with a lemma or none has no combination to hold out."""
    return len(drawn.lemmas) > 1 and zlib.crc32(combination(drawn).encode()) % 10 == 0


def draw_part(name: str, seed: int, chunk: int, count: int) -> list[Sentence]:
    """The pairs of one chunk of a part."""
    draw = Draw(f"{seed} {name} {chunk}")
    found: list[Sentence] = []
    while len(found) < count:
        drawn = sentence(draw)
        if part(drawn) == name:
            found.append(drawn)
    return found


def write(folder: Path, sizes: dict[str, int], seed: int, *, packed: bool) -> Iterator[int]:
    """Writes every part as a pair of files; yields how many pairs there are so far.

    The files take their places when all are complete.
    """
    folder.mkdir(parents=True, exist_ok=True)
    opener, ending = (lzma.open, ".xz") if packed else (open, "")
    written = 0
    with (
        Workers(_workers(sum(sizes.values()))) as workers,
        tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as unfinished,
    ):
        for name, count in sizes.items():
            chunks = range(-(-count // _CHUNK))
            tasks = [(name, seed, chunk, min(_CHUNK, count - chunk * _CHUNK)) for chunk in chunks]
            paths = [Path(unfinished) / f"{name}.{language}{ending}" for language in LANGUAGES]
            with opener(paths[0], "wb") as german, opener(paths[1], "wb") as english:
                for texts in workers.map(_texts, tasks):
                    german.write(texts[0])
                    english.write(texts[1])
                    written += texts[0].count(b"\n")
                    yield written
        for path in Path(unfinished).iterdir():
            path.replace(folder / path.name)


def _texts(task: tuple[str, int, int, int]) -> tuple[bytes, bytes]:
    drawn = draw_part(*task)
    german = "".join(f"{pair.german}\n" for pair in drawn)
    english = "".join(f"{pair.english}\n" for pair in drawn)
    return german.encode(), english.encode()


def _workers(pairs: int) -> int:
    return processor.count() if pairs > 20 * _CHUNK else 1
