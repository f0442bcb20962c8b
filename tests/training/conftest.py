"""A prepared folder of made-up numbers, and trainings small enough to compile in seconds."""

import dataclasses
import time

import jax
import numpy as np
import pytest

from seq2seq import configfile
from seq2seq.corpus import shards
from seq2seq.corpus.batching import Plan
from seq2seq.layout import SIDES, PreparedFolder, RunFolder
from seq2seq.model.network import Sizes
from seq2seq.training import folder
from seq2seq.training.loop import Loop
from seq2seq.training.parallel import Devices
from seq2seq.training.task import Task

PIECES = 30


def first_devices(count):
    return Devices(local=tuple(jax.local_devices()[:count]), total=count, process=0, processes=1)


def write_prepared(path, pairs=40, seed=0):
    """Random pairs in which the target is the source reversed."""
    prepared = PreparedFolder(path)
    path.mkdir()
    random = np.random.default_rng(seed)
    for side in SIDES:
        prepared.tokenizer(side).write_text("a vocabulary of numbers")
    for split, size in (("train", pairs), ("valid", 5)):
        writer = shards.SplitWriter(prepared, split, shard_pairs=100, dtype=np.dtype(np.uint16))
        with writer:
            for _ in range(size):
                source = random.integers(4, PIECES, random.integers(2, 7)).astype(np.uint16)
                writer.append(np.concatenate([source, source[::-1]]), np.array([len(source)] * 2))
    count = shards.SplitCount(shards=1, pairs=pairs)
    valid = shards.SplitCount(shards=1, pairs=5)
    shards.write_meta(
        prepared,
        shards.Meta(
            fingerprint=f"numbers {seed}",
            request="",
            source_language="xx",
            target_language="yy",
            train=count,
            valid=valid,
            read={},
            dropped={},
            tokenizers={side: {"sha256": "", "pieces": PIECES} for side in SIDES},
            inputs=[],
            findings=[],
        ),
    )
    return prepared


SMALL = {
    "model": {
        **{"embedding": 8, "encoder_layers": 1, "encoder_units": 4},
        **{"decoder_layers": 2, "decoder_units": 8},
    },
    "train": {
        **{"batch_tokens": 64, "shapes": 1, "warmup_steps": 4, "rate": 0.01, "average_best": 1},
        **{"validate_sentences": 0, "stop_metric": "loss", "max_steps": 12, "log_every_steps": 1},
    },
}


@pytest.fixture(name="prepared", scope="session")
def prepared_folder(tmp_path_factory):
    return write_prepared(tmp_path_factory.mktemp("data") / "prepared")


@pytest.fixture(name="settings")
def small_settings():
    def settings(*overrides):
        return configfile.from_tree(SMALL, overrides)

    return settings


@dataclasses.dataclass
class Training:
    """A run folder, and the loop's pieces to run in it as often as wanted."""

    prepared: PreparedFolder
    run: RunFolder
    shapes: int = 1

    @property
    def plan(self):
        return Plan(shards.open_split(self.prepared, "train"), batch_tokens=64, shapes=self.shapes)

    def __call__(self, config, validation=lambda weights: {"loss": 1.0}, devices=1):
        folder.prepare(self.run, config, self.prepared)
        task = Task(
            config=config,
            run=self.run,
            sizes=Sizes(PIECES, PIECES),
            plan=self.plan,
            validation=validation,
            devices=first_devices(devices),
            fingerprint=shards.read_meta(self.prepared).fingerprint,
            began=time.monotonic(),
        )
        Loop(task).run()


@pytest.fixture(name="training")
def training_in_a_new_folder(prepared, tmp_path):
    return Training(prepared, RunFolder(tmp_path / "run"))
