"""The translator as applications see it, and its promise: neighbours change nothing."""

import dataclasses
import itertools
import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from seq2seq import Translator, configfile, layout
from seq2seq.config import Config, ModelConfig, TranslateConfig
from seq2seq.corpus.tokenizer import EOS, Tokenizer
from seq2seq.decoding import kernels
from seq2seq.decoding import translator as module
from seq2seq.decoding.executables import Executables
from seq2seq.decoding.members import Member
from seq2seq.decoding.tiles import Hypothesis, Tiles
from seq2seq.errors import UserError
from seq2seq.model import network, weights

HARD = [
    *("", " ", "\t\r\n", "\x00", "\u200b", "\ufeff"),
    *("a", ".", "😀", "👩‍👧‍👦" * 5, "שלום עולם", "مرحبا بالعالم", "日本語。" * 20),
    *("\ufffd", "x" * 500, "Hund " * 5_000, "." * 99, "\udcff kaputt", "zwei\nZeilen", "\u200d"),
]


def lines(count: int, longest: int = 12) -> list[str]:
    draw = np.random.default_rng(count)
    words = ["Hund", "grün", "läuft", "über", "die", "Straße", "Kind", "42", "mit", "!"]
    return [" ".join(draw.choice(words, size=draw.integers(1, longest + 1))) for _ in range(count)]


@pytest.mark.parametrize(
    "options",
    [["precision=float32", "block_ngrams=0"], ["precision=bfloat16"]],
    ids=["float32", "bfloat16"],
)
def test_text_and_scores_do_not_depend_on_the_batch_or_the_order(model, options):
    translator = Translator.load(model.path, [f"translate.{each}" for each in options])
    sources = lines(20, longest=30)
    together = translator.translate_all(sources)
    alone = [translator.translate_all([line])[0] for line in sources]
    sevens = [
        result
        for start in range(0, 20, 7)
        for result in translator.translate_all(sources[start : start + 7])
    ]
    order = np.random.default_rng(0).permutation(20)
    shuffled = dict(
        zip(order, translator.translate_all([sources[place] for place in order]), strict=True)
    )
    assert together == alone == sevens == [shuffled[place] for place in range(20)]


def test_attention_is_a_distribution_whose_peaks_are_the_alignment(model):
    translator = Translator.load(model.path)
    for line in lines(2, longest=3):
        result = translator.translate_all([line])[0]
        attention = translator.attention(line)
        assert attention.weights_ts.shape == (len(result.tokens), len(attention.source))
        np.testing.assert_allclose(attention.weights_ts.sum(axis=1), 1, atol=1e-5)
        assert attention.target == tuple(token.piece for token in result.tokens)
        for row_s, aligned in zip(attention.weights_ts, result.alignment, strict=True):
            assert row_s[aligned.source] == pytest.approx(aligned.weight, abs=1e-4)
            assert attention.source[aligned.source] == aligned.piece


def test_attention_is_refused_for_lines_without_words_or_with_too_many(model):
    translator = Translator.load(model.path)
    for line in ("", "Hund " * 5_000):
        with pytest.raises(UserError, match="subwords"):
            translator.attention(line)


def test_literals_come_through_whatever_the_model_says(translator):
    sources = [
        "Schreib an a.b@see.de!",
        "Es sind <b>1.250,5</b> Kinder.",
        "Der Hund 4711-A und 384.",
    ]
    kept = ["a.b@see.de", "1,250.5", "4711-A", "384"]
    together = translator.translate_all(sources)
    assert [word for word in kept if word in " ".join(translator.translate(sources))] == kept
    assert together == [translator.translate_all([line])[0] for line in sources]
    assert together[1].translation.count("<b>") == together[1].translation.count("</b>") == 1
    for source, result in zip(sources, together, strict=True):
        assert result.source == source
        assert "kept" in result.flags
        total = sum(token.log_probability for token in result.tokens)
        assert result.score == pytest.approx(total, abs=1e-4)


