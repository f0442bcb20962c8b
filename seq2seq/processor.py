"""What the processor can do, as far as the system tells. Knows no device but the CPU."""

import os
from pathlib import Path

# On x86, and on ARM.
_ABILITIES = ("flags\t", "Features\t")
_BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}


def count() -> int:
    """The processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def lacks_bfloat16(facts: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether products of bfloat16 have no instruction; not where nobody knows, as on a Mac."""
    try:
        lines = facts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    able = [line.partition(":")[2].split() for line in lines if line.startswith(_ABILITIES)]
    return bool(able) and not any(_BFLOAT16.intersection(each) for each in able)
