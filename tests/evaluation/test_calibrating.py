import itertools

import numpy as np
import pytest

from seq2seq.confidence import evidence
from seq2seq.evaluation import calibrating
from seq2seq.evaluation.calibrating import Judged, Said


@pytest.mark.parametrize(
    ("words", "reference", "shares"),
    [
        (["Good", "morning."], "Good morning, friend.", [1, 1]),
        (["morning,", "good!"], "Good morning.", [1, 0]),
        (["the", "the", "the"], "the cat and the dog", [2 / 3, 2 / 3, 2 / 3]),
        (["...", "yes"], "no ...", [1, 0]),
        (["me"], "", [0]),
        ([], "me", []),
        (["学生", "猫"], "我是学生。", [1, 0]),
    ],
)
def test_a_word_is_right_if_the_reference_has_it_as_often(words, reference, shares) -> None:
    np.testing.assert_allclose(calibrating.right(words, reference), shares)


def nearest_rising(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The solution is made of means of neighbours: of all such, the nearest that rises."""
    best, least = values, np.inf
    for cuts in itertools.product([False, True], repeat=len(values) - 1):
        ends = [*(place for place, cut in enumerate(cuts, start=1) if cut), len(values)]
        tried = np.empty_like(values)
        for start, end in itertools.pairwise([0, *ends]):
            tried[start:end] = np.average(values[start:end], weights=weights[start:end])
        distance = (weights * (tried - values) ** 2).sum()
        if (np.diff(tried) >= 0).all() and distance < least:
            best, least = tried, distance
    return best


@pytest.mark.parametrize("seed", range(20))
def test_the_isotonic_fit_rises_and_none_that_rises_is_nearer(seed) -> None:
    draw = np.random.default_rng(seed)
    values, weights = draw.integers(0, 5, 7) / 4, draw.uniform(0.5, 3, 7)
    fitted = calibrating.isotonic(values, weights)
    assert (np.diff(fitted) >= 0).all()
    np.testing.assert_allclose(fitted, nearest_rising(values, weights), atol=1e-12)


def drawn(sentences: int, seed: int) -> Judged:
    """Words that are right more seldom than the model believes, in bad sentences even more so."""
    draw = np.random.default_rng(seed)
    parts = []
    for line in range(sentences):
        words_nf = evidence((-draw.exponential(draw.choice([0.2, 1.0]), 10)).tolist())
        truth = 0.95 * np.exp(0.5 * words_nf[:, 0] + 0.8 * words_nf[:, 1])
        parts.append(Judged(words_nf, 1.0 * (draw.random(10) < truth), np.full(10, line)))
    return Judged(*map(np.concatenate, zip(*parts, strict=True)))


def test_of_words_with_confidence_nine_tenths_nine_in_ten_are_right() -> None:
    calibration, fresh = calibrating.fit(drawn(3_000, 1)), drawn(3_000, 2)
    for row in calibrating.reliability(calibration(fresh.evidence_nf), fresh.right_n):
        assert row["right"] == pytest.approx(row["said"], abs=4 / np.sqrt(row["words"]))
    before = calibrating.calibration_error(np.exp(fresh.evidence_nf[:, 0]), fresh.right_n)
    after = calibrating.calibration_error(calibration(fresh.evidence_nf), fresh.right_n)
    assert after < 0.02 < before / 5


def test_what_is_said_of_a_line_held_out_does_not_depend_on_what_is_right_there() -> None:
    judged = drawn(200, 3)
    line = judged.line_n == 5
    changed = judged._replace(right_n=np.where(line, 1 - judged.right_n, judged.right_n))
    before, after = map(calibrating.confidence_held_out, (judged, changed))
    np.testing.assert_array_equal(before[line], after[line])
    assert (before != after).any()


def test_a_fit_promises_no_certainty_and_has_finite_weights() -> None:
    judged = drawn(100, 4)
    for right in (0.0, 1.0):
        always = calibrating.fit(judged._replace(right_n=np.full(judged.size, right)))
        assert 0 < min(always.confidences) <= max(always.confidences) < 1
        assert np.isfinite(always.weights).all()


def test_evidence_that_speaks_against_itself_is_left_out() -> None:
    judged = drawn(300, 5)
    upside_down = calibrating.fit(judged._replace(right_n=1 - judged.right_n))
    assert upside_down.weights == (0, 0)
    assert set(upside_down(judged.evidence_nf).round(2)) == {round(1 - judged.right_n.mean(), 2)}


def test_the_report_measures_probabilities_and_confidence() -> None:
    judged = calibrating.judge(
        [Said(["a", "b"], [-0.1, -2.0]), Said([], []), Said(["c"], [-0.3])], ["a", "x", "c d"]
    )
    found = calibrating.report(judged, None)
    assert found
    assert (found["words"], found["right"]) == (3, pytest.approx(2 / 3))
    assert found["errors"]["confidence"] is None
    expected = (abs(np.exp(-0.1) - 1) + abs(np.exp(-2.0)) + abs(np.exp(-0.3) - 1)) / 3
    assert found["errors"]["probability"] == pytest.approx(expected)
    calibration = calibrating.fit(drawn(200, 6))
    assert calibrating.report(judged, calibration)["errors"]["confidence"] > 0
    assert calibrating.report(drawn(200, 6), None, held_out=True)["held_out"]
    assert calibrating.report(calibrating.judge([Said([], [])], ["a"]), None) is None
