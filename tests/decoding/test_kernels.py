"""Products of few rows: the same bits for a row, however many others are multiplied with it."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.decoding import kernels
from seq2seq.decoding.programs import ENCODED
from seq2seq.decoding.tiles import WIDTHS, queues
from seq2seq.model import network
from seq2seq.model.product import product
from seq2seq.model.quantised import Quantised
from seq2seq.model.weights import flatten

SHAPES = [(512, 2048), (1024, 2048), (512, 8_000), (1024, 512), (128, 512)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_a_row_has_the_same_bits_in_queues_of_every_size(shape, precision):
    random = np.random.default_rng(1)
    kernel_ij = random.normal(size=shape).astype(np.float32)
    laid_out = kernels.laid_out({"kernel_ij": kernel_ij}, precision)
    dtype = kernels.computed_in(precision)

    @jax.jit
    def multiply(x_ni, laid_out):
        return product("ni,ij->nj", x_ni, kernels.upright(laid_out)["kernel_ij"], dtype)

    for beam in (1, 2, 5, 12):
        rows = sorted({size.rows for size in queues("cpu", beam, [ModelConfig()], 32)})
        x_ni = random.normal(size=(rows[-1], shape[0])).astype(np.float32)
        most_nj = np.asarray(multiply(x_ni, laid_out))
        for few in rows[:-1]:
            np.testing.assert_array_equal(multiply(x_ni[:few], laid_out), most_nj[:few])


@pytest.mark.parametrize("dtype", [np.float32, jnp.bfloat16])
def test_a_word_has_the_same_bits_in_unions_of_every_size(dtype):
    random = np.random.default_rng(1)
    table_ve = jnp.asarray(random.normal(size=(8_000, 512)).astype(dtype))
    own = np.sort(random.choice(8_000, 25, replace=False))
    others = np.setdiff1d(np.arange(8_000), own)
    x_ne = random.normal(size=(160, 512)).astype(np.float32)

    @jax.jit
    def multiply(x_ne, union_u):
        return product("ne,ue->nu", x_ne, table_ve[union_u], dtype)

    found = []
    for rows in (5, 40, 160):
        for size in (512, 1_024, 1_536, 2_048, 3_072):
            union_u = np.union1d(own, random.choice(others, size - len(own), replace=False))
            places = np.searchsorted(union_u, own)
            found.append(np.asarray(multiply(x_ne[:rows], union_u))[:5, places])
    for each in found[1:]:
        np.testing.assert_array_equal(each, found[0])


def test_turning_weights_back_gives_them_as_they_were():
    random = np.random.default_rng(1)
    weights = {
        "encoder": {0: {"recurrent_dg": random.normal(size=(3, 12)).astype(np.float32)}},
        "decoder": {"readout_de": random.normal(size=(3, 5)).astype(np.float32)},
        "target_ve": random.normal(size=(7, 5)).astype(np.float32),
        "output_bias_v": np.zeros(7, np.float32),
    }
    turned = kernels.laid_out(weights, "float32")
    assert turned["decoder"]["readout_de"].shape == (5, 3)
    jax.tree.map(np.testing.assert_array_equal, kernels.upright(turned), weights)


@pytest.mark.parametrize(
    "structure",
    [
        {},
        {"tie": "none", "attention": "additive", "layer_norm": True},
        {"input_feeding": True, "begin": "zeros", "tie": "decoder"},
    ],
    ids=str,
)
def test_eight_bits_change_the_probabilities_a_little(structure):
    config = ModelConfig(embedding=64, encoder_units=32, decoder_units=64, **structure)
    fresh = network.initialise(config, network.Sizes(300, 300), seed=1)
    whole = jax.tree.map(lambda leaf: 2 * leaf, fresh)
    eight = kernels.upright(kernels.laid_out(whole, "int8"))
    matrices = [name for name, leaf in flatten(eight) if isinstance(leaf, Quantised)]
    assert {"decoder.readout_de", "encoder.layers.0.forward.input_ig"} < set(matrices)

    @jax.jit
    def log_probabilities(weights):
        net = network.bind(config, weights)
        source_bs, words_tb = jnp.arange(4, 34).reshape(2, 15), jnp.arange(40, 60).reshape(10, 2)
        memory = net.encode(source_bs, jnp.array([15, 9]))
        readout_tbr, _, _ = net.decode(words_tb, net.begin(memory), memory)
        return jax.nn.log_softmax(net.logits(readout_tbr))

    expected, found = log_probabilities(whole), log_probabilities(eight)
    gap = np.abs(found - expected)
    assert 0 < gap.mean() < 0.05 * expected.std()


def test_where_bits_depend_on_rows_every_queue_encodes_equally_many_sentences():
    small = ModelConfig(embedding=64, encoder_units=32, decoder_units=64)
    for beam, columns in itertools.product((1, 5, 12), WIDTHS):
        sizes = queues("cpu", beam, [small], columns)
        assert len({min(size.places, ENCODED) for size in sizes}) == 1
        assert len({size.slots for size in sizes}) == 1
