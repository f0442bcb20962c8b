"""Translates lines one by one, in batches of 7 and 64, and shuffled: the text must be the same.

    python scripts/check_invariance.py --model runs/demo --source test.de --lines 3000

Checks float32 and bfloat16. Exit status 1 if anything differs; scores may differ by 1e-4.
"""

import argparse
import random
import sys
from collections.abc import Sequence
from pathlib import Path

from seq2seq import Translation, Translator


def main() -> None:
    """Compares all ways with one another and prints what was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", required=True, help="a run folder or model folder")
    parser.add_argument("--source", required=True, type=Path, help="a text file, one line each")
    parser.add_argument("--lines", type=int, default=3_000, help="of the source (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the shuffling (%(default)s)")
    parser.add_argument("--set", action="append", default=[], help="settings, as in translate")
    options = parser.parse_args()
    lines = options.source.read_text(encoding="utf-8").split("\n")[: options.lines]
    same = True
    for precision in ("float32", "bfloat16"):
        settings = [*options.set, f"translate.precision={precision}"]
        same &= check(Translator.load(options.model, settings), lines, options.seed)
    sys.exit(0 if same else 1)


def check(translator: Translator, lines: Sequence[str], seed: int) -> bool:
    """Whether all ways agree; the reference is one call with all lines."""
    precision = translator.config.translate.precision
    expected = translator.translate_all(lines)
    distinct = len({result.translation for result in expected})
    print(f"{precision}: {len(lines)} lines, {distinct} distinct translations", flush=True)
    order = random.Random(seed).sample(range(len(lines)), len(lines))
    shuffled = translator.translate_all([lines[place] for place in order])
    back = dict(zip(order, shuffled, strict=True))
    ways = {
        "shuffled": [back[place] for place in range(len(lines))],
        **{f"by {size}": by(translator, lines, size) for size in (64, 7, 1)},
    }
    reports = [report(name, expected, found) for name, found in ways.items()]
    return all(reports)


def by(translator: Translator, lines: Sequence[str], size: int) -> list[Translation]:
    """The lines in calls of `size`."""
    return [
        result
        for start in range(0, len(lines), size)
        for result in translator.translate_all(lines[start : start + size])
    ]


def report(name: str, expected: Sequence[Translation], found: Sequence[Translation]) -> bool:
    """Prints how one way compares with the reference, and the first difference in full."""
    pairs = list(zip(expected, found, strict=True))
    different = [pair for pair in pairs if pair[0].translation != pair[1].translation]
    gaps = [abs(one.score - other.score) for one, other in pairs if one.score != other.score]
    gap = max(gaps, default=0.0)
    print(
        f"  {name}: {len(different)} texts differ, {len(gaps)} scores (by at most {gap:.1e})",
        flush=True,
    )
    for one, other in different[:1]:
        print(f"    {one.source}\n    {one.translation}\n    {other.translation}")
    return not different and gap <= 1e-4


if __name__ == "__main__":
    main()
