"""Large pages of memory for a training on a CPU, kept for its next update. Knows no training.

An update takes some hundred megabytes and gives them back. Clearing and mapping them anew, in
pages of 4 KiB, takes a tenth of its time and more: see `scripts/bench_train.py --pages small`.
What is kept stays with the process, and is more than it needs at a time.
"""

import os
import sys
from collections.abc import Mapping

from seq2seq import accelerators

_TUNABLES = "GLIBC_TUNABLES"
_GIBIBYTE = 1 << 30
_WISHES = {
    "hugetlb": 1,
    # From one heap, as the others are small ones, whose large pieces go back at once.
    "arena_max": 1,
    # Larger pieces go back all the same: of these, a heap in fragments could fill the machine.
    "mmap_threshold": 2 * _GIBIBYTE,
    "trim_threshold": 1 << 40,  # never
    "top_pad": _GIBIBYTE,  # grown in few and large steps, it stays in one piece
}
_WISH = ":".join(f"glibc.malloc.{name}={value}" for name, value in _WISHES.items())


def keep_large() -> None:
    """Starts this process anew, the same in all else, unless its environment says how pages are.

    The C library takes such wishes only from the environment of a process that starts. Where an
    accelerator does the work, the host's many threads are better off without them.
    """
    tunables = os.environ.get(_TUNABLES, "")
    on_linux = sys.platform.startswith("linux")
    if "glibc.malloc." in tunables or not on_linux or accelerators.possible():
        return
    os.environ[_TUNABLES] = ":".join(filter(None, [tunables, _WISH]))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def without(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment as it was before, for programs that this one starts."""
    left = environment.get(_TUNABLES, "").removesuffix(_WISH).removesuffix(":")
    others = {name: value for name, value in environment.items() if name != _TUNABLES}
    return {**others, _TUNABLES: left} if left else others
