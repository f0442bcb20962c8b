"""Measures translation: a cold start, one sentence at a time, and batches, at beam 5 and 1.

    python scripts/bench_translate.py --model runs/demo --source test.de

Text and a JSON file of the same figures (--json). The source is its first --lines lines. A cold
start is a whole process that translates one sentence, from its start to its end; its parts are
measured in one more process. The cache is empty at first, and is not the user's. Every beam runs
in a process of its own, whose highest resident memory is told.
"""

import argparse
import importlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

BATCHES = (1, 8, 32, 128, 1_024)
SENTENCE = "Zwei Hunde spielen im Schnee."
PARTS = {
    "jaxlib": "decoding.executables:Runtime",
    "settings": "configfile:from_json",
    "subwords": "decoding.translator:_tokenizers",
    "weights": "decoding.mapped:load",
    "check": "decoding.fitting:require",
    "executable": "decoding.runtime:Runtime.load",
    "placing": "decoding.runtime:Runtime.put",
    "search": "decoding.tiles:_hypotheses",
}


def main(argv: Sequence[str]) -> None:
    """Runs all measurements and prints them."""
    # Late, here and below: the parts of a cold start are to be measured.
    from measuring import first_lines

    from seq2seq import cli
    from seq2seq.decoding import members

    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", required=True, help="a run folder or model folder")
    parser.add_argument("--source", required=True, type=Path, help="a text file, one line each")
    parser.add_argument("--lines", type=int, default=1_000, help="of the source (%(default)s)")
    parser.add_argument("--single", type=int, default=50, help="lines for batch 1 (%(default)s)")
    parser.add_argument("--runs", type=int, default=20, help="cold starts (%(default)s)")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16", "int8"])
    parser.add_argument("--set", action="append", default=[], help="settings of warm translation")
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    options = parser.parse_args(argv)
    members.find(options.model)
    first_lines(options.source, 1)
    import jax

    figures = {
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {jax.devices()[0].device_kind}",
        "jax": jax.__version__,
        "precision": options.precision,
        "cold_start_s": cold_starts(options.model, options.runs, options.precision),
        "warm": [],
    }
    print(f"{figures['machine']}, jax {figures['jax']}, {options.precision}")
    print(
        "cold start: {first:.2f} s with an empty cache, then median {median:.3f} s, "
        "worst {worst:.3f} s, {cpu:.3f} s of the processors".format(**figures["cold_start_s"])
    )
    for name, seconds in figures["cold_start_s"]["parts"].items():
        print(f"    {name:<12} {1_000 * seconds:5.0f} ms")
    for beam in (5, 1):
        for figure in in_own_process(options, beam):
            figures["warm"].append(figure)
            print(
                "beam {beam}, batch {batch:3}: {sentences_per_s:6.1f} sentences/s, "
                "{tokens_per_s:6.0f} target tokens/s; a call takes {ms[50]:6.1f} ms "
                "(90 %: {ms[90]:.1f}, 99 %: {ms[99]:.1f}); {peak_mb:.0f} MB".format(
                    **figure | {"ms": {int(k): v for k, v in figure["ms"].items()}}
                )
            )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def cold_starts(model: str, runs: int, precision: str) -> dict[str, Any]:
    """Seconds of a whole process: with nothing cached, and of the later ones."""
    setting = f"translate.precision={precision}"
    command = [sys.executable, "-m", "seq2seq.translate", model, SENTENCE, "--set", setting]
    with tempfile.TemporaryDirectory() as cache:
        variables = environment() | {"XDG_CACHE_HOME": cache}

        def run(command: Sequence[str] = command) -> str:
            return subprocess.run(
                command, env=variables, check=True, stdout=subprocess.PIPE, text=True
            ).stdout

        first = timed(run)
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        later = [timed(run) for _ in range(runs)]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found = json.loads(run([sys.executable, __file__, "--parts", model, setting]))
    found["interpreter"] = min(timed(lambda: run([sys.executable, "-c", ""])) for _ in range(3))
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {
        "first": first,
        "median": statistics.median(later),
        "worst": max(later),
        "best": min(later),
        "cpu": used / runs,
        "parts": found,
    }


def parts(model: str, setting: str) -> dict[str, float]:
    """Seconds that this process spends in each of `PARTS`, and around them."""
    start = time.perf_counter()
    from seq2seq.decoding.translator import Translator

    spent = {"imports": time.perf_counter() - start} | dict.fromkeys(PARTS, 0.0)
    for part, place in PARTS.items():
        module, _, names = place.partition(":")
        *owners, name = names.split(".")
        owner = importlib.import_module(f"seq2seq.{module}")
        for each in owners:
            owner = getattr(owner, each)
        setattr(owner, name, watched(spent, part, getattr(owner, name)))
    Translator.load(model, [setting]).translate([SENTENCE])
    spent["the rest"] = time.perf_counter() - start - sum(spent.values())
    return spent


def watched(spent: dict[str, float], part: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, whose time is added to that of its part."""

    def timing(*arguments: Any, **options: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*arguments, **options)
        finally:
            spent[part] += time.perf_counter() - start

    return timing


def in_own_process(options: argparse.Namespace, beam: int) -> list[dict[str, Any]]:
    """The figures of all sizes of batches at one beam."""
    settings = [
        *(f"translate.beam={beam}", f"translate.precision={options.precision}"),
        *options.set,
    ]
    command = [
        *(sys.executable, __file__, "--warm", options.model, options.source),
        *(options.lines, options.single, *settings),
    ]
    output = subprocess.run(
        list(map(str, command)), env=environment(), check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    return [{"beam": beam, **figure} for figure in json.loads(output)]


def warm(model: str, source: str, lines: str, single: str, *settings: str) -> list[dict[str, Any]]:
    """Speed and latency in calls of so many lines, after one pass that compiles."""
    from measuring import first_lines

    from seq2seq import Translator

    text = first_lines(Path(source), int(lines))
    translator = Translator.load(model, settings)
    return [
        {"batch": batch, **calls(translator, text[: int(single)] if batch == 1 else text, batch)}
        for batch in BATCHES
    ]


def calls(translator: Any, sources: Sequence[str], batch: int) -> dict[str, Any]:
    """The same for one size of batches."""
    groups = list(batches(sources, batch))
    for group in groups:
        translator.translate(group)
    results: list[Any] = []
    seconds = [
        timed(lambda group=group: results.extend(translator.translate_all(group)))
        for group in groups
    ]
    tokens = sum(len(result.tokens) for result in results)
    in_order = sorted(seconds)
    return {
        "sentences_per_s": len(results) / sum(seconds),
        "tokens_per_s": tokens / sum(seconds),
        "ms": {
            share: 1_000 * in_order[min(len(in_order) * share // 100, len(in_order) - 1)]
            for share in (50, 90, 99)
        },
        "sentences": len(results),
        "tokens": tokens,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def batches(sources: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """The lines in groups, the last of which may be smaller."""
    return (sources[start : start + size] for start in range(0, len(sources), size))


def environment() -> dict[str, str]:
    """That of processes which import this checkout."""
    root = str(Path(__file__).resolve().parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return os.environ | {"PYTHONPATH": path}


def timed(work: Callable[[], object]) -> float:
    """Seconds that the work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    inner = {"--parts": parts, "--warm": warm}  # how it calls itself
    if sys.argv[1:2] and sys.argv[1] in inner:
        print(json.dumps(inner[sys.argv[1]](*sys.argv[2:])))
    else:
        from seq2seq import cli

        cli.run(main)
