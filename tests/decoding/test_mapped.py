"""Weights that are mapped: those of the file to the bit, and never those of another."""

import os
import shutil
from pathlib import Path

import jax
import numpy as np
import pytest

from seq2seq import layout
from seq2seq.decoding import kernels, mapped
from seq2seq.model import weights as weight_files


@pytest.fixture
def own(model, tmp_path) -> layout.ModelFolder:
    """A model that may be changed."""
    return layout.ModelFolder(Path(shutil.copytree(model.path, tmp_path / "model")))


@pytest.fixture
def cached(tmp_path):
    """The folder of a cache."""
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


def raw(weights) -> list[bytes]:
    return [np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(weights)]


@pytest.fixture
def loads(monkeypatch):
    """Counts how often a model's file was unpacked."""
    counted, usual = [], weight_files.load
    monkeypatch.setattr(weight_files, "load", lambda model: counted.append(model) or usual(model))
    return counted


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
@pytest.mark.parametrize("kind", ["float32", "int8"])
def test_mapped_weights_are_those_of_the_file_and_are_not_unpacked_again(
    own, cached, loads, precision, kind
):
    weight_files.save(own, weight_files.load(own), kind)
    loads.clear()
    expected = kernels.laid_out(weight_files.load(own), precision)
    for _ in range(2):
        found = mapped.load(own, precision, cached)
        assert raw(kernels.laid_out(found, precision)) == raw(expected)
    assert len(loads) == 2


def test_what_was_mapped_is_laid_out_without_a_copy(own, cached):
    mapped.load(own, "float32", cached)
    found = mapped.load(own, "float32", cached)
    again = kernels.laid_out(found, "float32")
    assert all(jax.tree.leaves(jax.tree.map(np.shares_memory, again, found)))
    assert all(leaf.ctypes.data % 64 == 0 for leaf in jax.tree.leaves(again))


def test_another_model_by_the_same_name_is_another_one(own, cached):
    before = mapped.load(own, "float32", cached)
    status = own.weights.stat()
    weight_files.save(own, jax.tree.map(lambda leaf: leaf + 1, weight_files.load(own)))
    os.utime(own.weights, ns=(status.st_atime_ns, status.st_mtime_ns))  # as cp -p would
    after = mapped.load(own, "float32", cached)
    assert raw(after) != raw(before)
    assert raw(after) == raw(weight_files.load(own))


def test_damaged_weights_of_the_cache_are_unpacked_again(own, cached, loads):
    expected = raw(mapped.load(own, "float32", cached))
    [path] = cached.iterdir()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert raw(mapped.load(own, "float32", cached)) == expected
    assert len(loads) == 2


def test_without_a_cache_weights_are_just_read(own, loads):
    mapped.load(own, "float32", None)
    assert len(loads) == 1
