"""Where files are, and what is said when they are not there."""

import shutil
from pathlib import Path

import pytest

from seq2seq.errors import UserError
from seq2seq.layout import (
    SIDES,
    ModelFolder,
    PreparedFolder,
    RunFolder,
    find_model,
    step_name,
)


def make_model(folder: ModelFolder) -> None:
    folder.path.mkdir(parents=True)
    for file in (folder.config, *map(folder.tokenizer, SIDES), folder.weights):
        file.touch()


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    run = RunFolder(tmp_path / "run")
    make_model(run.model("000123"))
    run.checkpoints.mkdir()
    run.best.symlink_to("models/000123")
    return run


def test_a_run_its_best_and_a_model_folder_name_the_same_model(run: RunFolder) -> None:
    weights = run.model("000123").weights
    for path in (run.path, run.best, run.model("000123").path, str(run.path)):
        assert find_model(path).weights.samefile(weights)


def test_a_moved_run_still_finds_its_best(run: RunFolder, tmp_path: Path) -> None:
    moved = run.path.rename(tmp_path / "moved")
    assert find_model(moved).weights.exists()


def test_a_missing_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"^model '.*nowhere' does not exist$"):
        find_model(tmp_path / "nowhere")


def test_a_file_is_no_model(run: RunFolder) -> None:
    with pytest.raises(UserError, match="is a file; name the run folder or model folder that"):
        find_model(run.model("000123").weights)


def test_a_run_without_a_validation_has_no_model_yet(run: RunFolder) -> None:
    run.best.unlink()
    with pytest.raises(UserError, match="has no finished model yet; its first validation writes"):
        find_model(run.path)


def test_a_run_whose_best_was_deleted_says_so(run: RunFolder) -> None:
    shutil.rmtree(run.models)
    with pytest.raises(UserError, match="has no finished model yet"):
        find_model(run.path)


def test_any_other_folder_lists_what_it_lacks(run: RunFolder, tmp_path: Path) -> None:
    model = run.model("000123")
    model.weights.unlink()
    model.tokenizer("target").unlink()
    with pytest.raises(UserError) as caught:
        find_model(model.path)
    assert f"{str(model.path)!r} is no model folder: target.model, weights.safetensors" in str(
        caught.value
    )
    with pytest.raises(UserError, match=r"is no model folder: config\.json, source"):
        find_model(tmp_path)


def test_names_of_steps_sort_like_the_steps() -> None:
    steps = [0, 9, 10, 123, 99_999, 999_999]
    assert sorted(map(step_name, reversed(steps))) == list(map(step_name, steps))
    assert step_name(1_234_567) == "1234567"


def test_no_two_files_of_a_prepared_folder_have_one_name(tmp_path: Path) -> None:
    folder = PreparedFolder(tmp_path)
    paths = [
        folder.meta,
        *(folder.tokenizer(side) for side in SIDES),
        *(folder.text("valid", side) for side in SIDES),
        *(folder.tokens(split, n) for split in ("train", "valid") for n in range(2)),
        *(folder.offsets(split, n) for split in ("train", "valid") for n in range(2)),
    ]
    assert len(set(paths)) == len(paths)
    assert all(path.parent == tmp_path for path in paths)
