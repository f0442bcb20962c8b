"""Programs that outlive the process: the same bits, without JAX, and never a wrong one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from seq2seq import configfile
from seq2seq.decoding import cache, executables
from seq2seq.decoding.executables import Executables, Home
from seq2seq.decoding.runtime import Runtime
from seq2seq.model import weights as weight_files

ROOT = str(Path(__file__).parents[2])
UNWANTED = {"jax", "flax", "optax", "orbax", "rich", "sacrebleu", "jaxtyping", "matplotlib"}
PROGRAM = f"""
import sys
from seq2seq import cli, translate
status = cli.status(translate.main, sys.argv[1:])
print(*sorted({UNWANTED!r} & sys.modules.keys()), file=sys.stderr)
sys.exit(status)
"""


def translated(name: object, cache_folder, *options: str) -> tuple[str, list[str]]:
    """What a process says, and what it imported that a warm one needs not."""
    result = subprocess.run(
        [
            *(sys.executable, "-c", PROGRAM, str(name), "Hund\tdog", "--format", "json"),
            *("--set", f"translate.cache={cache_folder}", "--beam", "2", *options),
        ],
        env=os.environ | {"PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        check=True,
    )
    return result.stdout, result.stderr.split()


@pytest.mark.parametrize(
    ("names", "options"),
    [
        ("{model}", ["--set", "translate.precision=float32"]),
        ("{model}", ["--set", "translate.precision=bfloat16", "--explain"]),
        ("{model}+{model}", []),
        ("{model}", ["--score", "-"]),
    ],
)
def test_a_later_process_says_the_same_and_imports_neither_jax_nor_the_network(
    model, tmp_path, names, options
):
    name = names.format(model=model.path)
    first, imported = translated(name, tmp_path, *options)
    assert {"jax", "flax"} <= set(imported)
    # The second process as a rule; JAX 0.12 cannot serialize a program every time.
    for _ in range(6):
        again, imported = translated(name, tmp_path, *options)
        assert again == first
        if not imported:
            return
    assert imported == []


@pytest.fixture
def home(tmp_path):
    tmp_path.chmod(0o700)
    return Home(tmp_path, Runtime(), "off")


def forced(model, home: Home | None) -> list[np.ndarray]:
    """A small program's results for the model's weights."""
    programs = Executables((weight_files.load(model),), "float32", home)
    source_1s, words_1t = np.array([[5, 6, 7, 2]], np.int32), np.array([[1, 9, 2]], np.int32)
    lengths = np.array([4], np.int32), np.array([2], np.int32)
    config = configfile.from_json(model.config).model
    settings = {"models": (config,), "penalties": (1.0, 0.0), "dtype": "float32"}
    results = programs.run("force_tile", source_1s, lengths[0], words_1t, lengths[1], **settings)
    return [np.asarray(each) for each in results]


@pytest.fixture
def traced(monkeypatch):
    """The names of the programs that JAX was asked for."""
    names, usual = [], executables._traced
    monkeypatch.setattr(executables, "_traced", lambda name: names.append(name) or usual(name))
    return names


def test_what_was_compiled_once_is_not_traced_again_and_gives_the_same_bits(model, home, traced):
    first, second = forced(model, home), forced(model, home)
    assert traced == ["force_tile"]
    for found in (second, forced(model, None)):
        assert [each.tobytes() for each in found] == [each.tobytes() for each in first]


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(path.read_bytes()[:-1]),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes().replace(b"float32", b"float64")),
        lambda path: path.chmod(0o666),
        lambda path: path.unlink(),
    ],
)
def test_an_entry_that_is_damaged_or_open_to_others_is_compiled_again(model, home, traced, damage):
    expected = forced(model, home)
    [path] = home.folder.glob("force_tile-*")
    damage(path)
    found = forced(model, home)
    assert traced == ["force_tile"] * 2
    assert [each.tobytes() for each in found] == [each.tobytes() for each in expected]


def test_a_program_that_differs_from_jax_is_not_kept_and_not_tried_again(
    model, home, traced, monkeypatch
):
    monkeypatch.setattr(executables, "_equal", lambda *_: False)
    forced(model, home)
    [path] = home.folder.glob("force_tile-*")
    assert cache.read(home.folder, path.stem) == b""
    forced(model, home)
    assert traced == ["force_tile"] * 2


def test_where_jaxlib_alone_does_not_run_jax_does(model, home, traced, monkeypatch):
    def broken(*_):
        raise AttributeError("jaxlib has changed")

    expected = forced(model, home)
    monkeypatch.setattr(Runtime, "put", broken)
    found = forced(model, home)
    assert traced == ["force_tile"] * 2
    assert [each.tobytes() for each in found] == [each.tobytes() for each in expected]


def test_other_devices_than_the_cpu_are_left_to_jax(monkeypatch, tmp_path):
    monkeypatch.delitem(sys.modules, "jax")
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    assert executables.find_home(str(tmp_path)) is None
