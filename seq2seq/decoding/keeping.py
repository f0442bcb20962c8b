"""What must survive translation letter by letter: hidden from the model, then put back.

A model of subwords garbles addresses, and what stands beside them. So it is shown a short number
instead, which models copy well, and the output is searched for that number. Numbers that people
write are shown at first, and hidden only if the output lacks them. Tags are left out; they go
around the words that attended to theirs. An output that lacks something is translated again with
other numbers, and at last the literal is put where the attention says. A line without letters is
its own translation.

Knows no model: `translate` is given a function that translates. Each line is treated alone.
"""

import dataclasses
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from seq2seq.corpus.text import META_SPACE, normalise
from seq2seq.decoding import literals, markup
from seq2seq.decoding.literals import Form, Item, Literal, Tag
from seq2seq.decoding.translation import Translation

Run: TypeAlias = Callable[[Sequence[str], Sequence[str]], list[Translation]]
"""(lines as they came, what the model is to see of each) -> translations."""

# Measured: of the short numbers and names that were tried, models copy years best.
_STAND_INS = (
    ("2012", "1938", "2004", "1975", "1991", "1966", "2008", "1947", "1983", "1929"),
    ("57", "38", "64", "46", "83", "29", "72", "95", "31", "68"),
    ("384", "517", "629", "846", "258", "473", "931", "362", "745", "194"),
)
_MOST_REPEATED = 20  # literals; a line with more is a table, and is not searched again
_DIGITS = re.compile(r"[0-9]+(?:[.,:][0-9]+)*")
_LETTER = re.compile(r"[^\W\d_]")


class Expected(NamedTuple):
    """A literal in a text that is shown to the model."""

    literal: Literal
    seen: str  # what stands for it
    at: int  # its first character

    @property
    def hidden(self) -> bool:
        """Whether it is another text than the source has."""
        return self.seen != self.literal.shown

    @property
    def forms(self) -> tuple[Form, ...]:
        """What may come out."""
        return ((self.seen, self.literal.written),) if self.hidden else self.literal.forms


class Shown(NamedTuple):
    """What the model sees of a line, and what was taken out of it."""

    text: str
    expected: tuple[Expected, ...]
    tags: tuple[markup.Placed, ...]
    itself: str  # the line with its literals as they are written


class Edit(NamedTuple):
    """Characters [start, end) of an output, and what is written instead."""

    start: int
    end: int
    text: str


def translate(
    lines: Sequence[str],
    run: Run,
    words: Callable[[str], Sequence[int]],
    marks: tuple[str, str],
) -> list[Translation]:
    """Translations of all lines; `words` numbers the source word of each piece of a text."""
    texts = list(map(normalise, lines))
    ways = {
        number: list(_ways(found))
        for number, text in enumerate(texts)
        if (found := literals.scan(text, marks)) != [text] or (text and not _has_words(text))
    }
    shown = {number: each[0] for number, each in ways.items()}
    for number, each in shown.items():
        texts[number] = each.text if _has_words(each.text) else ""
    results = run(lines, texts)
    for attempt in range(1, 1 + len(_STAND_INS)):
        again = [
            number
            for number, each in shown.items()
            if attempt < len(ways[number]) and _faults(results[number], each)
        ]
        if not again:
            break
        others = [ways[number][attempt] for number in again]
        found = run([lines[number] for number in again], [each.text for each in others])
        for number, each, result in zip(again, others, found, strict=True):
            if _faults(result, each) < _faults(results[number], shown[number]):
                results[number], shown[number] = result, each
    for number, each in shown.items():
        results[number] = _restored(results[number], each, words)
    return results


def _has_words(text: str) -> bool:
    return _LETTER.search(text) is not None


def _ways(items: Sequence[Item]) -> Iterator[Shown]:
    """The ways of showing a line, the first one first."""
    first = _show(items, _stand_ins(items, 0), hidden=False)
    yield first
    if _has_words(first.text) and len(first.expected) <= _MOST_REPEATED:
        for attempt in range(len(_STAND_INS)):
            yield _show(items, _stand_ins(items, attempt), hidden=True)


