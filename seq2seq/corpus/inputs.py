"""What `prepare` starts from: the corpora of each split, their checksums, their mingled stream."""

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seq2seq.config import Config, Corpus
from seq2seq.corpus.chunks import read_chunks
from seq2seq.corpus.encoding import Share
from seq2seq.corpus.shards import FORMAT_VERSION
from seq2seq.corpus.text import corpus_paths
from seq2seq.corpus.workers import Workers
from seq2seq.errors import UserError
from seq2seq.files import checksum

# Where things lie, and how fast they are worked on, changes nothing in the result.
_IRRELEVANT = {"root", "prepared", "workers", "train", "valid", "test"}


@dataclass(frozen=True, slots=True)
class Input:
    """One corpus of a split."""

    split: str
    corpus: Corpus
    paths: tuple[Path, ...]
    checksums: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How messages call it."""
        return " and ".join(repr(str(path)) for path in self.paths)

    @property
    def fractions(self) -> list[float]:
        """How much of it each of its copies takes: weight 2.5 is [1, 1, 0.5]."""
        whole = int(self.corpus.weight)
        rest = self.corpus.weight - whole
        return [1.0] * whole + ([rest] if rest > 1e-9 else [])


def find_inputs(config: Config) -> list[Input]:
    """All corpora, checked to be there and not to be empty."""
    data = config.data
    for split in ("train", "valid"):
        if not getattr(data, split):
            raise UserError(
                f"data.{split} names no corpus; add [[data.{split}]] with source and target, "
                "or with pairs"
            )
    inputs = [
        Input(split, corpus, corpus_paths(corpus, data.root))
        for split in ("train", "valid", "test")
        for corpus in getattr(data, split)
    ]
    for item in inputs:
        for path in item.paths:
            if not path.stat().st_size:
                raise UserError(f"corpus file {str(path)!r} is empty")
    return inputs


def with_checksums(inputs: list[Input], workers: Workers) -> list[Input]:
    """Reads every file once."""
    paths = [path for item in inputs for path in item.paths]
    sums = iter(list(workers.map(checksum, paths)))
    return [
        dataclasses.replace(item, checksums=tuple(next(sums) for _ in item.paths))
        for item in inputs
    ]


def relevant_settings(config: Config) -> dict[str, Any]:
    """The settings that the prepared data depends on."""
    data = dataclasses.asdict(config.data)
    tokenizer = dataclasses.asdict(config.tokenizer)
    if config.tokenizer.source_model:
        tokenizer = {"given": [tokenizer["source_model"], tokenizer["target_model"]]}
    return {
        "data": {key: value for key, value in data.items() if key not in _IRRELEVANT},
        "tokenizer": tokenizer,
    }


def request(config: Config, inputs: list[Input]) -> str:
    """One hash of the contents of all inputs and of the settings: equal means equal results."""
    settings = relevant_settings(config)
    if "given" in settings["tokenizer"]:
        settings["tokenizer"] = [given_checksum(path) for path in settings["tokenizer"]["given"]]
    contents = [(item.split, item.corpus.weight, item.checksums) for item in inputs]
    return digest([FORMAT_VERSION, settings, contents])


def given_checksum(path: str) -> str:
    """Of an existing tokenizer model that the config names."""
    try:
        return checksum(Path(path))
    except FileNotFoundError:
        raise UserError(f"tokenizer {path!r} does not exist") from None
    except IsADirectoryError:
        raise UserError(f"tokenizer {path!r} is a folder; name a .model file") from None


def digest(value: object) -> str:
    """A hash of anything that JSON can write."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _copies(item: Input, key: int) -> Iterator[Share]:
    for copy, fraction in enumerate(item.fractions):
        for chunk in read_chunks(item.paths):
            yield Share(chunk, fraction, key, copy)


def mingled(inputs: list[Input], lines: list[int], seed: int) -> Iterator[Share]:
    """Chunks of all corpora in turn, so that each is spread evenly over the whole.

    Training shuffles within a window only: a corpus, or its second copy, must not come as one
    block.
    """
    streams = [_copies(item, stream_key(seed, place)) for place, item in enumerate(inputs)]
    totals = [max(n * len(item.fractions), 1) for n, item in zip(lines, inputs, strict=True)]
    done = [0] * len(inputs)
    alive = list(range(len(inputs)))
    while alive:
        place = min(alive, key=lambda place: done[place] / totals[place])
        share = next(streams[place], None)
        if share is None:
            alive.remove(place)
            continue
        done[place] += max(share.chunk.counts)
        yield share


def stream_key(seed: int, place: int) -> int:
    """Tells the draws of one corpus from those of another."""
    return (seed * 1_000_003 + place * 7_919) & 0xFFFFFF
