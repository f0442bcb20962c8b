"""What the layers are promised of their first weights."""

import jax
import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.model import network
from seq2seq.model.initial import Draw

UNITS = 96


@pytest.mark.parametrize("units", [1, 7, UNITS])
def test_recurrent_weights_of_every_gate_are_rotations_unlike_one_another(units):
    gates = np.split(Draw(1).recurrent_gates(units), 4, axis=1)
    for gate in gates:
        np.testing.assert_allclose(gate @ gate.T, np.eye(units), atol=1e-5)
    if units == UNITS:
        likeness = [abs(np.vdot(gates[0], other)) / units for other in gates[1:]]
        assert max(likeness) < 0.1


def test_a_rotation_is_mixed_and_not_a_wave():
    gate = Draw(1).recurrent_gates(UNITS)[:, :UNITS]
    # A cosine alone has the shape 1.5, what is drawn from a bell 3.
    assert (gate**4).mean() / (gate**2).mean() ** 2 == pytest.approx(3, rel=0.1)
    assert abs(np.fft.rfft(gate, axis=0)).max() < 6


def test_layers_keep_the_variance_of_what_passes():
    random = np.random.default_rng(1)
    x = random.standard_normal((500, UNITS))
    for kernel in (Draw(1).matrix(UNITS, UNITS), Draw(1).input_gates(UNITS, UNITS)):
        assert (x @ kernel).std() == pytest.approx(1, rel=0.05)


def test_embeddings_have_the_length_1_and_a_forget_gate_starts_open():
    lengths = np.linalg.norm(Draw(1).table(500, UNITS), axis=1)
    assert lengths.mean() == pytest.approx(1, rel=0.02)
    assert Draw(1).gate_bias(2).tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_a_network_has_the_same_weights_for_a_seed_and_others_for_another():
    config = ModelConfig(embedding=12, encoder_units=8, decoder_units=16, layer_norm=True)
    one, same, other = (
        network.initialise(config, network.Sizes(23, 23), seed) for seed in (1, 1, 2)
    )
    jax.tree.map(np.testing.assert_array_equal, one, same)
    assert (one["target_ve"] != other["target_ve"]).all()
    assert jax.tree.map(lambda leaf: (leaf.shape, leaf.dtype), one) == jax.tree.map(
        lambda leaf: (leaf.shape, leaf.dtype), network.shapes(config, network.Sizes(23, 23))
    )
