"""The network as a whole: one option at a time, the smallest model that can fail.

Axes: b sentence   s source   t target   v vocabulary
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.config import ModelConfig
from seq2seq.model import lstm, network
from seq2seq.model.dropout import Dropout
from seq2seq.model.encoder import reverse

SIZES = network.Sizes(23, 19)
JOINT = network.Sizes(23, 23)
OPTIONS = [
    {},
    {"tie": "none"},
    {"tie": "decoder"},
    {"encoder_layers": 3, "bidirectional": "first"},
    {"encoder_layers": 3, "bidirectional": "all", "decoder_layers": 3},
    {"encoder_layers": 1, "decoder_layers": 1},
    {"residual": False},
    {"layer_norm": True},
    {"attention": "dot"},
    {"attention": "dot", "attention_heads": 4},
    {"attention": "general", "attention_heads": 2},
    {"attention": "additive"},
    {"attention": "additive", "attention_heads": 4},
    {"context": "readout", "decoder_layers": 3},
    {"begin": "zeros"},
    {"readout_units": 20, "tie": "none"},
    {"readout_units": 20, "tie": "none", "input_feeding": True},
    {"input_feeding": True},
    {"input_feeding": True, "decoder_layers": 3, "layer_norm": True, "attention_heads": 2},
]


def names(options):
    return ",".join(f"{key}={value}" for key, value in options.items()) or "defaults"


each_option = pytest.mark.parametrize("options", OPTIONS, ids=names)

SOURCE_BS = jnp.array([[3, 4, 5, 6, 7], [8, 9, 2, 0, 0], [10, 2, 0, 0, 0]])
LENGTH_B = jnp.array([5, 3, 2])
CHUNK = lstm.chunk(sentences=3)
WORDS_TB = jnp.array([[1, 1, 1], [4, 5, 6], [7, 8, 9], [10, 11, 12]])


def model(options):
    config = ModelConfig(embedding=12, encoder_units=8, decoder_units=16, **options)
    sizes = JOINT if config.tie == "all" else SIZES
    random = np.random.default_rng(1)
    # Drawn, since compiling what initialises takes longer than all the rest; so large that the
    # outputs of different inputs differ visibly.
    return config, jax.tree.map(
        lambda leaf: jnp.asarray(random.normal(size=leaf.shape, scale=0.5), leaf.dtype),
        network.shapes(config, sizes),
    )


def forced(net, source_bs, length_b, words_tb):
    memory = net.encode(source_bs, length_b)
    readout, state, attention = net.decode(words_tb, net.begin(memory), memory)
    return net.logits(readout), state, attention


def stepwise(net):
    memory = net.encode(SOURCE_BS, LENGTH_B)

    def step(state, words_b):
        readout, state, weights = net.decode(words_b[None], state, memory)
        return state, (net.logits(readout)[0], weights[0])

    state, (logits, attention) = jax.lax.scan(step, net.begin(memory), WORDS_TB)
    return logits, state, attention


def as_two_hypotheses(net):
    memory = net.encode(SOURCE_BS, LENGTH_B)
    both = jnp.stack([WORDS_TB[1], WORDS_TB[2]], axis=1).reshape(1, -1)
    return net.decode(both, net.begin(memory, hypotheses=2), memory)[0]


def one_step(net, words_b):
    memory = net.encode(SOURCE_BS, LENGTH_B)
    return net.decode(words_b[None], net.begin(memory), memory)[0]


@functools.cache
def outcome(key):
    """Everything the tests compare, in one program for each option: compiling is what takes."""
    config, weights = model(dict(key))
    # Padding holds arbitrary ids, not only zeros.
    wide_bs = jnp.pad(SOURCE_BS, ((0, 0), (0, 4)), constant_values=5)
    # Two chunks, of which the second holds padding alone.
    chunks_bs = jnp.pad(SOURCE_BS, ((0, 0), (0, 2 * CHUNK - 5)), constant_values=5)

    def everything(weights):
        net = network.bind(config, weights)
        return {
            "whole": forced(net, SOURCE_BS, LENGTH_B, WORDS_TB),
            "stepwise": stepwise(net),
            "wide": forced(net, wide_bs, LENGTH_B, WORDS_TB),
            "alone": forced(net, SOURCE_BS[1:2], LENGTH_B[1:2], WORDS_TB[:, 1:2]),
            "two": as_two_hypotheses(net),
            "each": jax.lax.map(lambda words_b: one_step(net, words_b), WORDS_TB[1:3]),
            "read": net.encode(SOURCE_BS, LENGTH_B).values_bhsu,
            "no further": net.encode(chunks_bs, LENGTH_B, upto=LENGTH_B.max()).values_bhsu,
        }

    return jax.jit(everything)(weights)


def of(options):
    return outcome(tuple(options.items()))


def close(one, other):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), one, other)


@each_option
def test_teacher_forcing_equals_decoding_step_by_step(options):
    close(of(options)["stepwise"], of(options)["whole"])


@each_option
def test_padding_the_source_does_not_change_the_logits(options):
    close(of(options)["wide"][0], of(options)["whole"][0])
    assert (of(options)["wide"][2][:, :, 5:] == 0).all()


@each_option
def test_positions_that_are_not_read_change_no_others(options):
    for b, length in enumerate(LENGTH_B):
        close(*(of(options)[how][b, :, :length] for how in ("no further", "read")))
    assert (of(options)["no further"][:, :, CHUNK:] == 0).all()


@each_option
def test_a_sentence_does_not_see_its_neighbours(options):
    close(of(options)["alone"][0][:, 0], of(options)["whole"][0][:, 1])


@each_option
def test_several_hypotheses_of_a_sentence_decode_as_each_alone(options):
    for k, alone in enumerate(of(options)["each"]):
        close(of(options)["two"][:, k::2], alone)


@each_option
def test_attention_is_a_distribution_over_the_real_source(options):
    attention_tbs = of(options)["whole"][2]
    np.testing.assert_allclose(attention_tbs.sum(-1), 1, atol=1e-5)
    for b, length in enumerate(LENGTH_B):
        assert (attention_tbs[:, b, length:] == 0).all()


@pytest.mark.parametrize(
    "options",
    [
        *({}, {"tie": "none"}, {"layer_norm": True}, {"input_feeding": True}),
        {"attention": "additive", "attention_heads": 4},
    ],
    ids=names,
)
def test_every_weight_has_a_finite_gradient_that_is_not_zero(options):
    config, weights = model(options)

    def loss(weights):
        logits, _, _ = forced(network.bind(config, weights), SOURCE_BS, LENGTH_B, WORDS_TB)
        return (jax.nn.log_softmax(logits) * jnp.arange(logits.shape[-1])[None, None]).sum()

    for path, gradient in jax.tree_util.tree_leaves_with_path(jax.jit(jax.grad(loss))(weights)):
        assert np.isfinite(gradient).all(), path
        assert np.abs(gradient).max() > 0, path


def test_input_feeding_lets_the_last_readout_change_the_next_word():
    config, weights = model({"input_feeding": True})

    @jax.jit
    def readout(weights, shift):
        net = network.bind(config, weights)
        memory = net.encode(SOURCE_BS, LENGTH_B)
        state = net.begin(memory)
        fed = state._replace(readout_nr=state.readout_nr + shift)
        return net.decode(WORDS_TB[:1], fed, memory)[0]

    assert np.abs(readout(weights, 0.0) - readout(weights, 1.0)).max() > 1e-3


def test_tying_saves_a_table_at_a_time():
    def count(tie):
        shapes = network.shapes(ModelConfig(embedding=12, tie=tie), JOINT)
        return sum(leaf.size for leaf in jax.tree.leaves(shapes))

    table = JOINT.target * 12
    assert count("none") - count("decoder") == table
    assert count("decoder") - count("all") == table


@pytest.mark.parametrize(
    "rate",
    ["dropout_embedding", "dropout_layers", "dropout_attention", "dropout_output"],
)
@pytest.mark.parametrize("feeding", [False, True])
def test_every_dropout_changes_the_output_and_differs_by_key(rate, feeding):
    off = dict.fromkeys(
        ("dropout_embedding", "dropout_layers", "dropout_attention", "dropout_output"), 0.0
    )
    config, weights = model({**off, rate: 0.5, "input_feeding": feeding})

    @jax.jit
    def run(key):
        net = network.bind(config, weights)
        dropout = Dropout(key)
        memory = net.encode(SOURCE_BS, LENGTH_B, dropout)
        return net.decode(WORDS_TB, net.begin(memory), memory, dropout)[0]

    one, two = run(jax.random.key(1)), run(jax.random.key(2))
    assert jnp.abs(run(None) - one).max() > 1e-3
    assert jnp.abs(one - two).max() > 1e-3
    np.testing.assert_array_equal(one, run(jax.random.key(1)))


def test_variational_dropout_uses_one_mask_for_all_positions():
    x_tnd = jnp.ones((6, 4, 32))
    key = jax.random.key(3)
    fixed = Dropout(key, variational=True)(x_tnd, 0.5, 0)
    fresh = Dropout(key)(x_tnd, 0.5, 0)
    assert (fixed == fixed[:1]).all()
    assert not (fresh == fresh[:1]).all()


def test_dropout_keeps_the_mean_and_drops_the_asked_share():
    dropped = Dropout(jax.random.key(0))(jnp.ones((100, 100, 100)), 0.3, 0)
    assert abs(float(dropped.mean()) - 1) < 0.01
    assert abs(float((dropped == 0).mean()) - 0.3) < 0.01


def test_reversing_within_the_length_twice_changes_nothing():
    x_sbd = jax.random.normal(jax.random.key(0), (5, 3, 2))
    once = reverse(x_sbd, LENGTH_B)
    np.testing.assert_array_equal(reverse(once, LENGTH_B), x_sbd)
    np.testing.assert_array_equal(once[:2, 2], x_sbd[:2, 2][::-1])
    np.testing.assert_array_equal(once[2:, 2], x_sbd[2:, 2])


@pytest.mark.parametrize("options", [{}, {"attention": "additive"}, {"input_feeding": True}])
def test_bfloat16_products_stay_close_to_float32(options):
    config, weights = model(options)

    @jax.jit
    def rounded(weights):
        net = network.bind(config, weights, jnp.bfloat16)
        return forced(net, SOURCE_BS, LENGTH_B, WORDS_TB)[0]

    exact = of(options)["whole"][0]
    half = rounded(weights)
    assert half.dtype == jnp.float32
    assert 0 < np.abs(exact - half).max() < 0.1 * np.abs(exact).max()
