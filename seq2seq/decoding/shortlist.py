"""The target words that a source may become: a file of the model folder, and lists for a queue.

The softmax then runs over a few hundred words instead of the whole vocabulary. A sentence's list
depends on that sentence alone. The sentences of a queue share one product, over the union of their
lists: a word's share in it does not depend on the others. Knows no text and no JAX.

Axes: b sentence   l word of a sentence's list, by its id   u word of the union, by its id
w word of every list   i word of a source piece's list, best first   s source piece
"""

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from seq2seq import files
from seq2seq.corpus.tokenizer import BOS, EOS, PAD, UNK, Tokenizer
from seq2seq.errors import UserError
from seq2seq.layout import ModelFolder
from seq2seq.model import weights

if TYPE_CHECKING:
    from seq2seq.corpus.dictionary import Dictionary

SPECIALS = (PAD, BOS, EOS, UNK)  # the first of every list, so that their places are their ids
_STEP = 256  # of the lengths of lists
# Of unions: at this size, and its multiples, a column of a product has the same bits (measured in
# JAX 0.10 and 0.12 on a CPU); at 32 columns, or 5001, it has others.
_FEWEST = 512
_ROOM_A_PIECE = 16


class Shortlist(NamedTuple):
    """For each source piece the target pieces that it may become."""

    always_w: NDArray[np.integer]  # in every sentence's list; sorted
    target_i: NDArray[np.integer]  # source piece after source piece
    offset_s: NDArray[np.integer]  # where in it each of them begins, and the end of the last

    def words(self, source: Sequence[int], width: int) -> NDArray[np.integer]:
        """The words for a source of that padded width, in the order of their ids."""
        lists = [
            self.target_i[slice(*self.offset_s[piece : piece + 2])]
            for piece in sorted({*source, EOS})
        ]
        most = max(map(len, lists))
        # A long sentence takes fewer words of each piece.
        while len(words_l := self._united([each[:most] for each in lists])) > self.room(width):
            most = most * 3 // 4
        return words_l

    def room(self, width: int) -> int:
        """The length of the lists for sources of that padded width, filled up."""
        return _rounded(len(self.always_w) + _ROOM_A_PIECE * width, _STEP)

    def _united(self, lists: Sequence[NDArray[np.integer]]) -> NDArray[np.integer]:
        return np.unique(np.concatenate([self.always_w, *lists]))


class Narrowed(NamedTuple):
    """The words of a queue's sentences."""

    union_u: NDArray[np.int32]
    place_bl: NDArray[np.int32]  # places in the union; its size where a list has ended


def narrowed(
    shortlist: Shortlist, sources: Sequence[Sequence[int]], *, width: int, vocabulary: int
) -> Narrowed:
    """The lists of some sources of one padded width; all words where that takes no longer."""
    lists = [shortlist.words(source, width) for source in sources]
    union_u = np.unique(np.concatenate(lists)).astype(np.int32)
    size = next(size for size in _sizes() if size >= len(union_u))
    if size >= vocabulary:
        union_u = np.arange(vocabulary, dtype=np.int32)
        size = _rounded(vocabulary, _FEWEST)
    filled_u = np.pad(union_u, (0, size - len(union_u)), constant_values=PAD)
    places = [np.searchsorted(union_u, words_l) for words_l in lists]
    return Narrowed(filled_u, filled(places, min(shortlist.room(width), vocabulary), end=size))


def filled(lists: Sequence[NDArray[np.integer]], room: int, *, end: int) -> NDArray[np.int32]:
    """The lists as one array, with `end` where they have ended."""
    filled_bl = np.full((len(lists), room), end, np.int32)
    for row, list_l in enumerate(lists):
        filled_bl[row, : len(list_l)] = list_l
    return filled_bl


def choose(
    dictionary: "Dictionary", source: Tokenizer, target: Tokenizer, *, best: int, frequent: int
) -> Shortlist:
    """For each source piece its `best` translations and whatever copies it.

    In every list: the specials, the pieces without letters (digits, punctuation), the `frequent`
    most frequent ones, and what stands for no source piece.
    """
    usual = np.argsort(-dictionary.count_v, kind="stable")[:frequent].tolist()
    bare = [piece for piece in range(target.size) if not _has_letters(target, piece)]
    lists = [
        np.array(
            list(dict.fromkeys([*_copies(source, target, piece), *dictionary.of(piece, best)])),
            target.dtype,
        )
        for piece in range(source.size)
    ]
    return Shortlist(
        np.array(sorted({*SPECIALS, *usual, *bare}), target.dtype),
        np.concatenate(lists),
        np.cumsum([0, *map(len, lists)], dtype=np.int32),
    )


def _copies(source: Tokenizer, target: Tokenizer, piece: int) -> Sequence[int]:
    """What spells a source piece in the target's vocabulary."""
    if piece in SPECIALS:
        return ()
    same = target.find(source.piece(piece))
    return target.encode(source.decode([piece])) if same == UNK else (same,)


def _has_letters(target: Tokenizer, piece: int) -> bool:
    return piece in target.byte_ids or any(map(str.isalpha, target.decode([piece])))


def save(folder: ModelFolder, shortlist: Shortlist) -> None:
    """Puts it into a model folder, with the checksums of the tokenizers there."""
    metadata = {weights.TOKENIZERS: json.dumps(weights.checksums(folder), sort_keys=True)}
    data = safetensors.numpy.save(shortlist._asdict(), metadata=metadata)
    files.write_atomically(folder.shortlist, data)


def load(folder: ModelFolder) -> Shortlist:
    """Reads it from a model folder; refuses a damaged one, or one of other vocabularies."""
    where = repr(str(folder.shortlist))
    if not folder.shortlist.is_file():
        raise UserError(
            f"translate.shortlist=true needs {where}, which is missing; make it with "
            f"python scripts/make_shortlist.py PREPARED {str(folder.path)!r}"
        )
    try:
        with safetensors.safe_open(folder.shortlist, framework="numpy") as file:
            recorded = json.loads((file.metadata() or {})[weights.TOKENIZERS])
            found = Shortlist(*map(file.get_tensor, Shortlist._fields))
    except (safetensors.SafetensorError, OSError, ValueError, KeyError) as error:
        raise UserError(f"{where} is damaged ({error}); make it again") from None
    if recorded != weights.checksums(folder):
        raise UserError(
            f"{where} was made for other vocabularies than source.model and target.model beside "
            "it; make it again"
        )
    return found


def _sizes() -> Iterator[int]:
    """Some steps apart by a half: every one is compiled for itself."""
    yield (size := _FEWEST)
    while True:
        size *= 2
        yield from (size, size + size // 2)


def _rounded(size: int, step: int) -> int:
    return -(-size // step) * step
