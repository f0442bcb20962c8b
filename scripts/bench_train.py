"""Training speed at the standard sizes, on a prepared folder, one update after another.

    .venv/bin/python scripts/bench_train.py prepared/multi30k --sizes small --precisions float32

Prints tokens a second (target; source + target; padding not counted), the share of the machine's
own matrix rate that the model's products reach, compile time and peak memory. Variants are
measured in turns, since a machine's speed wanders; `--json` prints one object a variant.
"""

import argparse
import itertools
import json
import resource
import statistics
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from seq2seq import configfile
from seq2seq.config import Config
from seq2seq.corpus.batching import Plan
from seq2seq.corpus.shards import open_split, read_meta
from seq2seq.layout import SIDES, PreparedFolder
from seq2seq.model import network
from seq2seq.training import parallel
from seq2seq.training.keeping import Keeping
from seq2seq.training.step import divided, initial_state, make_step
from seq2seq.training.validation import read_sentences

SIZES = {
    "small": {"embedding": 512, "encoder_units": 256, "decoder_units": 512},
    "large": {"embedding": 512, "encoder_units": 512, "decoder_units": 1024},
    "gnmt": {
        **{"embedding": 1024, "encoder_units": 1024, "decoder_units": 1024},
        **{"encoder_layers": 4, "decoder_layers": 4, "bidirectional": "first"},
    },
}


class Variant:
    """One size in one precision, with its state."""

    def __init__(self, folder: PreparedFolder, config: Config, plan: Plan) -> None:
        pieces = [read_meta(folder).tokenizers[side]["pieces"] for side in SIDES]
        weights = network.initialise(config.model, network.Sizes(*pieces), seed=1)
        self.weights = {
            name: leaf.size for name, leaf in jax.tree_util.tree_leaves_with_path(weights)
        }
        self.embedding = sum(
            leaf.size for name, leaf in weights.items() if name in ("source_ve", "target_ve")
        )
        self.config = config
        self.plan = plan
        self.devices = parallel.all_devices()
        keeping = Keeping(config, network.Sizes(*pieces), self.devices)
        self.state = keeping.place(initial_state(config, weights))
        state = divided(config)
        self.step = parallel.over_devices(
            make_step(config, parallel.AXIS),
            divided=(state, True, True),
            result=(state, False),
            donate=True,
        )
        self.speeds: list[tuple[float, float]] = []
        self.update_seconds: list[float] = []
        self.compile_seconds = 0.0

    def run(self, planned: list[Any]) -> None:
        """Times the given batches; compiles their shapes first if they are new."""
        requests = np.zeros((len(self.devices.local), 2), np.int32)
        batches = [
            read_sentences(self.plan, one, self.devices, pieces=self.config.train.accumulate)
            for one in planned
        ]
        if not self.speeds:
            started = time.monotonic()
            for batch in {batch.source_bs.shape: batch for batch in batches}.values():
                self.state, update = self.step(self.state, batch, requests)
            jax.block_until_ready(update)
            self.compile_seconds = time.monotonic() - started
        started, updates = time.monotonic(), []
        for batch in batches:
            self.state, update = self.step(self.state, batch, requests)
            updates.append(update)
        jax.block_until_ready(self.state)
        seconds = time.monotonic() - started
        target = sum(int(update.target_tokens) for update in updates)
        source = sum(int(update.source_tokens) for update in updates)
        self.speeds.append((target / seconds, (source + target) / seconds))
        self.update_seconds.append(seconds / len(batches))

    def report(self, name: str, matrix_rate: float) -> dict[str, Any]:
        """The medians, with what they mean."""
        target = statistics.median(speed for speed, _ in self.speeds)
        both = statistics.median(speed for _, speed in self.speeds)
        # A weight of a product costs a multiplication and an addition forward, twice that
        # backward, for each token of its side; a table that is only looked up costs nothing.
        encoder = sum(size for path, size in self.weights.items() if "encoder" in str(path[0]))
        decoder = sum(size for path, size in self.weights.items() if "decoder" in str(path[0]))
        output = self.config.model.embedding * self.plan_vocabulary
        flops = 6 * ((both - target) * encoder + target * (decoder + output))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        return {
            "variant": name,
            "weights": sum(self.weights.values()),
            "target_tokens_per_second": round(target),
            "tokens_per_second": round(both),
            "gflops": round(flops / 1e9, 1),
            "share_of_matrix_rate": round(flops / matrix_rate, 3),
            "update_seconds": statistics.median(self.update_seconds),
            "compile_seconds": round(self.compile_seconds, 1),
            "process_peak_mib": round(peak),
        }

    @property
    def plan_vocabulary(self) -> int:
        """Pieces of the target vocabulary."""
        return self.state.weights["target_ve"].shape[0]


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


def main() -> None:
    """Measures every variant in turns and prints a line or an object for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("prepared", type=Path)
    parser.add_argument("--sizes", nargs="+", default=["small"], choices=SIZES)
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--batch-tokens", type=int, default=4096)
    parser.add_argument("--updates", type=int, default=10, help="in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = PreparedFolder(arguments.prepared)
    plan = Plan(open_split(folder, "train"), batch_tokens=arguments.batch_tokens, shapes=4)
    planned = list(itertools.islice(plan.epoch(seed=1, epoch=1), arguments.updates))
    variants = {}
    for size, precision in itertools.product(arguments.sizes, arguments.precisions):
        settings = {"model": SIZES[size], "train": {"precision": precision}}
        config = configfile.from_tree(settings, arguments.set)
        variants[f"{size} {precision}"] = Variant(folder, config, plan)
    for _ in range(arguments.rounds):
        for variant in variants.values():
            variant.run(planned)
    rates = {kind: matrix_rate(kind) for kind in arguments.precisions}
    for name, variant in variants.items():
        report = variant.report(name, rates[name.split()[1]])
        if arguments.json:
            print(json.dumps(report))
        else:
            print("  ".join(f"{key} {value}" for key, value in report.items()))


if __name__ == "__main__":
    main()
