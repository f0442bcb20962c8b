"""Lists of words for each sentence: what is in them, and that they are the sentence's own."""

import dataclasses
import shutil

import jax
import numpy as np
import pytest
import safetensors.numpy

from seq2seq import Request, Translator, configfile, layout
from seq2seq.config import ModelConfig, TranslateConfig
from seq2seq.corpus.dictionary import Dictionary
from seq2seq.corpus.tokenizer import BOS, EOS, PAD, UNK, Tokenizer
from seq2seq.decoding import shortlist as module
from seq2seq.decoding.members import Member
from seq2seq.decoding.shortlist import Shortlist, choose, narrowed
from seq2seq.decoding.tiles import Tiles
from seq2seq.errors import UserError
from seq2seq.model import network, weights
from tests.decoding.conftest import text

PIECES = 340
ALWAYS = np.array([PAD, BOS, EOS, UNK, 300, 301], np.uint16)


def drawn(pieces: int, *, always: np.ndarray = ALWAYS, best: int = 12) -> Shortlist:
    """Lists of words without sense."""
    draw = np.random.default_rng(0)
    lists = [draw.permutation(pieces)[:best] for _ in range(pieces)]
    return Shortlist(
        always,
        np.concatenate(lists).astype(np.uint16),
        best * np.arange(pieces + 1, dtype=np.int32),
    )


def with_shortlist(model: layout.ModelFolder, shortlist: Shortlist, *settings: str) -> Translator:
    config = configfile.override(configfile.from_json(model.config), settings)
    tokenizers = [Tokenizer.load(model.tokenizer(side)) for side in layout.SIDES]
    member = Member(config.model, weights.load(model))
    return Translator(config, [member], *tokenizers, shortlist=shortlist)


@pytest.fixture
def small_unions(monkeypatch):
    """Unions smaller than the vocabulary of the tests, of several sizes."""
    monkeypatch.setattr(module, "_FEWEST", 64)


