"""Text to pieces and back, by a SentencePiece model with fixed special ids and byte fallback.

Where the vocabulary allows it (no piece reaches over a space, the rule in trained models) every
word is split on its own. A word then has the same pieces whatever stands beside it, and a table
of the words seen makes long texts several times faster than splitting them line by line.
"""

from array import array
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import cast

import numpy as np
import sentencepiece
from numpy.typing import NDArray

from seq2seq.corpus.text import is_clean, normalise
from seq2seq.errors import UserError

PAD, BOS, EOS, UNK = 0, 1, 2, 3
_META_SPACE = "\u2581"
_TABLE_WORDS = 500_000  # about 100 MB in the end; most of the words of any corpus
_TABLE_CHARACTERS = 40


class Tokenizer:
    """`Tokenizer.load("run/source.model").encode("Guten Morgen.")` gives piece ids, without EOS.

    Picklable, so that worker processes can be handed one.
    """

    def __init__(self, model: bytes):
        self._processor = sentencepiece.SentencePieceProcessor()
        self._processor.LoadFromSerializedProto(model)
        self.size = int(self._processor.GetPieceSize())
        self.dtype = np.dtype(np.uint16 if self.size <= 1 << 16 else np.int32)
        self._by_words = self._words_are_independent()
        self._table = _Table(self._split, self.dtype)

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
        return self.encode_batch([text])[0]

    def encode_batch(self, texts: Iterable[str]) -> list[list[int]]:
        """`encode` of many lines."""
        flat, ends = self.encode_lines([normalise(text) for text in texts])
        # Each line is followed by an EOS that is not part of it.
        return [
            flat[start:end].tolist()
            for start, end in zip([0, *(ends[:-1] + 1).tolist()], ends.tolist(), strict=False)
        ]

    def encode_lines(self, lines: Sequence[str]) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
        """Pieces of lines (no line ends in them) in one array; an EOS after each, and where it is.

        Normalises as `encode` does: no rule of ours reaches over a space, so word by word.
        """
        if self._by_words:
            words = " \n ".join([*lines, ""]).split(" ")[:-1]
            packed = self._table.look_up(words)
        else:
            code = self.dtype.char
            split = self._split([normalise(line) for line in lines])
            packed = b"".join(array(code, [*ids, EOS]).tobytes() for ids in split)
        flat = np.frombuffer(packed, self.dtype)
        return flat, np.flatnonzero(flat == EOS)

    def decode(self, ids: Iterable[int] | NDArray[np.integer]) -> str:
        """One line of text; bytes that are no character become U+FFFD, line breaks a space."""
        return normalise(self._processor.DecodeIds([int(piece) for piece in ids if piece != UNK]))

    def piece(self, piece_id: int) -> str:
        """How the vocabulary writes a piece: `▁Haus`, `<0x0A>`, `</s>`."""
        return self._processor.IdToPiece(int(piece_id))

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
    def has_byte_fallback(self) -> bool:
        """Whether every text can be spelled; without it, unknown characters are lost."""
        return any(map(self._processor.IsByte, range(self.size)))

    def _byte(self, piece: int) -> int | None:
        return int(self.piece(piece)[1:-1], 16) if self._processor.IsByte(piece) else None

    def _split(self, texts: Sequence[str]) -> list[list[int]]:
        return self._processor.EncodeAsIds(list(texts), num_threads=1)

    def _words_are_independent(self) -> bool:
        pieces = map(self._processor.IdToPiece, range(self.size))
        if any(_META_SPACE in piece[1:] for piece in pieces):
            return False
        both, first, second = self._split(["a b", "a", "b"])
        return both == first + second

    def _require_special_pieces(self, path: Path) -> None:
        processor = self._processor
        found = (processor.pad_id(), processor.bos_id(), processor.eos_id(), processor.unk_id())
        if found != (PAD, BOS, EOS, UNK):
            raise UserError(
                f"tokenizer {str(path)!r} has pad, bos, eos, unk at {found}, not {(0, 1, 2, 3)}; "
                "train it with --pad_id=0 --bos_id=1 --eos_id=2 --unk_id=3"
            )


class _Table:
    """Packed pieces of words, learnt as they are met until there is no more room.

    Frequent words are met first, so what finds no room any more is rare.
    """

    def __init__(self, split: Callable[[list[str]], list[list[int]]], dtype: np.dtype):
        self._split = split
        self._code = dtype.char
        self._packed: dict[str, bytes] = {"\n": array(self._code, [EOS]).tobytes(), "": b""}

    def look_up(self, words: list[str]) -> bytes:
        """The pieces of all these words on end."""
        found = list(map(self._packed.get, words))
        missing: list[int] = []
        for _ in range(found.count(None)):
            missing.append(found.index(None, missing[-1] + 1 if missing else 0))
        learnt = self._learn({words[place] for place in missing})
        for place in missing:
            found[place] = learnt[words[place]]
        return b"".join(cast(list[bytes], found))

    def _learn(self, words: set[str]) -> dict[str, bytes]:
        clean = list(filter(is_clean, words))
        learnt = {
            word: array(self._code, ids).tobytes()
            for word, ids in zip(clean, self._split(clean), strict=True)
        }
        for word in words.difference(clean):
            parts = self._split(normalise(word).split(" "))
            learnt[word] = array(self._code, chain.from_iterable(parts)).tobytes()
        if len(self._packed) < _TABLE_WORDS:
            # What is no word of a natural language (a link, a line of Chinese) hardly comes again.
            self._packed |= {
                word: packed for word, packed in learnt.items() if len(word) <= _TABLE_CHARACTERS
            }
        return learnt
