"""How long does the batch plan of a huge corpus take, and how much memory?

    python scripts/bench_plan.py --pairs 100000000 --folder SCRATCH

Writes shards with made-up lengths (16 bytes a pair; the tokens are a hole in their file), then, in
a process of its own, plans them, walks through an epoch, and reads some batches of it. Resident
memory is that process's at its highest, mapped files included. Text, then one JSON object.
"""

import itertools
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq import cli
from seq2seq.corpus.batching import Plan
from seq2seq.corpus.shards import Shard

LONGEST = 150


def write_shards(folder: Path, pairs: int, shard_pairs: int) -> None:
    """Lengths as in a corpus of sentences: two sides that are about as long as one another."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.glob("*.npy"):
        path.unlink()
    random = np.random.default_rng(1)
    for number, begin in enumerate(range(0, pairs, shard_pairs)):
        count = min(shard_pairs, pairs - begin)
        source = random.gamma(3, 8, count).clip(1, LONGEST)
        target = (source * random.lognormal(0, 0.2, count)).clip(1, LONGEST)
        lengths = np.stack([source, target], 1).astype(np.int64).ravel()
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        np.save(folder / f"{number:05d}.offsets.npy", offsets)
        np.lib.format.open_memmap(
            folder / f"{number:05d}.tokens.npy", "w+", np.uint16, (int(offsets[-1]),)
        )


def measure(folder: Path, batch_tokens: int, shapes: int) -> dict[str, Any]:
    """The figures, taken in this process."""
    shards = [
        Shard(np.load(path.with_name(f"{path.name[:5]}.tokens.npy"), mmap_mode="r"), offsets)
        for path in sorted(folder.glob("*.offsets.npy"))
        if len(offsets := np.load(path, mmap_mode="r"))
    ]
    figures: dict[str, Any] = {"mb_before": resident_mb()}
    seconds, plan = timed(Plan, shards, batch_tokens=batch_tokens, shapes=shapes)
    figures |= {"pairs": plan.pairs, "batches": plan.batches, "padding": round(plan.padding, 4)}
    figures |= {"seconds_to_plan": seconds, "mb_to_plan": resident_mb()}
    seconds, walked = timed(walk, plan)
    if walked != plan.pairs:
        sys.exit(f"the epoch has {walked} pairs instead of {plan.pairs}")
    figures |= {"seconds_an_epoch": seconds, "mb_of_an_epoch": resident_mb()}
    some = list(itertools.islice(plan.epoch(seed=1, epoch=2), 200))
    times = [timed(plan.read, one, range(one.shape.rows))[0] for one in some]
    figures["ms_to_read_a_batch"] = statistics.median(times) * 1e3
    figures["mb_with_reading"] = resident_mb()
    return figures


def walk(plan: Plan) -> int:
    """The pairs of an epoch, counted."""
    return sum(len(planned.pairs) for planned in plan.epoch(seed=1, epoch=1))


def timed(work: Callable[..., Any], *arguments: Any, **named: Any) -> tuple[float, Any]:
    """Seconds, and what came out."""
    began = time.perf_counter()
    result = work(*arguments, **named)
    return time.perf_counter() - began, result


def resident_mb() -> float:
    """The most memory that this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main(argv: Sequence[str]) -> None:
    """Writes the shards, then measures in a fresh process."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--pairs", type=int, default=100_000_000)
    parser.add_argument("--shard-pairs", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, required=True, help="for scratch files")
    parser.add_argument("--batch-tokens", type=int, default=65_536)
    parser.add_argument("--shapes", type=int, default=16)
    parser.add_argument("--measure", action="store_true", help="take the shards that are there")
    arguments = parser.parse_args(argv)
    if arguments.measure:
        figures = measure(arguments.folder, arguments.batch_tokens, arguments.shapes)
        for key, value in figures.items():
            print(f"{key.replace('_', ' '):20}{value:16,.4g}")
        print(json.dumps(figures))
    else:
        write_shards(arguments.folder, arguments.pairs, arguments.shard_pairs)
        subprocess.run([sys.executable, *sys.argv, "--measure"], check=True)


if __name__ == "__main__":
    cli.run(main)
