"""Large pages of memory for a training on a CPU. Knows nothing of training.

An update takes and gives back some hundred megabytes. In pages of 4 KiB, clearing and mapping them
takes 5 to 10 % of its time; `scripts/bench_train.py` shows it with `--pages small`.
"""

import os
import sys

_WISH = "glibc.malloc.hugetlb"


def wish_for_large() -> None:
    """Starts this process anew, the same in all else, where it has not asked for large pages yet.

    The C library takes this wish only from the environment of a process that starts.
    """
    tunables = os.environ.get("GLIBC_TUNABLES", "")
    if not sys.platform.startswith("linux") or _WISH in tunables:
        return
    os.environ["GLIBC_TUNABLES"] = ":".join(filter(None, [tunables, f"{_WISH}=1"]))
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
