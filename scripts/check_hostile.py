"""Translates lines made to hurt: nothing may crash, stall, loop, go missing or come back as it was.

    python scripts/check_hostile.py --model data/models/de-en --lines 10000

The lines are made here from a seed: binary, invalid UTF-8, control characters, emoji, right to
left, combining marks, one word a thousand times, words without spaces, tags, thousands of words.
Exit status 1 if anything is found, with the lines in question.
"""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from seq2seq import Translation, Translator, cli
from seq2seq.corpus.languages import language_of
from seq2seq.corpus.text import normalise
from seq2seq.decoding import guards, lines

_WORDS = (
    *("der", "die", "das", "und", "ist", "nicht", "ein", "eine", "zu", "mit", "sich", "auf", "für"),
    *("dem", "auch", "es", "an", "ich", "sie", "wir", "er", "wird", "sind", "heute", "schnell"),
    *(
        "Hund",
        "Katze",
        "Haus",
        "Straße",
        "Mann",
        "Frau",
        "Kind",
        "läuft",
        "spielt",
        "grün",
        "Wasser",
    ),
)
_EMOJI = "😀🎉👍🏽👩‍👧‍👦🇩🇪❤️🤷🏿‍♂️🐈"
_RIGHT_TO_LEFT = "שלום עולם مرحبا بالعالم سلام دنیا"
_OTHER = "日本語の文章です。 Привет, мир! สวัสดีชาวโลก 한국어 문장 नमस्ते दुनिया ελληνικά"
_MARKS = "\u0300\u0301\u0308\u0323\u20dd\u0489"
_INVISIBLE = "\u200b\u200c\u200d\u200e\u200f\u202e\u2060\ufeff\u00ad\ufe0f"
_PUNCTUATION = ".,;:!?…-–—()[]{}«»„“\"'/\\|*+=~^°§%&<>#@_`"  # noqa: RUF001
_SHOWN = 100  # characters of a line that is complained of
_SLOWEST = 2.0  # seconds of processor time for each 20 words of a chunk: compiling is among it


class Line(NamedTuple):
    """Bytes as a file may have them, and what they are."""

    kind: str
    raw: bytes


def hostile(count: int, seed: int, longest: int) -> Iterator[Line]:
    """Lines of all kinds in turn; those that are long have at most so many words."""
    draw = random.Random(seed)
    kinds = list(_KINDS.items())
    for number in range(count):
        kind, make = kinds[number % len(kinds)]
        made = make(draw, longest)
        raw = made if isinstance(made, bytes) else made.encode("utf-8", "surrogatepass")
        yield Line(kind, raw.replace(b"\n", b" "))


def _text(draw: random.Random, most: int = 12) -> str:
    return " ".join(draw.choices(_WORDS, k=draw.randint(1, most)))


def _drawn(draw: random.Random, characters: str, most: int = 40) -> str:
    return "".join(draw.choices(characters, k=draw.randint(1, most)))


def _between(draw: random.Random, characters: str, most: int = 3) -> str:
    return "".join(each + _drawn(draw, characters, most) for each in _text(draw).split(" "))


