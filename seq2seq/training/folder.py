"""The run folder before training begins: made, locked, and held against today's settings."""

import contextlib
import shutil
from collections.abc import Iterator

from seq2seq import configfile, files
from seq2seq.config import Config, ConfigError
from seq2seq.errors import UserError
from seq2seq.layout import SIDES, PreparedFolder, RunFolder

# What may differ when a run is resumed: none of these changes a weight that is learnt. The data
# and its tokenizer are compared by the fingerprint of the prepared folder instead.
_FREE_SECTIONS = ("data", "tokenizer", "evaluate")
_FREE = frozenset(
    f"train.{name}"
    for name in (
        *("max_epochs", "max_steps", "max_minutes", "patience", "keep_checkpoints"),
        *("average_best", "checkpoint_every_minutes", "watchdog_minutes", "log_every_steps"),
        *("tensorboard", "coordinator", "processes", "process", "deterministic"),
        *("shard_optimizer", "profile_steps"),
    )
) | frozenset(f"translate.{name}" for name in ("nbest", "chunk", "format", "document", "cache"))


def prepare(run: RunFolder, config: Config, prepared: PreparedFolder) -> None:
    """Makes a new run folder, or checks that `config` continues the one that is there."""
    if run.path.exists() and not run.path.is_dir():
        raise UserError(f"run folder {str(run.path)!r} is a file; choose another name")
    # Before its first checkpoint a run has learnt nothing that other settings could spoil.
    has_learnt = _has_learnt(run)
    if has_learnt:
        _compare(configfile.from_json(run.config), config, run)
    elif (
        not run.config.exists()
        and run.path.exists()
        and any(path != run.lock for path in run.path.iterdir())
    ):
        raise UserError(f"folder {str(run.path)!r} is not empty and holds no run; choose a new one")
    run.models.mkdir(parents=True, exist_ok=True)
    for side in SIDES:
        if not has_learnt:
            shutil.copyfile(prepared.tokenizer(side), run.tokenizer(side))
    files.write_atomically(run.config, configfile.to_json(config))


def frozen_batch_tokens(run: RunFolder) -> int | None:
    """The train.batch_tokens that the run has learnt with, if it has learnt anything yet."""
    if not _has_learnt(run):
        return None
    tokens = configfile.from_json(run.config).train.batch_tokens
    return None if tokens == "auto" else tokens


@contextlib.contextmanager
def locked(run: RunFolder) -> Iterator[None]:
    """Keeps a second training out of the same folder; a killed one leaves no lock behind."""
    try:
        run.path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise UserError(f"run folder {str(run.path)!r} is a file; choose another name") from None
    with run.lock.open("w") as file:
        files.lock(
            file,
            f"another training is writing to {str(run.path)!r}; wait for it, stop it, or choose "
            "another run folder",
        )
        yield


def _has_learnt(run: RunFolder) -> bool:
    return any(run.checkpoints.glob("[0-9]*"))


def _compare(old: Config, new: Config, run: RunFolder) -> None:
    changed = [
        f"{name} (was {before!r}, now {after!r})"
        for name, before, after in configfile.differences(old, new)
        if name.split(".")[0] not in _FREE_SECTIONS and name not in _FREE
    ]
    if changed:
        raise ConfigError(
            f"run {str(run.path)!r} cannot go on with other settings: {', '.join(changed)}; set "
            "them back, or start a new run folder"
        )
