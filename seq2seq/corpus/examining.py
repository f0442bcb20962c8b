"""The first reading of all corpora: counts, strict UTF-8, and the doctor's verdict."""

import logging
from collections.abc import Iterator

from seq2seq.config import DataConfig
from seq2seq.corpus.chunks import read_chunks
from seq2seq.corpus.doctor import (
    Examination,
    Held,
    Record,
    held_lines,
    leak_findings,
    looks,
    merged,
)
from seq2seq.corpus.inputs import Input
from seq2seq.corpus.text import read_pairs
from seq2seq.corpus.workers import Workers
from seq2seq.errors import UserError
from seq2seq.progress import progress

_log = logging.getLogger(__name__)


def examine(
    inputs: list[Input], data: DataConfig, workers: Workers
) -> tuple[list[Record], list[str]]:
    """Records of train and valid, in this order, and what the doctor found and let pass.

    Refuses what cannot be used at all, and, as `data.doctor` says, what looks faulty.
    """
    if data.doctor == "off":
        return _records(inputs, Examination({}, closely=False), workers), []
    held = [
        (item.name, held_lines(read_pairs(item.corpus, data.root)))
        for item in inputs
        if item.split != "train"
    ]
    records = _records(inputs, Examination(merged(lines for _, lines in held)), workers)
    findings = list(_findings(records, held, data))
    if findings and data.doctor == "refuse":
        raise UserError(
            f"the data looks faulty: {'; '.join(findings)}; "
            "mend it, or go on all the same with --set data.doctor=warn"
        )
    for finding in findings:
        _log.warning("doctor: %s", finding)
    return records, findings


def _findings(
    records: list[Record], held: list[tuple[str, Held]], data: DataConfig
) -> Iterator[str]:
    for record in records:
        yield from record.findings(data.source_language, data.target_language)
    yield from leak_findings([record for record in records if record.split == "train"], held)


def _records(inputs: list[Input], examination: Examination, workers: Workers) -> list[Record]:
    without_held = Examination({}, examination.closely)
    return [
        _record(item, examination if split == "train" else without_held, workers)
        for split in ("train", "valid")
        for item in inputs
        if item.split == split
    ]


def _record(item: Input, examination: Examination, workers: Workers) -> Record:
    record = Record(item.split, item.paths)
    with progress(f"examining {item.name}", 0, unit="pairs") as advance:
        for seen in workers.map(examination, looks(read_chunks(item.paths))):
            record.add(seen)
            advance(max(seen.counts))
    source, target = record.counts
    if source != target:
        raise UserError(
            f"{item.name} have {source:,} and {target:,} lines, but line n must be the "
            f"translation of line n; the first suspicious line is {record.first_suspicious_line()}"
        )
    _log.info("%s: %s pairs", item.name, f"{source:,}")
    return record
