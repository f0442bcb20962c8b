"""Training speed at the standard sizes, on a prepared folder, beside another program if wanted.

    python scripts/bench_train.py prepared/multi30k --sizes small
    python scripts/bench_train.py prepared/multi30k --export pieces
    python scripts/bench_train.py prepared/multi30k --peer "python peer.py --src pieces/source …"

Prints tokens a second (target; source + target; padding not counted), the share of the machine's
own matrix rate that the model's products reach, memory and compile time; `fed` reads its batches
as a training does, `resident` finds them on the device. Variants, and the peer, are measured in
turns, since a machine's speed wanders. `--export` writes the folder's text as ids for a peer that
has a tokenizer of its own; a peer is a command that prints `TRAIN_TPS target_tokens_a_second`, and
`params` with their number if it likes. It runs as its users start it, without our wish for pages.
"""

import argparse
import itertools
import json
import os
import re
import resource
import shlex
import statistics
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from measuring import SIZES

from seq2seq import cli, configfile
from seq2seq.config import Config
from seq2seq.corpus.batching import Plan, Planned
from seq2seq.corpus.shards import open_split, read_meta
from seq2seq.layout import SIDES, PreparedFolder
from seq2seq.model import network
from seq2seq.training import pages, parallel
from seq2seq.training.ahead import Ahead
from seq2seq.training.keeping import Keeping
from seq2seq.training.step import Sentences, divided, initial_state, make_step
from seq2seq.training.validation import read_sentences


class Variant:
    """One size in one precision, with its state and what was measured of it."""

    def __init__(self, folder: PreparedFolder, config: Config, plan: Plan) -> None:
        pieces = [read_meta(folder).tokenizers[side]["pieces"] for side in SIDES]
        sizes = network.Sizes(*pieces)
        weights = network.initialise(config.model, sizes, seed=1)
        self.config, self.plan, self.vocabulary = config, plan, pieces[1]
        self.sizes = {
            jax.tree_util.keystr(path): leaf.size
            for path, leaf in jax.tree_util.tree_leaves_with_path(weights)
        }
        self.devices = parallel.all_devices()
        keeping = Keeping(config, sizes, self.devices)
        self.state: Any = keeping.place(initial_state(config, weights))
        state = divided(config)
        self.step = parallel.over_devices(
            make_step(config, parallel.AXIS),
            divided=(state, True, True),
            result=(state, False),
            donate=True,
        )
        self.requests = np.zeros((len(self.devices.local), 2), np.int32)
        self.programs: dict[Any, Any] = {}
        self.fed: list[tuple[float, float, float]] = []  # target, both tokens a second; seconds
        self.resident: list[float] = []
        self.largest_seconds = self.largest_bytes = 0.0

    def compile(self, planned: list[Planned]) -> None:
        """The programs of all shapes, the largest first."""
        by_shape = {one.shape: one for one in planned}
        for shape in sorted(
            by_shape, key=lambda shape: -shape.rows * (shape.source + shape.target)
        ):
            started, batch = time.monotonic(), self._read(by_shape[shape])
            program = self.step.lower(self.state, batch, self.requests).compile()
            self.programs[shape] = program
            if not self.largest_seconds:
                self.largest_seconds = time.monotonic() - started
                memory = program.memory_analysis()
                self.largest_bytes = memory.argument_size_in_bytes + memory.temp_size_in_bytes

    def run(self, planned: list[Planned]) -> None:
        """Times the given batches, once read while the device works, once lying there."""
        # What ran before has left other things in the caches.
        self._timed(iter([(planned[0].shape, self._read(planned[0]))]))
        ahead = Ahead(((one.shape, self._read(one)) for one in planned), most=2)
        self.fed.append(self._timed(ahead))
        ahead.close()
        placed = [(one.shape, jax.device_put(self._read(one))) for one in planned]
        self.resident.append(self._timed(iter(placed))[0])

    def _read(self, planned: Planned) -> Sentences:
        pieces = self.config.train.accumulate
        return read_sentences(self.plan, planned, self.devices, pieces=pieces)

    def _timed(self, batches: Any) -> tuple[float, float, float]:
        started, updates = time.monotonic(), []
        for shape, batch in batches:
            self.state, update = self.programs[shape](self.state, batch, self.requests)
            updates.append(update)
        jax.block_until_ready(self.state)
        seconds = time.monotonic() - started
        target = sum(int(update.target_tokens) for update in updates)
        source = sum(int(update.source_tokens) for update in updates)
        return target / seconds, (source + target) / seconds, seconds / len(updates)

    def report(self, name: str, matrix_rate: float) -> dict[str, Any]:
        """The medians, with what they mean."""
        target, both, seconds = map(statistics.median, zip(*self.fed, strict=True))
        flops = self.flops_a_token(both / target - 1)
        return {
            "variant": name,
            "weights": sum(self.sizes.values()),
            "mflop_a_target_token": round(flops / 1e6, 1),
            "target_tokens_per_second": round(target),
            "tokens_per_second": round(both),
            "best_round": round(max(speed for speed, _, _ in self.fed)),
            "resident_over_fed": round(statistics.median(self.resident) / target, 3),
            "gflops": round(flops * target / 1e9, 1),
            "matrix_gflops": round(matrix_rate / 1e9),
            "share_of_matrix_rate": round(flops * target / matrix_rate, 3),
            "update_seconds": round(seconds, 4),
            "compile_seconds": round(self.largest_seconds, 1),
            "largest_batch_mb": round(self.largest_bytes / 1e6),
            "process_peak_mb": round(
                resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
            ),
        }

    def flops_a_token(self, source_a_target: float) -> float:
        """What the products of a target token, and of so many source tokens, cost."""
        # A weight costs a multiplication and an addition forward, and twice that backward, for
        # each token of its side; a table that is only looked up costs nothing.
        output = self.config.model.readout * self.vocabulary
        source, target = 0, output
        for name, size in self.sizes.items():
            if "begin" in name:
                continue  # once a sentence
            if "encoder" in name or "key_mq" in name:
                source += size
            elif "decoder" in name:
                target += size
        return 6 * (source * source_a_target + target)


