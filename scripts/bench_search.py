"""Measures the search beside other programs, in turns: beam 5 and greedy in batches, one at a time.

    python scripts/bench_search.py --model runs/my --source test.de
    python scripts/bench_search.py --model runs/my --source test.de --pieces test.pieces \
        --peer "python peer.py --src {source} --beam {beam} --batch {batch}"

Target tokens a second, ends of sentences included, without start-up, subwords and guards. A peer
is a command that prints `tok/s` and its speed; its `{source}` is a file with as many lines of
--pieces as are measured. Everybody gets all lines at once and divides them as they like, but for
the sentences one at a time. Ratios are those to the fastest peer of the same round.
"""

import argparse
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measuring import first_lines

from seq2seq import Translator, cli
from seq2seq.corpus.tokenizer import BOS, PAD, UNK

_WAYS = {"beam 5": (5, 32), "greedy": (1, 32), "beam 5, one at a time": (5, 1)}  # beam, batch
_PRECISIONS = ("float32", "bfloat16", "int8")


def main(argv: Sequence[str]) -> None:
    """Measures all programs in turns and prints a line for each."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", required=True, help="a run folder or model folder")
    parser.add_argument("--source", required=True, type=Path, help="a text file, one line each")
    parser.add_argument("--pieces", type=Path, help="the same lines as peers read them")
    parser.add_argument("--peer", action="append", default=[], help="a command; may be repeated")
    parser.add_argument("--lines", type=int, default=1_000, help="of the source (%(default)s)")
    parser.add_argument("--single", type=int, default=20, help="lines one at a time (%(default)s)")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--set", action="append", default=[], help="settings, as in translate")
    options = parser.parse_args(argv)
    for path in filter(None, (options.source, options.pieces)):
        first_lines(path, 1)
    if options.peer and not options.pieces:
        parser.error("--peer needs --pieces")
    programs = {
        (precision, beam): Translator.load(
            options.model,
            [*options.set, f"translate.beam={beam}", f"translate.precision={precision}"],
        )
        for precision in _PRECISIONS
        for beam in (5, 1)
    }
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, options.rounds + 1):
            for way in _WAYS:
                measure(options, programs, Path(folder), round_of=(number, way))


def measure(
    options: argparse.Namespace,
    programs: dict[tuple[str, int], Any],
    folder: Path,
    *,
    round_of: tuple[int, str],
) -> None:
    """Measures the peers and every precision at one beam, one after the other."""
    number, way = round_of
    beam, batch = _WAYS[way]
    lines = options.lines if batch > 1 else options.single
    if options.pieces:
        (folder / "source").write_text(
            "".join(f"{x}\n" for x in first_lines(options.pieces, lines)), encoding="utf-8"
        )
    peers = [peer_speed(command, folder / "source", beam, batch) for command in options.peer]
    for peer, speed in enumerate(peers, start=1):
        print(f"round {number}, {way}: peer {peer}: {speed:.0f} tok/s", flush=True)
    for precision in _PRECISIONS:
        translator = programs[precision, beam]
        speed, per_line = own_speed(translator, first_lines(options.source, lines), batch)
        ratio = f", {speed / max(peers):.2f} times the best peer" if peers else ""
        said = f"{precision}: {speed:.0f} tok/s{ratio} ({per_line:.1f} tokens a line)"
        print(f"round {number}, {way}: {said}", flush=True)


def own_speed(translator: Any, sources: Sequence[str], batch: int) -> tuple[float, float]:
    """Target tokens a second of the search alone, and tokens a line; the better of two runs."""
    tiles = translator._tiles
    ids = [translator._source.encode(line) for line in sources]
    groups = [ids] if batch > 1 else [[each] for each in ids]

    def run() -> tuple[float, int]:
        start = time.perf_counter()
        found = [
            best
            for group in groups
            for best, *_ in tiles.decode(group, (PAD, BOS, UNK), block_ngrams=0)
        ]
        return time.perf_counter() - start, sum(len(best.ids) for best in found)

    run()  # compiles
    seconds, tokens = min(run() for _ in range(2))
    return tokens / seconds, tokens / len(ids)


def peer_speed(command: str, source: Path, beam: int, batch: int) -> float:
    """Target tokens a second, as the command prints them."""
    filled = shlex.split(command.format(source=source, beam=beam, batch=batch))
    ended = subprocess.run(
        filled, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    found = re.findall(r"\btok/s ([\d.]+)", ended.stdout)
    if ended.returncode or not found:
        sys.exit(f"the peer printed no 'tok/s NUMBER': {ended.stdout[-300:]!r}")
    return float(found[-1])


if __name__ == "__main__":
    cli.run(main)
