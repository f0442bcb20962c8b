"""How far a word of a translation can be trusted: the curve, and the file that keeps it.

A network's probabilities tell which words are more doubtful than others, but not how doubtful they
are. The curve turns them into frequencies: of words with confidence 0.9, nine in ten are right.
It is fitted by `seq2seq.evaluation.calibrating`. Knows no text.

Axes: n words   f kinds of evidence
"""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from seq2seq.errors import UserError
from seq2seq.files import write_atomically

_VERSION = 1


def evidence(log_probabilities: Sequence[float]) -> np.ndarray:
    """For each word of a sentence its log-probability, and the mean of all of them."""
    word_n = np.array(log_probabilities, np.float64)
    return np.stack([word_n, np.full_like(word_n, word_n.mean() if len(word_n) else 0)], axis=1)


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """A weighted sum of the evidence, and a rising curve from there to frequencies."""

    weights: tuple[float, ...]  # of the kinds of evidence
    sums: tuple[float, ...]  # the corners of the curve
    confidences: tuple[float, ...]
    words: int  # that it was fitted to

    def __post_init__(self) -> None:
        curve = np.array([self.sums, self.confidences])
        if curve.size == 0 or (np.diff(curve) < 0).any() or min(self.weights) < 0:
            raise ValueError("a calibration rises with the evidence")

    def __call__(self, evidence_nf: np.ndarray) -> np.ndarray:
        """The confidence in each word."""
        return np.interp(evidence_nf @ np.array(self.weights), self.sums, self.confidences)


def save(calibration: Calibration, path: Path) -> None:
    """Writes the file, as a whole or not at all."""
    content = {"version": _VERSION, **dataclasses.asdict(calibration)}
    write_atomically(path, json.dumps(content, indent=1) + "\n")


def load(path: Path) -> Calibration | None:
    """What was saved; None where nothing was, for a model translates without."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("version") != _VERSION:
            raise ValueError("another version")
        words = content.pop("words")
        return Calibration(words=words, **{key: tuple(value) for key, value in content.items()})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, KeyError, AttributeError):
        raise UserError(
            f"{str(path)!r} is no calibration of this version; "
            "delete it, or write a new one with evaluate --calibrate"
        ) from None