def matrix_rate(dtype: Any) -> float:
    """The best rate of a large product here, with float32 results, in FLOP/s."""
    left, right = (jax.random.normal(jax.random.key(k), (2048, 2048)).astype(dtype) for k in (1, 2))
    multiply = jax.jit(lambda a, b: jnp.einsum("ij,jk->ik", a, b, preferred_element_type="float32"))
    multiply(left, right).block_until_ready()
    times = []
    for _ in range(10):
        started = time.monotonic()
        multiply(left, right).block_until_ready()
        times.append(time.monotonic() - started)
    return 2 * 2048**3 / min(times)


def export(folder: PreparedFolder, to: Path) -> None:
    """The training text as numbers, a line a sentence, and the list of all numbers."""
    to.mkdir(parents=True, exist_ok=True)
    for side, name in enumerate(("source", "target")):
        with (to / name).open("w") as file:
            for shard in open_split(folder, "train"):
                for pair in range(len(shard)):
                    print(*shard.pair(pair)[side].tolist(), file=file)
    pieces = read_meta(folder).tokenizers["target"]["pieces"]
    # Without the four specials, as peers count.
    (to / "pieces.txt").write_text("".join(f"{piece}\n" for piece in range(4, pieces)))


class Peer(NamedTuple):
    """What a run of the peer printed."""

    speed: float  # target tokens a second
    weights: int  # 0: it did not say


def run_peer(command: str) -> Peer:
    """Runs the command."""
    # As its users start it: our wishes for memory would make it faster too.
    plain = pages.without(os.environ)
    output = subprocess.run(
        shlex.split(command), check=True, capture_output=True, text=True, env=plain
    )
    found = re.search(r"TRAIN_TPS ([\d.]+)", output.stdout)
    if not found:
        raise SystemExit(f"the peer printed no TRAIN_TPS: {output.stdout[-200:]!r}")
    weights = re.search(r"params (\d+)", output.stdout)
    return Peer(float(found[1]), int(weights[1]) if weights else 0)


def measured(arguments: argparse.Namespace, folder: PreparedFolder) -> list[dict[str, Any]]:
    """The figures of every variant, and of the peer beside them."""
    shards = open_split(folder, "train")
    plan = Plan(shards, batch_tokens=arguments.batch_tokens, shapes=Config().train.shapes)
    planned = list(itertools.islice(plan.epoch(seed=1, epoch=1), arguments.updates))
    variants: dict[str, Variant] = {}
    for size, precision in itertools.product(arguments.sizes, arguments.precisions):
        settings = {"model": SIZES[size], "train": {"precision": precision}}
        config = configfile.from_tree(settings, arguments.set)
        variants[f"{size} {precision}"] = Variant(folder, config, plan)
        variants[f"{size} {precision}"].compile(planned)
    peers: list[Peer] = []
    rates = dict.fromkeys(arguments.precisions, 0.0)
    for _ in range(arguments.rounds):
        for variant in variants.values():
            variant.run(planned)
        if arguments.peer:
            peers.append(run_peer(arguments.peer))
        rates = {kind: max(rate, matrix_rate(kind)) for kind, rate in rates.items()}
    reports = [variant.report(name, rates[name.split()[1]]) for name, variant in variants.items()]
    if peers:
        speed = statistics.median(peer.speed for peer in peers)
        for report in reports:
            report["peer_weights"] = peers[0].weights
            report["peer_target_tokens_per_second"] = round(speed)
            report["times_the_peer"] = round(report["target_tokens_per_second"] / speed, 2)
    return reports


def main(argv: Sequence[str]) -> None:
    """Measures every variant in turns and prints a line or an object for each."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--sizes", nargs="+", default=["small"], choices=SIZES)
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--updates", type=int, default=8, help="in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--peer", help="a command that is measured in every round too")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write the text, and no more")
    parser.add_argument("--pages", choices=["large", "small"], default="large")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    folder = PreparedFolder(arguments.prepared)
    if arguments.export:
        export(folder, arguments.export)
        return
    if arguments.pages == "large":
        pages.keep_large()
    for report in measured(arguments, folder):
        if arguments.json:
            print(json.dumps(report), flush=True)
        else:
            print("  ".join(f"{key} {value}" for key, value in report.items()), flush=True)


if __name__ == "__main__":
    cli.run(main)
