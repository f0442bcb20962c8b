"""Exported models: whole, averaged, and pointed to."""

import numpy as np
import pytest

from seq2seq.layout import SIDES, RunFolder, find_model
from seq2seq.model import weights as weight_files
from seq2seq.training import models

TREE = {"target_ve": np.arange(6, dtype=np.float32).reshape(3, 2)}


@pytest.fixture(name="run")
def run_folder(tmp_path):
    run = RunFolder(tmp_path)
    run.models.mkdir()
    for side in SIDES:
        run.tokenizer(side).write_text(side)
    return run


def scaled(factor):
    return {name: factor * value for name, value in TREE.items()}


def test_an_exported_model_is_found_through_the_run(run, settings):
    models.export(run, "000003", TREE, config=settings(), about={"step": 3})
    models.point_best(run, "000003")
    found = find_model(run.path)
    np.testing.assert_array_equal(weight_files.load(found)["target_ve"], TREE["target_ve"])
    assert "step: 3" in found.card.read_text()
    assert not run.best.readlink().is_absolute()


def test_the_average_is_the_mean_of_the_weights(run, settings):
    for name, factor in (("1", 1.0), ("2", 3.0)):
        models.export(run, name, scaled(factor), config=settings(), about={})
    average = models.averaged(run, ["1", "2"])
    np.testing.assert_allclose(average["target_ve"], 2 * TREE["target_ve"])


def test_the_model_that_best_points_to_is_never_removed(run, settings):
    for name in ("1", "2", "3"):
        models.export(run, name, TREE, config=settings(), about={})
    models.point_best(run, "1")
    models.keep_only(run, ["3"])
    assert sorted(path.name for path in run.models.iterdir()) == ["1", "3"]


@pytest.mark.parametrize(("higher", "order"), [(True, ["b", "a", "c"]), (False, ["c", "a", "b"])])
def test_models_are_ranked_in_the_direction_of_their_metric(higher, order):
    ranked = []
    for value, name in ((2.0, "a"), (3.0, "b"), (1.0, "c")):
        ranked = models.rank(ranked, value, name, higher_is_better=higher)
    assert [name for _, name in ranked] == order


def test_of_equal_models_the_earlier_ranks_first():
    ranked = models.rank([(2.0, "000001")], 2.0, "000002", higher_is_better=True)
    assert [name for _, name in ranked] == ["000001", "000002"]
