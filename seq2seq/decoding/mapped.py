"""Weights as programs take them, in a file that is mapped and not read. Can only save time.

What a model's file holds has to be unpacked, converted and turned, and that is a good part of what
a single sentence waits for. The result is kept in the cache; the next process finds it in memory,
if the system still has it there. Its name holds the file's identity: a model that was changed is
another one. Knows no network.
"""

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from seq2seq import files
from seq2seq.decoding import cache, kernels
from seq2seq.layout import SIDES, ModelFolder
from seq2seq.model import weights as weight_files
from seq2seq.model.quantised import Quantised
from seq2seq.model.weights import SCALE, Weights, flatten, unflatten

_LINE = 1 << 20  # bytes that the first one has at most


def load(model: ModelFolder, precision: str, folder: Path | None) -> Weights:
    """The weights of a model, by way of the cache's `folder`, if there is one."""
    if folder is None:
        return weight_files.load(model)
    name = f"weights-{cache.key(_identity(model), precision)}"
    kept = cache.mapped(folder, name)
    if kept is None:
        laid_out = kernels.laid_out(weight_files.load(model), precision)
        cache.write_mapped(folder, name, _chunks(laid_out))
    else:
        laid_out = _found(kept)
    # As the network knows them, but turning them again costs nothing.
    return kernels.upright(laid_out)


def _identity(model: ModelFolder) -> tuple[Any, ...]:
    status = model.weights.stat()
    return (
        *(str(model.weights.resolve()), status.st_ino, status.st_size),
        *(status.st_mtime_ns, status.st_ctime_ns),  # the second is not copied with a file
        *(files.checksum(model.tokenizer(side)) for side in SIDES),
    )


def _chunks(weights: Weights) -> Iterator[bytes | memoryview]:
    """A line that says where every leaf lies behind it, and the leaves."""
    leaves, places, start = list(_divided(weights)), [], 0
    for name, leaf in leaves:
        places.append((name, leaf.dtype.name, leaf.shape, start))
        start += cache.aligned(leaf.nbytes)
    yield json.dumps(places).encode() + b"\n"
    for _, leaf in leaves:
        yield np.ascontiguousarray(leaf).reshape(-1).view(np.uint8).data


def _found(kept: np.ndarray) -> Weights:
    line, _, _ = kept[:_LINE].tobytes().partition(b"\n")
    leaves, behind = {}, kept[cache.aligned(len(line) + 1) :]
    for name, kind, shape, start in json.loads(line):
        dtype = np.dtype(kind)
        size = math.prod(shape) * dtype.itemsize
        leaves[name] = behind[start : start + size].view(dtype).reshape(shape)
    return unflatten(_joined(leaves))


def _divided(weights: Weights) -> Iterator[tuple[str, Any]]:
    for name, leaf in flatten(weights):
        if isinstance(leaf, Quantised):
            yield from ((name, leaf.values), (name + SCALE, leaf.scale))
        else:
            yield name, leaf


def _joined(leaves: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: Quantised(leaf, leaves[name + SCALE]) if name + SCALE in leaves else leaf
        for name, leaf in leaves.items()
        if not name.endswith(SCALE)
    }
