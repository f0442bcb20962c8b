"""Writes German-English sentence pairs from a grammar of our own: train, valid, test, unseen.

    python scripts/make_demo_corpus.py data/demo --xz
    python scripts/make_demo_corpus.py FOLDER --pairs 10000000 --seed 7
    python scripts/make_demo_corpus.py --show 30

The same seed writes the same bytes. No pair of one part is in another; the pairs of `unseen` have
combinations of frame and lemmas that no other part has. Memory does not grow with --pairs.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from demo_corpus.corpus import draw_part, write

from seq2seq import cli
from seq2seq.errors import UserError


def main(argv: Sequence[str]) -> None:
    """Writes the corpus, or shows some of it."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, help="where the files go")
    parser.add_argument("--pairs", type=int, default=18_000, help="in train (%(default)s)")
    parser.add_argument(
        "--held-out",
        type=int,
        default=500,
        help="in valid and test each, twice that in unseen (%(default)s)",
    )
    parser.add_argument("--seed", type=int, default=1, help="another corpus (%(default)s)")
    parser.add_argument("--xz", action="store_true", help="compress the files")
    parser.add_argument("--show", type=int, metavar="N", help="print N pairs of train instead")
    options = parser.parse_args(argv)
    if options.show is not None:
        for pair in draw_part("train", options.seed, 0, options.show):
            print(f"{pair.german}\t{pair.english}")
        return
    if options.folder is None:
        raise UserError("name the folder to write to, as in make_demo_corpus.py data/demo")
    if options.pairs < 1 or options.held_out < 1:
        raise UserError("--pairs and --held-out must be at least 1")
    held_out = options.held_out
    sizes = {"train": options.pairs, "valid": held_out, "test": held_out, "unseen": 2 * held_out}
    total = sum(sizes.values())
    for written in write(options.folder, sizes, options.seed, packed=options.xz):
        if written == total or written % 100_000 == 0:
            print(f"{written:,} of {total:,} pairs", file=sys.stderr, flush=True)


if __name__ == "__main__":
    cli.run(main)
