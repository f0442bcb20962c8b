"""Translates sentences with addresses, numbers and tags: how many of these come through?

    python scripts/check_keeping.py --model data/models/de-en --lines 300

Once with translate.keep off, once as it is set. A literal that the target language writes in
another way (1.250,5 for 1,250.5) counts as kept if it comes out so. BLEU is that of the sentences
with the literals that they have: it tells whether the words around them are well translated.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

import sacrebleu

from seq2seq import Translator, cli

_SENTENCES = {
    "opaque": (
        ("Schreib mir bitte an {}.", "Please write to me at {}."),
        ("Die Antwort steht unter {}.", "The answer is at {}."),
        ("Hast du {} schon gesehen?", "Have you seen {} already?"),
        ("Ich habe {} gestern gefunden.", "I found {} yesterday."),
        ("Mein Bruder hat mir {} gegeben.", "My brother gave me {}."),
        (
            "Er wartet noch immer auf {}, aber nichts kommt.",
            "He is still waiting for {}, but nothing comes.",
        ),
        ("Kannst du {} für mich öffnen?", "Can you open {} for me?"),
        ("Bitte lies {}, bevor du gehst.", "Please read {} before you go."),
        ("Wir haben {} nicht bekommen.", "We did not get {}."),
        ("{} ist alles, was ich habe.", "{} is all I have."),
        ("Weißt du, was {} ist?", "Do you know what {} is?"),
        ("Sie hat heute {} und gestern {} gelesen.", "She read {} today and {} yesterday."),
    ),
    "number": (
        ("Das Auto kostet {} Euro.", "The car costs {} euros."),
        ("In diesem Dorf wohnen {} Menschen.", "{} people live in this village."),
        ("Ich habe {} Bücher gekauft.", "I bought {} books."),
        ("Der Berg ist {} Meter hoch.", "The mountain is {} meters high."),
        ("Von den {} Kindern sind {} krank.", "Of the {} children {} are sick."),
    ),
    "figure": (
        ("Meine Nummer ist {}.", "My number is {}."),
        ("Bitte ruf {} an.", "Please call {}."),
        ("Auf dem Zettel steht {}.", "The note says {}."),
    ),
    "date": (
        ("Sie wurde am {} geboren.", "She was born on {}."),
        ("Wir treffen uns am {} in Berlin.", "We will meet in Berlin on {}."),
        ("Seit dem {} wohne ich hier.", "I have lived here since {}."),
    ),
    "time": (
        ("Der Zug kommt um {} Uhr an.", "The train arrives at {}."),
        ("Um {} Uhr war ich noch im Bett.", "At {} I was still in bed."),
    ),
    "tags": (
        ("Das ist <b>sehr</b> gut.", "That is <b>very</b> good."),
        ("Ich habe <i>kein Geld</i>, aber Zeit.", "I have <i>no money</i>, but time."),
        (
            "<p>Mein Vater arbeitet in einem Krankenhaus.</p>",
            "<p>My father works in a hospital.</p>",
        ),
        (
            'Mein Bruder wohnt in <a href="stadt.html">Berlin</a>.',
            'My brother lives in <a href="stadt.html">Berlin</a>.',
        ),
        ("Ich bin müde.<br/>Gute Nacht!", "I am tired. <br/>Good night!"),
        (
            "<b>Achtung:</b> Der <i>Hund</i> ist <b>böse</b>.",
            "<b>Attention:</b> The <i>dog</i> is <b>angry</b>.",
        ),
        (
            "<div><p>Er liest <em>das Buch</em>.</p></div>",
            "<div><p>He is reading <em>the book</em>.</p></div>",
        ),
        (
            '<span class="x">Tom</span> &amp; Maria spielen im Garten.',
            '<span class="x">Tom</span> &amp; Maria are playing in the garden.',
        ),
        (
            "Wenn du <b>willst</b>, können wir <u>zusammen</u> essen.",
            "If you <b>want</b>, we can eat <u>together</u>.",
        ),
        (
            'Hast du <g id="1">den Schlüssel</g> gefunden<x id="2"/>?',
            'Did you find <g id="1">the key</g><x id="2"/>?',
        ),
    ),
}

_TAG = re.compile(r"<(/?)([a-z]+)[^<>]*?(/?)>")


class Example(NamedTuple):
    """A sentence, its translation, and what must be found in one."""

    kind: str
    source: str
    reference: str
    literals: tuple[str, ...]


def examples(count: int, seed: int) -> list[Example]:
    """As many sentences of each kind."""
    draw = random.Random(seed)
    kinds = sorted(_DRAWN)
    return [_example(kinds[number % len(kinds)], draw) for number in range(count)]


def _example(kind: str, draw: random.Random) -> Example:
    if kind == "tags":
        source, reference = draw.choice(_SENTENCES["tags"])
        tags = tuple(match[0] for match in _TAG.finditer(source))
        return Example(kind, source, reference, tags + ("&amp;",) * source.count("&amp;"))
    source, reference = draw.choice(_SENTENCES.get(kind, _SENTENCES["opaque"]))
    pairs = [_DRAWN[kind](draw) for _ in range(source.count("{}"))]
    sources, targets = zip(*pairs, strict=True)
    return Example(kind, source.format(*sources), reference.format(*targets), targets)


def _same(make: Callable[[random.Random], str]) -> Callable[[random.Random], tuple[str, str]]:
    def drawn(draw: random.Random) -> tuple[str, str]:
        made = make(draw)
        return made, made

    return drawn


def _word(draw: random.Random) -> str:
    words = ("anna", "brief", "garten", "haus", "lampe", "meier", "reise", "see", "tisch", "wolke")
    return draw.choice(words)


def _address(draw: random.Random) -> str:
    end = draw.choice(("", "/", "/hilfe/index.html?id=42", f"/{_word(draw)}#{_word(draw)}"))
    return f"https://www.{_word(draw)}-{_word(draw)}.{draw.choice(('de', 'org', 'com'))}{end}"


def _path(draw: random.Random) -> str:
    one, two = _word(draw), _word(draw)
    return draw.choice((
        f"/home/{one}/{two}.txt",
        rf"C:\{one.title()}\{two}.docx",
        f"{one}_{two}.pdf",
        f"~/{one}/{two}",
    ))


def _identifier(draw: random.Random) -> str:
    number = draw.randint(1_000, 9_999)
    return draw.choice((
        f"{number}-ABC-{number % 97}",
        f"RE{number}X{number}",
        f"v2.{number % 10}.1",
    ))


def _amount(draw: random.Random) -> tuple[str, str]:
    value = draw.choice((
        draw.randint(13, 99),
        draw.randint(100, 9_999),
        draw.randint(10_000, 900_000),
    ))
    if value < 1_000 or draw.random() < 0.3:
        return str(value), str(value)
    grouped = f"{value:,}" + draw.choice(("", "", f".{draw.randint(10, 99)}"))
    return grouped.translate(str.maketrans(".,", ",.")), grouped


def _decimal(draw: random.Random) -> tuple[str, str]:
    whole, part = draw.randint(1, 99), draw.randint(1, 99)
    return f"{whole},{part}", f"{whole}.{part}"


_DRAWN: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "address": _same(_address),
    "mail": _same(lambda draw: f"{_word(draw)}.{_word(draw)}@{_word(draw)}.de"),
    "path": _same(_path),
    "identifier": _same(_identifier),
    "handle": _same(lambda draw: draw.choice("@#") + _word(draw) + _word(draw)),
    "number": _amount,
    "decimal": _decimal,
    "telephone": _same(lambda draw: f"0{draw.randint(30, 999)} {draw.randint(10_000, 9_999_999)}"),
    "date": _same(
        lambda draw: f"{draw.randint(1, 28)}.{draw.randint(1, 12)}.{draw.randint(1950, 2024)}"
    ),
    "time": _same(lambda draw: f"{draw.randint(13, 23)}:{draw.randint(10, 59)}"),
    "tags": _same(_word),  # the sentences have theirs
}


def main(argv: Sequence[str]) -> None:
    """Prints a table: what comes through with and without keeping."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", required=True, help="a run folder or model folder")
    parser.add_argument("--lines", type=int, default=300, help="sentences (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of their drawing (%(default)s)")
    parser.add_argument("--set", action="append", default=[], help="settings, as in translate")
    parser.add_argument("--show", action="store_true", help="print every sentence")
    options = parser.parse_args(argv)
    drawn = examples(options.lines, options.seed)
    for setting in (["translate.keep=off"], []):
        translator = Translator.load(options.model, [*options.set, *setting])
        outputs = translator.translate([each.source for each in drawn])
        print(f"translate.keep={translator.config.translate.keep}", flush=True)
        report(drawn, outputs, show=options.show)