def _stand_ins(items: Sequence[Item], attempt: int) -> Iterator[str]:
    """Short numbers that the line does not have; as many as it takes."""
    text = " ".join(item if isinstance(item, str) else item[0] for item in items)
    written = " ".join(item.written for item in items if isinstance(item, Literal))
    more = (str(1_000 + 7_919 * number % 9_000) for number in range(9_000))
    for number in (*_STAND_INS[attempt], *more):
        if number not in text and number not in written:
            yield number


def _show(items: Sequence[Item], stand_ins: Iterator[str], *, hidden: bool) -> Shown:
    text, expected, tags = "", [], []
    for item in items:
        match item:
            case Tag():
                if markup.divides(item) and text and not text.endswith(" "):
                    text += " "
                tags.append(markup.Placed(item, len(text)))
            case Literal():
                seen = "" if hidden else item.shown
                expected.append(Expected(item, seen or next(stand_ins), len(text)))
                text += expected[-1].seen
            case _:
                text += item.removeprefix(" ") if not text or text.endswith(" ") else item
    itself = "".join(map(_written, items)).strip()
    return Shown(text.rstrip(), tuple(expected), tuple(tags), itself)


def _faults(result: Translation, shown: Shown) -> int:
    """How many literals an output lacks, or has too often."""
    found, spare = _found(result.translation, shown)
    return sum(edit is None for edit in found) + len(spare)


def _found(output: str, shown: Shown) -> tuple[list[Edit | None], list[Edit]]:
    """Where each literal is in the output, and where stand-ins are once more."""
    places: dict[str, list[int]] = {}
    taken: set[int] = set()

    def free(seen: str, written: str) -> Iterator[Edit]:
        for at in places.setdefault(seen, _occurrences(output, seen)):
            if taken.isdisjoint(range(at, at + len(seen))):
                yield Edit(at, at + len(seen), written)

    found: list[Edit | None] = []
    for each in shown.expected:
        edit = next((edit for form in each.forms for edit in free(*form)), None)
        found.append(edit)
        taken.update(range(edit.start, edit.end) if edit else ())
    hidden = (each for each in shown.expected if each.hidden)
    return found, [edit for each in hidden for edit in free(*each.forms[0])]


def _occurrences(output: str, seen: str) -> list[int]:
    """Where it stands by itself, and is no part of a longer number or word."""
    pattern = re.escape(seen)
    if seen[0].isdecimal():
        pattern = rf"(?<!\w)(?<![0-9][.,:]){pattern}(?![0-9_])(?![.,:][0-9])"
    return [match.start() for match in re.finditer(pattern, output)]


def _restored(
    result: Translation, shown: Shown, words: Callable[[str], Sequence[int]]
) -> Translation:
    """The line with its literals and tags; tokens and alignment stay those of what was shown."""
    if not _has_words(shown.text):
        text = shown.itself or result.source
        return dataclasses.replace(result, translation=text, flags=_flags(result, "kept"))
    found, _ = _found(result.translation, shown)
    lost = None in found
    aligned = _aligned(result, shown.text, words(shown.text)) if shown.tags or lost else []
    text = _composed(result.translation, shown, aligned)
    alternatives = tuple(
        dataclasses.replace(other, translation=_composed(other.translation, shown, []))
        for other in result.alternatives
    )
    changed = any(each.hidden for each in shown.expected) or text != result.translation
    flags = _flags(result, *["kept"] * changed, *["inserted"] * lost)
    return dataclasses.replace(result, translation=text, alternatives=alternatives, flags=flags)


def _flags(result: Translation, *more: str) -> tuple[str, ...]:
    return tuple(sorted({*result.flags, *more}))


def _written(item: Item) -> str:
    match item:
        case Tag(text):
            return text
        case Literal():
            return item.written
        case _:
            return item


