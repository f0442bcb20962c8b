"""How often words are right that a model is so sure of: measured against references, and fitted.

A word counts as right if the reference has it too, wherever it stands there; a word that the
translation has more often than the reference is right in that share of its places. So a good
synonym counts as wrong: confidence is in what a translator wrote, not in all that one may write.

Axes: n words   f kinds of evidence   b bins
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from seq2seq.confidence import Calibration, evidence
from seq2seq.corpus.text import UNSPACED, bare

LEAST_WORDS = 1_000
_FOLDS = 5
_WORDS_A_CORNER = 100  # of the curve, about
_BINS = 10
_NEWTON_STEPS = 12


class Said(NamedTuple):
    """The words of a translation, and how probable the model found each."""

    words: Sequence[str]
    log_probabilities: Sequence[float]


class Judged(NamedTuple):
    """The words of many translations on end."""

    evidence_nf: Float[np.ndarray, "n f"]
    right_n: Float[np.ndarray, " n"]  # from 0 to 1
    line_n: Int[np.ndarray, " n"]

    @property
    def size(self) -> int:
        """How many."""
        return len(self.right_n)

    def only(self, chosen_n: np.ndarray) -> "Judged":
        """Some of them."""
        return Judged(*(each[chosen_n] for each in self))


def judge(lines: Sequence[Said], references: Sequence[str]) -> Judged:
    """Compares the words of each line with its reference."""
    parts = [
        Judged(
            evidence(said.log_probabilities),
            right(said.words, reference),
            np.full(len(said.words), number),
        )
        for number, (said, reference) in enumerate(zip(lines, references, strict=True))
    ]
    return Judged(*map(np.concatenate, zip(*parts, strict=True)))


def right(words: Sequence[str], reference: str) -> Float[np.ndarray, " n"]:
    """For each word the share of its kind that the reference has too; punctuation aside."""
    ours, theirs = Counter(map(bare, words)), Counter(map(bare, reference.split()))

    def found(word: str) -> int:
        # Where no spaces divide words, pieces do, and nobody cut the reference into those.
        return theirs[word] or (reference.count(word) if UNSPACED.match(word) else 0)

    return np.array([min(1.0, found(word) / ours[word]) for word in map(bare, words)])


def fit(judged: Judged) -> Calibration:
    """The rising curve that is closest to what was right, over the best sum of the evidence."""
    weights = _weights(judged.evidence_nf, judged.right_n)
    sum_n = judged.evidence_nf @ weights
    order = np.argsort(sum_n, kind="stable")
    corners = len(order) // _WORDS_A_CORNER if weights.any() else 1
    groups = np.array_split(order, max(1, corners))
    # As if another word had been seen that is right in half of all cases: a hundred words that
    # all were right are no certainty.
    right_b = np.array([(judged.right_n[group].sum() + 0.5) / (len(group) + 1) for group in groups])
    size_b = np.array([len(group) for group in groups], np.float64)
    return Calibration(
        weights=_rounded(weights),
        sums=_rounded([sum_n[group].mean() for group in groups]),
        confidences=_rounded(isotonic(right_b, size_b)),
        words=len(order),
    )


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def _weights(evidence_nf: np.ndarray, right_n: np.ndarray) -> np.ndarray:
    """Those of a logistic regression (Platt 1999), by Newton's method; never negative."""
    features_nf = np.column_stack([evidence_nf, np.ones(len(evidence_nf))])
    weights = np.zeros(features_nf.shape[1])
    for _ in range(_NEWTON_STEPS):
        said_n = 1 / (1 + np.exp(-np.clip(features_nf @ weights, -30, 30)))
        slope = features_nf.T @ (right_n - said_n)
        curvature = (features_nf.T * (said_n * (1 - said_n))) @ features_nf
        weights += np.linalg.solve(curvature + 1e-6 * np.eye(len(weights)), slope)
    return np.maximum(weights[:-1], 0)


def isotonic(
    values_b: Float[np.ndarray, " b"], weights_b: Float[np.ndarray, " b"]
) -> Float[np.ndarray, " b"]:
    """The rising sequence with the least weighted squared distance from the values.

    Neighbours in the wrong order are pooled until none are left (Ayer et al. 1955).
    """
    pools: list[tuple[float, float, int]] = []  # mean, weight, values
    for value, weight in zip(values_b.tolist(), weights_b.tolist(), strict=True):
        mean, mass, count = value, weight, 1
        while pools and pools[-1][0] >= mean:
            before, weight_before, count_before = pools.pop()
            mean = (mean * mass + before * weight_before) / (mass + weight_before)
            mass, count = mass + weight_before, count + count_before
        pools.append((mean, mass, count))
    means, _, counts = zip(*pools, strict=True)
    return np.repeat(means, counts)


def confidence_held_out(judged: Judged) -> Float[np.ndarray, " n"]:
    """The confidence in each word by a curve that was fitted without its line."""
    said_n = np.zeros(len(judged.right_n))
    for fold in range(_FOLDS):
        inside_n = judged.line_n % _FOLDS == fold
        said_n[inside_n] = fit(judged.only(~inside_n))(judged.evidence_nf[inside_n])
    return said_n


def report(
    judged: Judged, calibration: Calibration | None, *, held_out: bool = False
) -> dict[str, Any] | None:
    """How far probabilities and confidence are from what was right; nothing without words.

    Confidence is that of a calibration, or of such as are fitted to all lines but the word's own.
    """
    if not judged.size:
        return None
    probability_n, said_n = np.exp(judged.evidence_nf[:, 0]), None
    if held_out:
        said_n = confidence_held_out(judged)
    elif calibration:
        said_n = calibration(judged.evidence_nf)
    return {
        "words": judged.size,
        "right": float(judged.right_n.mean()),
        "held_out": held_out,
        "errors": {
            "probability": calibration_error(probability_n, judged.right_n),
            "confidence": None if said_n is None else calibration_error(said_n, judged.right_n),
        },
        "rows": list(reliability(probability_n if said_n is None else said_n, judged.right_n)),
    }


def calibration_error(said_n: Float[np.ndarray, " n"], right_n: Float[np.ndarray, " n"]) -> float:
    """By how much what was said is off on average: the expected calibration error, 10 bins."""
    rows = list(reliability(said_n, right_n))
    return sum(row["words"] * abs(row["said"] - row["right"]) for row in rows) / len(said_n)


def reliability(
    said_n: Float[np.ndarray, " n"], right_n: Float[np.ndarray, " n"]
) -> Iterator[dict[str, Any]]:
    """For each tenth of the scale that occurs: how much was said, and how much was right."""
    bin_n = np.minimum((said_n * _BINS).astype(int), _BINS - 1)
    for number in np.unique(bin_n).tolist():
        inside_n = bin_n == number
        yield {
            "from": number / _BINS,
            "to": (number + 1) / _BINS,
            "words": int(inside_n.sum()),
            "said": float(said_n[inside_n].mean()),
            "right": float(right_n[inside_n].mean()),
        }
