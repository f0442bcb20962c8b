"""From the command to the first update: `train` at the standard sizes, compilation included.

    .venv/bin/python scripts/bench_startup.py small=prepared/multi30k --precisions float32

Each size brings a prepared folder of its vocabulary. Every run is a new process and a new run
folder: the first has an empty compile cache, the second finds what the first compiled. Wall seconds
count from the start of the process to the line that tells of the first update, processor seconds
are of all its threads until then; `--json` prints one object a run.
"""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from measuring import SIZES

from seq2seq import cli

STEPS = {  # what train says when it has come so far
    "set_up": r"weights; .* shapes;",
    "compiled": r"compiled the largest",
    "first_update": r"first update after",
}


def command(size: str, precision: str, prepared: str, settings: list[str]) -> list[str]:
    """The start of a training, without its run folder."""
    model = [f"model.{name}={value}" for name, value in SIZES[size].items()]
    fixed = [f"data.prepared={prepared}", f"train.precision={precision}"]
    words = [word for one in (*model, *fixed, *settings) for word in ("--set", one)]
    return [sys.executable, "-m", "seq2seq.train", *words]


def started(words: list[str]) -> dict[str, float]:
    """Runs a training until its first update, and says when it had come how far."""
    began, found = time.monotonic(), {}
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr or ():
        lines.append(line)
        for name, pattern in STEPS.items():
            if re.search(pattern, line):
                found[name] = round(time.monotonic() - began, 1)
        if "first_update" in found:
            found["processor"] = round(processor_seconds(process.pid), 1)
            process.send_signal(signal.SIGKILL)
            break
    if process.wait() and "first_update" not in found:
        sys.exit("".join(lines))
    return found


def processor_seconds(pid: int) -> float:
    """What a process has used of all processors so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(argv: Sequence[str]) -> None:
    """Starts every variant with an empty cache, then with a full one."""
    parser = cli.Parser(description=__doc__.split("\n")[0])
    parser.add_argument("sizes", nargs="+", metavar="SIZE=PREPARED", help="small=…, large=…")
    parser.add_argument("--config", default="configs/multi30k.toml")
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    prepared = {size: folder for size, _, folder in (one.partition("=") for one in arguments.sizes)}
    for size in prepared:
        if not prepared[size] or size not in SIZES:
            parser.error(f"{size!r} is no SIZE=PREPARED; sizes are {', '.join(SIZES)}")
    for size, precision in itertools.product(prepared, arguments.precisions):
        with tempfile.TemporaryDirectory() as folder:
            settings = [
                *(
                    f"train.batch_tokens={arguments.batch_tokens}",
                    f"translate.cache={folder}/cache",
                ),
                *arguments.set,
            ]
            words = command(size, precision, prepared[size], settings)
            for cache in ("cold", "warm"):
                run: dict[str, Any] = {"variant": f"{size} {precision}", "cache": cache}
                run |= started([*words, arguments.config, f"{folder}/{cache}"])
                told = "  ".join(f"{key} {value}" for key, value in run.items())
                print(json.dumps(run) if arguments.json else told, flush=True)


if __name__ == "__main__":
    cli.run(main)
