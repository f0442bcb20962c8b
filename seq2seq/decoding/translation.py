"""What is known about one translated line. Knows no model."""

import json
import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from seq2seq.confidence import Calibration
from seq2seq.decoding import words

FLAGS = {
    "split": "longer than the model's limit: translated in parts",
    "repetition": "the first output was a loop: decoded again without repeated 3-grams",
    "blank": "the best output showed nothing: the next one, or decoded again",
    "unmet": "no output is as the line asked for, or none was found",
    "length_limit": "cut off by the longest permitted length",
    "invalid_utf8": "the source holds U+FFFD, which stands for bytes that are no text",
    "kept": "numbers, addresses or tags were hidden from the model, or corrected",
    "inserted": "one of these did not come out of the model: its place is a guess",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of the output; the last of a sentence is its end."""

    piece: str
    log_probability: float


@dataclass(frozen=True, slots=True)
class Aligned:
    """The source piece that an output piece attended to most."""

    source: int  # its position in the line
    piece: str
    weight: float  # its share of the attention


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another output."""

    translation: str
    score: float
    rank: float


class Attention(NamedTuple):
    """The pieces of a line and of its translation, ends included, and what attended to what."""

    source: tuple[str, ...]
    target: tuple[str, ...]
    weights_ts: np.ndarray  # each row adds up to 1


@dataclass(frozen=True, slots=True)
class Translation:
    """One line and its translation."""

    source: str
    translation: str = ""
    score: float = 0.0  # the log-probability of all tokens together
    rank: float = 0.0  # the score normalised by length, which orders hypotheses
    tokens: tuple[Token, ...] = ()
    alternatives: tuple[Alternative, ...] = ()  # the next best, translate.nbest - 1 of them
    alignment: tuple[Aligned, ...] = ()  # one for each token
    flags: tuple[str, ...] = ()  # see FLAGS
    source_pieces: tuple[str, ...] = ()  # what the positions of the alignment count
    calibration: Calibration | None = field(default=None, repr=False)  # the model's, if it has one

    @property
    def words(self) -> tuple[words.Word, ...]:
        """The words of the translation; made when asked for, since plain text does without."""
        end = self.tokens[-1].piece if self.tokens else ""  # of every part, if there are several
        output = [
            words.Piece(token.piece, token.log_probability, self._attended(aligned))
            for token, aligned in zip(self.tokens, self.alignment, strict=True)
            if token.piece != end
        ]
        return words.gathered(output, self.source_pieces, self.calibration)

    def _attended(self, aligned: Aligned) -> int | None:
        """The position of a source piece; None for an end, which has that of the next part."""
        here = self.source_pieces[aligned.source : aligned.source + 1]
        return aligned.source if here == (aligned.piece,) else None

    def to_text(self) -> str:
        """The translation alone."""
        return self.translation

    def to_json(self) -> str:
        """One line of JSON with the keys of the contract."""
        tree = asdict(replace(self, calibration=None))
        for internal in ("rank", "source_pieces", "calibration"):
            del tree[internal]
        for alternative in tree["alternatives"]:
            del alternative["rank"]
        tree["words"] = [word.tree() for word in self.words]
        return as_json(tree)


def as_json(tree: dict[str, Any]) -> str:
    """One line; numbers with six decimals, null where one is infinite."""
    return json.dumps(_rounded(tree), ensure_ascii=False, allow_nan=False)


def _rounded(tree):
    match tree:
        case float():
            return round(tree, 6) if math.isfinite(tree) else None
        case dict():
            return {key: _rounded(value) for key, value in tree.items()}
        case list() | tuple():
            return [_rounded(value) for value in tree]
        case _:
            return tree
