"""Standard sizes, lines to translate, a command with what it takes. For the scripts beside it."""

import itertools
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from seq2seq.decoding.lines import decode
from seq2seq.errors import UserError

SIZES = {
    "small": {"embedding": 512, "encoder_units": 256, "decoder_units": 512},
    "large": {"embedding": 512, "encoder_units": 512, "decoder_units": 1024},
    "gnmt": {
        **{"embedding": 1024, "encoder_units": 1024, "decoder_units": 1024},
        **{"encoder_layers": 4, "decoder_layers": 4, "bidirectional": "first"},
    },
}


def first_lines(path: Path, count: int) -> list[str]:
    """The first lines of a text file, as `translate` reads them."""
    with path.open("rb") as file:
        found = [decode(raw.removesuffix(b"\n")) for raw in itertools.islice(file, count)]
    if not found:
        raise UserError(f"{str(path)!r} has no lines")
    return found


def watched(command: Sequence[str]) -> dict[str, float]:
    """Wall and processor seconds, and the most memory of all its processes together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(command)
    peak = 0
    while process.poll() is None:
        peak = max(peak, resident(process.pid))
        time.sleep(0.1)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed with status {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"wall": time.perf_counter() - began, "cpu": cpu, "peak_mb": peak / 1e6}


def resident(pid: int) -> int:
    """Bytes of memory of a process and all below it (shared pages counted for each)."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        threads = Path(f"/proc/{pid}/task").iterdir()
        others = [
            child
            for thread in threads
            if thread.name != str(pid)
            for child in (thread / "children").read_text().split()
        ]
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(resident(int(c)) for c in children + others)
