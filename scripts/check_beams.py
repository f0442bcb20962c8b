"""Translates lines with wider and wider beams: does the search find what the model likes better?

    python scripts/check_beams.py --model runs/demo --source test.de --beams 1 2 5 10

The score is the one that orders hypotheses: the mean log-probability of a word, where
translate.length_penalty is 1. A wider beam may lose a hypothesis that a narrow one follows to its
end, so that single lines may fall; they are counted. Exit status 1 if the mean falls.
"""

import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from measuring import first_lines

from seq2seq import Translator, cli

_SAME = 1e-5  # what other shapes of products may change


def main(argv: Sequence[str]) -> None:
    """Prints the mean score of every beam, and how many lines fell since the one before."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", required=True, help="a run folder or model folder")
    parser.add_argument("--source", required=True, type=Path, help="a text file, one line each")
    parser.add_argument("--lines", type=int, default=1_000, help="of the source (%(default)s)")
    parser.add_argument("--beams", type=int, nargs="+", default=[1, 2, 5, 10])
    parser.add_argument("--set", action="append", default=[], help="settings, as in translate")
    options = parser.parse_args(argv)
    lines = first_lines(options.source, options.lines)
    means, before = [], None
    for beam in options.beams:
        translator = Translator.load(options.model, [*options.set, f"translate.beam={beam}"])
        ranks = [result.rank for result in translator.translate_all(lines)]
        means.append(sum(ranks) / len(ranks))
        told = f"beam {beam}: {means[-1]:.5f}"
        if before is not None:
            pairs = list(zip(before, ranks, strict=True))
            rose = sum(now > then + _SAME for then, now in pairs)
            fell = sum(now < then - _SAME for then, now in pairs)
            told += f"; {rose} of {len(lines)} lines rose, {fell} fell"
        print(told, flush=True)
        before = ranks
    sys.exit(0 if all(now >= then for then, now in pairwise(means)) else 1)


if __name__ == "__main__":
    cli.run(main)
