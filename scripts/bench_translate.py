"""Measures translation: a cold start, one sentence at a time, and batches, at beam 5 and 1.

    python scripts/bench_translate.py --model runs/demo --source test.de

Text and a JSON file of the same figures (--json). The source is its first --lines lines, twice
over. A cold start is a whole process that translates one sentence, from its start to its end.
"""

import argparse
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import jax

from seq2seq import Translator

SENTENCE = "Zwei Hunde spielen im Schnee."


def main() -> None:
    """Runs all measurements and prints them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", required=True, help="a run folder or model folder")
    parser.add_argument("--source", required=True, type=Path, help="a text file, one line each")
    parser.add_argument("--lines", type=int, default=1_000, help="of the source (%(default)s)")
    parser.add_argument("--single", type=int, default=50, help="lines for batch 1 (%(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="cold starts (%(default)s)")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args()
    lines = options.source.read_text(encoding="utf-8").split("\n")[: options.lines]
    figures = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {jax.devices()[0].device_kind}",
        "jax": jax.__version__,
        "precision": options.precision,
        "cold_start_s": cold_starts(options.model, options.runs, options.precision),
        "warm": [],
    }
    print(f"{figures['machine']}, jax {figures['jax']}, {options.precision}")
    cold = figures["cold_start_s"]
    print(f"cold start, cache empty: {cold['first']:.2f} s; median later: {cold['median']:.2f} s")
    for beam, batch in itertools.product((5, 1), (1, 32)):
        sources = (lines[: options.single] if batch == 1 else lines) * 2
        setting = [f"translate.beam={beam}", f"translate.precision={options.precision}"]
        figure = {"beam": beam, "batch": batch, **warm(options.model, setting, sources, batch)}
        figures["warm"].append(figure)
        print(
            "beam {beam}, batch {batch:2}: {sentences_per_s:7.1f} sentences/s, "
            "{tokens_per_s:7.0f} target tokens/s, {ms_per_call:7.1f} ms a call".format(**figure)
        )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def cold_starts(model: str, runs: int, precision: str) -> dict[str, float]:
    """Seconds of a whole process: with nothing cached, and the median of the later ones."""
    import tempfile

    command = [sys.executable, "-m", "seq2seq.translate", model, SENTENCE]
    command += ["--set", f"translate.precision={precision}"]
    root = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    with tempfile.TemporaryDirectory() as cache:
        environment = os.environ | {"XDG_CACHE_HOME": cache, "PYTHONPATH": path}

        def run() -> None:
            subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)

        first, *later = [timed(run) for _ in range(runs + 1)]
    return {"first": first, "median": statistics.median(later), "best": min(later)}


def warm(
    model: str, setting: Sequence[str], sources: Sequence[str], batch: int
) -> dict[str, float]:
    """Speed in calls of so many lines, after one pass that compiles."""
    translator = Translator.load(model, setting)
    # Everything comes twice: half of it compiles all widths.
    for group in batches(sources[: len(sources) // 2 or 1], batch):
        translator.translate(group)
    results: list[Any] = []
    groups = list(batches(sources, batch))
    seconds = timed(lambda: results.extend(itertools.chain(*map(translator.translate_all, groups))))
    tokens = sum(len(result.tokens) for result in results)
    return {
        "sentences_per_s": len(results) / seconds,
        "tokens_per_s": tokens / seconds,
        "ms_per_call": 1_000 * seconds / len(groups),
        "sentences": len(results),
        "tokens": tokens,
    }


def batches(sources: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The lines in groups, the last of which may be smaller."""
    return (sources[start : start + size] for start in range(0, len(sources), size))


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