def test_keeping_can_be_turned_off_and_leaves_other_lines_as_they_are(model, translator):
    off = Translator.load(model.path, ["translate.keep=off"])
    plain = ["Ein Hund läuft.", "Die Katze und der Mann."]
    assert off.translate_all(plain) == translator.translate_all(plain)
    assert "a@b.de" not in off.translate(["Der Hund a@b.de."])[0]
    verbatim = Translator.load(model.path, ["translate.keep=verbatim"])
    assert "1.250,5" in verbatim.translate(["Es sind 1.250,5 Kinder."])[0]


def test_eight_bits_are_refused_where_nobody_measured_them(model, monkeypatch):
    monkeypatch.setattr(Executables, "platform", "cuda")
    with pytest.raises(UserError, match="int8 is for CPUs; on cuda take bfloat16"):
        Translator.load(model.path, ["translate.precision=int8"])


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_at_real_size_ids_and_scores_do_not_depend_on_the_batch(precision):
    options = TranslateConfig(precision=precision, max_length_ratio=0.5)
    fresh = network.initialise(ModelConfig(), network.Sizes(8_000, 8_000), seed=1)
    tiles = Tiles.place([ModelConfig()], options, [jax.tree.map(lambda leaf: 3 * leaf, fresh)])
    draw = np.random.default_rng(0)
    lengths = [*draw.integers(1, 30, 36), 40, 70, 90, 120, 130, 150]
    sources = [draw.integers(4, 8_000, length).tolist() for length in lengths]

    def decoded(batch: int) -> list:
        return [
            found
            for start in range(0, len(sources), batch)
            for found in tiles.decode(sources[start : start + batch], {0, 1, 3}, block_ngrams=0)
        ]

    together = decoded(64)
    assert decoded(1) == together
    assert decoded(7) == together
    assert len({tuple(found[0].ids) for found in together}) == len(sources)


def test_empty_in_empty_out_and_never_empty_for_anything_else(translator):
    for line, result in zip(HARD, translator.translate_all(HARD), strict=True):
        assert bool(result.translation.strip()) == bool(module.normalise(line)), repr(line)
        assert "\n" not in result.translation


@pytest.mark.parametrize("precision", ["float32", "bfloat16", "int8"])
def test_the_score_is_that_of_forced_decoding(model, precision):
    translator = Translator.load(model.path, [f"translate.precision={precision}"])
    for line in ("Hund", "ein Kind", "die."):
        source = translator._source.encode(line)
        for hypothesis in translator._tiles.decode([source], {0, 1, 3}, block_ngrams=0)[0]:
            forced = translator.force(line, hypothesis.ids)
            assert hypothesis.score == pytest.approx(sum(forced), abs=1e-4)
            np.testing.assert_allclose(hypothesis.log_probabilities, forced, atol=1e-4)


def test_the_score_is_the_sum_of_its_tokens(translator):
    for result in translator.translate_all(lines(6)):
        total = sum(token.log_probability for token in result.tokens)
        assert result.score == pytest.approx(total, abs=1e-4)


def test_tokens_and_alignment_run_side_by_side_to_the_end_of_sentence(translator):
    result = translator.translate_all(["Ein Hund läuft."])[0]
    assert len(result.tokens) == len(result.alignment)
    assert result.tokens[-1].piece == "</s>"
    source = [*translator._source.encode("Ein Hund läuft."), EOS]
    for aligned in result.alignment:
        assert aligned.piece == translator._source.piece(source[aligned.source])
        assert 0 < aligned.weight <= 1


def test_nbest_gives_different_outputs_with_falling_rank(model):
    translator = Translator.load(model.path, ["translate.nbest=3"])
    for result in translator.translate_all(["Hund", "ein Kind", "."]):
        ranks = [result.rank, *(each.rank for each in result.alternatives)]
        assert len(ranks) <= 3
        assert ranks == sorted(ranks, reverse=True)


