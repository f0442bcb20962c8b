"""Scores of given translations: those of the search, alone as among others, for any two lines."""

import json
import math

import numpy as np
import pytest

from seq2seq.corpus.tokenizer import EOS
from seq2seq.decoding import forcing, scoring
from seq2seq.decoding.tiles import WIDTHS

SOURCES = ["Ein Hund.", "Zwei Frauen und ein Kind spielen auf der Straße.", "Katze", "ein Haus"]


def test_scores_do_not_depend_on_the_order_or_the_neighbours(translator):
    pairs = list(zip(SOURCES * 3, [*SOURCES[::-1] * 2, "ein", "der Hund", "", "."], strict=True))
    together = list(translator.score(pairs))
    assert together == [next(translator.score([pair])) for pair in pairs]
    assert together == list(translator.score(pairs[::-1]))[::-1]
    assert len({each.score for each in together}) == len(set(pairs))


def test_a_score_is_the_sum_of_its_tokens_and_its_rank_divides_by_their_number(translator):
    for each in translator.score([(SOURCES[0], "ein grüner Hund"), (SOURCES[1], "")]):
        gains = [token.log_probability for token in each.tokens]
        assert each.tokens[-1].piece == "</s>"
        assert each.score == pytest.approx(sum(gains), abs=1e-4)
        assert each.rank == pytest.approx(sum(gains) / len(gains), abs=1e-4)
        assert len(each.alignment) == len(gains)


def test_the_probabilities_of_all_words_at_a_place_add_up_to_one(translator):
    source = translator._source.encode(SOURCES[0])
    words = range(translator._target.size)
    found = forcing.force(translator._tiles, [(source, [17, word]) for word in words])
    assert sum(math.exp(each.log_probabilities[1]) for each in found) == pytest.approx(1, abs=1e-4)


def test_an_empty_line_has_an_empty_translation_for_certain_and_no_other(translator):
    both, text, blank = translator.score([("", ""), (" ", "Hund"), ("", "\u200b")])
    assert (both.score, both.flags) == (0.0, ())
    assert (text.score, text.flags) == (-math.inf, ("unscored",))
    assert (blank.score, blank.flags) == (0.0, ())
    assert text.to_text() == "-inf"
    assert json.loads(text.to_json())["score"] is None


def test_what_is_longer_than_the_models_limit_is_scored_whole_and_flagged(translator):
    long = "Der Hund läuft über die Straße. " * 3
    [scored] = translator.score([(long, long)])
    assert scored.flags == ("long",)
    assert len(scored.tokens) == len(translator._target.encode(long)) + 1
    assert math.isfinite(scored.score)


def test_what_no_tile_holds_is_left_without_a_score(translator):
    [scored] = translator.score([("Hund", "x" * WIDTHS[-1])])
    assert scored.flags == ("long", "unscored")
    assert scored.score == -math.inf
    assert forcing.fits([5] * (WIDTHS[-1] - 1), [EOS] * WIDTHS[-1])
    assert not forcing.fits([5] * WIDTHS[-1], [EOS])
    assert not forcing.fits([5], [EOS] * (WIDTHS[-1] + 1))


def test_bytes_that_are_no_text_are_flagged_on_either_side(translator):
    flags = [each.flags for each in translator.score([("\ufffd", "a"), ("a", "\udcff")])]
    assert flags == [("invalid_utf8",)] * 2


def test_scores_come_in_order_and_before_the_pairs_end(translator):
    def endless():
        number = 0
        while True:
            yield "Hund", "x" * (number % 5)
            number += 1

    found = translator.score(endless())
    lengths = [len(next(found).translation) for _ in range(40)]
    assert lengths == [number % 5 for number in range(40)]


def test_json_has_one_object_a_line_with_its_keys(translator):
    [scored] = translator.score([("Ein\tHund 😀", "a\nb")])
    written = scored.to_json()
    assert "\n" not in written
    assert list(json.loads(written)) == [
        *("source", "translation", "score", "rank", "tokens", "alignment", "flags")
    ]


def test_every_flag_is_explained():
    assert {"long", "unscored", "invalid_utf8"} == set(scoring.FLAGS)


def test_a_tile_of_any_width_has_a_bounded_number_of_positions(translator):
    sizes = [forcing._places(translator._tiles, columns) * columns for columns in WIDTHS]
    assert max(sizes) <= max(1_024, WIDTHS[-1])
    assert np.min(sizes) >= 768
