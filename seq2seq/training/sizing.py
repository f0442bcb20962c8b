"""How large a batch may be: found by compiling the update, never by running out of memory.

Knows neither files nor other processes: the stage sees to it that a run keeps the answer.
"""

import functools
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from seq2seq.config import Config
from seq2seq.corpus.batching import Plan, Shape
from seq2seq.errors import UserError
from seq2seq.model import network
from seq2seq.model.network import Sizes
from seq2seq.training import parallel
from seq2seq.training.parallel import Devices
from seq2seq.training.step import Sentences, initial_state, make_step

LEAST_TOKENS = 1_024
# A choice: of no larger batch have we seen that it learns better.
_MOST_TOKENS = 2**18
# A batch that leaves fewer wastes a small corpus: warm-up, schedules and early stopping need
# some thousand updates, and an epoch's worth of them are not to be a handful.
_LEAST_UPDATES_AN_EPOCH = 100
_USED_SHARE = 0.8  # the rest is for fragments, checkpoints, translating for a validation
_TRIALS = 5  # updates compiled at most; three where memory grows in a straight line
_WORTH_A_TRIAL = 1.1  # a batch so much larger than the last that fits
_GRAIN = 256

_log = logging.getLogger(__name__)


def batch_tokens(config: Config, plan: Plan, sizes: Sizes, devices: Devices) -> int:
    """The largest train.batch_tokens that fits and makes sense for the corpus of `plan`."""
    most = plan.target_tokens // _LEAST_UPDATES_AN_EPOCH
    most = max(LEAST_TOKENS, min(_MOST_TOKENS, most - most % _GRAIN))
    limit = int(_USED_SHARE * memory(devices))

    def needed(tokens: int) -> int:
        return _bytes_needed(config, plan.within(tokens).largest, sizes, devices)

    found, bytes_needed = _search(needed, most, limit=limit)
    if bytes_needed > limit:
        raise UserError(
            f"even the smallest batch (train.batch_tokens={found}) needs {_mb(bytes_needed)} a "
            f"device, and {_mb(limit)} may be used; take a smaller model, or split the batch with "
            f"train.accumulate={2 * config.train.accumulate}"
        )
    why = "an epoch needs its updates" if found == most else "the largest that fits"
    _log.info(
        f"train.batch_tokens={found}, {why}: it needs {_mb(bytes_needed)} of {_mb(limit)} a device"
    )
    return found


def memory(devices: Devices) -> int:
    """Bytes that a device has for us."""
    stats = devices.local[0].memory_stats()
    if stats and "bytes_limit" in stats:
        return stats["bytes_limit"]
    # Processes that train on processors are taken to share one host.
    return _free_on_the_host() // devices.total


def arguments(devices: Devices, shape: Shape, pieces: int, *, here: int) -> tuple[Any, ...]:
    """What an update takes beside its state, as shapes and types, for `here` of the devices."""
    rows = devices.filled_up(shape.rows, pieces) // (devices.total * pieces)
    grid = (here, pieces, rows)
    parts: list[Any] = [
        jax.ShapeDtypeStruct(grid + size, jnp.int32)
        for size in ((shape.source,), (), (shape.target,), ())
    ]
    return Sentences(*parts), jax.ShapeDtypeStruct((here, 2), jnp.int32)


def _search(needed: Callable[[int], int], most: int, *, limit: int) -> tuple[int, int]:
    """The largest tokens found to fit, and what they need; the least if not even they do."""
    fits, fits_bytes = LEAST_TOKENS, needed(LEAST_TOKENS)
    trial = min(most, 4 * fits)
    for _ in range(_TRIALS - 1):
        if fits_bytes > limit or trial <= fits:
            break
        trial_bytes = needed(trial)
        slope = max((trial_bytes - fits_bytes) / (trial - fits), 1e-9)
        if trial_bytes <= limit:
            fits, fits_bytes = trial, trial_bytes
        guess = int(fits + (limit - fits_bytes) / slope)
        trial = min(most, guess - guess % _GRAIN)
        if trial < fits * _WORTH_A_TRIAL:
            break
    return fits, fits_bytes


def _bytes_needed(config: Config, shape: Shape, sizes: Sizes, devices: Devices) -> int:
    """The memory of an update on a device, as the compiler plans it."""
    state = jax.eval_shape(
        functools.partial(initial_state, config), network.shapes(config.model, sizes)
    )
    step = make_step(config, parallel.AXIS)

    def on_a_device(state: Any, batch: Any, requests: Any) -> Any:
        return step(state, jax.tree.map(lambda leaf: leaf[0], batch), requests[0])

    # One device does for all: each has the same share, and with several processes only a
    # program for devices of our own can be compiled ahead of its arguments.
    whole, divided = PartitionSpec(), PartitionSpec(parallel.AXIS)
    program = jax.shard_map(
        on_a_device,
        mesh=Mesh(np.asarray(devices.local[:1]), (parallel.AXIS,)),
        in_specs=(whole, divided, divided),
        out_specs=whole,
        check_vma=False,
    )
    looks = (state, *arguments(devices, shape, config.train.accumulate, here=1))
    plan = jax.jit(program, donate_argnums=0).lower(*looks).compile().memory_analysis()
    if plan is None:
        raise UserError(
            f"a {devices.kind} does not say how much memory a program needs, so give a number for "
            "train.batch_tokens"
        )
    kept = plan.output_size_in_bytes - plan.alias_size_in_bytes
    return plan.argument_size_in_bytes + plan.temp_size_in_bytes + max(0, kept)


def _free_on_the_host() -> int:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("MemAvail")) * 1024
    except (OSError, StopIteration):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def _mb(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"