def test_a_line_beyond_the_limit_is_translated_in_parts_and_flagged(translator):
    sentence = "Der Hund läuft über die Straße mit dem Kind."
    long = translator.translate_all([" ".join([sentence] * 4)])[0]
    part = translator.translate_all([sentence])[0]
    assert "split" in long.flags
    assert part.translation in long.translation
    assert long.score == pytest.approx(
        sum(token.log_probability for token in long.tokens), abs=1e-4
    )
    positions = len(translator._source.encode(long.source))
    assert max(aligned.source for aligned in long.alignment) <= positions
    assert long.tokens[-1].piece == "</s>"


def test_a_length_limit_that_cuts_is_flagged(translator):
    biased = dict(weights_of(translator))
    biased["output_bias_v"] = biased["output_bias_v"].at[EOS].set(-1e4)
    result = translator.with_weights(biased).translate_all(["Ein Hund."])[0]
    assert "length_limit" in result.flags


def weights_of(translator: Translator) -> network.Weights:
    return kernels.upright(translator._tiles.executables.weights[0])


@pytest.fixture(scope="module")
def unblocked(model):
    """A translator that may repeat itself, as they all do unless told otherwise."""
    return Translator.load(model.path, ["translate.block_ngrams=0"])


def test_a_model_that_loops_is_decoded_again_and_flagged(unblocked):
    biased = dict(weights_of(unblocked))
    piece = unblocked._target.encode("hund")[-1]
    biased["output_bias_v"] = biased["output_bias_v"].at[piece].set(200.0)
    result = unblocked.with_weights(biased).translate_all(["Ein grüner Mann und eine Frau."])[0]
    assert "repetition" in result.flags
    pieces = [token.piece for token in result.tokens]
    grams = list(zip(pieces, pieces[1:], pieces[2:], strict=False))
    assert len(grams) == len(set(grams))


def answering(answers: list[list[int]]):
    """A `Tiles.decode` that gives these outputs, one after the other."""

    def decode(tiles: Tiles, sources, banned, *, block_ngrams, wordings):
        ids = answers.pop(0)
        zeros = [0.0] * len(ids)
        return [[Hypothesis(ids, zeros, [0] * len(ids), zeros, 0.0, 0.0)] for _ in sources]

    return decode


def test_a_row_of_signs_in_the_source_excuses_no_row_of_words(unblocked, monkeypatch):
    word = unblocked._target.encode("hund")
    monkeypatch.setattr(Tiles, "decode", answering([[*word * 5, EOS], [*word, EOS]]))
    (result,) = unblocked.translate_all(["Hund" + 4 * "\ufffd"])
    assert result.translation == "hund"
    assert "repetition" in result.flags


def test_a_blank_does_not_take_the_place_of_a_loop(unblocked, monkeypatch):
    word = unblocked._target.encode("hund")
    blank = next(
        piece
        for piece in unblocked._target.blank_ids
        if piece > EOS and not unblocked._target.decode([piece])
    )
    answers = [[*word * 8, EOS], [blank, EOS], [*word, EOS]]
    monkeypatch.setattr(Tiles, "decode", answering(answers))
    (result,) = unblocked.translate_all(["Ein Hund."])
    assert result.translation == "hund"
    assert "repetition" in result.flags


def test_a_model_that_prefers_blanks_still_says_something(unblocked):
    biased = dict(weights_of(unblocked))
    blanks = [piece for piece in unblocked._target.blank_ids if piece > 3]
    spaces = [piece for piece in blanks if not unblocked._target.decode([piece])]
    biased["output_bias_v"] = biased["output_bias_v"].at[jnp.array(spaces)].set(1e4)
    result = unblocked.with_weights(biased).translate_all(["Ein Hund."])[0]
    assert spaces
    assert result.translation.strip()
    assert "blank" in result.flags


def test_replacement_characters_in_the_source_are_flagged(translator):
    flags = [result.flags for result in translator.translate_all(["gut", "ka\ufffdputt"])]
    assert ["invalid_utf8" in each for each in flags] == [False, True]


def test_a_stream_gives_first_results_before_the_source_ends_and_keeps_the_order(translator):
    def endless():
        yield from itertools.cycle(["Ein Hund.", "", "Zwei Katzen."])

    results = list(itertools.islice(translator.stream(endless()), 200))
    assert [result.source for result in results] == list(itertools.islice(endless(), 200))


