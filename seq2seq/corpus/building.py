"""Builds a prepared folder: look, sample, train the tokenizers, encode; in bounded memory.

Everything is written under a temporary name, and the finished folder takes its place by one
rename: a run that is killed, or refuses the data, leaves what was there before.
"""

import contextlib
import dataclasses
import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from seq2seq import processor
from seq2seq.config import Config, DataConfig
from seq2seq.corpus.chunks import read_chunks
from seq2seq.corpus.doctor import Record
from seq2seq.corpus.duplicates import SeenHashes
from seq2seq.corpus.encoding import Encoding, Share, select
from seq2seq.corpus.examining import examine
from seq2seq.corpus.inputs import (
    Input,
    digest,
    find_inputs,
    mingled,
    relevant_settings,
    request,
    stream_key,
    with_checksums,
)
from seq2seq.corpus.shards import Meta, SplitCount, SplitWriter, is_complete, read_meta, write_meta
from seq2seq.corpus.subwords import SAMPLE_BYTES, Training, model_bytes, write_samples
from seq2seq.corpus.text import normalise, read_pairs
from seq2seq.corpus.tokenizer import Tokenizer
from seq2seq.corpus.workers import Workers
from seq2seq.errors import UserError
from seq2seq.files import checksum, folder_in_one_piece, lock, require_space
from seq2seq.layout import SIDES, PreparedFolder
from seq2seq.progress import progress

_log = logging.getLogger(__name__)
_SMALL_BYTES = 4 << 20  # starting processes takes longer than the work itself


def build(config: Config) -> Meta:
    """Makes the prepared folder of a config; does nothing where it is there already."""
    inputs = find_inputs(config)
    folder = _checked_folder(config.data.prepared)
    size = sum(path.stat().st_size for item in inputs for path in item.paths)
    count = 1 if size < _SMALL_BYTES else config.data.workers or processor.count()
    with Workers(count) as workers:
        inputs = with_checksums(inputs, workers)
        wanted = request(config, inputs)
        existing = _existing(folder)
        if existing and existing.request == wanted and is_complete(folder, existing):
            _log.info("%s is up to date: nothing to do", folder.path)
            return existing
        if existing:
            _log.info("%s was made from other inputs or settings: building it anew", folder.path)
        with _locked(folder.path), folder_in_one_piece(folder.path) as temporary:
            return _Builder(config, inputs, workers, PreparedFolder(temporary)).build(wanted)


def _checked_folder(prepared: str) -> PreparedFolder:
    if not prepared:
        raise UserError("data.prepared names no folder to write to; set it, as in 'prepared/demo'")
    folder = PreparedFolder(Path(prepared))
    if folder.path.exists() and not folder.path.is_dir():
        raise UserError(f"data.prepared={prepared!r} is a file; name a folder")
    if folder.path.is_dir() and any(folder.path.iterdir()) and not folder.meta.is_file():
        raise UserError(
            f"data.prepared={prepared!r} holds other things and no {folder.meta.name}; "
            "it would be replaced as a whole: name another folder, or empty it"
        )
    return folder


def _existing(folder: PreparedFolder) -> Meta | None:
    if not folder.meta.is_file():
        return None
    try:
        return read_meta(folder)
    except UserError as error:
        _log.info("%s; building it anew", error)
        return None


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Two runs into one folder would tear down each other's temporary one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.with_name(f".{path.name}.lock")
    with name.open("w") as file:
        lock(file, f"another prepare is writing {str(path)!r}; wait for it")
        try:
            yield
        finally:
            name.unlink(missing_ok=True)


