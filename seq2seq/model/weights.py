"""Weight files: named tensors in the safetensors format, whatever their type on disk.

float32, bfloat16 and float16 are stored as they are; int8 comes with a `NAME.scale` for each
output channel. In memory all are float32, unless bfloat16 is asked for. Imports no Flax.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

from seq2seq import files
from seq2seq.errors import UserError
from seq2seq.layout import SIDES, ModelFolder
from seq2seq.model.quantised import quantise

Weights: TypeAlias = dict[Any, Any]
"""Nested dicts with arrays as leaves."""

SCALE = ".scale"
TOKENIZERS = "tokenizers"  # their checksums, in a file's metadata
_KINDS = {
    "float32": np.float32,
    "bfloat16": ml_dtypes.bfloat16,
    "float16": np.float16,
    "int8": np.int8,
}


class Sizes(NamedTuple):
    """The two vocabularies."""

    source: int
    target: int


def save(folder: ModelFolder, weights: Mapping[str, Any], kind: str = "float32") -> None:
    """Writes `weights` with the checksums of the tokenizers that they belong to."""
    tensors: dict[str, np.ndarray] = {}
    for name, value in flatten(weights):
        tensors.update(_encode(name, np.asarray(value, np.float32), kind))
    # The format cannot store views with gaps.
    tensors = {name: np.ascontiguousarray(value) for name, value in tensors.items()}
    # One entry: with several their order in the file, and so its bytes, would be random.
    metadata = {TOKENIZERS: json.dumps(checksums(folder), sort_keys=True)}
    data = safetensors.numpy.save(tensors, metadata=metadata)
    files.write_atomically(folder.weights, data)


def load(folder: ModelFolder) -> dict[str, Any]:
    """Reads float32 weights; refuses a damaged file, or one of another vocabulary."""
    try:
        with safetensors.safe_open(folder.weights, framework="numpy") as file:
            recorded = json.loads((file.metadata() or {}).get(TOKENIZERS, "{}"))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise UserError(
            f"weights {str(folder.weights)!r} are damaged ({error}); copy the model folder again"
        ) from None
    for name, digest in checksums(folder).items():
        if recorded.get(name, digest) != digest:
            raise UserError(
                f"{name!r} in {str(folder.path)!r} is not the vocabulary that these weights were "
                "trained with; copy the whole model folder, not single files"
            )
    return unflatten(_decode(tensors))


def flatten(weights: Mapping[Any, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves with dotted names, in the order of the names."""
    for key in sorted(weights, key=str):
        value, name = weights[key], f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flatten(value, f"{name}.")
        else:
            yield name, value


def unflatten(tensors: Mapping[str, Any]) -> dict[str, Any]:
    """The nested dict that `flatten` took apart; numbers in names were list positions."""
    result: dict[Any, Any] = {}
    for name, value in tensors.items():
        *path, leaf = [int(part) if part.isdecimal() else part for part in name.split(".")]
        place = result
        for part in path:
            place = place.setdefault(part, {})
        place[leaf] = value
    return result


def checksums(folder: ModelFolder) -> dict[str, str]:
    """Those of the folder's tokenizers, by file name."""
    return {folder.tokenizer(side).name: files.checksum(folder.tokenizer(side)) for side in SIDES}


def _encode(name: str, value: np.ndarray, kind: str) -> dict[str, np.ndarray]:
    if kind != "int8":
        return {name: value.astype(_KINDS[kind])}
    if value.ndim < 2:
        return {name: value}
    quantised = quantise(value, summed_axis(name))
    return {name: quantised.values, name + SCALE: quantised.scale}


def summed_axis(name: str) -> int:
    """Over which axis products sum: a word's output is a row of a table, others are columns."""
    return 1 if name.endswith("_ve") else 0


def _decode(tensors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    result = {}
    for name, value in tensors.items():
        if name.endswith(SCALE):
            continue
        scale = tensors.get(name + SCALE)
        # One pass over the memory: this is a good part of what a single sentence waits for.
        result[name] = (
            value.astype(np.float32, copy=False)
            if scale is None
            else np.multiply(value, scale, dtype=np.float32)
        )
    return result
