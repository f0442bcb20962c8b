"""Several models as one: which are meant, which fit together, and what they say on average."""

import dataclasses
import functools
import itertools
import json
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq import Translator, cli, configfile, evaluate, layout
from seq2seq.config import ModelConfig, TranslateConfig
from seq2seq.corpus.tokenizer import BOS, EOS
from seq2seq.decoding import forcing, kernels, members
from seq2seq.decoding import tiles as tiles_module
from seq2seq.decoding.tiles import Tiles
from seq2seq.errors import UserError
from seq2seq.model import network, weights
from tests.decoding.conftest import other_architecture, write_model

LINES = ["Ein Hund.", "", "Zwei Frauen und ein Kind spielen auf der Straße.", "Katze"]
ROUNDING = 1e-5


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """A model of another shape, with the same vocabulary."""
    folder = layout.ModelFolder(tmp_path_factory.mktemp("second"))
    write_model(folder, model=other_architecture(), seed=2, max_length=9)
    return folder


def test_a_name_with_a_plus_is_several_models_unless_it_exists(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b+c", "d"):
        write_model_link(tmp_path / name, model)

    def found(names: str) -> list[str]:
        return [name for name, _ in members.find(names)]

    assert found("a") == ["a"]
    assert found("b+c") == ["b+c"]
    assert found("a+d+a") == ["a", "d", "a"]
    assert found("a+b+c+d") == ["a", "b+c", "d"]


def write_model_link(path, model):
    path.symlink_to(model.path, target_is_directory=True)


@pytest.mark.parametrize("names", ["a+nowhere", "nowhere+a", "a+", "+a", "a++a", "b+c"])
def test_a_model_that_is_missing_is_named_with_what_was_typed(model, tmp_path, monkeypatch, names):
    monkeypatch.chdir(tmp_path)
    write_model_link(tmp_path / "a", model)
    with pytest.raises(UserError, match=r"model '(nowhere|b|)' of '.*\+.*' does not exist"):
        members.find(names)


def test_a_model_beside_itself_is_that_model(model, translator):
    alone = translator.translate_all(LINES)
    twice = Translator.load(f"{model.path}+{model.path}").translate_all(LINES)
    assert [each.translation for each in twice] == [each.translation for each in alone]
    for found, expected in zip(twice, alone, strict=True):
        assert found.score == pytest.approx(expected.score, abs=ROUNDING)
        assert [each.source for each in found.alignment] == [
            each.source for each in expected.alignment
        ]


def test_an_ensemble_gives_every_line_the_same_alone_as_among_others(model, second):
    both = Translator.load(f"{model.path}+{second.path}")
    together = both.translate_all(LINES)
    assert together == [both.translate_all([line])[0] for line in LINES]
    assert together == both.translate_all(LINES[::-1])[::-1]


def test_the_score_of_an_ensemble_is_that_of_forcing_its_words(model, second):
    both = Translator.load(f"{model.path}+{second.path}", ["translate.coverage_penalty=0.3"])
    source = both._source.encode(LINES[0])
    [found] = both._tiles.decode([source], {0, 1, 3}, block_ngrams=0)
    for each, forced in zip(
        found, forcing.force(both._tiles, [(source, each.ids) for each in found]), strict=True
    ):
        assert forced.score == pytest.approx(each.score, abs=1e-4)
        assert forced.rank == pytest.approx(each.rank, abs=1e-4)
        np.testing.assert_allclose(forced.log_probabilities, each.log_probabilities, atol=1e-4)
        np.testing.assert_array_equal(forced.attention_ts.argmax(axis=1), each.sources)


def test_an_ensemble_averages_probabilities_and_attention(model, second):
    single = [Translator.load(each.path) for each in (model, second)]
    both = Translator.load(f"{model.path}+{second.path}")
    pair = (both._source.encode("Ein Hund."), [20, 30, EOS])
    apart = [forcing.force(each._tiles, [pair])[0] for each in single]
    [forced] = forcing.force(both._tiles, [pair])
    mean = np.mean([np.exp(each.log_probabilities) for each in apart], axis=0)
    np.testing.assert_allclose(forced.log_probabilities, np.log(mean), atol=ROUNDING)
    attention_ts = np.mean([each.attention_ts for each in apart], axis=0)
    np.testing.assert_allclose(forced.attention_ts, attention_ts, atol=ROUNDING)


def test_an_ensemble_is_evaluated_like_a_model(model, second, tmp_path, capsys):
    names = f"{model.path}+{second.path}"
    said = Translator.load(names).translate(LINES)
    for name, text in (("source", LINES), ("reference", said)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in text), encoding="utf-8")
    files = [f"--{name}={tmp_path / name}" for name in ("source", "reference")]
    settings = ["--set", "evaluate.metrics=['chrf']", "--format", "json"]
    assert cli.status(evaluate.main, [names, *files, *settings]) == cli.DONE
    report = json.loads(capsys.readouterr().out)
    assert report["scores"][0]["value"] == pytest.approx(100)
    assert report["files"]["model"] == names


