"""The edits that TER counts in a sentence: sacreBLEU's numbers, more than ten times sooner.

sacreBLEU fills an edit distance matrix, cell by cell, for every shift of words that it tries.
Here a row of that matrix is a pair of bit vectors (Myers 1999, Hyyrö 2003), and a tried shift
reuses the rows before the first word it moves. A test compares the two on all kinds of text.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sacrebleu.metrics.lib_ter import translation_edit_rate

# Tercom's limits, as sacreBLEU sets them: they are part of the metric.
_LONGEST_SHIFT = 10
_FARTHEST_SHIFT = 50
_MOST_CANDIDATES = 1_000

# sacreBLEU sees no more of a row than this many columns to either side of the diagonal. Where the
# path found here lies inside, both find the same; where it does not, sacreBLEU is asked.
_BAND = 24


class _Row(NamedTuple):
    """A row of the matrix: bit j - 1 tells of column j, a prefix of j reference words."""

    right_up: int  # columns that are one more than the column before
    right_down: int
    down_up: int  # columns that are one more than in the row before
    down_down: int
    distance: int  # the last column


class _Alignment(NamedTuple):
    """An optimal path through the matrix."""

    hypothesis_errors: list[bool]
    reference_errors: list[bool]
    partner: list[int]  # per reference word, the hypothesis word at or before it; -1: none


class _Shift(NamedTuple):
    """Moving `length` words from `start` to before word `target`; compares as Tercom ranks."""

    gain: int
    length: int
    minus_start: int
    minus_target: int


class _Reference:
    """The reference's words, and where each of them stands: as positions and as bits."""

    def __init__(self, words: list[str]) -> None:
        self.words = words
        self.positions: dict[str, list[int]] = defaultdict(list)
        for position, word in enumerate(words):
            self.positions[word].append(position)
        self.bits = {
            word: sum(1 << place for place in places) for word, places in self.positions.items()
        }
        self.every_bit = (1 << len(words)) - 1

    def matrix(self, hypothesis: Sequence[str], known: Sequence[_Row] = ()) -> list[_Row]:
        """All rows; `known` are the first ones, those before any change."""
        rows = list(known) or [_Row(self.every_bit, 0, 0, 0, len(self.words))]
        for word in hypothesis[len(rows) - 1 :]:
            rows.append(self._row_after(rows[-1], self.bits.get(word, 0)))
        return rows

    def _row_after(self, row: _Row, equal: int) -> _Row:
        up, down, _, _, distance = row
        every_bit = self.every_bit
        across = (((equal & up) + up) ^ up) | equal
        down_up = down | (every_bit & ~(across | up))
        down_down = up & across
        last = len(self.words) - 1
        distance += (down_up >> last & 1) - (down_down >> last & 1)
        equal |= down
        left_up, left_down = (down_up << 1) | 1, down_down << 1
        return _Row(
            (left_down | ~(equal | left_up)) & every_bit,
            left_up & equal & every_bit,
            down_up,
            down_down,
            distance,
        )

    def distance(self, words: Sequence[str], row: _Row) -> int:
        """The last column after `row` and `words`: the same steps as above, with nothing kept."""
        up, down, _, _, distance = row
        bits, every_bit, last = self.bits, self.every_bit, (self.every_bit + 1) >> 1
        for word in words:
            equal = bits.get(word, 0)
            across = (((equal & up) + up) ^ up) | equal
            down_up = down | (every_bit & ~(across | up))
            down_down = up & across
            if down_up & last:
                distance += 1
            elif down_down & last:
                distance -= 1
            equal |= down
            down_up = (down_up << 1) | 1
            up = ((down_down << 1) | ~(equal | down_up)) & every_bit
            down = down_up & equal & every_bit
        return distance


def edits(hypothesis: list[str], reference: list[str]) -> int:
    """The shifts, insertions, deletions and substitutions that turn one into the other."""
    if not reference:
        return len(hypothesis)
    target = _Reference(reference)
    words, rows = hypothesis, target.matrix(hypothesis)
    shifts = tried = 0
    while rows[-1].distance:
        aligned = _alignment(words, reference, rows)
        if aligned is None:
            return translation_edit_rate(hypothesis, reference)[0]
        best, more = _best_shift(words, target, rows, aligned, tried=tried)
        tried += more
        if best is None or best.gain <= 0 or tried >= _MOST_CANDIDATES:
            break
        start, to = -best.minus_start, -best.minus_target
        words = _shifted(words, start, best.length, to)
        rows = target.matrix(words, rows[: min(start, to) + 1])
        shifts += 1
    return shifts + rows[-1].distance