def report(drawn: Sequence[Example], outputs: Sequence[str], *, show: bool) -> None:
    """Counts by kind, and BLEU."""
    wanted, kept, formed = Counter[str](), Counter[str](), Counter[bool]()
    for each, output in zip(drawn, outputs, strict=True):
        wanted[each.kind] += len(each.literals)
        found = sum(min(output.count(one), each.literals.count(one)) for one in set(each.literals))
        kept[each.kind] += found
        if each.kind == "tags":
            formed[is_well_formed(output)] += 1
        if show:
            lost = "" if found == len(each.literals) else "  LOST"
            print(f"  {each.source}\n    {output}{lost}")
    for kind in sorted(wanted):
        print(_row(kind, kept[kind], wanted[kind]))
    print(_row("all", kept.total(), wanted.total()))
    print(f"  well-formed {formed[True]} of {formed.total()}")
    bleu = sacrebleu.BLEU()
    score = bleu.corpus_score(list(outputs), [[each.reference for each in drawn]])
    print(f"  BLEU {score.score:.1f} ({bleu.get_signature()})", flush=True)


def _row(kind: str, kept: int, wanted: int) -> str:
    return f"  {kind:<12}{kept:>5} of {wanted:<5}{kept / wanted:>7.1%}"


def is_well_formed(output: str) -> bool:
    """Whether every tag that opens is closed, in order."""
    waiting: list[str] = []
    for closes, name, alone in _TAG.findall(output):
        if closes and (not waiting or waiting.pop() != name):
            return False
        if not closes and not alone:
            waiting.append(name)
    return not waiting


if __name__ == "__main__":
    cli.run(main)