def test_no_lines_give_no_translations(translator):
    assert translator.translate([]) == []


def test_json_has_the_keys_of_the_contract_and_is_one_line(translator):
    result = translator.translate_all(["Ein \udcff\tHund 😀\n."])[0]
    written = result.to_json()
    assert "\n" not in written
    assert list(json.loads(written)) == [
        *("source", "translation", "score", "tokens", "alternatives", "alignment", "flags", "words")
    ]
    written.encode("utf-8")


def test_other_weights_are_used_at_once(translator):
    other = translator.with_weights(jax.tree.map(lambda leaf: -leaf, weights_of(translator)))
    assert other.translate(["Ein Hund läuft."]) != translator.translate(["Ein Hund läuft."])


def copy_of(model, tmp_path) -> layout.ModelFolder:
    shutil.copytree(model.path, tmp_path / "model")
    return layout.ModelFolder(tmp_path / "model")


def _truncate(folder):
    folder.weights.write_bytes(folder.weights.read_bytes()[:-100])


def _other_shape(folder):
    config = configfile.from_json(folder.config)
    wider = dataclasses.replace(config.model, encoder_layers=3)
    folder.config.write_text(configfile.to_json(dataclasses.replace(config, model=wider)))


def _wider(folder):
    config = configfile.from_json(folder.config)
    wider = dataclasses.replace(config.model, embedding=64)
    folder.config.write_text(configfile.to_json(dataclasses.replace(config, model=wider)))


def _not_a_number(folder):
    tensors = safetensors.numpy.load_file(folder.weights)
    tensors["output_bias_v"][3] = np.nan
    safetensors.numpy.save_file(tensors, folder.weights)


def _more_pieces(folder):
    tensors = safetensors.numpy.load_file(folder.weights)
    tensors["target_ve"] = np.concatenate([tensors["target_ve"]] * 2)
    safetensors.numpy.save_file(tensors, folder.weights)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: folder.weights.unlink(), r"weights\.safetensors missing"),
        (lambda folder: folder.config.write_text("{"), "cannot be read as JSON"),
        (lambda folder: folder.config.write_text('{"modle": {}}'), "did you mean 'model'"),
        (lambda folder: folder.tokenizer("target").write_bytes(b"x"), "target.model"),
        (lambda folder: folder.tokenizer("source").unlink(), r"source\.model missing"),
        (_truncate, "weights .* are damaged"),
        (_other_shape, "config.json wants"),
        (_wider, "config.json wants"),
        (_not_a_number, "no numbers"),
        (_more_pieces, "340 pieces, but its weights were trained with 680"),
    ],
)
def test_a_damaged_model_is_refused_with_a_sentence(model, tmp_path, damage, message):
    folder = copy_of(model, tmp_path)
    damage(folder)
    with pytest.raises(UserError, match=message):
        Translator.load(folder.path)


def test_a_tokenizer_of_another_model_is_refused(model, tmp_path, other_tokenizer):
    folder = copy_of(model, tmp_path)
    folder.tokenizer("source").write_bytes(other_tokenizer)
    with pytest.raises(UserError, match="not the vocabulary that these weights were trained with"):
        Translator.load(folder.path)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("translate.beem=3", "did you mean 'translate.beam'|did you mean 'beam'"),
        ("model.embedding=64", "model.embedding is part of the model"),
        ("data.max_length=10", "data.max_length is part of the model"),
        ("translate.beam=0", "translate.beam=0"),
        ("translate.nbest=9", "translate.nbest=9"),
    ],
)
def test_overrides_that_do_not_fit_are_refused_by_name(model, override, message):
    with pytest.raises(UserError, match=message):
        Translator.load(model.path, [override])


def test_a_translator_is_made_from_live_weights(model):
    tokenizers = [Tokenizer.load(model.tokenizer(side)) for side in layout.SIDES]
    config: Config = configfile.from_json(model.config)
    live = Translator(config, [Member(config.model, weights.load(model))], *tokenizers)
    assert live.translate(["Ein Hund."]) == Translator.load(model.path).translate(["Ein Hund."])
