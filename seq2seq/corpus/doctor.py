"""Looks at a corpus before work begins: line counts, drift, languages, test lines in train.

`Examination` looks at one chunk, in a worker; `Record` gathers what was seen of a corpus and
turns it into findings: sentences for a person. Every line is counted and compared with the held
test lines; the dearer looks take a sample that thins out as the corpus goes on.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from seq2seq.corpus.alignment import Suspicion, find_drift, first_misplaced
from seq2seq.corpus.chunks import Chunk, Side, read_chunks, sides
from seq2seq.corpus.languages import KNOWN, language_of, primary
from seq2seq.corpus.text import normalise

_WHOLE_CHUNKS = 4  # looked at line by line; of later ones a few hundred lines each
_SAMPLE_LINES = 512
_LANGUAGE_LINES = 256  # of these
_LOOKS_PER_DOUBLING = 16
_MOST_LINES_SEARCHED = 100_000
_WRONG_LANGUAGE_SHARE = 0.1
_FEWEST_SPEAKING_LINES = 20
_UNTRANSLATED_SHARE = 0.1
# "Can I help you?" stands in every dialogue. Sentences of ten words do not meet by chance; shorter
# ones count only as whole pairs that train has once, and in numbers.
_LONG_WORDS, _LONG_FEWEST, _LONG_SHARE = 10, 10, 0.005
_SHORT_WORDS, _SHORT_FEWEST, _SHORT_SHARE = 4, 20, 0.05


Held = dict[bytes, frozenset[bytes]]  # normalised test sources, each with its translations


class Look(NamedTuple):
    """A chunk, and how many of its lines deserve the dearer looks."""

    chunk: Chunk
    lines: int


@dataclass(frozen=True, slots=True)
class Seen:
    """What one chunk showed."""

    counts: tuple[int, int]
    size: tuple[int, int]  # bytes of either side
    first: int
    looked_at: int = 0
    windows: list[Suspicion | None] = field(default_factory=list)
    languages: tuple[Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    untranslated: int = 0
    translatable: int = 0  # lines of three words and more
    leaks: list[tuple[bytes, bool]] = field(default_factory=list)  # source line; whether both sides


def looks(chunks: Iterable[Chunk]) -> Iterator[Look]:
    """Which chunks are looked at closely: the first ones whole, then ever fewer."""
    for number, chunk in enumerate(chunks):
        lines = max(chunk.counts) if number < _WHOLE_CHUNKS else _SAMPLE_LINES
        stride = 1 << (number // _LOOKS_PER_DOUBLING + 1).bit_length() - 1
        yield Look(chunk, lines if number % stride == 0 else 0)


@dataclass(frozen=True)
class Examination:
    """What a worker does with a chunk."""

    held: Held
    closely: bool = True  # False: only counts and UTF-8

    def __call__(self, look: Look) -> Seen:
        """Decodes the chunk strictly, so invalid text is found here, before any work."""
        source, target = sides(look.chunk)
        counts, size = (source.count, target.count), (len(source.block), len(target.block))
        seen = Seen(counts, size, look.chunk.first, leaks=self._leaks(source, target))
        if not (self.closely and look.lines):
            return seen
        return _closely(seen, *(_decoded(side.lines()[: look.lines]) for side in (source, target)))

    def _leaks(self, source: Side, target: Side) -> list[tuple[bytes, bool]]:
        if not self.held or self.held.keys().isdisjoint(lines := source.lines()):
            return []
        return [
            (line, other in self.held[line])
            for line, other in zip(lines, target.lines(), strict=False)
            if line in self.held
        ]


def _decoded(lines: list[bytes]) -> list[str]:
    return [line.decode() for line in lines]


def _closely(seen: Seen, source: list[str], target: list[str]) -> Seen:
    pairs = list(zip(source, target, strict=False))
    long = [(a, b) for a, b in pairs if a.count(" ") >= 2]
    step = max(len(pairs) // _LANGUAGE_LINES, 1)
    return Seen(
        *(seen.counts, seen.size, seen.first, len(pairs)),
        windows=find_drift(source, target),
        languages=(
            Counter(map(language_of, source[::step])),
            Counter(map(language_of, target[::step])),
        ),
        untranslated=sum(a.casefold() == b.casefold() for a, b in long),
        translatable=len(long),
        leaks=seen.leaks,
    )


@dataclass
class Record:
    """All that was seen of one corpus, chunk after chunk."""

    split: str
    paths: tuple[Path, ...]
    counts: list[int] = field(default_factory=lambda: [0, 0])
    size: list[int] = field(default_factory=lambda: [0, 0])
    in_step_until: int = 0  # line, from 0, up to which no window was suspicious
    windows: int = 0
    suspicions: list[Suspicion] = field(default_factory=list)
    languages: tuple[Counter[str], Counter[str]] = field(
        default_factory=lambda: (Counter(), Counter())
    )
    untranslated: int = 0
    translatable: int = 0
    leaks: Counter[bytes] = field(default_factory=Counter)
    leaked_pairs: set[bytes] = field(default_factory=set)

    @property
    def name(self) -> str:
        """How findings call the corpus."""
        return " and ".join(repr(str(path)) for path in self.paths)

    def add(self, seen: Seen) -> None:
        """Takes in what the next chunk showed."""
        for side in (0, 1):
            self.counts[side] += seen.counts[side]
            self.size[side] += seen.size[side]
            self.languages[side].update(seen.languages[side])
        self.untranslated += seen.untranslated
        self.translatable += seen.translatable
        self.leaks.update(line for line, _ in seen.leaks)
        self.leaked_pairs.update(line for line, both in seen.leaks if both)
        self.windows += len(seen.windows)
        for window in seen.windows:
            if window is not None:
                begin = seen.first - 1
                self.suspicions.append(
                    Suspicion(window.first + begin, window.last + begin, window.shift)
                )
        if not self.suspicions and seen.windows:
            self.in_step_until = seen.first - 1 + seen.looked_at

    def findings(self, source_language: str, target_language: str) -> list[str]:
        """Everything suspicious but leaks, one sentence each."""
        expected = (primary(source_language), primary(target_language))
        return [*self._drift(), *self._wrong_languages(expected), *self._copies()]

    def first_suspicious_line(self) -> int:
        """Where, counted from 1, the sides begin to disagree; a guess where nothing stands out."""
        surplus = self.counts[1] - self.counts[0]
        shift = self.suspicions[0].shift if self.suspicions else surplus
        first = max(self.in_step_until - _SAMPLE_LINES, 0)
        last = self.suspicions[0].last if self.suspicions else max(self.counts)
        while last - first > _MOST_LINES_SEARCHED:  # somewhere between two looks: halve the space
            middle = (first + last) // 2
            windows = find_drift(*_lines(self.paths, middle, middle + _SAMPLE_LINES))
            if any(windows):
                last = middle + _SAMPLE_LINES
            else:
                first = middle
        source, target = _lines(self.paths, first, last)
        return first + first_misplaced(source, target, shift) + 1

    def _drift(self) -> Iterator[str]:
        # One window in thousands may be a list of something; a shift goes on and on.
        if not self.suspicions or (len(self.suspicions) == 1 and self.windows > 20):
            return
        shift = self.suspicions[0].shift
        how = f"the target fits {abs(shift)} line(s) {'later' if shift > 0 else 'earlier'}"
        yield (
            f"{self.name}: the two sides are out of step from about line "
            f"{self.first_suspicious_line()} on "
            f"({how if shift else 'they do not look like translations of each other'}; "
            f"{len(self.suspicions)} of {self.windows} windows looked at)"
        )

    def _wrong_languages(self, expected: tuple[str, str]) -> Iterator[str]:
        found = [_main_language(counts) for counts in self.languages]
        if expected[0] != expected[1] and found == [expected[1], expected[0]]:
            yield (
                f"{self.name}: the sides look swapped: source is {found[0]!r}, "
                f"target {found[1]!r}, but data.source_language={expected[0]!r}"
            )
            return
        for side, language, counts in zip(
            ("source", "target"), expected, self.languages, strict=True
        ):
            speaking = sum(counts.values()) - counts[""]
            if language not in KNOWN or speaking < _FEWEST_SPEAKING_LINES:
                continue
            share = 1 - counts[language] / speaking
            if share >= _WRONG_LANGUAGE_SHARE:
                other = max(set(counts) - {"", language}, key=lambda code: counts[code])
                yield (
                    f"{self.name}: {share:.0%} of the {side} lines are not in {language!r}, "
                    f"mostly in {other!r}"
                )

    def _copies(self) -> Iterator[str]:
        if self.translatable >= _FEWEST_SPEAKING_LINES:
            share = self.untranslated / self.translatable
            if share >= _UNTRANSLATED_SHARE:
                yield f"{self.name}: {share:.0%} of the pairs are untranslated (equal sides)"


def _main_language(counts: Counter[str]) -> str:
    speaking = sum(counts.values()) - counts[""]
    for code, count in counts.most_common(2):
        if code and speaking >= _FEWEST_SPEAKING_LINES and count > 0.7 * speaking:
            return code
    return ""


def _lines(paths: tuple[Path, ...], first: int, last: int) -> tuple[list[str], list[str]]:
    """Lines `first` to `last` (from 0) of both sides; as many as there are."""
    source: list[str] = []
    target: list[str] = []
    for chunk in read_chunks(paths):
        if chunk.first - 1 >= last:
            break
        if chunk.first - 1 + max(chunk.counts) > first:
            skip = max(first - chunk.first + 1, 0)
            both = sides(chunk)
            source += _decoded(both[0].lines()[skip:])
            target += _decoded(both[1].lines()[skip:])
    return source[: last - first], target[: last - first]


def held_lines(pairs: Iterable[tuple[str, str]]) -> Held:
    """The test pairs worth looking for: normalised sources of four words and more."""
    held: Held = {}
    for source, target in pairs:
        line = normalise(source).encode()
        if line.count(b" ") >= _SHORT_WORDS - 1:
            held[line] = held.get(line, frozenset()) | {normalise(target).encode()}
    return held


def merged(tests: Iterable[Held]) -> Held:
    """All test lines together."""
    together: Held = {}
    for lines in tests:
        for line, translations in lines.items():
            together[line] = together.get(line, frozenset()) | translations
    return together


def leak_findings(records: list[Record], tests: Iterable[tuple[str, Held]]) -> list[str]:
    """One sentence for every test set that train has seen too much of."""
    findings = []
    seen: Counter[bytes] = Counter()
    for record in records:
        seen.update(record.leaks)
    as_pairs = {line for record in records for line in record.leaked_pairs}
    for name, held in tests:
        lines = seen.keys() & held.keys()
        if _too_many(lines, {line for line in lines & as_pairs if seen[line] == 1}, held):
            where = ", ".join(record.name for record in records if lines & record.leaks.keys())
            findings.append(
                f"{len(lines)} of the {len(held)} source lines of four words and more of {name} "
                f"stand in train ({where}), {len(lines & as_pairs)} of them with the same "
                f"translation, as {max(lines, key=len).decode()[:80]!r}"
            )
    return findings


def _too_many(lines: set[bytes], pairs_seen_once: set[bytes], held: Held) -> bool:
    long, long_held = (
        sum(line.count(b" ") >= _LONG_WORDS - 1 for line in some) for some in (lines, held)
    )
    return long >= max(_LONG_FEWEST, _LONG_SHARE * long_held) or len(pairs_seen_once) >= max(
        _SHORT_FEWEST, _SHORT_SHARE * len(held)
    )
