"""Several processes: the same gradient, the same training, and one of them writes."""

import json
import os
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from seq2seq.layout import RunFolder
from seq2seq.training import parallel
from seq2seq.training.checkpoints import Checkpoints
from seq2seq.training.parallel import Devices
from tests.training.conftest import SMALL, write_prepared

ROOT = Path(__file__).parents[2]


def test_rows_are_shared_out_without_gap_or_overlap():
    for processes, local, pieces, rows in ((1, 1, 1, 5), (2, 2, 1, 11), (3, 4, 2, 50)):
        parts = [
            Devices(
                local=(None,) * local, total=local * processes, process=one, processes=processes
            )
            for one in range(processes)
        ]
        shares = [row for part in parts for row in part.rows_here(rows, pieces)]
        filled = parts[0].filled_up(rows, pieces)
        assert shares == list(range(filled))
        assert filled >= rows
        assert filled - rows < local * processes * pieces


def test_rows_are_divided_by_device_then_piece():
    devices = Devices(local=(None, None), total=2, process=0, processes=1)
    assert devices.divide(np.arange(12), 3).tolist() == [
        [[0, 1], [2, 3], [4, 5]],
        [[6, 7], [8, 9], [10, 11]],
    ]


class Recorded:
    """A function in place of a pmapped one: keeps what it was compiled for, in order."""

    def __init__(self):
        self.compiled = []

    def lower(self, shape):
        self.compiled.append(shape)
        return self

    def compile(self):
        return lambda argument: argument


@pytest.fixture
def one_thread(monkeypatch):
    """Cores for one thread that compiles."""
    monkeypatch.setattr("os.cpu_count", lambda: 2)


@pytest.mark.usefixtures("one_thread")
def test_shapes_are_compiled_once_each_in_the_order_given():
    function = Recorded()
    program = parallel.Program(function)
    program.compile({shape: (shape,) for shape in (3, 1, 2)})
    assert [program(shape, "result") for shape in (2, 3, 2, 1)] == ["result"] * 4
    assert program.is_complete
    assert function.compiled == [3, 1, 2]
    program.close()


@pytest.mark.usefixtures("one_thread")
def test_where_cores_are_few_the_first_shape_is_used_before_others_are_compiled():
    function = Recorded()
    program = parallel.Program(function)
    program.compile({shape: (shape,) for shape in (3, 1)})
    assert program(3, "result") == "result"
    assert function.compiled == [3]
    assert not program.is_complete
    assert program(3, "result") == "result"
    program.close()
    assert program._compiled.keys() == {3, 1}


GRADIENT = """
import sys
import jax
import numpy as np
from seq2seq import configfile
from seq2seq.model import network
from seq2seq.training import parallel
from tests.training.conftest import SMALL
from tests.training import test_step

config = configfile.from_tree(SMALL, test_step.NO_DROPOUT + sys.argv[2:])
parallel.connect(config.train)
devices = parallel.all_devices()
weights = network.initialise(config.model, test_step.SIZES, seed=1)
whole = test_step.laid_out(test_step.batch_of(), parallel.Devices(
    local=(None,) * devices.total, total=devices.total, process=0, processes=1), 1)
here = slice(devices.process * len(devices.local), (devices.process + 1) * len(devices.local))
part = type(whole)(*(leaf[here] for leaf in whole))
run = parallel.over_devices(
    lambda weights, batch: test_step.gradient(
        config, weights, batch, axis=parallel.AXIS, dropout_key=jax.random.key(0)),
    divided=(False, True), donate=False)
losses, gradients = parallel.to_host(run(devices.replicate(weights), part))
assert jax.process_count() * len(devices.local) == devices.total
np.savez(sys.argv[1] + f".{devices.process}.npz", *losses, *jax.tree.leaves(gradients))
"""


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def environment(devices):
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "JAX_PLATFORMS": "cpu",
        "JAX_NUM_CPU_DEVICES": str(devices),
    }


def run_processes(command, processes, devices, option=None):
    """The same command as several processes of one training, each with its own devices."""
    address = (f"train.coordinator=127.0.0.1:{free_port()}", f"train.processes={processes}")

    def with_place(process):
        settings = (*address, f"train.process={process}")
        return [*command, *(word for one in settings for word in (option, one) if word)]

    running = [
        subprocess.Popen(
            with_place(process),
            env=environment(devices),
            stderr=subprocess.PIPE,
            text=True,
        )
        for process in range(processes)
    ]
    for process in running:
        _, errors = process.communicate(timeout=240)
        assert process.returncode == 0, errors


@pytest.mark.slow
def test_two_processes_of_two_devices_compute_the_gradient_of_one_device(tmp_path):
    script = textwrap.dedent(GRADIENT)
    one = tmp_path / "one"
    subprocess.run(
        [sys.executable, "-c", script, str(one)], env=environment(1), check=True, timeout=240
    )
    run_processes([sys.executable, "-c", script, str(tmp_path / "two")], processes=2, devices=2)
    with np.load(f"{one}.0.npz") as expected:
        for process in range(2):
            with np.load(tmp_path / f"two.{process}.npz") as found:
                assert len(found.files) == len(expected.files)
                for name in expected.files:
                    error = np.linalg.norm(found[name] - expected[name])
                    assert error <= 1e-4 * np.linalg.norm(expected[name])


def last_state(run):
    checkpoints = Checkpoints(RunFolder(run), keep=9)
    step = checkpoints.steps[-1]
    found = checkpoints._manager.restore(step)["state"]
    checkpoints.close()
    return step, found


@pytest.mark.slow
def test_two_processes_share_the_update_and_one_alone_goes_on(tmp_path):
    write_prepared(tmp_path / "prepared")
    config = tmp_path / "small.toml"
    config.write_text(f"data.prepared = {json.dumps(str(tmp_path / 'prepared'))}\n")
    settings = ["train.ema=0.9", "train.shard_optimizer=true", "translate.cache=off"]
    settings += [f"{part}.{k}={v}" for part, section in SMALL.items() for k, v in section.items()]

    def train(run, *more):
        sets = [word for setting in (*settings, *more) for word in ("--set", setting)]
        return [sys.executable, "-m", "seq2seq.train", str(config), str(run), *sets]

    two, one = tmp_path / "two", tmp_path / "one"
    run_processes(train(two, "train.max_steps=6"), processes=2, devices=1, option="--set")
    for run, steps in ((one, 6), (two, 12), (one, 12)):
        command = train(run, f"train.max_steps={steps}")
        subprocess.run(command, env=environment(2), check=True, timeout=240)
    (step, found), (same_step, expected) = last_state(two), last_state(one)
    assert step == same_step == 12
    for name, leaf in expected.items():
        np.testing.assert_allclose(found[name], leaf, rtol=1e-3, atol=1e-5)
