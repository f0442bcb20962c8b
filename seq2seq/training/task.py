"""What a training works on: everything that is decided before its first step."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from seq2seq.config import Config
from seq2seq.corpus.batching import Plan
from seq2seq.layout import RunFolder
from seq2seq.model.network import Sizes
from seq2seq.training.parallel import Devices


class Task(NamedTuple):
    """What is trained, on what, and where it goes."""

    config: Config
    run: RunFolder
    sizes: Sizes
    plan: Plan
    validation: Callable[[Any], Mapping[str, float]]  # of weights; the same on all processes
    devices: Devices
    fingerprint: str  # of the prepared data: a run is resumed with the same
    began: float  # when the command was given, by time.monotonic
