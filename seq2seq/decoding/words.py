"""The words that pieces make: how probable each is, and what of the source it comes from.

Words are what spaces separate, with the punctuation that clings to them; in scripts without spaces
every piece of letters is one. Knows no model and no tokenizer.
"""

import dataclasses
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seq2seq.confidence import Calibration, evidence
from seq2seq.corpus.text import META_SPACE, UNSPACED, normalise

_BYTE = re.compile("<0x([0-9A-F]{2})>")


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of the output: its log-probability, and the source piece it attended to most."""

    text: str
    log_probability: float
    source: int | None  # None: the end of the source


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the output. Its punctuation counts in none of the numbers."""

    text: str
    log_probability: float  # of its pieces together
    sources: tuple[int, ...]  # the source's words that they attended to most, in their order
    confidence: float | None = None  # how often such words are right; None: nobody has measured it

    @property
    def probability(self) -> float:
        """What the network thinks of it, given the words before."""
        return math.exp(self.log_probability)

    def tree(self) -> dict[str, Any]:
        """As it is in JSON."""
        return {
            "word": self.text,
            "probability": self.probability,
            "confidence": self.confidence,
            "sources": self.sources,
        }


def gathered(
    output: Sequence[Piece], source: Sequence[str], calibration: Calibration | None
) -> tuple[Word, ...]:
    """The words of an output whose pieces attend to those of a source."""
    places: dict[int | None, int] = {
        piece: place for place, span in enumerate(spans(source)) for piece in span
    }
    found = tuple(_word([output[at] for at in span], places) for span in spans(_texts(output)))
    if calibration is None or not found:
        return found
    said_n = calibration(evidence([word.log_probability for word in found]))
    return tuple(
        dataclasses.replace(word, confidence=said)
        for word, said in zip(found, said_n.tolist(), strict=True)
    )


def _word(pieces: Sequence[Piece], places: Mapping[int | None, int]) -> Word:
    bearing = [piece for piece in pieces if any(map(str.isalnum, piece.text))] or pieces
    return Word(
        text(_texts(pieces)),
        sum(piece.log_probability for piece in bearing),
        tuple(sorted({places[at] for piece in bearing if (at := piece.source) in places})),
    )


def _texts(pieces: Sequence[Piece]) -> list[str]:
    return [piece.text for piece in pieces]


def texts(pieces: Sequence[str]) -> list[str]:
    """The words of a source, as `Word.sources` counts them."""
    return [text([pieces[place] for place in span]) for span in spans(pieces)]


def spans(pieces: Sequence[str]) -> list[range]:
    """Which pieces each word is made of."""
    starts = [place for place, piece in enumerate(pieces) if place == 0 or _begins(piece)]
    bounds = itertools.pairwise([*starts, len(pieces)])
    return [range(start, end) for start, end in bounds if text(pieces[start:end])]


def text(pieces: Sequence[str]) -> str:
    """What pieces say, bytes put together."""
    raw = b"".join(
        bytes.fromhex(byte[1]) if (byte := _BYTE.fullmatch(piece)) else piece.encode()
        for piece in pieces
    )
    return normalise(raw.decode(errors="replace").replace(META_SPACE, " "))


def _begins(piece: str) -> bool:
    return piece.startswith(META_SPACE) or UNSPACED.match(piece) is not None