TINY = ModelConfig(embedding=8, encoder_units=4, decoder_units=8, tie="decoder")
WIDER = dataclasses.replace(TINY, embedding=12, encoder_layers=1, input_feeding=True)


def test_a_wide_beam_finds_the_best_output_under_the_averaged_distributions(monkeypatch):
    models, words = (TINY, WIDER), 7
    fresh = [
        jax.tree.map(lambda leaf: 4 * leaf, network.initialise(each, network.Sizes(9, words), seed))
        for seed, each in enumerate(models)
    ]
    # Two words and their end: 3 + 9 outputs.
    monkeypatch.setattr(tiles_module, "_EXTRA", 2)
    options = TranslateConfig(beam=12, nbest=5, max_length_ratio=0.1)
    tiles = Tiles.place(models, options, fresh)
    source = [5, 6, 8]
    found = tiles.decode([source], {0, BOS, 3}, block_ngrams=0)[0][:5]
    expected = {
        (*body, EOS): averaged(models, fresh, source, [*body, EOS])
        for length in (1, 2)
        for body in itertools.product((4, 5, 6), repeat=length)
    }
    best = sorted(expected, key=lambda ids: -expected[ids] / len(ids))[:5]
    assert [tuple(each.ids) for each in found] == best
    for each in found:
        assert each.score == pytest.approx(expected[tuple(each.ids)], abs=1e-4)


def averaged(models, fresh, source: list[int], target: list[int]) -> float:
    """The score of the words, from each network's own distributions."""
    chances = [
        distributions(model, leaves, jnp.array([[*source, EOS]]), jnp.array([[BOS, *target[:-1]]]))
        for model, leaves in zip(models, fresh, strict=True)
    ]
    mean_tv = np.mean(chances, axis=0)
    return sum(math.log(mean_tv[place, word]) for place, word in enumerate(target))


@functools.partial(jax.jit, static_argnames="model")
def distributions(model, leaves, source_1s, words_1t):
    net = network.bind(model, leaves)
    memory = net.encode(source_1s, jnp.array([source_1s.shape[1]]))
    readout_t1e, _, _ = net.decode(words_1t.T, net.begin(memory), memory)
    return jax.nn.softmax(net.logits(readout_t1e)[:, 0])


def test_settings_are_those_of_the_first_and_lines_as_long_as_the_strictest_allows(model, second):
    both = Translator.load(f"{model.path}+{second.path}")
    alone = configfile.from_json(model.config)
    assert both.config.translate == alone.translate
    assert (alone.data.max_length, both.config.data.max_length) == (15, 9)


def test_models_of_other_vocabularies_are_refused_by_name(model, tmp_path, other_tokenizer):
    write_model(layout.ModelFolder(tmp_path), pieces=other_tokenizer)
    with pytest.raises(UserError, match=r"have different vocabularies \(source\.model\)") as error:
        Translator.load(f"{model.path}+{tmp_path}")
    assert str(model.path) in str(error.value)
    assert str(tmp_path) in str(error.value)


def test_a_damaged_member_is_the_one_that_is_named(model, second, tmp_path):
    damaged = layout.ModelFolder(tmp_path)
    write_model(damaged)
    damaged.config.write_text(second.config.read_text())
    with pytest.raises(UserError, match=rf"model '{damaged.path}': weight .* config.json wants"):
        Translator.load(f"{model.path}+{damaged.path}")


def test_weights_of_a_live_ensemble_are_given_member_by_member(model, second):
    both = Translator.load(f"{model.path}+{second.path}")
    first, other = map(kernels.upright, both._tiles.executables.weights)
    assert both.with_weights(first, other).translate(LINES) == both.translate(LINES)
    with pytest.raises(ValueError, match="zip"):
        both.with_weights(first)


def test_weights_come_in_the_order_of_jax(model, second):
    from seq2seq.decoding.executables import _in_order

    both = (weights.load(model), {2: np.zeros(1), 10: np.ones(1)})
    leaves = [leaf for _, leaf in _in_order(both)]
    assert [id(leaf) for leaf in leaves] == [id(leaf) for leaf in jax.tree.leaves(both)]
