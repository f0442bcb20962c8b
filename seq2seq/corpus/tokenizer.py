"""Text to pieces and back, by a SentencePiece model with fixed special ids and byte fallback."""

from collections.abc import Iterable
from functools import cached_property
from itertools import accumulate, chain
from pathlib import Path

import numpy as np
import sentencepiece
from numpy.typing import NDArray

from seq2seq.corpus.text import META_SPACE, normalise
from seq2seq.errors import UserError

PAD, BOS, EOS, UNK = 0, 1, 2, 3
_TEXT_BYTES = 2048


class Tokenizer:
    """`Tokenizer.load("run/source.model").encode("Guten Morgen.")` gives piece ids, without EOS.

    Picklable, so that worker processes can be handed one.
    """

    def __init__(self, model: bytes):
        self._processor = sentencepiece.SentencePieceProcessor()
        self._processor.LoadFromSerializedProto(model)
        self.size = int(self._processor.GetPieceSize())
        self.dtype = np.dtype(np.uint16 if self.size <= 1 << 16 else np.int32)
        self._pieces: dict[int, str] = {}  # those that were asked for
        self._line_feed = self._dividing_line_feed()

    @classmethod
    def load(cls, path: str | Path) -> "Tokenizer":
        """Reads a model file; refuses one whose special pieces are not where ours are."""
        path = Path(path)
        try:
            tokenizer = cls(path.read_bytes())
        except FileNotFoundError:
            raise UserError(f"tokenizer {str(path)!r} does not exist") from None
        except IsADirectoryError:
            raise UserError(f"tokenizer {str(path)!r} is a folder; name a .model file") from None
        except (RuntimeError, ValueError):
            raise UserError(f"{str(path)!r} is not a SentencePiece model") from None
        tokenizer._require_special_pieces(path)
        return tokenizer

    def __reduce__(self) -> tuple[type["Tokenizer"], tuple[bytes]]:
        return Tokenizer, (self._processor.serialized_model_proto(),)

    def encode(self, text: str) -> list[int]:
        """Piece ids of a line of raw text."""
        return self._processor.EncodeAsIds(normalise(text))

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """`encode` of many lines."""
        return self._processor.EncodeAsIds(list(map(normalise, texts)), num_threads=1)

    def encode_lines(self, lines: list[bytes]) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
        """Pieces of many normalised lines on end, and how many each line has.

        Two dozen lines are split as one text where the model allows it: a call and a list for each
        line take as long as a few words. Sums of scores are then rounded otherwise: of two equally
        likely splits of a word `encode` may choose the other one, in one line of 10,000.
        """
        if self._line_feed is None:
            ids = self._processor.EncodeAsIds(lines, num_threads=1)
            lengths = np.fromiter(map(len, ids), np.int64, len(ids))
            return np.fromiter(chain.from_iterable(ids), self.dtype, int(lengths.sum())), lengths
        lengths = np.fromiter(map(len, lines), np.int64, len(lines))
        full = list(filter(None, lines))
        size = max(_TEXT_BYTES * len(full) // max(int(lengths.sum()), 1), 1)
        texts = [
            b"%b\n" % b"\n ".join(full[start : start + size]) for start in range(0, len(full), size)
        ]
        split = self._processor.EncodeAsNumpy(texts, num_threads=1)
        pieces = np.concatenate([np.zeros(0, np.int32), *split])
        is_end = pieces == self._line_feed
        lengths[lengths > 0] = np.diff(np.flatnonzero(is_end), prepend=-1) - 1
        return pieces[~is_end].astype(self.dtype), lengths

    def decode(self, ids: Iterable[int] | NDArray[np.integer]) -> str:
        """One line of text; bytes that are no character become U+FFFD, line breaks a space."""
        return normalise(self._processor.DecodeIds([int(piece) for piece in ids if piece != UNK]))

    def piece(self, piece_id: int) -> str:
        """How the vocabulary writes a piece: `▁Haus`, `<0x0A>`, `</s>`."""
        found = self._pieces.get(piece_id)
        if found is None:  # a call of SentencePiece takes longer than all else
            found = self._pieces[piece_id] = self._processor.IdToPiece(int(piece_id))
        return found

    def words(self, text: str) -> list[int]:
        """For each piece of a line, how many words come before the one that it belongs to."""
        begins = (self.piece(piece).startswith(META_SPACE) for piece in self.encode(text))
        return [begun - 1 for begun in accumulate(begins)]

    def find(self, piece: str) -> int:
        """The id of a piece as the vocabulary writes it; UNK where it has none."""
        return int(self._processor.PieceToId(piece))

    @cached_property
    def banned_ids(self) -> tuple[int, ...]:
        """What a translation must never contain: specials (but EOS) and bytes of controls."""
        controls = {*range(0x20), 0x7F}
        return tuple(
            piece
            for piece in range(self.size)
            if piece in (PAD, BOS, UNK) or self._byte(piece) in controls
        )

    @cached_property
    def blank_ids(self) -> tuple[int, ...]:
        """Pieces that, alone, show nothing: specials, white space, and all single bytes."""
        return tuple(
            piece
            for piece in range(self.size)
            if piece in (PAD, BOS, EOS, UNK)
            or self._processor.IsByte(piece)
            or not self.decode([piece])
        )

    @cached_property
    def spellings(self) -> tuple[bytes, ...]:
        """The bytes that each piece stands for in a text; none for the specials."""
        return tuple(map(self._spelling, range(self.size)))

    @cached_property
    def has_byte_fallback(self) -> bool:
        """Whether every text can be spelled; without it, unknown characters are lost."""
        return bool(self.byte_ids)

    @cached_property
    def byte_ids(self) -> tuple[int, ...]:
        """The pieces that are single bytes."""
        return tuple(filter(self._processor.IsByte, range(self.size)))

    def _dividing_line_feed(self) -> int | None:
        """The piece of a line feed, if lines joined by it are split as each line alone."""
        feed, split = self._processor.PieceToId("<0x0A>"), self._processor.EncodeAsIds
        alone = [*split("a b."), feed, *split("c"), feed]
        return feed if self._processor.IsByte(feed) and split("a b.\n c\n") == alone else None

    def _spelling(self, piece: int) -> bytes:
        if piece in (PAD, BOS, EOS, UNK):
            return b""
        byte = self._byte(piece)
        text = self.piece(piece).replace("\u2581", " ")
        return text.encode() if byte is None else bytes([byte])

    def _byte(self, piece: int) -> int | None:
        return int(self.piece(piece)[1:-1], 16) if self._processor.IsByte(piece) else None

    def _require_special_pieces(self, path: Path) -> None:
        processor = self._processor
        found = (processor.pad_id(), processor.bos_id(), processor.eos_id(), processor.unk_id())
        if found != (PAD, BOS, EOS, UNK):
            raise UserError(
                f"tokenizer {str(path)!r} has pad, bos, eos, unk at {found}, not {(0, 1, 2, 3)}; "
                "train it with --pad_id=0 --bos_id=1 --eos_id=2 --unk_id=3"
            )