@dataclass(frozen=True)
class _Builder:
    config: Config
    inputs: list[Input]
    workers: Workers
    folder: PreparedFolder

    def build(self, wanted: str) -> Meta:
        records, findings = examine(self.inputs, self.config.data, self.workers)
        train = [item for item in self.inputs if item.split == "train"]
        in_train = records[: len(train)]
        self._require_space(train, in_train)
        source, target = self._tokenizers(train, in_train)
        valid = self._write_valid(source, target)
        encoding = Encoding(source, target, self.config.data)
        count, read, dropped = self._write_train(encoding, train, in_train)
        tokenizers = {
            side: {"sha256": checksum(self.folder.tokenizer(side)), "pieces": tokenizer.size}
            for side, tokenizer in zip(SIDES, (source, target), strict=True)
        }
        contents = [
            (item.split, item.corpus.weight, item.checksums)
            for item in self.inputs
            if item.split != "test"
        ]
        settings = relevant_settings(self.config)
        filters = {key: value for key, value in settings["data"].items() if key != "doctor"}
        meta = Meta(
            fingerprint=digest([contents, filters, tokenizers]),
            request=wanted,
            source_language=self.config.data.source_language,
            target_language=self.config.data.target_language,
            train=count,
            valid=valid,
            read={"train": read, "valid": sum(r.counts[0] for r in records[len(train) :])},
            dropped=dropped,
            tokenizers=tokenizers,
            inputs=[_described(*pair) for pair in zip(self.inputs, records, strict=False)],
            findings=findings,
            settings=settings,
        )
        write_meta(self.folder, meta)
        return meta

    def _require_space(self, train: list[Input], records: list[Record]) -> None:
        # A piece takes two bytes and stands for three or four of text; 16 for two offsets.
        needed = sum(
            (sum(record.size) + 16 * record.counts[0]) * item.corpus.weight
            for item, record in zip(train, records, strict=True)
        )
        require_space(self.folder.path, int(needed) + SAMPLE_BYTES, "the prepared data")

    def _tokenizers(self, train: list[Input], records: list[Record]) -> tuple[Tokenizer, Tokenizer]:
        given = (self.config.tokenizer.source_model, self.config.tokenizer.target_model)
        if given[0]:
            for side, path in zip(SIDES, given, strict=True):
                if not Tokenizer.load(path).has_byte_fallback:
                    _log.warning(
                        "tokenizer %r has no byte fallback: rare characters are lost", path
                    )
                shutil.copyfile(path, self.folder.tokenizer(side))
        else:
            self._train_tokenizers(train, records)
        source, target = (Tokenizer.load(self.folder.tokenizer(side)) for side in SIDES)
        return source, target

    def _train_tokenizers(self, train: list[Input], records: list[Record]) -> None:
        settings, seed = self.config.tokenizer, self.config.data.seed
        pairs = list(zip(train, records, strict=True))
        lines = sum(item.corpus.weight * record.counts[0] for item, record in pairs)
        size = sum(item.corpus.weight * sum(record.size) for item, record in pairs)
        rate = min(settings.sample_sentences / lines, SAMPLE_BYTES / size)
        shares = (
            Share(chunk, min(rate * item.corpus.weight, 1.0), stream_key(seed + 1, place))
            for place, item in enumerate(train)
            for chunk in read_chunks(item.paths)
        )
        first, second = (self.folder.path / f"{side}.sample" for side in SIDES)
        second = first if settings.joint else second
        write_samples(self.workers, shares, (first, second), 2 * SAMPLE_BYTES)
        _log.info("training the tokenizer (%s, %d pieces)", settings.kind, settings.vocabulary)
        samples = dict.fromkeys((first, second))
        models = model_bytes(self.workers, [Training(path, settings) for path in samples])
        self.folder.tokenizer("source").write_bytes(models[0])
        self.folder.tokenizer("target").write_bytes(models[-1])
        for path in samples:
            path.unlink()

    def _write_train(
        self, encoding: Encoding, train: list[Input], records: list[Record]
    ) -> tuple[SplitCount, int, dict[str, int]]:
        data = self.config.data
        lines = [record.counts[0] for record in records]
        expected = int(sum(n * item.corpus.weight for n, item in zip(lines, train, strict=True)))
        seen = SeenHashes(data.duplicate_memory_mib)
        dropped: Counter[str] = Counter()
        read = 0
        with (
            self._writer("train", encoding) as writer,
            progress("encoding", expected, unit="pairs") as advance,
        ):
            for encoded in self.workers.map(encoding, mingled(train, lines, data.seed)):
                if encoded.hashes is not None:
                    encoded = select(encoded, seen.first_time(encoded.hashes), "duplicate")
                writer.append(encoded.tokens, encoded.lengths)
                dropped.update(encoded.dropped)
                read += encoded.read
                advance(encoded.read)
        if not writer.count.pairs:
            reasons = ", ".join(f"{reason} {count:,}" for reason, count in dropped.items() if count)
            raise UserError(
                f"no training pair is left of {read:,}: {reasons}; see the filters in data"
            )
        return writer.count, read, dict(dropped)

    def _write_valid(self, source: Tokenizer, target: Tokenizer) -> SplitCount:
        valid = [item for item in self.inputs if item.split == "valid"]
        with contextlib.ExitStack() as stack:
            files = [
                stack.enter_context(
                    self.folder.text("valid", side).open("w", encoding="utf-8", newline="\n")
                )
                for side in SIDES
            ]
            for item in valid:
                for pair in read_pairs(item.corpus, self.config.data.root):
                    if all(map(normalise, pair)):
                        for file, line in zip(files, pair, strict=True):
                            file.write(f"{line}\n")
        encoding = Encoding(source, target, _only_too_long(self.config.data))
        shares = (Share(chunk, 1.0, 0) for item in valid for chunk in read_chunks(item.paths))
        with self._writer("valid", encoding) as writer:
            for encoded in self.workers.map(encoding, shares):
                writer.append(encoded.tokens, encoded.lengths)
        if not writer.count.pairs:
            raise UserError(
                "no validation pair is left: all have an empty side or more than "
                f"data.max_length={self.config.data.max_length} pieces"
            )
        return writer.count

    def _writer(self, split: str, encoding: Encoding) -> SplitWriter:
        dtype = max(encoding.source.dtype, encoding.target.dtype)
        shard_pairs = self.config.data.shard_pairs
        return SplitWriter(self.folder, split, shard_pairs=shard_pairs, dtype=dtype)


def _only_too_long(data: DataConfig) -> DataConfig:
    return dataclasses.replace(
        data, min_length=1, max_length_ratio=1e9, drop_identical=False, drop_duplicates=False
    )


def _described(item: Input, record: Record) -> dict[str, object]:
    return {
        "split": item.split,
        "files": [path.name for path in item.paths],
        "sha256": list(item.checksums),
        "lines": record.counts[0],
        "weight": item.corpus.weight,
    }