def _alignment(hypothesis: list[str], reference: list[str], rows: list[_Row]) -> _Alignment | None:
    """The path that Tercom would take; None if it leaves the band."""
    slope = len(reference) / max(len(hypothesis), 1)
    i, j = len(hypothesis), len(reference)
    result = _Alignment([False] * i, [False] * j, [-1] * j)
    # Backwards. Among equally good operations Tercom prefers keeping and substituting to dropping
    # a word of the hypothesis, and that to adding a word of the reference.
    while i or j:
        if i and abs(j - int(i * slope)) > _BAND:
            return None
        kept = i > 0 and j > 0 and hypothesis[i - 1] == reference[j - 1]
        if kept or (i > 0 and j > 0 and _may_substitute(rows, i, j)):
            i, j = i - 1, j - 1
            result.partner[j] = i
            result.hypothesis_errors[i] = result.reference_errors[j] = not kept
        elif i > 0 and (j == 0 or rows[i].down_up >> (j - 1) & 1):
            i -= 1
            result.hypothesis_errors[i] = True
        else:
            j -= 1
            result.partner[j] = i - 1
            result.reference_errors[j] = True
    return result


def _may_substitute(rows: list[_Row], i: int, j: int) -> bool:
    bit = j - 1
    down = (rows[i].down_up >> bit & 1) - (rows[i].down_down >> bit & 1)
    right = (rows[i - 1].right_up >> bit & 1) - (rows[i - 1].right_down >> bit & 1)
    return down + right == 1


def _best_shift(
    hypothesis: list[str],
    reference: _Reference,
    rows: list[_Row],
    aligned: _Alignment,
    *,
    tried: int,
) -> tuple[_Shift | None, int]:
    """The shift that saves most, and how many were tried to find it."""
    before = rows[-1].distance
    best, more = None, 0
    for start, in_reference, length in _matches(hypothesis, reference):
        if _is_settled(aligned, start, in_reference, length):
            continue
        for target in _targets(aligned, in_reference, length):
            words = _shifted(hypothesis, start, length, target)
            same = min(start, target)
            gain = before - reference.distance(words[same:], rows[same])
            shift = (gain, length, -start, -target)
            if best is None or shift > best:
                best = shift
            more += 1
        if tried + more >= _MOST_CANDIDATES:
            break
    return best and _Shift(*best), more


def _matches(hypothesis: list[str], reference: _Reference) -> Iterator[tuple[int, int, int]]:
    """Words found in both: (start in hypothesis, start in reference, length)."""
    for start, word in enumerate(hypothesis):
        for in_reference in reference.positions.get(word, ()):
            if abs(in_reference - start) > _FARTHEST_SHIFT:
                continue
            most = min(_LONGEST_SHIFT, len(hypothesis) - start, len(reference.words) - in_reference)
            for length in range(1, most + 1):
                if hypothesis[start + length - 1] != reference.words[in_reference + length - 1]:
                    break
                yield start, in_reference, length


def _is_settled(aligned: _Alignment, start: int, in_reference: int, length: int) -> bool:
    """Whether the words already match something, or each other: no shift would help."""
    return (
        not any(aligned.hypothesis_errors[start : start + length])
        or not any(aligned.reference_errors[in_reference : in_reference + length])
        or start <= aligned.partner[in_reference] < start + length
    )


def _targets(aligned: _Alignment, in_reference: int, length: int) -> Iterator[int]:
    previous = -1
    for place in range(in_reference - 1, in_reference + length):
        target = aligned.partner[place] + 1 if place >= 0 else 0
        if target != previous:
            yield target
        previous = target


def _shifted(words: list[str], start: int, length: int, target: int) -> list[str]:
    rest = words[:start] + words[start + length :]
    at = target - length if target > start + length else target
    return rest[:at] + words[start : start + length] + rest[at:]
