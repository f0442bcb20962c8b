"""Weight files: what was written is what is read, and what does not belong is refused."""

import jax
import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.errors import UserError
from seq2seq.layout import SIDES, ModelFolder
from seq2seq.model import network, weights

CONFIG = ModelConfig(embedding=12, encoder_units=8, decoder_units=16)


@pytest.fixture(name="folder")
def model_folder(tmp_path):
    folder = ModelFolder(tmp_path)
    for side in SIDES:
        folder.tokenizer(side).write_text(side)
    return folder


@pytest.fixture(name="tree")
def some_weights():
    return jax.tree.map(np.asarray, network.initialise(CONFIG, network.Sizes(20, 20), seed=1))


def test_float32_weights_come_back_bit_for_bit(folder, tree):
    weights.save(folder, tree)
    jax.tree.map(np.testing.assert_array_equal, weights.load(folder), tree)


def payload(folder):
    """Bytes of the tensors alone: the file begins with the length of its header."""
    content = folder.weights.read_bytes()
    return len(content) - 8 - int.from_bytes(content[:8], "little")


@pytest.mark.parametrize(
    ("kind", "error", "share"),
    [("bfloat16", 2**-8, 0.5), ("float16", 2**-10, 0.5), ("int8", None, 0.4)],
)
def test_smaller_types_lose_little_and_save_space(folder, tree, kind, error, share):
    weights.save(folder, tree)
    whole = payload(folder)
    weights.save(folder, tree, kind)
    assert payload(folder) <= share * whole
    for before, after in zip(
        jax.tree.leaves(tree), jax.tree.leaves(weights.load(folder)), strict=True
    ):
        bound = np.abs(before).max() / 127 if error is None else np.abs(before).max() * error
        assert np.abs(before - after).max() <= bound


def test_loaded_weights_make_a_network(folder, tree):
    weights.save(folder, tree)
    net = network.bind(CONFIG, weights.load(folder))
    np.testing.assert_array_equal(net.target_ve[...], tree["target_ve"])


def test_the_same_weights_make_the_same_file(folder, tree):
    contents = set()
    for _ in range(8):
        weights.save(folder, tree)
        contents.add(folder.weights.read_bytes())
    assert len(contents) == 1


def test_a_vocabulary_of_another_model_is_refused(folder, tree):
    weights.save(folder, tree)
    folder.tokenizer("source").write_text("another")
    with pytest.raises(UserError, match=r"source.model.*not the vocabulary"):
        weights.load(folder)


@pytest.mark.parametrize(
    "damage", [lambda data: data[:1000], lambda data: b"", lambda data: b"x" * 99]
)
def test_a_damaged_file_is_refused(folder, tree, damage):
    weights.save(folder, tree)
    folder.weights.write_bytes(damage(folder.weights.read_bytes()))
    with pytest.raises(UserError, match="damaged"):
        weights.load(folder)
