"""How fast is the demo corpus made, in how much memory, and how much of it is said twice?

    python scripts/bench_demo_corpus.py SCRATCH --pairs 10000000
    python scripts/bench_demo_corpus.py SCRATCH --nearest data/demo

The first writes that many pairs to SCRATCH and counts the pairs of equal German sentences among
them, beside the number that chance predicts: that of two samples of other seeds, scaled. The
second says what BLEU one reaches on `unseen` by copying the English of the training sentence
whose German is most alike (the most words and word pairs in common, as an F-score).
"""

import itertools
import json
import sys
import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import sacrebleu
from measuring import watched

from seq2seq import cli
from seq2seq.config import Corpus
from seq2seq.corpus.text import read_pairs

MAKE = Path(__file__).with_name("make_demo_corpus.py")


def main(argv: Sequence[str]) -> None:
    """Prints what was found as text and as one JSON object."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("scratch", type=Path, help="a folder for what is written")
    parser.add_argument("--pairs", type=int, default=1_000_000, help="(%(default)s)")
    parser.add_argument("--nearest", type=Path, help="a demo corpus, packed: do this instead")
    options = parser.parse_args(argv)
    found = nearest(options.nearest) if options.nearest else speed(options.scratch, options.pairs)
    for name, value in found.items():
        print(f"{name:48}{value:16,.2f}")
    print(json.dumps(found))


def speed(scratch: Path, pairs: int) -> dict[str, float]:
    """Writes the corpus, and two smaller ones to compare it with."""
    taken = watched(command(scratch / "large", pairs, seed=1))
    keys = hashes(scratch / "large")
    _, counts = np.unique(keys, return_counts=True)
    equal = float((counts * (counts - 1) // 2).sum())
    sample = min(pairs, 1_000_000)
    others = []
    for seed in (2, 3):
        watched(command(scratch / f"sample{seed}", sample, seed))
        others.append(np.unique(hashes(scratch / f"sample{seed}"), return_counts=True))
    (one, ones), (two, twos) = others
    _, left, right = np.intersect1d(one, two, return_indices=True)
    between = float((ones[left] * twos[right]).sum())
    return {
        "seconds": taken["wall"],
        "pairs a second": pairs / taken["wall"],
        "megabytes at most": taken["peak_mb"],
        "distinct German sentences, percent": 100 * len(counts) / pairs,
        "equal pairs of sentences": equal,
        "equal pairs of sentences that chance predicts": between
        * (pairs * (pairs - 1) / 2)
        / sample**2,
    }


def command(folder: Path, pairs: int, seed: int) -> list[str]:
    """The command that users type."""
    return [sys.executable, str(MAKE), str(folder), "--pairs", str(pairs), "--seed", str(seed)]


def hashes(folder: Path) -> np.ndarray:
    """64 bits of each German training sentence."""
    with (folder / "train.de").open("rb") as file:
        return np.fromiter(
            ((zlib.crc32(line) << 32) | zlib.adler32(line) for line in file), np.uint64
        )


def nearest(folder: Path) -> dict[str, float]:
    """BLEU of the English of the nearest training pair."""
    train, unseen = (
        list(read_pairs(Corpus(source=f"{name}.de.xz", target=f"{name}.en.xz"), str(folder)))
        for name in ("train", "unseen")
    )
    places: dict[str, list[int]] = defaultdict(list)
    sizes = []
    for place, (german, _) in enumerate(train):
        features = parts(german)
        sizes.append(len(features))
        for feature in features:
            places[feature].append(place)
    copied = []
    for german, _ in unseen:
        features = parts(german)
        shared = Counter(itertools.chain.from_iterable(places.get(each, ()) for each in features))
        best = max(
            shared, key=lambda place: shared[place] / (sizes[place] + len(features)), default=0
        )
        copied.append(train[best][1])
    score = sacrebleu.corpus_bleu(copied, [[english for _, english in unseen]])
    return {"BLEU of copying the nearest pair's English": score.score}


def parts(text: str) -> set[str]:
    """Words, and pairs of neighbouring words."""
    words = text.split()
    return {*words, *(" ".join(pair) for pair in itertools.pairwise(words))}


if __name__ == "__main__":
    cli.run(main)
