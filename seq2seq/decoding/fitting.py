"""Whether weights, configuration and vocabularies belong together. Knows no text."""

import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from seq2seq.config import ModelConfig
from seq2seq.decoding import cache
from seq2seq.decoding.members import Member
from seq2seq.errors import UserError
from seq2seq.model.quantised import Quantised
from seq2seq.model.weights import Sizes, Weights, flatten

_Shapes: TypeAlias = dict[str, tuple[int, ...]]


class Mismatch(UserError):
    """Parts of a model that come from different models."""


def require(member: Member, sizes: Sizes, folder: Path | None = None) -> None:
    """Refuses weights that are not those of such a network, or that hold no numbers.

    What such a network has is remembered in `folder`, if there is one.
    """
    try:
        _require(member.model, sizes, member.weights, folder)
    except Mismatch as error:
        raise Mismatch(f"model {member.name!r}: {error}" if member.name else error) from None


def _require(config: ModelConfig, sizes: Sizes, weights: Weights, folder: Path | None) -> None:
    found = dict(flatten(weights))
    _require_vocabulary("target", sizes.target, found.get("target_ve"))
    source = found.get("target_ve" if config.tie == "all" else "source_ve")
    _require_vocabulary("source", sizes.source, source)
    wanted = _remembered(config, sizes, folder) if folder else _shapes(config, sizes)
    for name in sorted({*found, *wanted}):
        if name not in wanted:
            raise Mismatch(
                f"weights hold {name!r}, which the network of its config.json does not have; "
                "copy the whole folder of one model"
            )
        if name not in found or found[name].shape != wanted[name]:
            given = found[name].shape if name in found else "missing"
            raise Mismatch(
                f"weight {name!r} is {given}, but its config.json wants {wanted[name]}; "
                "copy the whole folder of one model"
            )
        if not _is_finite(found[name]):
            raise Mismatch(
                f"weight {name!r} holds values that are no numbers; "
                "take an earlier model of the run"
            )


def _shapes(config: ModelConfig, sizes: Sizes) -> _Shapes:
    # Late: the network comes with JAX and Flax, and takes most of a second.
    from seq2seq.model import network

    return {name: leaf.shape for name, leaf in flatten(network.shapes(config, sizes))}


def _remembered(config: ModelConfig, sizes: Sizes, folder: Path) -> _Shapes:
    entry = f"shapes-{cache.key(config, sizes)}"
    if data := cache.read(folder, entry):
        return {name: tuple(shape) for name, shape in json.loads(data).items()}
    shapes = _shapes(config, sizes)
    cache.write(folder, entry, json.dumps(shapes).encode())
    return shapes


def _require_vocabulary(side: str, size: int, table_ve: Any) -> None:
    if table_ve is None or table_ve.shape[0] != size:
        rows = 0 if table_ve is None else table_ve.shape[0]
        raise Mismatch(
            f"its {side}.model has {size} pieces, but its weights were trained with {rows}; "
            "copy the whole folder of one model"
        )


def _is_finite(array: Any) -> bool:
    if isinstance(array, Quantised):
        array = array.scale  # what is no number leaves none here
    # The sum is finite if all values are, and reading it needs no copy of that size.
    return bool(np.isfinite(array.sum(dtype=np.float32)))
