"""Trains a model: `python -m seq2seq.train CONFIG RUN [--set section.key=value …]`.

The same line resumes a run that was stopped, by whatever it was.
"""

import contextlib
import dataclasses
import itertools
import logging
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seq2seq import cli, configfile, processor
from seq2seq.config import Config, ConfigError
from seq2seq.layout import SIDES, PreparedFolder, RunFolder
from seq2seq.training import pages

_log = logging.getLogger("seq2seq.train")  # not __name__, which is __main__ when run


def main(argv: Sequence[str]) -> None:
    """Reads the settings, joins the other processes, and trains."""
    began = time.monotonic()
    parser = cli.parser(
        "train",
        "Train a model on a prepared folder; the same command resumes.",
        {
            "prepared": "data.prepared",
            "max-epochs": "train.max_epochs",
            "max-steps": "train.max_steps",
            "max-minutes": "train.max_minutes",
            "batch-tokens": "train.batch_tokens",
            "precision": "train.precision",
            "seed": "train.seed",
        },
    )
    parser.add_argument("config", metavar="CONFIG", help="a TOML file, as in configs/")
    parser.add_argument("run", metavar="RUN", help="the run folder: made, or resumed")
    arguments = parser.parse_args(argv)
    config = configfile.load(arguments.config, arguments.overrides)
    if not config.data.prepared:
        raise ConfigError("data.prepared is not set: the folder that prepare wrote")
    # Gradients travel while the backward pass goes on. Before the user's own flags, so that those
    # have the last word; XLA knows the flags of every kind of device everywhere.
    flags = ["--xla_gpu_enable_latency_hiding_scheduler=true", os.environ.get("XLA_FLAGS", "")]
    if config.train.deterministic:
        flags.append("--xla_gpu_deterministic_ops=true")
    os.environ["XLA_FLAGS"] = " ".join(filter(None, flags))
    # Only the initial weights use it. Its threads wait for one another in a loop, which beside
    # threads that compile makes it ten times slower.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    run, prepared = RunFolder(Path(arguments.run)), PreparedFolder(Path(config.data.prepared))
    _train(config, run, prepared, began=began)


def _train(config: Config, run: RunFolder, prepared: PreparedFolder, *, began: float) -> None:
    import numpy as np

    from seq2seq.corpus.batching import Plan
    from seq2seq.corpus.ratios import length_ratios
    from seq2seq.corpus.shards import open_split, read_meta
    from seq2seq.decoding import cache
    from seq2seq.model.network import Sizes
    from seq2seq.training import folder, parallel, sizing
    from seq2seq.training.loop import Loop
    from seq2seq.training.task import Task
    from seq2seq.training.validation import Validation

    meta = read_meta(prepared)
    parallel.connect(config.train)
    devices = parallel.all_devices()
    if devices.local[0].platform == "cpu":
        _examine_for_cpu(config)
    sizes = Sizes(*(meta.tokenizers[side]["pieces"] for side in SIDES))
    # One process writes; the others wait until the folder is as they will read it.
    with folder.locked(run) if devices.is_first else contextlib.nullcontext():
        cache.enable(config.translate.cache)
        shards = open_split(prepared, "train")
        if config.train.measure_lengths:
            config = _with_measured_lengths(config, length_ratios(shards))
        plan = Plan(
            shards,
            batch_tokens=sizing.LEAST_TOKENS,
            shapes=config.train.shapes,
        )
        tokens = config.train.batch_tokens
        if tokens == "auto":
            found = 0
            if devices.is_first:
                found = folder.frozen_batch_tokens(run) or sizing.batch_tokens(
                    config, plan, sizes, devices
                )
            tokens = int(parallel.from_first(np.int32(found)))
            settings = dataclasses.replace(config.train, batch_tokens=tokens)
            config = dataclasses.replace(config, train=settings)
        if devices.is_first:
            folder.prepare(run, config, prepared)
        parallel.wait_for_all("run folder")
        # Held-out data is small: every further shape costs more to compile than it saves.
        valid = Plan(open_split(prepared, "valid"), batch_tokens=tokens, shapes=3)
        Loop(
            Task(
                config=config,
                run=run,
                sizes=sizes,
                plan=plan.within(tokens),
                validation=Validation(
                    config, valid, devices=devices, judge=_judge(config, run, prepared)
                ),
                devices=devices,
                fingerprint=meta.fingerprint,
                began=began,
            )
        ).run()


def _examine_for_cpu(config: Config) -> None:
    """Refuses, or warns of, what gains nothing on a CPU."""
    if config.train.rematerialise == "layers":
        raise ConfigError("train.rematerialise='layers' saves nothing on a CPU; take 'time'")
    if config.train.precision == "bfloat16" and processor.lacks_bfloat16():
        _log.warning(
            "this processor has no instructions for bfloat16: a new run with "
            "--precision float32 would be faster"
        )


def _with_measured_lengths(config: Config, ratios: tuple[float, float]) -> Config:
    least, greatest = ratios
    settings = dataclasses.replace(
        config.translate,
        min_length_ratio=least,
        max_length_ratio=min(max(greatest, least, 0.1), 20.0),
    )
    return dataclasses.replace(config, translate=settings)


def _judge(config: Config, run: RunFolder, prepared: PreparedFolder) -> Any:
    """Translates the first validation lines with the program's own translator, and scores."""
    limit = config.train.validate_sentences
    if limit == 0:
        return lambda weights: {}
    from seq2seq.corpus.text import read_lines
    from seq2seq.corpus.tokenizer import Tokenizer
    from seq2seq.decoding.members import Member
    from seq2seq.decoding.translator import Translator
    from seq2seq.evaluation.quality import score_one

    sources, references = (
        list(itertools.islice(read_lines(prepared.text("valid", side)), limit)) for side in SIDES
    )
    tokenizers = [Tokenizer.load(run.tokenizer(side)) for side in SIDES]

    def judge(weights: Any) -> dict[str, float]:
        members = [Member(config.model, weights)]
        hypotheses = Translator(config, members, *tokenizers).translate(sources)
        return {name: score_one(name, hypotheses, references) for name in ("bleu", "chrf")}

    return judge


if __name__ == "__main__":
    pages.keep_large()
    cli.run(main)
