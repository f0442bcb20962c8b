"""Translates lines in calls of other sizes and another order: all outputs must be the same.

    python scripts/check_invariance.py --model runs/demo --source test.de --lines 3000
    python scripts/check_invariance.py --model runs/demo --source test.de --kinds sampling scores

A kind is a way to use the translator: see KINDS. Every kind translates all lines in one call, in
calls of 64, in calls of 7 in another order, and the first lines (`--alone`) one by one. Exit
status 1 if any text differs, or a score by more than 1e-4; scores that differ in their last bits
are counted.
"""

import random
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from measuring import first_lines

from seq2seq import Request, Translator, cli

_GAP = 1e-4  # that a score may have


class Found(NamedTuple):
    """What came out for a line: all its texts, and their scores."""

    texts: tuple[str, ...]
    scores: tuple[float, ...]


class Kind(NamedTuple):
    """A way to use the translator, by its settings or by wishes for each line."""

    settings: tuple[str, ...] = ()
    ask: Callable[[int, str], str | Request] = lambda number, line: line
    models: int = 1  # the model, so many times as an ensemble
    translates: bool = True  # or scores a given translation


def _wish(number: int, line: str) -> Request:
    """Lines in turns begin with a word, contain one, avoid several, or wish for nothing."""
    return (
        Request(line, prefix="The "),
        Request(line, contain=("today",)),
        Request(line, avoid=("the", "is")),
        Request(line),
    )[number % 4]


KINDS = {
    "float32": Kind(),
    "bfloat16": Kind(("precision=bfloat16",)),
    "int8": Kind(("precision=int8", "nbest=3")),
    "greedy": Kind(("beam=1",)),
    "greedy bfloat16": Kind(("beam=1", "precision=bfloat16")),
    "greedy int8": Kind(("beam=1", "precision=int8")),
    "n-best": Kind(("nbest=5",)),
    "diverse": Kind(("nbest=5", "diversity=0.5")),
    "penalties": Kind(("length_penalty=0.6", "coverage_penalty=0.2")),
    "no length penalty": Kind(("length_penalty=0", "keep=off")),
    "lengths": Kind(("min_length_ratio=0.5", "max_length_ratio=0.8")),
    "no repetition": Kind(("block_ngrams=2", "keep=verbatim")),
    "sampling": Kind(("sampling=true", "nbest=2", "temperature=0.8", "top_k=50", "top_p=0.9")),
    "sampling bfloat16": Kind(("sampling=true", "seed=2", "precision=bfloat16")),
    "wishes": Kind(ask=_wish),
    "wishes bfloat16": Kind(("precision=bfloat16",), ask=_wish),
    "ensemble": Kind(models=2),
    "scores": Kind(translates=False),
    "scores bfloat16": Kind(("precision=bfloat16",), translates=False),
    "scores int8": Kind(("precision=int8",), translates=False),
    "shortlist": Kind(("shortlist=true",)),
    "shortlist bfloat16": Kind(("shortlist=true", "precision=bfloat16")),
}


def main(argv: Sequence[str]) -> None:
    """Compares all ways with one another and prints what was found."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", required=True, help="a run folder or model folder")
    parser.add_argument("--source", required=True, type=Path, help="a text file, one line each")
    parser.add_argument("--lines", type=int, default=3_000, help="of the source (%(default)s)")
    parser.add_argument("--alone", type=int, default=300, help="one by one (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the other order (%(default)s)")
    parser.add_argument("--set", action="append", default=[], help="settings, as in translate")
    parser.add_argument(
        "--kinds",
        nargs="+",
        choices=KINDS,
        default=[name for name in KINDS if not name.startswith("shortlist")],
        help="all of them, if not named, but for those with a shortlist, which needs its file",
    )
    options = parser.parse_args(argv)
    lines = first_lines(options.source, options.lines)
    same = True
    for name in options.kinds:
        kind, began = KINDS[name], time.perf_counter()
        settings = [*options.set, *(f"translate.{setting}" for setting in kind.settings)]
        translator = Translator.load("+".join([options.model] * kind.models), settings)
        print(f"{name}: {len(lines)} lines", end="", flush=True)
        same &= check(Asking(translator, kind, lines), options.seed, options.alone)
        print(f"  {time.perf_counter() - began:.0f} s", flush=True)
    sys.exit(0 if same else 1)


class Asking:
    """Lines that are asked for by their numbers, in one way."""

    def __init__(self, translator: Translator, kind: Kind, lines: Sequence[str]) -> None:
        self._translator, self._kind = translator, kind
        self.lines = [kind.ask(number, line) for number, line in enumerate(lines)]
        # Any translations will do to be scored: those of other lines are neither good nor alike.
        self._given = [*lines[1:], *lines[:1]]

    def __call__(self, numbers: Sequence[int]) -> list[Found]:
        """What one call finds for these lines."""
        if self._kind.translates:
            results = self._translator.translate_all([self.lines[number] for number in numbers])
            every = [(result, *result.alternatives) for result in results]
        else:
            pairs = [(str(self.lines[number]), self._given[number]) for number in numbers]
            every = [(result,) for result in self._translator.score(pairs)]
        return [
            Found(
                tuple(each.translation for each in outputs),
                tuple(each.score for each in outputs),
            )
            for outputs in every
        ]

    def in_calls(self, numbers: Sequence[int], size: int) -> dict[int, Found]:
        """The same in calls of so many lines, by the numbers of the lines."""
        groups = [numbers[start : start + size] for start in range(0, len(numbers), size)]
        return {
            number: found
            for group in groups
            for number, found in zip(group, self(group), strict=True)
        }


def check(asking: Asking, seed: int, alone: int) -> bool:
    """Whether all ways agree; the reference is one call with all lines."""
    numbers = range(len(asking.lines))
    shuffled = random.Random(seed).sample(numbers, len(numbers))
    expected = asking.in_calls(numbers, len(numbers))
    print(f", {len({found.texts for found in expected.values()})} distinct outputs", flush=True)
    ways = {"by 64": (numbers, 64), "by 7, shuffled": (shuffled, 7), "alone": (numbers[:alone], 1)}
    reports = [
        report(way, expected, asking.in_calls(chosen, size)) for way, (chosen, size) in ways.items()
    ]
    return all(reports)


def report(way: str, expected: dict[int, Found], found: dict[int, Found]) -> bool:
    """Prints how one way compares with the reference, and the first difference in full."""
    texts = [number for number, each in found.items() if each.texts != expected[number].texts]
    gaps = [
        abs(one - other)
        for number, each in found.items()
        for one, other in zip(each.scores, expected[number].scores, strict=False)
        if one != other
    ]
    gap = max(gaps, default=0.0)
    print(
        f"  {way}: of {len(found)}, {len(texts)} texts differ, "
        f"{len(gaps)} scores (by at most {gap:.1e})",
        flush=True,
    )
    for number in texts[:1]:
        print(f"    line {number + 1}\n    {expected[number].texts}\n    {found[number].texts}")
    return not texts and gap <= _GAP


if __name__ == "__main__":
    cli.run(main)
