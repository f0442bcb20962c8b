"""Scores of given translations: what a model thinks of lines that somebody else wrote.

A pair is scored as a whole, however long: what a model would translate in parts, too.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from seq2seq.corpus.text import normalise
from seq2seq.corpus.tokenizer import EOS, Tokenizer
from seq2seq.decoding import forcing, lines
from seq2seq.decoding.forcing import Forced, Pair
from seq2seq.decoding.tiles import Tiles
from seq2seq.decoding.translation import Aligned, Token, as_json

FLAGS = {
    "long": "a side is longer than the model's limit: scored as a whole all the same",
    "unscored": "minus infinity: text for an empty line, or more than 2,047 subwords",
    "invalid_utf8": "a side holds U+FFFD, which stands for bytes that are no text",
}


@dataclass(frozen=True, slots=True)
class Scored:
    """A line, a translation of it, and how probable that is."""

    source: str
    translation: str
    score: float = 0.0  # the log-probability of all tokens together
    rank: float = 0.0  # the score normalised by length, as it orders hypotheses
    tokens: tuple[Token, ...] = ()
    alignment: tuple[Aligned, ...] = ()  # one for each token
    flags: tuple[str, ...] = ()  # see FLAGS

    def to_json(self) -> str:
        """One line of JSON; what is infinite is null there."""
        return as_json(asdict(self))

    def to_text(self) -> str:
        """The score alone."""
        return f"{self.score:.6f}"


def score(
    tiles: Tiles,
    tokenizers: tuple[Tokenizer, Tokenizer],
    chunk: Sequence[tuple[str, str]],
    *,
    limit: int,
) -> list[Scored]:
    """The pairs, in order; those with a side of more than `limit` pieces are flagged."""
    encoded = (
        tokenizer.encode_batch([pair[side] for pair in chunk])
        for side, tokenizer in enumerate(tokenizers)
    )
    pairs = [(source, [*target, EOS]) for source, target in zip(*encoded, strict=True)]
    # The translation of an empty line is empty, for certain: no model is asked.
    asked = [
        place
        for place, (texts, pair) in enumerate(zip(chunk, pairs, strict=True))
        if normalise(texts[0]) and forcing.fits(*pair)
    ]
    found = forcing.force(tiles, [pairs[place] for place in asked])
    forced = dict(zip(asked, found, strict=True))
    return [
        _scored(texts, pair, forced.get(place), tokenizers=tokenizers, limit=limit)
        for place, (texts, pair) in enumerate(zip(chunk, pairs, strict=True))
    ]


def _scored(
    texts: tuple[str, str],
    pair: Pair,
    forced: Forced | None,
    *,
    tokenizers: tuple[Tokenizer, Tokenizer],
    limit: int,
) -> Scored:
    source, target = pair
    line, translation = map(lines.shown, texts)
    certain = not normalise(line) and target == [EOS]
    flags = set()
    if "\ufffd" in line + translation:
        flags.add("invalid_utf8")
    if max(len(source), len(target) - 1) > limit:
        flags.add("long")
    if forced is None and not certain:
        flags.add("unscored")
    ordered = tuple(sorted(flags))
    if forced is None:
        total = 0.0 if certain else -math.inf
        return Scored(line, translation, total, total, flags=ordered)
    reads, writes = tokenizers
    pieces, attention_ts = [*source, EOS], forced.attention_ts
    return Scored(
        line,
        translation,
        forced.score,
        forced.rank,
        tokens=tuple(
            Token(writes.piece(piece), gain)
            for piece, gain in zip(target, forced.log_probabilities, strict=True)
        ),
        alignment=tuple(
            Aligned(int(place), reads.piece(pieces[place]), float(weight))
            for place, weight in zip(attention_ts.argmax(1), attention_ts.max(1), strict=True)
        ),
        flags=ordered,
    )
