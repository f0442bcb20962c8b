"""Text in, text out: the one class that applications need.

>>> translator = Translator.load("runs/demo")
>>> translator.translate(["Guten Morgen.", ""])
['Good morning.', '']
"""

import dataclasses
import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seq2seq import confidence, configfile, layout
from seq2seq.confidence import Calibration
from seq2seq.config import Config, ConfigError
from seq2seq.corpus.text import normalise
from seq2seq.corpus.tokenizer import EOS, Tokenizer
from seq2seq.decoding import fitting, forcing, guards, keeping, lines, mapped, members, scoring
from seq2seq.decoding import shortlist as shortlists
from seq2seq.decoding.executables import Home, find_home
from seq2seq.decoding.literals import decimal_mark
from seq2seq.decoding.members import Member
from seq2seq.decoding.requests import Request
from seq2seq.decoding.scoring import Scored
from seq2seq.decoding.shortlist import Shortlist
from seq2seq.decoding.splitting import split
from seq2seq.decoding.tiles import Hypothesis, Tiles
from seq2seq.decoding.translation import Aligned, Alternative, Attention, Token, Translation
from seq2seq.errors import UserError
from seq2seq.model.weights import Sizes, Weights

if TYPE_CHECKING:
    from seq2seq.decoding.wording import Wanted, Wordings

__all__ = ["Request", "Scored", "Translation", "Translator"]


@dataclasses.dataclass(slots=True)
class _Part:
    """A line, or one of the parts that a long line is cut into."""

    source: list[int]
    wanted: "Wanted | None" = None  # what its translation must be like, if it was asked for that
    hypotheses: list[Hypothesis] = dataclasses.field(default_factory=list)
    flags: set[str] = dataclasses.field(default_factory=set)


