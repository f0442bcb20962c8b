"""Whether weights, configuration and vocabularies belong together. Knows no text."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from seq2seq.config import ModelConfig
from seq2seq.errors import UserError
from seq2seq.model import network


class Mismatch(UserError):
    """Parts of a model that come from different models."""


def require(config: ModelConfig, sizes: network.Sizes, weights: Mapping[str, Any]) -> None:
    """Refuses weights that are not those of such a network, or that hold no numbers."""
    found = _by_name(weights)
    _require_vocabulary("target", sizes.target, found.get("target_ve"))
    source = found.get("target_ve" if config.tie == "all" else "source_ve")
    _require_vocabulary("source", sizes.source, source)
    wanted = _by_name(network.shapes(config, sizes))
    for name in sorted({*found, *wanted}):
        if name not in wanted:
            raise Mismatch(
                f"weights hold {name!r}, which the network of its config.json does not have; "
                "copy the whole folder of one model"
            )
        if name not in found or found[name].shape != wanted[name].shape:
            given = found[name].shape if name in found else "missing"
            raise Mismatch(
                f"weight {name!r} is {given}, but its config.json wants {wanted[name].shape}; "
                "copy the whole folder of one model"
            )
        if not _is_finite(found[name]):
            raise Mismatch(
                f"weight {name!r} holds values that are no numbers; "
                "take an earlier model of the run"
            )


def _by_name(weights: Mapping[str, Any]) -> dict[str, Any]:
    leaves = jax.tree_util.tree_leaves_with_path(weights)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def _require_vocabulary(side: str, size: int, table_ve: Any) -> None:
    if table_ve is None or table_ve.shape[0] != size:
        rows = 0 if table_ve is None else table_ve.shape[0]
        raise Mismatch(
            f"its {side}.model has {size} pieces, but its weights were trained with {rows}; "
            "copy the whole folder of one model"
        )


def _is_finite(array: Any) -> bool:
    # The sum is finite if all values are, and reading it needs no copy of that size.
    return bool(np.isfinite(array.sum(dtype=np.float32)))