def _aligned(result: Translation, text: str, word_of_piece: Sequence[int]) -> list[int]:
    """The source word of each output word; nothing where pieces and words do not agree."""
    end = result.tokens[-1].piece
    shares: list[dict[int, float]] = []
    begins = True
    for token, aligned in zip(result.tokens, result.alignment, strict=True):
        begins |= token.piece == end or token.piece.startswith(META_SPACE)
        if token.piece == end or not token.piece.strip(META_SPACE):
            continue
        if begins:
            shares.append({})
        begins = False
        # A word's punctuation is attended to for what comes after it.
        if aligned.source < len(word_of_piece) and any(map(str.isalnum, aligned.piece)):
            word = word_of_piece[aligned.source]
            shares[-1][word] = shares[-1].get(word, 0.0) + aligned.weight
    said = result.translation.split()
    if len(shares) != len(said):
        return []
    copied = _copied(text.split(), said)
    return [
        copied.get(place, max(share, key=share.__getitem__, default=-1))
        for place, share in enumerate(shares)
    ]


def _copied(source: Sequence[str], said: Sequence[str]) -> dict[int, int]:
    """Words that stand once on either side, such as names, belong together."""
    places = [_singles(source), _singles(said)]
    return {places[1][word]: places[0][word] for word in places[0].keys() & places[1].keys()}


def _singles(words: Sequence[str]) -> dict[str, int]:
    """Where each word stands that stands once."""
    cores = [word.strip(markup.PUNCTUATION) for word in words]
    counts = Counter(cores)
    return {core: place for place, core in enumerate(cores) if counts[core] == 1}


def _composed(output: str, shown: Shown, aligned: Sequence[int]) -> str:
    """The output with literals and tags in it; without an alignment words follow the source."""
    spans = [match.span() for match in re.finditer(r"\S+", output)]
    size = shown.text.count(" ") + 1
    ground = markup.Ground(aligned or [at * size // len(spans) for at in range(len(spans))])
    found, edits = _found(output, shown)
    edits += filter(None, found)
    for each in (each for each, edit in zip(shown.expected, found, strict=True) if not edit):
        word = shown.text.count(" ", 0, each.at)
        near = [span for span, of in zip(spans, ground.sources_t, strict=True) if of == word]
        if garbled := _garbled(output, near, edits):
            edits.append(garbled._replace(text=each.literal.written))
        else:
            place = ground.boundary(word, 0, len(spans))
            edits.append(_inserted(output, each, spans, place))
    tags = markup.insertions(markup.tree(shown.tags, shown.text), size, ground)
    return _applied(output, [*_placed(output, tags, spans), *edits])


def _garbled(output: str, spans: Sequence[tuple[int, int]], edits: Sequence[Edit]) -> Edit | None:
    """Digits among these words that are no literal: the model's attempt at one."""
    for begin, end in spans:
        match = _DIGITS.search(output, begin, end)
        if match and all(edit.end <= match.start() or match.end() <= edit.start for edit in edits):
            return Edit(match.start(), match.end(), "")
    return None


def _inserted(output: str, each: Expected, spans: Sequence[tuple[int, int]], place: int) -> Edit:
    """A literal where the output has nothing for it: before the word that follows it."""
    if place < len(spans):
        return Edit(spans[place][0], spans[place][0], f"{each.literal.written} ")
    at = _before_punctuation(output, len(output))
    return Edit(at, at, f" {each.literal.written}")


def _before_punctuation(output: str, end: int) -> int:
    return len(output[:end].rstrip(markup.PUNCTUATION).rstrip())


def _placed(
    output: str, tags: Sequence[markup.Insertion], spans: Sequence[tuple[int, int]]
) -> Iterator[Edit]:
    at = 0
    for tag in tags:
        wanted = len(output)
        if tag.behind:
            end = spans[tag.word - 1][1]
            wanted = end if tag.punctuated else _before_punctuation(output, end)
        elif tag.word < len(spans):
            wanted = spans[tag.word][0]
        at = max(at, wanted)  # a tag inside another one stays there
        yield Edit(at, at, tag.text)


def _applied(output: str, edits: Sequence[Edit]) -> str:
    """All of them; those at one place in their order, before what is replaced there."""
    written, at = [], 0
    for edit in sorted(edits, key=lambda edit: edit[:2]):
        written += [output[at : edit.start], edit.text]
        at = max(at, edit.end)
    return "".join([*written, output[at:]])
