"""Draws a bounded sample of the corpus and trains SentencePiece models on it."""

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

import sentencepiece

from seq2seq.config import TokenizerConfig
from seq2seq.corpus.chunks import sides
from seq2seq.corpus.encoding import Share, drawn
from seq2seq.corpus.text import normalise, read_lines
from seq2seq.corpus.tokenizer import BOS, EOS, PAD, UNK
from seq2seq.corpus.workers import Workers
from seq2seq.errors import UserError

# The trainer needs some 15 to 40 bytes of memory for each byte of its text.
SAMPLE_BYTES = 100_000_000
_LONGEST_LINE_BYTES = 16_384
_SPECIAL_PIECES = ("<pad>", "<s>", "</s>", "<unk>")
# Not the number of cores: the sums over threads, hence the model, would depend on the machine.
_THREADS = 16


def sample(share: Share) -> tuple[bytes, bytes]:
    """The lines of a chunk that were drawn, of both sides; what a worker does."""
    source, target = (side.lines() for side in sides(share.chunk))
    keep = drawn(share, len(source)).tolist()
    return _text(source, keep), _text(target, keep)


def _text(lines: list[bytes], keep: list[bool]) -> bytes:
    return b"".join(b"%b\n" % line for line in compress(lines, keep) if line)


def write_samples(
    workers: Workers, shares: Iterable[Share], paths: tuple[Path, Path], most_bytes: int
) -> None:
    """Writes the sample of each side to its file; both may be the same file."""
    with paths[0].open("ab") as source_file, paths[1].open("ab") as target_file:
        written = 0
        for source, target in workers.map(sample, shares):
            if (written := written + len(source) + len(target)) > most_bytes:
                break  # a little more was drawn than expected
            source_file.write(source)
            target_file.write(target)
            if paths[0] == paths[1]:
                source_file.flush()
                target_file.flush()


@dataclass(frozen=True)
class Training:
    """What a worker needs to train one model."""

    sample: Path
    config: TokenizerConfig


def train(training: Training) -> bytes:
    """Trains a model on a sample; the same sample gives the same bytes."""
    config, model = training.config, io.BytesIO()
    _check_symbols(config.symbols)
    try:
        sentencepiece.SentencePieceTrainer.train(
            # Given the file's name, the trainer would write it into the model.
            sentence_iterator=read_lines(training.sample),
            model_writer=model,
            model_type=config.kind,
            vocab_size=config.vocabulary,
            character_coverage=config.character_coverage,
            user_defined_symbols=list(config.symbols),
            byte_fallback=True,
            split_digits=True,
            # Lines come normalised; SentencePiece's own rules would make decoding lossy.
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            pad_id=PAD,
            bos_id=BOS,
            eos_id=EOS,
            unk_id=UNK,
            pad_piece="<pad>",
            max_sentence_length=_LONGEST_LINE_BYTES,
            num_threads=_THREADS,
            minloglevel=2,
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise _explained(str(error), config.vocabulary) from None
    return model.getvalue()


def _check_symbols(symbols: Sequence[str]) -> None:
    for place, symbol in enumerate(symbols):
        if not symbol or normalise(symbol) != symbol or " " in symbol:
            raise UserError(
                f"tokenizer.symbols: {symbol!r} must be without spaces and controls, and in NFC"
            )
        if symbol in symbols[:place] or symbol in _SPECIAL_PIECES:
            raise UserError(f"tokenizer.symbols: {symbol!r} is there already")


def _explained(message: str, vocabulary: int) -> UserError:
    numbers = re.findall(r"\d+", message.rpartition("] ")[2])
    if "too high" in message and numbers:
        return UserError(
            f"tokenizer.vocabulary={vocabulary} is more than this text allows; "
            f"set it to {numbers[-1]} or less, or give more text"
        )
    if ("required_chars" in message or "smaller than" in message) and numbers:
        return UserError(
            f"tokenizer.vocabulary={vocabulary} does not even hold the characters of this text; "
            f"set it to {max(map(int, numbers))} or more, or lower tokenizer.character_coverage"
        )
    return UserError(f"SentencePiece cannot train a model on this text: {message}")


def model_bytes(workers: Workers, trainings: Sequence[Training]) -> list[bytes]:
    """Trains all models at once, in the worker processes (which can be stopped)."""
    return list(workers.map(train, trainings))
