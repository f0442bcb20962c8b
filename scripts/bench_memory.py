"""Memory of training a deep unidirectional stack over very many steps, with recomputing or without.

    python scripts/bench_memory.py --steps 1000 --run

The case is MXNet's: 4 LSTM layers of 1,000 units, 1,000 unrolled steps, 32 sequences; embedding
and loss lie inside the chunks. `working_mb` is what the compiler reserves (arguments + results +
temporaries - shared) beyond weights, gradients and Adam's moments; with --run one update is made
as well, and `resident_mb` is how much the process grew by beyond those. Text, or one JSON object
a variant.

Axes: t step   n sequence   e embedding   v word
"""

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx
from jax import Array

from seq2seq import cli
from seq2seq.model.chunks import in_chunks
from seq2seq.model.initial import Draw
from seq2seq.model.lstm import LSTM
from seq2seq.model.recurrence import LSTMState
from seq2seq.training.loss import Softmax, cross_entropy


class Stack(nnx.Module):
    """A language model without attention: the longest memory per weight there is."""

    def __init__(self, arguments: argparse.Namespace, draw: Draw) -> None:
        units, dtype = arguments.units, jnp.dtype(arguments.precision)
        options: dict[str, Any] = {"layer_norm": False, "recurrence": "auto"}
        options |= {"rematerialise": "none", "dtype": dtype, "draw": draw}
        self.layers = nnx.List([LSTM(units, units, **options) for _ in range(arguments.layers)])
        self.table_ve = nnx.Param(draw.table(arguments.words, units))
        self.bias_v = nnx.Param(draw.zeros(arguments.words))
        self.dtype = dtype

    def advance(self, states: Any, at: tuple[Array, Array]) -> tuple[Any, Array]:
        """Some steps of all layers, and their summed loss."""
        words_tn, next_tn = at
        x_tne = jnp.take(self.table_ve[...], words_tn, axis=0)
        after = []
        for layer, state in zip(self.layers, states, strict=True):
            x_tne, state = layer(x_tne, state)
            after.append(state)
        losses = cross_entropy(
            x_tne.reshape(-1, x_tne.shape[-1]),
            Softmax(self.table_ve[...], self.bias_v[...]),
            next_tn.reshape(-1),
            real_n=jnp.ones(next_tn.size, bool),
            smoothing=0.0,
            dtype=self.dtype,
        )
        # A sum a step, so that all chunks give arrays over steps.
        return tuple(after), jnp.full(len(words_tn), losses.smoothed / len(words_tn))


def make_update(arguments: argparse.Namespace) -> tuple[Any, Any]:
    """The update as a function of (weights, moments, words), and a function that makes weights."""

    def make() -> Any:
        return nnx.to_pure_dict(nnx.state(Stack(arguments, Draw(1))))

    graph, abstract = nnx.split(nnx.eval_shape(lambda: Stack(arguments, Draw(None))))
    rule = optax.adam(1e-3)

    def loss(weights: Any, words_tn: Array) -> Array:
        state = jax.tree.map(lambda leaf: leaf, abstract)
        nnx.replace_by_pure_dict(state, weights)
        stack = nnx.merge(graph, state)
        zeros_ne = jnp.zeros((arguments.sequences, arguments.units))
        states = (LSTMState(zeros_ne, zeros_ne),) * arguments.layers
        at = words_tn[:-1], words_tn[1:]
        if arguments.rematerialise == "time":
            return in_chunks(stack.advance, states, at)[1].sum()
        return stack.advance(states, at)[1].sum()

    def update(weights: Any, moments: Any, words_tn: Array) -> tuple[Any, Any]:
        steps, moments = rule.update(jax.grad(loss)(weights, words_tn), moments)
        return optax.apply_updates(weights, steps), moments

    return jax.jit(update, donate_argnums=(0, 1)), (make, rule.init)


def measured(arguments: argparse.Namespace) -> dict[str, Any]:
    """The figures of one variant, in this process."""
    update, (make, init) = make_update(arguments)
    weights = jax.eval_shape(make)
    moments = jax.eval_shape(init, weights)
    words = jax.ShapeDtypeStruct((arguments.steps + 1, arguments.sequences), jnp.int32)
    compiled = update.lower(weights, moments, words).compile()
    memory = compiled.memory_analysis()
    # Weights, their gradients and Adam's two moments.
    fixed = 4 * sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(weights))
    total = memory.argument_size_in_bytes + memory.output_size_in_bytes
    total += memory.temp_size_in_bytes - memory.alias_size_in_bytes
    report = {
        **{"steps": arguments.steps, "rematerialise": arguments.rematerialise},
        **{"precision": arguments.precision, "fixed_mb": round(fixed / 1e6)},
        "working_mb": round((total - fixed) / 1e6),
    }
    if arguments.run:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        state = jax.jit(make)()
        text = jax.random.randint(jax.random.key(0), words.shape, 0, arguments.words)
        started = time.monotonic()
        jax.block_until_ready(compiled(state, init(state), text))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        report["resident_mb"] = round((peak - before - fixed) / 1e6)
        report["seconds"] = round(time.monotonic() - started, 1)
    return report


def main(argv: Sequence[str]) -> None:
    """Measures each variant in a process of its own, since a peak never falls again."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--steps", type=int, default=1_000)
    parser.add_argument("--sequences", type=int, default=32)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--units", type=int, default=1_000)
    parser.add_argument("--words", type=int, default=10_000)
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--rematerialise", choices=["none", "time"], help="one of them only")
    parser.add_argument("--run", action="store_true", help="make an update, for resident memory")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args(argv)
    if arguments.rematerialise is None:
        for kind in ("none", "time"):
            command = [sys.executable, *sys.argv, "--rematerialise", kind]
            subprocess.run(command, check=True)
        return
    report = measured(arguments)
    if arguments.json:
        print(json.dumps(report))
    else:
        print("  ".join(f"{key} {value}" for key, value in report.items()))


if __name__ == "__main__":
    cli.run(main)
