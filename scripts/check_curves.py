"""Trains the same thing in several ways: do their losses lie on each other?

    python scripts/check_curves.py configs/multi30k.toml --steps 150

Ways: float32, bfloat16, rematerialised by time (by layers where that is offered), four devices,
and four that share the optimizer's state (a CPU plays them all). Dropout and order of the batches
are as the config has them. Prints the loss along the way of each, and how far it is from that of
float32 at most; exit status 1 if further than `--gap`.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from seq2seq import cli
from seq2seq.errors import UserError


class Way(NamedTuple):
    """How to compute what must be the same."""

    settings: tuple[str, ...] = ()
    devices: int = 1


_REFERENCE = "float32"
WAYS = {
    _REFERENCE: Way(),
    "bfloat16": Way(("precision=bfloat16",)),
    "time": Way(("rematerialise=time",)),
    "devices": Way(devices=4),
    "sharded": Way(("shard_optimizer=true",), devices=4),
    "layers": Way(("rematerialise=layers",)),
}
_EVERYWHERE = [name for name in WAYS if name != "layers"]  # which saves nothing on a CPU


def main(argv: Sequence[str]) -> None:
    """Trains all ways one after the other and compares them with the first."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("config", help="a file of settings for training")
    parser.add_argument("--steps", type=int, default=150, help="updates (%(default)s)")
    parser.add_argument("--every", type=int, default=10, help="updates a line (%(default)s)")
    parser.add_argument("--gap", type=float, default=0.05, help="of the losses (%(default)s)")
    parser.add_argument("--set", action="append", default=[], help="settings, as in train")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=_EVERYWHERE)
    options = parser.parse_args(argv)
    settings = [
        "train.precision=float32",
        f"train.max_steps={options.steps}",
        f"train.log_every_steps={options.every}",
        *options.set,
    ]
    curves: dict[str, dict[int, float]] = {}
    for name in dict.fromkeys([_REFERENCE, *options.ways]):
        curves[name] = trained(options.config, WAYS[name], settings)
        print(f"{name}: {shown(curves[name])}", flush=True)
    furthest = {name: gap(curves[_REFERENCE], curve) for name, curve in curves.items()}
    for name, far in list(furthest.items())[1:]:
        print(f"{name}: at most {far:.5f} from {_REFERENCE}", flush=True)
    sys.exit(0 if max(furthest.values()) <= options.gap else 1)


def trained(config: str, way: Way, settings: Sequence[str]) -> dict[int, float]:
    """The loss at every logged step of a training in this way."""
    chosen = [*settings, *(f"train.{setting}" for setting in way.settings)]
    flags = f"--xla_force_host_platform_device_count={way.devices}"
    variables = os.environ | {"XLA_FLAGS": f"{os.environ.get('XLA_FLAGS', '')} {flags}"}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "seq2seq.train", config, f"{folder}/run"]
        command += [word for setting in chosen for word in ("--set", setting)]
        ended = subprocess.run(
            command, check=False, env=variables, stderr=subprocess.PIPE, text=True
        )
        if ended.returncode:
            raise UserError(f"the training failed:\n{ended.stderr.rstrip()}")
        lines = Path(folder, "run", "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    records = map(json.loads, lines)
    return {record["step"]: record["loss"] for record in records if "loss" in record}


def shown(curve: dict[int, float]) -> str:
    """Some ten points of it."""
    steps = list(curve)
    return "  ".join(f"{step}: {curve[step]:.4f}" for step in steps[:: -(-len(steps) // 10)])


def gap(one: dict[int, float], other: dict[int, float]) -> float:
    """How far two curves are apart at most."""
    if one.keys() != other.keys():
        raise UserError(f"one training logged {list(one)}, another one {list(other)}")
    return max(abs(one[step] - other[step]) for step in one)


if __name__ == "__main__":
    cli.run(main)
