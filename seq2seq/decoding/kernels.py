"""Weights laid out as products of few rows want them. Knows no network.

On a CPU a product's bits depend on how many rows are multiplied, in classes. In bfloat16 they are
the same from two rows on; in float32 only where the matrix lies in memory column by column
("turned"), which is no slower. A test holds it on the machine at hand.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

_TABLES = ("_ve", "_hp")  # their rows are words, or heads: they lie right as they are


def laid_out(weights: Mapping[Any, Any], precision: str) -> dict[Any, Any]:
    """The weights as programs take them; those that are so already are not copied."""
    return _changed(_cast(weights, np.dtype(precision)), lambda leaf: np.ascontiguousarray(leaf.T))


def upright(weights: Mapping[Any, Any]) -> dict[Any, Any]:
    """The weights as the network knows them; inside of a loop, turning them costs nothing."""
    return _changed(weights, lambda leaf: leaf.T)


def _cast(weights: Mapping[Any, Any], matrices: np.dtype) -> dict[Any, Any]:
    def of_type(leaf: Any) -> Any:
        # Biases are added to float32 results and stay exact; they weigh nothing.
        return leaf.astype(np.float32 if leaf.ndim < 2 else matrices, copy=False)

    return {
        key: _cast(value, matrices) if isinstance(value, Mapping) else of_type(value)
        for key, value in weights.items()
    }


def _changed(
    weights: Mapping[Any, Any], turn: Callable[[Any], Any], path: tuple[str, ...] = ()
) -> dict[Any, Any]:
    changed = {}
    for key, value in weights.items():
        at = (*path, str(key))
        if isinstance(value, Mapping):
            changed[key] = _changed(value, turn, at)
        else:
            matters = value.ndim == 2 and value.dtype == np.float32
            changed[key] = turn(value) if matters and _turns(at) else value
    return changed


def _turns(path: tuple[str, ...]) -> bool:
    # The encoder has a loop of its own, outside of which turning is not free; its rows are few.
    in_loop = path[0] == "encoder" and path[-1] == "recurrent_dg"
    return not (in_loop or path[-1].endswith(_TABLES))
