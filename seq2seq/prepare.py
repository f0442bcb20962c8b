"""The first stage: parallel text in, a folder of token shards and tokenizers out.

python -m seq2seq.prepare configs/demo.toml
"""

import contextlib
import logging
import signal
from collections.abc import Iterator, Sequence
from typing import NoReturn

from seq2seq import cli, configfile
from seq2seq.corpus.building import build
from seq2seq.corpus.shards import Meta
from seq2seq.errors import Interrupted

_log = logging.getLogger("seq2seq.prepare")  # not __name__, which is __main__ when run


def main(argv: Sequence[str]) -> None:
    """Prepares the corpora of a config; the summary goes to stderr."""
    parser = cli.parser(
        "prepare",
        "Filter parallel text, train the subword model, write token shards. "
        "Running it again with the same inputs does nothing.",
        {"prepared": "data.prepared", "workers": "data.workers", "doctor": "data.doctor"},
    )
    parser.add_argument("config", metavar="CONFIG", help="a TOML file; see configs/")
    arguments = parser.parse_args(argv)
    config = configfile.load(arguments.config, arguments.overrides)
    with _stopped_by_sigterm():
        meta = build(config)
    for line in summary(meta):
        _log.info("%s", line)


def summary(meta: Meta) -> Iterator[str]:
    """What was kept, and what was left out and why."""
    read, train = meta.read["train"], meta.train
    yield f"train: {train.pairs:,} of {read:,} pairs kept ({train.pairs / read:.1%})"
    for reason, count in meta.dropped.items():
        if count:
            yield f"  left out as {reason.replace('_', ' ')}: {count:,}"
    yield (
        f"pieces: {train.source_tokens:,} source, {train.target_tokens:,} target, "
        f"{train.shards} shard(s)"
    )
    yield f"valid: {meta.valid.pairs:,} of {meta.read['valid']:,} pairs"


@contextlib.contextmanager
def _stopped_by_sigterm() -> Iterator[None]:
    def stop(*_: object) -> NoReturn:
        raise Interrupted("stopped; nothing half-made was left: the same command starts again")

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == "__main__":
    cli.run(main)
