import random

import pytest
from sacrebleu.metrics.lib_ter import translation_edit_rate

from seq2seq.evaluation import ter


def _pairs(seed: int, *, vocabulary: int, longest: int, pairs: int):
    rng = random.Random(seed)
    for _ in range(pairs):
        sentences = [
            [str(rng.randrange(vocabulary)) for _ in range(rng.randrange(longest))]
            for _ in range(2)
        ]
        if rng.random() < 0.5 and sentences[1]:
            cut = rng.randrange(len(sentences[1]))
            sentences[0] = sentences[1][cut:] + sentences[1][:cut]
        yield sentences


@pytest.mark.parametrize(
    ("vocabulary", "longest", "pairs"), [(2, 8, 300), (5, 15, 200), (20, 30, 60), (40, 70, 8)]
)
def test_edits_are_those_of_sacrebleu(vocabulary: int, longest: int, pairs: int) -> None:
    for ours, theirs in _pairs(vocabulary, vocabulary=vocabulary, longest=longest, pairs=pairs):
        assert ter.edits(ours, theirs) == translation_edit_rate(ours, theirs)[0], (ours, theirs)


def test_a_sentence_whose_path_leaves_the_band_is_left_to_sacrebleu(monkeypatch) -> None:
    asked = []

    def spy(ours, theirs):
        asked.append(len(ours))
        return 123, len(theirs)

    monkeypatch.setattr(ter, "translation_edit_rate", spy)
    reference = [str(n) for n in range(80)]
    moved = reference[30:] + reference[:30]
    assert ter.edits(moved, reference) == 123
    assert asked == [80]


def test_the_search_for_shifts_ends_where_sacrebleu_ends_it() -> None:
    # So many repeated words that the limit of 1,000 candidates cuts the search short.
    reference = ["a", "b"] * 20
    moved = ["b", "b", "a", "a", "c"] * 8
    assert ter.edits(moved, reference) == translation_edit_rate(moved, reference)[0]


@pytest.mark.parametrize(
    ("ours", "theirs", "expected"),
    [([], [], 0), ([], ["a", "b"], 2), (["a"], [], 1), (["a", "b"], ["a", "b"], 0)],
)
def test_empty_and_equal_sentences_count_what_is_missing(ours, theirs, expected) -> None:
    assert ter.edits(ours, theirs) == expected


def test_moving_words_together_is_one_edit() -> None:
    assert ter.edits(list("cdeab"), list("abcde")) == 1