class Translator:
    """A model, or several of one vocabulary as an ensemble, that translates lines of raw text.

    The text of a translation depends on its source alone, not on what it is translated with.

    >>> Translator.load("runs/demo", ["translate.beam=1"]).translate(["Guten Morgen."])
    ['Good morning.']
    """

    def __init__(
        self,
        config: Config,
        members: Sequence[Member],
        source_tokenizer: Tokenizer,
        target_tokenizer: Tokenizer,
        *,
        home: Home | None = None,
        calibration: Calibration | None = None,
        shortlist: Shortlist | None = None,
    ) -> None:
        """Executables are kept in their `home`, if they have one."""
        sizes = Sizes(source_tokenizer.size, target_tokenizer.size)
        for member in members:
            fitting.require(member, sizes, home and home.folder)
        self.config = config
        self._source, self._target = source_tokenizer, target_tokenizer
        self._calibration = calibration
        models, weights, _ = zip(*members, strict=True)
        self._tiles = Tiles.place(models, config.translate, weights, home=home, shortlist=shortlist)

    @classmethod
    def load(cls, model: str | Path, overrides: Sequence[str] = ()) -> "Translator":
        """Opens a run folder, a model folder, or several (a+b); overrides: `translate.key=value`.

        Settings are those of the first.
        """
        found = members.find(str(model))
        configs = [configfile.from_json(folder.config) for _, folder in found]
        changed = configfile.override(configs[0], overrides)
        for name, _, _ in configfile.differences(configs[0], changed):
            if not name.startswith("translate."):
                raise ConfigError(
                    f"{name} is part of the model {found[0][0]!r} and cannot be set when "
                    "translating; only translate.* can"
                )
        members.require_one_vocabulary(found)
        home = find_home(changed.translate.cache)
        kept = home and home.folder
        source, target = _tokenizers(found[0][1])
        loaded = [
            Member(config.model, mapped.load(folder, changed.translate.precision, kept), name)
            for config, (name, folder) in zip(configs, found, strict=True)
        ]
        # Several together are more or less sure than any of them alone.
        calibration = confidence.load(found[0][1].calibration) if len(found) == 1 else None
        settings = members.common(changed, configs)
        listed = shortlists.load(found[0][1]) if changed.translate.shortlist else None
        return cls(
            *(settings, loaded, source, target),
            home=home,
            calibration=calibration,
            shortlist=listed,
        )

    def with_weights(self, *weights: Weights) -> "Translator":
        """The same with other weights of the same shapes, for each of its models."""
        loaded = [Member(*each) for each in zip(self._tiles.models, weights, strict=True)]
        listed = self._tiles.shortlist
        return Translator(self.config, loaded, self._source, self._target, shortlist=listed)

    @property
    def platform(self) -> str:
        """Where it computes: `cpu`, or what JAX calls it."""
        return self._tiles.executables.platform

    def translate(self, sources: Iterable[str | Request]) -> list[str]:
        """One translation for each line; empty for an empty line only."""
        return [result.translation for result in self.stream(sources)]

    def translate_all(self, sources: Iterable[str | Request]) -> list[Translation]:
        """The same with scores, alternatives, alignment and flags."""
        return list(self.stream(sources))

    def stream(self, sources: Iterable[str | Request]) -> Iterator[Translation]:
        """The same for any number of lines, in constant memory and in order."""
        for chunk in lines.growing(sources, self.chunk_sizes()):
            yield from self.translate_chunk(chunk)

    def chunk_sizes(self) -> Iterator[int]:
        """How many lines to take at a time: few at first, later `translate.chunk`."""
        return lines.sizes(self._tiles.first, self.config.translate.chunk)

    def translate_chunk(self, chunk: Sequence[str | Request]) -> list[Translation]:
        """Translates lines that are sorted by length and searched together."""
        requests = [line if isinstance(line, Request) else Request(line) for line in chunk]
        plain = iter(self._plain([each.source for each in requests if each.is_plain]))
        wished = iter(self._wished([each for each in requests if not each.is_plain]))
        return [next(plain if each.is_plain else wished) for each in requests]

    def _plain(self, chunk: Sequence[str]) -> list[Translation]:
        if self.config.translate.keep == "off":
            return self._translated(chunk, list(map(normalise, chunk)))
        return keeping.translate(chunk, self._translated, self._source.words, self._marks())

    def _marks(self) -> tuple[str, str]:
        """The decimal marks that numbers have and get."""
        data = self.config.data
        here, there = map(decimal_mark, (data.source_language, data.target_language))
        return here, there if self.config.translate.keep == "convert" else here

    def _translated(self, chunk: Sequence[str], texts: Sequence[str]) -> list[Translation]:
        """Translates what the model is to see of each line."""
        return self._searched(chunk, [list(map(_Part, self._pieces(text))) for text in texts])

    def _wished(self, requests: Sequence[Request]) -> list[Translation]:
        return self._searched([each.source for each in requests], list(map(self._parts, requests)))

    def _searched(self, chunk: Sequence[str], by_line: list[list[_Part]]) -> list[Translation]:
        self._search([part for parts in by_line for part in parts])
        return [self._joined(*both) for both in zip(chunk, by_line, strict=True)]

    def _pieces(self, text: str) -> list[list[int]]:
        limit = self.config.data.max_length
        return split(text, self._source.encode, limit) if text else []

    def _parts(self, request: Request) -> list[_Part]:
        if request.contain and self.config.translate.sampling:
            raise UserError("phrases to contain need a beam; set translate.sampling=false")
        sources = self._pieces(normalise(request.source))
        return list(map(_Part, sources, self._wordings.of(request, len(sources))))

    @functools.cached_property
    def _wordings(self) -> "Wordings":
        # Late: most lines have no wishes.
        from seq2seq.decoding.wording import Wordings

        return Wordings(self._target)

    def score(self, pairs: Iterable[tuple[str, str]]) -> Iterator[Scored]:
        """How probable given translations are: for any number of lines, each with its own."""
        for chunk in lines.growing(pairs, self.chunk_sizes()):
            yield from self.score_chunk(chunk)

    def score_chunk(self, chunk: Sequence[tuple[str, str]]) -> list[Scored]:
        """The same for pairs that are sorted by length and computed together."""
        limit = self.config.data.max_length
        return scoring.score(self._tiles, (self._source, self._target), chunk, limit=limit)

    def force(self, source: str, translation_ids: Sequence[int]) -> list[float]:
        """The log-probability of each of the given target pieces, for a line that fits."""
        pair = self._source.encode(source), list(translation_ids)
        return forcing.force(self._tiles, [pair])[0].log_probabilities

    def attention(self, source: str) -> Attention:
        """Which source pieces the best translation of a line attends to, piece by piece."""
        part = _Part(self._source.encode(normalise(source)))
        limit = self.config.data.max_length
        if not 0 < len(part.source) <= limit:
            raise UserError(
                f"attention is shown for lines of 1 to {limit} subwords; "
                f"this one has {len(part.source)}"
            )
        self._search([part])
        ids = part.hypotheses[0].ids
        return Attention(
            tuple(map(self._source.piece, [*part.source, EOS])),
            tuple(map(self._target.piece, ids)),
            forcing.force(self._tiles, [(part.source, ids)])[0].attention_ts,
        )

    def _search(self, parts: list[_Part]) -> None:
        """Finds hypotheses; blank ones are left out, loops and blanks are searched for again."""
        banned, blank = self._target.banned_ids, self._target.blank_ids
        usual = self.config.translate.block_ngrams
        self._decode(parts, banned, block_ngrams=usual)
        again = [part for part in parts if not part.hypotheses]
        self._decode(again, {*banned, *blank} - {EOS}, block_ngrams=usual)
        again = [part for part in parts if part.wanted and not part.hypotheses]
        for part in again:
            part.wanted = part.wanted and part.wanted.given_up()
        self._decode(again, banned, block_ngrams=usual)
        if usual and usual <= guards.BLOCKED_NGRAMS:
            return
        again = [part for part in parts if self._is_loop(part)]
        self._decode(again, banned, block_ngrams=guards.BLOCKED_NGRAMS)
        # A blank does not take the place of a loop; without blanks there is always something.
        still = [part for part in again if self._is_loop(part)]
        self._decode(still, {*banned, *blank} - {EOS}, block_ngrams=guards.BLOCKED_NGRAMS)
        for part in again:
            part.flags.add("repetition")

    def _decode(self, parts: list[_Part], banned: Iterable[int], *, block_ngrams: int) -> None:
        if not parts:
            return
        found = self._tiles.decode(
            [part.source for part in parts],
            set(banned),
            block_ngrams=block_ngrams,
            wordings=[part.wanted and part.wanted.tables for part in parts],
        )
        for part, hypotheses in zip(parts, found, strict=True):
            visible = [each for each in hypotheses if not guards.is_blank(self._text(each))]
            if not visible or visible[0] is not hypotheses[0]:
                part.flags.add("blank")
            part.hypotheses = visible or part.hypotheses

    def _is_met(self, part: _Part) -> bool:
        """Whether the text is as the line asked for; the search reads pieces, and not the text."""
        if part.wanted is None:
            return True
        return bool(part.hypotheses) and part.wanted.accepts(self._text(part.hypotheses[0]))

    def _is_loop(self, part: _Part) -> bool:
        if not part.hypotheses:
            return False
        best = part.hypotheses[0]
        # A row of signs in the source, of several pieces each, excuses no row of words.
        words = self._text(best).split(), self._source.decode(part.source).split()
        return guards.loops(best.ids, part.source) or guards.loops(*words)

    def _text(self, hypothesis: Hypothesis) -> str:
        return self._target.decode(hypothesis.ids[:-1])

    def _joined(self, line: str, parts: list[_Part]) -> Translation:
        """The translation of a line from those of its parts."""
        flags = set().union(*(part.flags for part in parts))
        if not all(map(self._is_met, parts)):
            flags.add("unmet")
        source = lines.shown(line)
        if "\ufffd" in source:
            flags.add("invalid_utf8")
        if len(parts) > 1:
            flags.add("split")
        parts = [part for part in parts if part.hypotheses]
        for part in parts:
            more = part.wanted.pieces if part.wanted else 0
            if len(part.hypotheses[0].ids) > self._tiles.limit(part.source) + more:
                flags.add("length_limit")
        ordered = tuple(sorted(flags))
        if not parts:
            return Translation(source, flags=ordered)
        best, *others = self._outputs(parts)
        return Translation(
            source,
            *(best.translation, best.score, best.rank),
            tokens=tuple(
                Token(self._target.piece(piece), gain)
                for part in parts
                for piece, gain in zip(*part.hypotheses[0][:2], strict=True)
            ),
            alternatives=tuple(others),
            alignment=tuple(self._alignment(parts)),
            flags=ordered,
            source_pieces=tuple(self._source.piece(ids) for part in parts for ids in part.source),
            calibration=self._calibration,
        )

    def _outputs(self, parts: list[_Part]) -> Iterator[Alternative]:
        """The n-best outputs; a part with fewer hypotheses than others repeats its last."""
        most = max(len(part.hypotheses) for part in parts)
        for place in range(min(self.config.translate.nbest, most)):
            chosen = [part.hypotheses[min(place, len(part.hypotheses) - 1)] for part in parts]
            words = sum(len(each.ids) for each in chosen)
            yield Alternative(
                " ".join(filter(None, map(self._text, chosen))),
                score=sum(each.score for each in chosen),
                rank=sum(each.rank * len(each.ids) for each in chosen) / words,
            )

    def _alignment(self, parts: list[_Part]) -> Iterator[Aligned]:
        start = 0
        for part in parts:
            pieces = [*part.source, EOS]
            best = part.hypotheses[0]
            for source, weight in zip(best.sources, best.weights, strict=True):
                yield Aligned(start + source, self._source.piece(pieces[source]), weight)
            start += len(part.source)


def _tokenizers(model: layout.ModelFolder) -> tuple[Tokenizer, Tokenizer]:
    source, target = map(model.tokenizer, layout.SIDES)
    tokenizer = Tokenizer.load(source)
    joint = source.read_bytes() == target.read_bytes()
    return tokenizer, tokenizer if joint else Tokenizer.load(target)
