import numpy as np
import pytest

from seq2seq import confidence
from seq2seq.confidence import Calibration, evidence
from seq2seq.errors import UserError

CURVE = Calibration(
    weights=(1.0, 0.5), sums=(-4.0, -1.0, 0.0), confidences=(0.1, 0.4, 0.9), words=9
)


def test_what_was_saved_is_loaded(tmp_path) -> None:
    confidence.save(CURVE, tmp_path / "a.json")
    assert confidence.load(tmp_path / "a.json") == CURVE


def test_a_model_may_be_without(tmp_path) -> None:
    assert confidence.load(tmp_path / "none.json") is None


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"version": 2}', '{"version": 1, "words": 3}'),
        '{"version": 1, "weights": [1], "sums": [-1, 0], "confidences": [0.9, 0.1], "words": 3}',
        '{"version": 1, "weights": [1], "sums": [], "confidences": [], "words": 3}',
        '{"version": 1, "weights": [1], "sums": [0], "confidences": [1, 2], "words": 3}',
        '{"version": 1, "weights": [-1], "sums": [0], "confidences": [1], "words": 3}',
        '{"version": 1, "weights": ["a"], "sums": [0], "confidences": [1], "words": 3}',
    ],
)
def test_what_is_no_calibration_is_refused_in_one_sentence(tmp_path, content) -> None:
    (tmp_path / "a.json").write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match="is no calibration"):
        confidence.load(tmp_path / "a.json")


def test_more_evidence_is_never_less_confidence() -> None:
    words = np.linspace(-9, 0, 50)
    for sentence in (-3.0, 0.0):
        rows = np.stack([words, np.full_like(words, sentence)], axis=1)
        assert (np.diff(CURVE(rows)) >= 0).all()


def test_the_evidence_of_a_word_is_its_own_and_its_sentence_s() -> None:
    np.testing.assert_allclose(evidence([-1.0, -3.0]), [[-1, -2], [-3, -2]])
    assert evidence([]).shape == (0, 2)
