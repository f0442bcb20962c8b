"""The run folder before training: made, locked, and never mistaken for another."""

import pytest

from seq2seq.errors import UserError
from seq2seq.layout import RunFolder
from seq2seq.training import folder


def test_a_folder_that_is_no_run_is_left_alone(prepared, settings, tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="not empty and holds no run"):
        folder.prepare(RunFolder(tmp_path), settings(), prepared)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_run_folder(prepared, settings, tmp_path):
    path = tmp_path / "file"
    path.write_text("")
    with pytest.raises(UserError, match="is a file"):
        folder.prepare(RunFolder(path), settings(), prepared)
    with pytest.raises(UserError, match="is a file"), folder.locked(RunFolder(path)):
        pass


def test_two_trainings_do_not_write_into_one_folder(tmp_path):
    run = RunFolder(tmp_path / "run")
    with (
        folder.locked(run),
        pytest.raises(UserError, match="another training"),
        folder.locked(run),
    ):
        pass
    with folder.locked(run):
        pass


@pytest.mark.parametrize(
    "change", ["train.max_epochs=3", "train.patience=1", "train.log_every_steps=7", "data.root=x"]
)
def test_settings_that_change_no_weight_may_differ(prepared, settings, tmp_path, change):
    run = RunFolder(tmp_path / "run")
    folder.prepare(run, settings(), prepared)
    (run.checkpoints / "7").mkdir(parents=True)
    folder.prepare(run, settings(change), prepared)


@pytest.mark.parametrize(
    "change", ["train.seed=3", "model.decoder_units=16", "train.schedule=cosine"]
)
def test_settings_that_change_weights_are_refused_by_name(prepared, settings, tmp_path, change):
    run = RunFolder(tmp_path / "run")
    folder.prepare(run, settings(), prepared)
    (run.checkpoints / "7").mkdir(parents=True)
    before = run.config.read_text()
    with pytest.raises(UserError, match=change.split("=")[0].replace(".", r"\.")):
        folder.prepare(run, settings(change), prepared)
    assert run.config.read_text() == before


def test_a_run_without_a_checkpoint_takes_other_settings(prepared, settings, tmp_path):
    run = RunFolder(tmp_path / "run")
    folder.prepare(run, settings(), prepared)
    folder.prepare(run, settings("train.batch_tokens=32"), prepared)
    assert "32" in run.config.read_text()
