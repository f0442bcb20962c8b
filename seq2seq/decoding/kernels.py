"""Weights laid out as products of few rows want them. Knows no network.

On a CPU a product's bits depend on how many rows are multiplied, in classes. In bfloat16 they are
the same from two rows on; in float32 only where the matrix lies in memory column by column
("turned"), which is no slower. A test holds it on the machine at hand. Of whole numbers (int8) the
products are exact.
"""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from seq2seq.model.quantised import Quantised, quantise
from seq2seq.model.weights import summed_axis

_TABLES = ("_ve", "_hp")  # their rows are words, or heads: they lie right as they are


def laid_out(weights: Mapping[Any, Any], precision: str) -> dict[Any, Any]:
    """The weights as programs take them; those that are so already are not copied."""
    turn = functools.partial(_turned, turn=lambda leaf: np.ascontiguousarray(leaf.T))
    return _changed(_cast(weights, precision), turn)


def upright(weights: Mapping[Any, Any]) -> dict[Any, Any]:
    """The weights as the network knows them; inside of a loop, turning them costs nothing."""
    return _changed(weights, functools.partial(_turned, turn=lambda leaf: leaf.T))


def computed_in(precision: str) -> str:
    """The type of all products that are not with weights of eight bits."""
    return "float32" if precision == "int8" else precision


def _cast(weights: Mapping[Any, Any], precision: str) -> dict[Any, Any]:
    def of_type(path: tuple[str, ...], leaf: Any) -> Any:
        if isinstance(leaf, Quantised):
            return leaf
        # Biases are added to float32 results and stay exact; they weigh nothing.
        if leaf.ndim < 2 or precision != "int8":
            kind = np.dtype("float32" if leaf.ndim < 2 else precision)
            return leaf.astype(kind, copy=False)
        # The heads' few numbers are multiplied with what no row's scale fits.
        return leaf if path[-1].endswith("_hp") else quantise(leaf, summed_axis(path[-1]))

    return _changed(weights, of_type)


def _turned(path: tuple[str, ...], leaf: Any, turn: Callable[[Any], Any]) -> Any:
    if isinstance(leaf, Quantised):
        return leaf
    matters = leaf.ndim == 2 and leaf.dtype == np.float32
    return turn(leaf) if matters and _turns(path) else leaf


def _changed(
    weights: Mapping[Any, Any],
    change: Callable[[tuple[str, ...], Any], Any],
    path: tuple[str, ...] = (),
) -> dict[Any, Any]:
    return {
        key: _changed(value, change, (*path, str(key)))
        if isinstance(value, Mapping)
        else change((*path, str(key)), value)
        for key, value in weights.items()
    }


def _turns(path: tuple[str, ...]) -> bool:
    # The encoder has a loop of its own, outside of which turning is not free; its rows are few.
    in_loop = path[0] == "encoder" and path[-1] == "recurrent_dg"
    return not (in_loop or path[-1].endswith(_TABLES))
