"""plot.py and pack_model.py, run as people run them."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seq2seq import layout
from seq2seq.corpus import shards
from seq2seq.model import weights
from tests.decoding.conftest import write_model

SCRIPTS = Path(__file__).parents[2] / "scripts"
PNG = b"\x89PNG"


def run(name: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPTS / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> layout.ModelFolder:
    folder = layout.ModelFolder(tmp_path_factory.mktemp("model"))
    write_model(folder)
    folder.card.write_text("the card of the run\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def prepared(model, tmp_path_factory) -> layout.PreparedFolder:
    """Pairs of the model's pieces, as prepare would have written them."""
    folder = layout.PreparedFolder(tmp_path_factory.mktemp("prepared"))
    for side in layout.SIDES:
        shutil.copyfile(model.tokenizer(side), folder.tokenizer(side))
    pairs = 20
    with shards.SplitWriter(folder, "train", shard_pairs=12, dtype=np.dtype(np.uint16)) as writer:
        draw = np.random.default_rng(0).integers(260, 340, 2 * 5 * pairs)
        writer.append(draw, np.full(2 * pairs, 5))
    empty: dict = {name: {} for name in ("read", "dropped", "tokenizers")}
    texts = dict.fromkeys(
        ("fingerprint", "request", "source_language", "target_language"), "made by a test"
    )
    counts = {"train": writer.count, "valid": shards.SplitCount()}
    shards.write_meta(folder, shards.Meta(**texts, **empty, **counts, inputs=[], findings=[]))
    return folder


@pytest.fixture(scope="module")
def training(tmp_path_factory) -> layout.RunFolder:
    folder = layout.RunFolder(tmp_path_factory.mktemp("run"))
    rows = [{"step": step, "loss": 9.0 / step} for step in (1, 2, 3)]
    rows.append({"step": 3, "valid_loss": 3.5, "valid_bleu": 12.0})
    folder.metrics.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return folder


def test_the_learning_curve_and_the_attention_become_pictures(model, training, tmp_path):
    curve = run("plot.py", "curve", training.path, tmp_path / "curve.png")
    assert (curve.returncode, curve.stdout) == (0, f"{tmp_path / 'curve.png'}\n"), curve.stderr
    assert (tmp_path / "curve.png").read_bytes().startswith(PNG)
    attention = run("plot.py", "attention", model.path, "der Hund läuft", tmp_path / "a.svg")
    assert attention.returncode == 0, attention.stderr
    assert "<svg" in (tmp_path / "a.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("curve", "nowhere", "a.png"), "is no run folder"),
        (("curve", "RUN", "nowhere/a.png"), "its folder is missing"),
        (("curve", "RUN", "RUN/a.docx"), "docx"),
        (("attention", "nowhere", "Hund", "a.png"), "does not exist"),
        (("attention", "MODEL", "", "RUN/a.png"), "subwords"),
    ],
)
def test_what_cannot_be_drawn_is_one_sentence_and_status_2(model, training, arguments, said):
    places = {"RUN": str(training.path), "MODEL": str(model.path)}
    for name, place in places.items():
        arguments = [argument.replace(name, place) for argument in arguments]
    process = run("plot.py", *arguments)
    assert process.returncode == 2
    assert said in process.stderr
    assert process.stderr.count("\n") == 1


def test_a_packed_model_has_small_weights_that_are_nearly_the_same(model, tmp_path):
    packed = layout.ModelFolder(tmp_path / "packed")
    process = run("pack_model.py", model.path, packed.path)
    assert process.returncode == 0, process.stderr
    assert packed.weights.stat().st_size < 0.35 * model.weights.stat().st_size
    before, after = (dict(weights.flatten(weights.load(each))) for each in (model, packed))
    assert before.keys() == after.keys()
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, atol=np.abs(value).max() / 200)


def test_packing_keeps_a_card_that_people_wrote_and_no_folder_of_this_machine(model, tmp_path):
    packed = layout.ModelFolder(tmp_path / "packed")
    packed.path.mkdir()
    packed.card.write_text("written by hand\n", encoding="utf-8")
    assert run("pack_model.py", model.path, packed.path).returncode == 0
    assert packed.card.read_text(encoding="utf-8") == "written by hand\n"
    assert json.loads(packed.config.read_text(encoding="utf-8"))["data"]["root"] == ""
    assert not packed.calibration.exists()


def test_packing_carries_the_calibration_along(model, tmp_path):
    packed = layout.ModelFolder(tmp_path / "packed")
    model.calibration.write_text("measured\n", encoding="utf-8")
    try:
        assert run("pack_model.py", model.path, packed.path).returncode == 0
    finally:
        model.calibration.unlink()
    assert packed.calibration.read_text(encoding="utf-8") == "measured\n"


def test_a_shortlist_is_made_from_the_prepared_folder_and_packed_with_its_model(
    model, prepared, tmp_path
):
    process = run("make_shortlist.py", prepared.path, model.path, "--best", "3")
    assert (process.returncode, process.stdout) == (0, f"{model.shortlist}\n"), process.stderr
    packed = layout.ModelFolder(tmp_path / "packed")
    assert run("pack_model.py", model.path, packed.path).returncode == 0
    assert packed.shortlist.read_bytes() == model.shortlist.read_bytes()


def test_a_shortlist_of_other_vocabularies_is_not_made(model, prepared, tmp_path):
    other = tmp_path / "prepared"
    shutil.copytree(prepared.path, other)
    (other / "source.model").write_bytes(b"another")
    process = run("make_shortlist.py", other, model.path)
    assert process.returncode == 2
    assert "different vocabularies (source.model)" in process.stderr
    assert process.stderr.count("\n") == 1


def test_a_model_is_not_packed_onto_itself(model):
    process = run("pack_model.py", model.path, model.path)
    assert process.returncode == 2
    assert "another folder" in process.stderr
