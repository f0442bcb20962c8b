"""widen_model.py: more units and words, and the same probabilities.

Axes: b sentence   s source   t target   v vocabulary
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import widen_model

from seq2seq import Translator, layout
from seq2seq.config import ModelConfig
from seq2seq.corpus.tokenizer import Tokenizer
from seq2seq.errors import UserError
from seq2seq.model import network, weights
from tests.decoding.conftest import tokenizer, write_model

STRUCTURES = [
    {},
    {"tie": "decoder", "context": "readout", "begin": "zeros", "residual": False},
    {"encoder_layers": 3, "bidirectional": "first", "decoder_layers": 3},
    {"encoder_layers": 1, "decoder_layers": 1, "attention": "additive"},
    {"input_feeding": True, "tie": "none", "readout_units": 9},
]
NARROW = {"embedding": 7, "encoder_units": 4, "decoder_units": 6}
WIDE = {"embedding": 11, "encoder_units": 5, "decoder_units": 10}
SIZES, MORE = network.Sizes(23, 23), network.Sizes(31, 29)
SOURCE_BS = jnp.array([[3, 4, 5, 6, 7], [8, 9, 2, 0, 0]])
WORDS_TB = jnp.array([[1, 1], [4, 5], [7, 8]])


def log_probabilities(config, values):
    made = network.bind(config, values)
    memory = made.encode(SOURCE_BS, jnp.array([5, 3]))
    readout_tbr, _, attention_tbs = made.decode(WORDS_TB, made.begin(memory), memory)
    return jax.nn.log_softmax(made.logits(readout_tbr)), attention_tbs


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_more_units_and_words_change_no_probability(structure):
    narrow = ModelConfig(**NARROW, **structure)
    wide = ModelConfig(
        **WIDE, **{**structure, "readout_units": 12 * ("readout_units" in structure)}
    )
    draw = np.random.default_rng(1)
    values = jax.tree.map(
        lambda leaf: draw.normal(size=leaf.shape).astype(np.float32), network.shapes(narrow, SIZES)
    )
    more = MORE if narrow.tie != "all" else network.Sizes(MORE.target, MORE.target)
    widened = widen_model.widened(values, narrow, wide, more)
    shapes = jax.tree.map(lambda leaf: leaf.shape, network.shapes(wide, more))
    assert jax.tree.map(np.shape, widened) == shapes
    (before_tbv, before_tbs), (after_tbv, after_tbs) = jax.jit(
        lambda first, second: (log_probabilities(narrow, first), log_probabilities(wide, second))
    )(values, widened)
    np.testing.assert_allclose(after_tbv[..., : SIZES.target], before_tbv, atol=1e-4)
    np.testing.assert_allclose(after_tbs, before_tbs, atol=1e-5)
    assert float(jnp.exp(after_tbv[..., SIZES.target :]).max()) == 0


def test_a_wider_model_is_a_whole_model_folder_with_a_longer_vocabulary(tmp_path, capsys):
    narrow, wide = layout.ModelFolder(tmp_path / "narrow"), layout.ModelFolder(tmp_path / "wide")
    narrow.path.mkdir()
    write_model(narrow)
    widths = ("model.embedding=48", "model.decoder_units=40", "tokenizer.vocabulary=400")
    settings = [word for width in widths for word in ("--set", width)]
    widen_model.main([str(narrow.path), str(wide.path), *settings])
    count = sum(leaf.size for _, leaf in weights.flatten(weights.load(wide)))
    assert capsys.readouterr().out == f"{wide.path}: {count:,} weights\n"
    assert Tokenizer.load(wide.tokenizer("target")).size == 400
    Translator.load(wide.path)  # refuses parts that do not belong together


def test_unused_pieces_are_never_a_part_of_a_text():
    longer = Tokenizer(widen_model.with_unused_pieces(tokenizer(seed=0), 350))
    assert longer.size == 350
    line = "Der hund <unused 345> läuft."
    assert longer.encode(line) == Tokenizer(tokenizer(seed=0)).encode(line)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"decoder_units": 3}, "decoder_units is 6; 3 is less"),
        ({"decoder_layers": 3}, "model.decoder_layers is 2, and stays so"),
        ({"residual": False}, "model.residual is True, and stays so"),
    ],
)
def test_a_network_that_would_say_something_else_is_not_made(change, said):
    with pytest.raises(UserError, match=said):
        widen_model.require_wider(ModelConfig(**NARROW), ModelConfig(**{**WIDE, **change}))


@pytest.mark.parametrize("option", [{"layer_norm": True}, {"attention_heads": 2}])
def test_a_network_whose_numbers_depend_on_its_width_is_refused(option):
    narrow, wide = ModelConfig(**NARROW, **option), ModelConfig(**WIDE, **option)
    with pytest.raises(UserError, match="says something else"):
        widen_model.require_wider(narrow, wide)


def test_fewer_words_are_refused():
    with pytest.raises(UserError, match="340 pieces; 300 is less"):
        widen_model.with_unused_pieces(tokenizer(seed=0), 300)