def test_lists_of_all_words_change_nothing(model):
    everything = drawn(PIECES, always=np.arange(PIECES, dtype=np.uint16))
    listed = with_shortlist(model, everything, "translate.nbest=3")
    whole = Translator.load(model.path, ["translate.nbest=3"])
    sources = text(6, longest=4)
    for one, other in zip(listed.translate_all(sources), whole.translate_all(sources), strict=True):
        assert one.translation == other.translation
        assert one.score == pytest.approx(other.score, abs=1e-4)
        assert len(one.alternatives) == len(other.alternatives)
    ids = whole._target.encode("die Katze")
    np.testing.assert_allclose(
        listed.force("ein Kind", ids), whole.force("ein Kind", ids), atol=1e-5
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.usefixtures("small_unions")
def test_neighbours_change_nothing(model, precision):
    translator = with_shortlist(model, drawn(PIECES), f"translate.precision={precision}")
    sources = text(6, longest=3)
    together = translator.translate_all(sources)
    alone = [translator.translate_all([line])[0] for line in sources]
    order = np.random.default_rng(0).permutation(6)
    shuffled = translator.translate_all([sources[place] for place in order])
    assert together == alone
    assert [together[place] for place in order] == shuffled
    assert together != Translator.load(model.path).translate_all(sources)


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_at_real_size_neighbours_change_nothing(precision):
    options = TranslateConfig(precision=precision, max_length_ratio=0.5)
    fresh = network.initialise(ModelConfig(), network.Sizes(8_000, 8_000), seed=1)
    larger = jax.tree.map(lambda leaf: 3 * leaf, fresh)
    tiles = Tiles.place([ModelConfig()], options, [larger], shortlist=drawn(8_000, best=30))
    draw = np.random.default_rng(0)
    sources = [draw.integers(4, 8_000, length).tolist() for length in draw.integers(1, 30, 24)]

    def decoded(batch: int) -> list:
        return [
            found
            for start in range(0, 24, batch)
            for found in tiles.decode(sources[start : start + batch], {0, 1, 3}, block_ngrams=0)
        ]

    sizes = {
        len(narrowed(tiles.shortlist, group, width=32, vocabulary=8_000).union_u)
        for group in (sources[:1], sources[:8], sources)
    }
    assert len(sizes) == 3
    alone = decoded(1)
    for batch in (7, 64):
        for one, other in zip(alone, decoded(batch), strict=True):
            assert [each.ids for each in one] == [each.ids for each in other]
            # Unions of other sizes may change the last bit.
            scores = ([each.score for each in found] for found in (one, other))
            np.testing.assert_allclose(*scores, rtol=0, atol=1e-5)


@pytest.mark.usefixtures("small_unions")
def test_words_beyond_the_list_never_appear(model):
    shortlist = drawn(PIECES, best=4)
    translator = with_shortlist(model, shortlist)
    for line in text(4, longest=3):
        source = translator._source.encode(line)
        for found in translator._tiles.decode([source], {0, 1, 3}, block_ngrams=0)[0]:
            assert {*found.ids} <= {*shortlist.words(source, 32).tolist()} - {0, 1, 3}


@pytest.mark.usefixtures("small_unions")
def test_the_score_is_that_of_forced_decoding_among_the_same_words(model):
    translator = with_shortlist(model, drawn(PIECES))
    for line in ("Hund", "ein Kind", "die."):
        source = translator._source.encode(line)
        for found in translator._tiles.decode([source], {0, 1, 3}, block_ngrams=0)[0]:
            np.testing.assert_allclose(
                found.log_probabilities, translator.force(line, found.ids), atol=1e-4
            )
    # Words beyond the list have a probability too.
    assert np.isfinite(translator.force("Hund", [*range(4, PIECES)])).all()


@pytest.mark.usefixtures("small_unions")
def test_several_networks_choose_from_one_list(model):
    config = configfile.from_json(model.config)
    first = weights.load(model)
    both = [first, jax.tree.map(lambda leaf: 0.8 * leaf, first)]
    tokenizers = [Tokenizer.load(model.tokenizer(side)) for side in layout.SIDES]
    together = [Member(config.model, each) for each in both]
    translator = Translator(config, together, *tokenizers, shortlist=drawn(PIECES))
    sources = ["Hund", "ein Kind"]
    results = translator.translate_all(sources)
    assert results == [translator.translate_all([line])[0] for line in sources]
    for line in sources:
        [[found, *_]] = translator._tiles.decode(
            [translator._source.encode(line)], {0, 1, 3}, block_ngrams=0
        )
        np.testing.assert_allclose(
            found.log_probabilities, translator.force(line, found.ids), atol=1e-4
        )


def test_a_line_with_wishes_chooses_from_all_words(model):
    request = Request("Hund", prefix="straße", avoid=("katze",))
    listed = with_shortlist(model, drawn(PIECES, best=4)).translate_all([request])
    assert listed == Translator.load(model.path).translate_all([request])


def test_a_long_source_takes_fewer_words_of_each_piece_but_the_best_of_all():
    pieces = 3_000
    shortlist = drawn(pieces, best=100)
    source = [*range(10, 60)]
    words = shortlist.words(source, 64)
    assert len(words) <= shortlist.room(64) < 50 * 100
    assert {*ALWAYS.tolist()} <= {*words.tolist()}
    assert {int(shortlist.target_i[100 * piece]) for piece in source} <= {*words.tolist()}
    assert shortlist.room(256) > shortlist.room(64)


def test_unions_come_in_few_sizes_and_hold_the_lists():
    shortlist = drawn(3_000, best=40)
    sources = [[*range(start, start + 10)] for start in range(10, 80, 10)]
    for count, size in ((1, 512), (2, 1_024), (7, 2_048)):
        found = narrowed(shortlist, sources[:count], width=16, vocabulary=3_000)
        assert len(found.union_u) == size
        for source, place_l in zip(sources, found.place_bl, strict=False):
            listed = found.union_u[place_l[place_l < size]]
            np.testing.assert_array_equal(listed, shortlist.words(source, 16))


def test_lists_hold_translations_copies_and_what_every_sentence_needs(model, other_tokenizer):
    source = Tokenizer.load(model.tokenizer("source"))
    target = Tokenizer(other_tokenizer)
    count_v = np.zeros(target.size, np.int64)
    count_v[[320, 321]] = 9, 8
    pieces = [*range(260, 300)]
    dictionary = Dictionary(
        np.repeat(pieces, 2), np.tile([310, 311], len(pieces)), np.ones(80), count_v
    )
    shortlist = choose(dictionary, source, target, best=1, frequent=1)
    always = {*shortlist.always_w.tolist()}
    assert always >= {PAD, BOS, EOS, UNK, 320, target.find(".")}
    assert always.isdisjoint({321, *target.byte_ids})
    for piece in pieces:
        words = {*shortlist.words([piece], 8).tolist()}
        same = target.find(source.piece(piece))
        copies = {same} if same != UNK else {*target.encode(source.decode([piece]))}
        assert words == always | copies | {310}
    for byte in source.byte_ids:
        assert target.find(source.piece(byte)) in shortlist.words([byte], 8)


@pytest.fixture
def folder(model, tmp_path) -> layout.ModelFolder:
    shutil.copytree(model.path, tmp_path / "model")
    return layout.ModelFolder(tmp_path / "model")


def test_what_is_saved_is_what_is_used(folder):
    shortlist = drawn(PIECES, best=4)
    module.save(folder, shortlist)
    for before, after in zip(shortlist, module.load(folder), strict=True):
        np.testing.assert_array_equal(before, after)
        assert before.dtype == after.dtype
    sources = text(3, longest=3)
    loaded = Translator.load(folder.path, ["translate.shortlist=true"])
    assert loaded.translate_all(sources) == with_shortlist(folder, shortlist).translate_all(sources)
    without = Translator.load(folder.path).translate_all(sources)
    assert without != loaded.translate_all(sources)
    kept = loaded.with_weights(weights.load(folder))
    assert kept.translate_all(sources) == loaded.translate_all(sources)


def _of_other_vocabularies(folder, other_tokenizer):
    module.save(folder, drawn(PIECES))
    tensors = safetensors.numpy.load_file(folder.weights)
    folder.tokenizer("source").write_bytes(other_tokenizer)
    safetensors.numpy.save_file(tensors, folder.weights)  # of which nobody knows whose they are


def _truncated(folder, _other_tokenizer):
    module.save(folder, drawn(PIECES))
    folder.shortlist.write_bytes(folder.shortlist.read_bytes()[:-9])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda *_: None, "needs .* which is missing; make it with python scripts/make_shortlist"),
        (_of_other_vocabularies, "made for other vocabularies"),
        (_truncated, "is damaged"),
        (lambda folder, _: folder.shortlist.write_bytes(folder.weights.read_bytes()), "is damaged"),
    ],
)
def test_a_shortlist_that_cannot_be_used_is_refused_with_a_sentence(
    folder, other_tokenizer, damage, message
):
    damage(folder, other_tokenizer)
    with pytest.raises(UserError, match=message):
        Translator.load(folder.path, ["translate.shortlist=true"])


def test_a_model_may_ask_for_its_shortlist_itself(folder):
    module.save(folder, drawn(PIECES, best=4))
    config = configfile.from_json(folder.config)
    chosen = dataclasses.replace(config.translate, shortlist=True)
    written = configfile.to_json(dataclasses.replace(config, translate=chosen))
    folder.config.write_text(written, encoding="utf-8")
    sources = text(3, longest=3)
    asked = Translator.load(folder.path).translate_all(sources)
    assert asked == with_shortlist(folder, drawn(PIECES, best=4)).translate_all(sources)
