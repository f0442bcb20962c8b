"""Predicts how training scales to many GPUs, from the time of an update on one of them.

    python scripts/predict_scaling.py configs/wmt17.toml --update-seconds 0.15
    python scripts/predict_scaling.py configs/wmt17.toml --bench bench.json --devices 8 64 256

A prediction, not a measurement: every assumption is an option, and is printed with the result.
Each device keeps its share of the batch, so that the ideal is the same time for every update.

    inside   = 2 (n - 1)/n  bytes / link          ring over the n devices of a host
    between  = 2 (h - 1)/h  bytes / network       ring over h hosts, each device with its n-th
    delays   = sums (2 (n - 1) link_delay + 2 (h - 1) network_delay)
    hidden   = at most overlap (inside + between + delays), and at most the backward pass
    update   = measured (1 + imbalance) + inside + between + delays - hidden
    efficiency = measured / update

bytes is the number of weights times what train.reduce sends for each; sums is how many of 30 MiB
XLA makes of them. FILE holds a line that bench_train.py --json printed on one device.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any, NamedTuple

import jax

from seq2seq import configfile
from seq2seq.config import Config
from seq2seq.model import network

_JOINED_BYTES = 30 * 2**20  # XLA's limit for one sum on GPUs


class Assumptions(NamedTuple):
    """What is not known until somebody measures it; times in seconds, rates in bytes a second."""

    host_devices: int
    link: float
    network: float
    link_delay: float
    network_delay: float
    overlap: float
    backward: float
    imbalance: float


class Prediction(NamedTuple):
    """One number of devices; times in milliseconds."""

    devices: int
    hosts: int
    inside: float
    between: float
    delays: float
    hidden: float
    update: float
    efficiency: float


def predict(seconds: float, reduced_bytes: float, devices: int, given: Assumptions) -> Prediction:
    """The formula of the module's first lines."""
    inner = min(devices, given.host_devices)
    hosts = math.ceil(devices / given.host_devices)
    inside = 2 * (inner - 1) / inner * reduced_bytes / given.link
    between = 2 * (hosts - 1) / hosts * reduced_bytes / given.network
    rings = 2 * (inner - 1) * given.link_delay + 2 * (hosts - 1) * given.network_delay
    delays = math.ceil(reduced_bytes / _JOINED_BYTES) * rings
    sums = inside + between + delays
    hidden = min(given.overlap * sums, given.backward * seconds)
    update = seconds * (1 + given.imbalance * (devices > 1)) + sums - hidden
    times = (1e3 * time for time in (inside, between, delays, hidden, update))
    return Prediction(devices, hosts, *times, seconds / update)


def weights(config: Config) -> int:
    """How many the model of a config has, with the vocabulary that it asks for."""
    pieces = config.tokenizer.vocabulary
    shapes = network.shapes(config.model, network.Sizes(pieces, pieces))
    return sum(leaf.size for leaf in jax.tree.leaves(shapes))


def measured(path: Path) -> float:
    """Seconds of an update, as bench_train.py measured it."""
    return json.loads(path.read_text(encoding="utf-8").splitlines()[0])["update_seconds"]


def parsed() -> argparse.Namespace:
    """The options, with their defaults in units that people know."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", help="a TOML file, as in configs/")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--update-seconds", type=float, help="an assumption about one device")
    source.add_argument("--bench", type=Path, metavar="FILE", help="instead: what was measured")
    for name, default, text in (
        ("host-devices", 8, "devices of a host"),
        ("link-gbs", 200.0, "GB/s that a device sends to its neighbour in the host"),
        ("network-gbs", 50.0, "GB/s that a host sends to the next"),
        ("link-delay-us", 5.0, "microseconds a step of the ring in a host"),
        ("network-delay-us", 20.0, "microseconds a step of the ring between hosts"),
        ("overlap", 0.5, "share of the sums that the backward pass hides"),
        ("backward", 0.6, "share of an update that is its backward pass"),
        ("imbalance", 0.01, "share by which the slowest device is behind"),
    ):
        parser.add_argument(
            f"--{name}", type=type(default), default=default, help=f"{text} (%(default)s)"
        )
    parser.add_argument("--devices", type=int, nargs="+", default=[8, 64, 256])
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Prints the assumptions and a line for each number of devices."""
    options = parsed()
    config = configfile.load(options.config, options.set)
    seconds = options.update_seconds or measured(options.bench)
    given = Assumptions(
        *(options.host_devices, options.link_gbs * 1e9, options.network_gbs * 1e9),
        *(options.link_delay_us / 1e6, options.network_delay_us / 1e6),
        *(options.overlap, options.backward, options.imbalance),
    )
    count, width = weights(config), {"float32": 4, "bfloat16": 2}[config.train.reduce]
    basis: dict[str, Any] = {
        "weights": count,
        "reduced_bytes": count * width,
        "update_seconds": seconds,
        "update_is": "measured" if options.bench else "assumed",
        **given._asdict(),
    }
    found = [predict(seconds, count * width, devices, given) for devices in options.devices]
    if options.json:
        print(json.dumps({**basis, "predictions": [one._asdict() for one in found]}))
    else:
        print_table(basis, found, config.train.reduce)


def print_table(basis: dict[str, Any], found: list[Prediction], dtype: str) -> None:
    """For people."""
    print(
        f"{basis['weights'] / 1e6:.1f} million weights, {basis['reduced_bytes'] / 1e6:.0f} MB of "
        f"{dtype} summed an update; {1e3 * basis['update_seconds']:.0f} ms an update on one "
        f"device, {basis['update_is']}"
    )
    print(
        f"assumed: link {basis['link'] / 1e9:.0f} GB/s, network {basis['network'] / 1e9:.0f} GB/s "
        f"a host, overlap {basis['overlap']:.2f}, imbalance {basis['imbalance']:.2f}"
    )
    print("devices  hosts  inside  between  delays  hidden  update ms  efficiency")
    for one in found:
        print(
            f"{one.devices:7}  {one.hosts:5}  {one.inside:6.1f}  {one.between:7.1f}  "
            f"{one.delays:6.1f}  {one.hidden:6.1f}  {one.update:9.1f}  {one.efficiency:9.1%}"
        )


if __name__ == "__main__":
    main()
