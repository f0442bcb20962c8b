"""The LSTM loop, forward and backward, in every implementation: seconds, and memory it needs.

    python scripts/bench_recurrence.py --units 512 --rows 365 --positions 11

Beside the implementations stands `autodiff`, the loop as one would write it, differentiated by
JAX. All are measured in turns; figures are the best and the median of the rounds, in milliseconds.
"""

import json
import statistics
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, get_args

import jax
import jax.numpy as jnp
from jax import Array

from seq2seq import cli
from seq2seq.model.product import product
from seq2seq.model.recurrence import Implementation, Loop, LSTMState, recur


def autodiff(projected_tng: Array, loop: Loop, state: LSTMState, dtype: Any) -> Any:
    """The textbook, in a scan."""

    def step(state: LSTMState, projected_ng: Array) -> tuple[LSTMState, Array]:
        recurrent_ng = product("nd,dg->ng", state.hidden_nd, loop.recurrent_dg, dtype)
        i_nd, f_nd, g_nd, o_nd = jnp.split(recurrent_ng + projected_ng + loop.bias_g, 4, axis=1)
        cell_nd = jax.nn.sigmoid(f_nd) * state.cell_nd + jax.nn.sigmoid(i_nd) * jnp.tanh(g_nd)
        hidden_nd = jax.nn.sigmoid(o_nd) * jnp.tanh(cell_nd)
        return LSTMState(hidden_nd, cell_nd), hidden_nd

    last, hidden_tnd = jax.lax.scan(step, state, projected_tng)
    return hidden_tnd, last


def main(argv: Sequence[str]) -> None:
    """Measures all of them in both precisions."""
    parser = cli.Parser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--positions", type=int, default=16)
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--units", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    sizes = parser.parse_args(argv)
    ways: dict[str, Any] = {"autodiff": autodiff}
    ways |= {name: partial(recur, implementation=name) for name in get_args(Implementation)}
    key = jax.random.key(0)
    projected_tng = jax.random.normal(key, (sizes.positions, sizes.rows, 4 * sizes.units))
    recurrent_dg = 0.05 * jax.random.normal(key, (sizes.units, 4 * sizes.units))
    arguments = projected_tng, Loop(recurrent_dg, jnp.zeros(4 * sizes.units))
    zeros_nd = jnp.zeros((sizes.rows, sizes.units))
    programs = {}
    for dtype in (jnp.float32, jnp.bfloat16):
        for name, way in ways.items():

            def loss(projected_tng: Array, loop: Loop, way: Any = way, dtype: Any = dtype) -> Array:
                # A value of its own, so that the loop may write over it.
                hidden_tnd, _ = way(1.5 * projected_tng, loop, LSTMState(zeros_nd, zeros_nd), dtype)
                return (hidden_tnd**2).sum()

            differentiated = jax.jit(jax.grad(loss, argnums=(0, 1)))
            programs[name, dtype.__name__] = differentiated.lower(*arguments).compile()
    times: dict[Any, list[float]] = {which: [] for which in programs}
    for _ in range(sizes.rounds):
        for which, program in programs.items():
            started = time.perf_counter()
            jax.block_until_ready(program(*arguments))
            times[which].append(1e3 * (time.perf_counter() - started))
    for (name, precision), measured in times.items():
        memory = programs[name, precision].memory_analysis()
        report = {
            **{"implementation": name, "precision": precision},
            **{"best_ms": round(min(measured), 1)},
            "median_ms": round(statistics.median(measured), 1),
            "temporary_mb": round(memory.temp_size_in_bytes / 1e6),
        }
        if sizes.json:
            print(json.dumps(report))
        else:
            print("  ".join(f"{key} {value}" for key, value in report.items()))


if __name__ == "__main__":
    cli.run(main)