def _length(draw: random.Random, longest: int) -> int:
    """Mostly moderate, now and then all the way: a long line takes as long as all others."""
    return longest if draw.random() < 0.05 else draw.randint(1, max(longest // 50, 1))


def _tags(draw: random.Random) -> str:
    names = ("b", "i", "a href='x'", "br/", "/b", "/i", "p", "/p", "!-- x --", "", "/", "b b", "<")
    return "".join(f"<{draw.choice(names)}>{draw.choice((_text(draw, 2), ''))}" for _ in range(9))


def _numbers(draw: random.Random) -> str:
    return _text(draw) + draw.choice(" ,.") + _drawn(draw, "0123456789.,:/- ")


def _literals(draw: random.Random) -> str:
    made = (
        "https://a.de/?b=c",
        "a@b.de",
        "1.250,5",
        "@anna",
        "`x`",
        "&amp;",
        "{x}",
        "<b>",
        "</b>",
        "2012",
    )
    return " ".join(draw.choices((*made, *_WORDS), k=draw.randint(1, 20)))


_KINDS: dict[str, Callable[[random.Random, int], str | bytes]] = {
    "empty": lambda draw, _: "",
    "spaces": lambda draw, _: _drawn(draw, " \t\r\u00a0\u2003\u3000"),
    "nothing to see": lambda draw, _: _drawn(draw, _INVISIBLE),
    "binary": lambda draw, _: draw.randbytes(draw.randint(1, 200)),
    "cut UTF-8": lambda draw, _: (
        _text(draw).encode("utf-8")[:-1] + draw.choice((b"\xc3", b"\xe2\x82"))
    ),
    "another encoding": lambda draw, _: _text(draw).encode(draw.choice(("latin-1", "utf-16"))),
    "surrogates": lambda draw, _: _between(draw, "\ud800\udfff"),
    "control characters": lambda draw, _: _between(draw, "".join(map(chr, range(32)))),
    "NULs": lambda draw, _: "\0" * draw.randint(1, 50) + draw.choice(("", _text(draw))),
    "emoji": lambda draw, _: _drawn(draw, _EMOJI),
    "emoji among words": lambda draw, _: _between(draw, _EMOJI),
    "right to left": lambda draw, _: draw.choice((_RIGHT_TO_LEFT, f"\u202e{_text(draw)}")),
    "other scripts": lambda draw, _: _drawn(draw, _OTHER),
    "invisible among words": lambda draw, _: _between(draw, _INVISIBLE),
    "combining marks": lambda draw, _: _between(draw, _MARKS, 30),
    "punctuation": lambda draw, _: _drawn(draw, _PUNCTUATION),
    "punctuation among words": lambda draw, _: _between(draw, _PUNCTUATION),
    "tags": lambda draw, _: _tags(draw),
    "numbers": lambda draw, _: _numbers(draw),
    "literals": lambda draw, _: _literals(draw),
    "one word": lambda draw, longest: f"{draw.choice(_WORDS)} " * _length(draw, longest),
    "one letter": lambda draw, longest: draw.choice("aäß.-!0日") * _length(draw, longest),
    "no spaces": lambda draw, longest: "".join(draw.choices(_WORDS, k=_length(draw, longest))),
    "many words": lambda draw, longest: " ".join(draw.choices(_WORDS, k=_length(draw, longest))),
    "words": lambda draw, _: _text(draw).capitalize() + ".",
}


def main(argv: Sequence[str]) -> None:
    """Translates in chunks and prints what was found."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", required=True, help="a run folder or model folder")
    parser.add_argument("--lines", type=int, default=10_000, help="how many (%(default)s)")
    parser.add_argument("--longest", type=int, default=5_000, help="words of a line (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the lines (%(default)s)")
    parser.add_argument("--chunk", type=int, default=100, help="lines a call (%(default)s)")
    parser.add_argument("--set", action="append", default=[], help="settings, as in translate")
    options = parser.parse_args(argv)
    translator = Translator.load(options.model, options.set)
    made = list(hostile(options.lines, options.seed, options.longest))
    found = Counter[str]()
    slowest = 0.0
    for start in range(0, len(made), options.chunk):
        chunk = made[start : start + options.chunk]
        began = time.process_time()
        results = translator.translate_all([lines.decode(each.raw) for each in chunk])
        slowest = max(slowest, (time.process_time() - began) / sum(map(_weight, chunk)))
        for complaint, line, result in complaints(translator, chunk, results):
            found[complaint] += 1
            source, said = result.source[:_SHOWN], result.translation[:_SHOWN]
            print(
                f"{complaint} ({line.kind}): {source!r} -> {said!r} {list(result.flags)}",
                flush=True,
            )
    if slowest > _SLOWEST:
        found["stall"] += 1
    print(f"{len(made)} lines, {sum(found.values())} complaints {dict(found)}")
    print(f"slowest chunk: {1000 * slowest:.0f} ms of processor time for 20 words of it")
    sys.exit(1 if found else 0)


def _weight(line: Line) -> float:
    """Lines of 20 words that take as long."""
    return 1 + len(line.raw) / 120


def complaints(
    translator: Translator, made: Sequence[Line], results: Sequence[Translation]
) -> Iterator[tuple[str, Line, Translation]]:
    """What is wrong with the translations of these lines."""
    if len(made) != len(results):
        raise ValueError(f"{len(made)} lines gave {len(results)} translations")
    for line, result in zip(made, results, strict=True):
        for complaint, holds in _questions(line, result, translator):
            if holds:
                yield complaint, line, result


def _questions(
    line: Line, result: Translation, translator: Translator
) -> Iterator[tuple[str, bool]]:
    source, said = normalise(lines.decode(line.raw)), result.translation
    yield "more than a line", "\n" in said or "\r" in said or said != normalise(said)
    yield "nothing said", bool(source) and not said
    yield "nothing to see", guards.is_blank(said) and not guards.is_blank(source)
    yield "something from nothing", not source and bool(said)
    yield "not flagged", ("\ufffd" in lines.decode(line.raw)) != ("invalid_utf8" in result.flags)
    echoed = said == source and len(said.split()) > 2
    yield "echo", echoed and language_of(source) == translator.config.data.source_language
    # A row of one letter is no words, and may be answered by a row.
    is_row = guards.longest_run(source) > len(source) // 2
    yield "loop", not is_row and guards.loops(said.lower().split(), source.lower().split())
    yield "not whole", bool(said.encode("utf-8", "replace") != said.encode("utf-8", "ignore"))


if __name__ == "__main__":
    cli.run(main)
