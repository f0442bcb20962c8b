"""The training state on disk."""

import shutil

import numpy as np
import pytest

from seq2seq.errors import UserError
from seq2seq.layout import RunFolder
from seq2seq.training.checkpoints import Checkpoints

STATE = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": (np.array(3), np.ones(2))}


@pytest.fixture(name="checkpoints")
def in_a_run(tmp_path):
    checkpoints = Checkpoints(RunFolder(tmp_path), keep=2)
    yield checkpoints
    checkpoints.close()


def test_what_was_saved_is_what_is_restored(checkpoints):
    checkpoints.save(7, STATE, kind="epoch", notes={"epoch": 3, "value": 1.5})
    checkpoints.finish()
    state, notes = checkpoints.restore(7, STATE)
    np.testing.assert_array_equal(state["a"], STATE["a"])
    np.testing.assert_array_equal(state["b"][1], STATE["b"][1])
    assert notes == {"epoch": 3, "value": 1.5, "kind": "epoch"}


def test_a_second_save_at_a_step_takes_the_place_of_the_first(checkpoints):
    checkpoints.save(7, STATE, kind="stop", notes={"epoch": 1})
    checkpoints.save(7, STATE, kind="epoch", notes={"epoch": 2})
    checkpoints.finish()
    assert checkpoints.restore(7, STATE).notes["epoch"] == 2


def test_the_latest_the_best_and_the_last_placed_are_kept(checkpoints):
    kinds = {1: "epoch", 2: "epoch", 3: "step", 4: "time", 5: "time"}
    for step, kind in kinds.items():
        checkpoints.save(step, STATE, kind=kind, notes={}, best=1)
    checkpoints.finish()
    assert checkpoints.steps == [1, 3, 4, 5]
    assert checkpoints.last_placed(before=5) == 3


def test_a_checkpoint_of_which_a_part_is_missing_is_not_gone_back_to(checkpoints, tmp_path):
    for step in (1, 2):
        checkpoints.save(step, STATE, kind="epoch", notes={})
    checkpoints.close()
    shutil.rmtree(tmp_path / "checkpoints" / "2" / "notes")
    again = Checkpoints(RunFolder(tmp_path), keep=2)
    assert again.last_placed(before=9) == 1
    again.save(3, STATE, kind="epoch", notes={})
    again.close()


def test_what_a_killed_run_had_begun_to_delete_is_gone(checkpoints, tmp_path):
    left = tmp_path / ".discarded-checkpoint-7"
    left.mkdir()
    Checkpoints(RunFolder(tmp_path), keep=2).close()
    assert not left.exists()


def test_a_damaged_checkpoint_is_named_with_what_to_do(checkpoints, tmp_path):
    for step in (1, 2):
        checkpoints.save(step, STATE, kind="epoch", notes={})
    checkpoints.finish()
    for file in (tmp_path / "checkpoints" / "2").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    with pytest.raises(UserError, match=r"2' is damaged.*goes on from step 1"):
        checkpoints.restore(2, STATE)


def test_a_disk_too_small_for_the_checkpoints_is_said_before_training(
    checkpoints, tmp_path, monkeypatch
):
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("", (), {"free": 10})())
    with pytest.raises(UserError, match="keeping the checkpoints needs"):
        checkpoints.announce(STATE, RunFolder(tmp_path))
