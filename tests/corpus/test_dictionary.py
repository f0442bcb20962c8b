"""The dictionary that pairs teach: its words, its bounds."""

import numpy as np
import pytest

from seq2seq.corpus import dictionary
from seq2seq.corpus.shards import Shard
from seq2seq.corpus.tokenizer import EOS

FIRST, WORDS, TARGETS = 10, 40, 200


def translation(source: int) -> int:
    """Every word has one, far away from itself."""
    return 2 * source + 50


def corpus(pairs: int, *, seed: int = 0) -> Shard:
    """Sentences of an invented language, word by word in any order, with a particle at the end."""
    draw = np.random.default_rng(seed)
    sides: list[np.ndarray] = []
    for _ in range(pairs):
        source = draw.integers(FIRST, FIRST + WORDS, draw.integers(1, 8))
        target = [*draw.permutation([translation(word) for word in source]), 5]
        sides += [source, np.array(target)]
    offsets = np.cumsum([0, *map(len, sides)])
    return Shard(np.concatenate(sides).astype(np.uint16), offsets)


def test_every_word_finds_its_translation_and_the_particle_belongs_to_none_of_them():
    found = dictionary.estimate([corpus(400), corpus(300, seed=1)], TARGETS, pairs=10_000)
    for word in range(FIRST, FIRST + WORDS):
        assert found.of(word, 1).tolist() == [translation(word)]
    assert found.of(EOS, 1).tolist() == [5]
    assert found.count_v[5] == 700


def test_translations_come_best_first_and_a_piece_never_seen_has_none():
    found = dictionary.estimate([corpus(200)], TARGETS, pairs=10_000)
    for word in range(FIRST, FIRST + WORDS):
        probabilities = found.probability_c[found.source_c == word]
        assert (np.diff(probabilities) <= 0).all()
        assert probabilities.sum() == pytest.approx(1)
        assert len(found.of(word, 3)) == 3
    assert found.of(FIRST + WORDS, 5).tolist() == []


def test_a_sample_of_the_pairs_is_enough_and_is_no_more_than_was_asked_for():
    found = dictionary.estimate([corpus(300), corpus(300, seed=1)], TARGETS, pairs=400)
    assert found.count_v[5] == 400
    assert found.of(FIRST, 1).tolist() == [translation(FIRST)]


def test_where_cells_do_not_fit_those_seen_least_are_forgotten(monkeypatch):
    monkeypatch.setattr(dictionary, "_MOST_CELLS", 700)
    found = dictionary.estimate([corpus(600)], TARGETS, pairs=10_000)
    assert len(found.source_c) <= 700
    for word in range(FIRST, FIRST + WORDS):
        assert found.of(word, 1).tolist() == [translation(word)]
