"""The train command as a process: killed, stopped, misused; and nothing is ever lost."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import jax
import numpy as np
import pytest

from seq2seq import cli, configfile, processor, train
from seq2seq.layout import RunFolder
from seq2seq.training import sizing
from seq2seq.training.checkpoints import Checkpoints
from tests.training.conftest import write_prepared

ROOT = Path(__file__).parents[1]

CONFIG = """
[data]
prepared = "prepared"
[model]
embedding = 8
encoder_layers = 1
encoder_units = 4
decoder_layers = 1
decoder_units = 8
[train]
batch_tokens = 64
shapes = 1
warmup_steps = 4
validate_sentences = 0
stop_metric = "loss"
max_steps = 150
validate_every_steps = 20
checkpoint_every_steps = 5
checkpoint_every_minutes = 0.005
average_best = 2
ema = 0.9
"""


@pytest.fixture(name="folder")
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_prepared(tmp_path / "prepared")
    (tmp_path / "config.toml").write_text(CONFIG)
    return tmp_path


def command(run, *settings):
    sets = [argument for setting in settings for argument in ("--set", setting)]
    return [sys.executable, "-m", "seq2seq.train", "config.toml", run, *sets]


def environment(**extra):
    return {
        **os.environ,
        **{"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "2"},
        **{"XDG_CACHE_HOME": "cache", **extra},
    }


def start(run, *settings, **options):
    return subprocess.Popen(
        command(run, *settings), env=environment(), stderr=subprocess.PIPE, text=True, **options
    )


def finish(run, *settings):
    """Runs to the end; gives the status and what was said."""
    process = start(run, *settings)
    _, errors = process.communicate(timeout=240)
    return process.returncode, errors


def arrays(run):
    checkpoints = Checkpoints(RunFolder(Path(run)), keep=9)
    step = checkpoints.steps[-1]
    found = jax.tree.leaves(checkpoints._manager.restore(step)["state"])
    checkpoints.close()
    return step, found


def wait_for_step(run, process):
    """Until the first checkpoint is there, or the process has ended."""
    while process.poll() is None and not any(
        name.name.isdecimal() for name in Path(run, "checkpoints").glob("*")
    ):
        time.sleep(0.02)


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_with_the_same_bits(folder):
    assert finish("whole")[0] == cli.DONE
    chance = random.Random(1)
    kills = 0
    while kills < 3:
        process = start("killed")
        wait_for_step("killed", process)
        # Checkpoints come every few steps, so many of the kills fall into writing one.
        time.sleep(chance.uniform(0, 0.4))
        process.kill()
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
        if process.returncode == 0:
            break
    assert kills > 0
    assert finish("killed")[0] == cli.DONE
    (step, expected), (same_step, found) = arrays("whole"), arrays("killed")
    assert step == same_step == 150
    jax.tree.map(np.testing.assert_array_equal, found, expected)
    assert os.readlink("whole/best") == os.readlink("killed/best")
    assert (
        Path("whole/best/weights.safetensors").read_bytes()
        == Path("killed/best/weights.safetensors").read_bytes()
    )


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_leaves_with_status_75(folder, number):
    process = start("run", "train.max_steps=100000", "train.checkpoint_every_steps=0")
    while "compiled" not in (process.stderr.readline()):
        pass
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == cli.GO_ON
    assert "the same command goes on" in errors
    step, _ = arrays("run")
    process = start("run", f"train.max_steps={step + 3}", "train.checkpoint_every_steps=0")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == cli.DONE
    assert f"resuming at step {step}" in errors


@pytest.mark.slow
def test_a_full_disk_is_said_and_costs_only_what_was_not_saved_yet(folder):
    assert finish("run", "train.max_steps=20")[0] == cli.DONE
    before = arrays("run")
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (3000, 3000));"
        "from seq2seq import cli, train; sys.argv[0] = 'train'; cli.run(train.main)"
    )
    full = subprocess.run(
        [sys.executable, "-c", script, *command("run", "train.max_steps=60")[3:]],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    assert full.returncode == cli.USER_ERROR, full.stderr
    assert "Traceback" not in full.stderr
    (sentence,) = (line for line in full.stderr.splitlines() if line.startswith("seq2seq: "))
    assert "too large" in sentence or "file size limit" in sentence
    assert arrays("run")[0] == before[0]
    assert finish("run", "train.max_steps=30")[0] == cli.DONE
    assert arrays("run")[0] == 30


@pytest.mark.slow
def test_a_precision_that_the_processor_is_slow_in_is_named(folder):
    def is_said(precision: str) -> bool:
        status, said = finish(precision, f"train.precision={precision}", "train.max_steps=1")
        assert status == cli.DONE, said
        return "no instructions for bfloat16" in said

    assert not is_said("float32")
    assert is_said("bfloat16") == processor.lacks_bfloat16()


@pytest.mark.slow
def test_a_hang_is_noticed_with_all_stacks_and_a_status_that_is_not_zero():
    script = (
        "import logging, time; logging.basicConfig();"
        "from seq2seq.training.interruption import Watchdog; Watchdog(0.5 / 60); time.sleep(60)"
    )
    hung = subprocess.run(
        [sys.executable, "-c", script],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
        timeout=50,
        check=False,
    )
    assert hung.returncode == cli.BUG
    assert "no progress for" in hung.stderr
    assert "Current thread" in hung.stderr or "Thread 0x" in hung.stderr


@pytest.mark.slow
def test_a_process_that_was_suspended_is_no_hang():
    # Long enough for a machine so busy that the signal comes seconds late.
    script = (
        "from seq2seq.training.interruption import Watchdog;"
        "dog = Watchdog(12 / 60); print('up', flush=True); print(input())"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(
        [sys.executable, "-c", script], env=environment(), text=True, **pipes
    )
    assert process.stdout.readline() == "up\n"
    process.send_signal(signal.SIGSTOP)
    time.sleep(16)
    process.send_signal(signal.SIGCONT)
    assert process.communicate("over\n", timeout=50) == ("over\n", "")
    assert process.returncode == 0


def spoil(path, content=b""):
    def action():
        Path(path).write_bytes(content)

    return action


def make_run():
    Path("run").mkdir()
    Path("run/thesis.txt").write_text("years of work")


WRONG = {
    "no such config": (["missing.toml", "run"], None, "'missing.toml' does not exist"),
    "config is a folder": (["prepared", "run"], None, "is a folder"),
    "no run named": (["config.toml"], None, "RUN"),
    "unknown option": (["config.toml", "run", "--stpes", "3"], None, "--stpes"),
    "unknown setting": (["config.toml", "run", "--set", "train.max_step=3"], None, "max_steps"),
    "value of the wrong type": (["config.toml", "run", "--seed", "x"], None, "whole number"),
    "no prepared folder set": (
        ["config.toml", "run", "--set", "data.prepared="],
        None,
        "data.prepared is not set",
    ),
    "prepared folder missing": (
        ["config.toml", "run", "--set", "data.prepared=nowhere"],
        None,
        "'nowhere' does not exist",
    ),
    "prepared folder is something else": (
        ["config.toml", "run", "--set", "data.prepared=."],
        None,
        "no prepared folder",
    ),
    "meta.json damaged": (["config.toml", "run"], spoil("prepared/meta.json"), "damaged"),
    "a shard cut off": (
        ["config.toml", "run"],
        spoil("prepared/train-00000.tokens.npy", b"\\x93NUMPY"),
        "train-00000.tokens.npy",
    ),
    "a shard missing": (
        ["config.toml", "run"],
        lambda: Path("prepared/train-00000.offsets.npy").unlink(),
        "train-00000.offsets.npy",
    ),
    "run folder is a file": (["config.toml", "run"], spoil("run"), "is a file"),
    "run folder is somebody's": (["config.toml", "run"], make_run, "holds no run"),
    "run folder below a file": (["config.toml", "prepared/meta.json/run"], None, "is a file"),
    "half of a coordinator": (
        ["config.toml", "run", "--set", "train.processes=2"],
        None,
        "given together",
    ),
    "recomputing layers on a CPU": (
        ["config.toml", "run", "--set", "train.rematerialise=layers"],
        None,
        "take 'time'",
    ),
    "TensorBoard not installed": (
        ["config.toml", "run", "--set", "train.tensorboard=true"],
        None,
        "tensorboardX",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_use_is_one_helpful_sentence_and_status_2(folder, capsys, case, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    arguments, action, words = WRONG[case]
    if action:
        action()
    before = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    assert cli.status(train.main, arguments) == cli.USER_ERROR
    output = capsys.readouterr()
    assert output.out == ""
    assert words in output.err
    assert output.err.count("\n") == 1
    assert "Traceback" not in output.err
    for path, size in before.items():
        assert path.stat().st_size == size


@pytest.mark.slow
def test_a_damaged_checkpoint_is_named_and_moving_it_away_goes_on(folder):
    assert finish("run", "train.max_steps=20")[0] == cli.DONE
    for file in Path("run/checkpoints/20").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    status, errors = finish("run", "train.max_steps=30")
    assert status == cli.USER_ERROR
    assert "is damaged" in errors
    assert "move it away" in errors
    Path("run/checkpoints/20").rename("damaged")
    assert finish("run", "train.max_steps=30")[0] == cli.DONE
    assert arrays("run")[0] == 30


AUTO = ["config.toml", "run", "--batch-tokens", "auto", "--set", "translate.cache=off"]


def test_a_batch_size_that_was_found_is_kept(folder, monkeypatch):
    monkeypatch.setattr(sizing, "_bytes_needed", lambda *_: 1_000)
    assert cli.status(train.main, [*AUTO, "--max-steps", "2"]) == cli.DONE
    frozen = configfile.from_json(Path("run/config.json"))
    assert frozen.train.batch_tokens == sizing.LEAST_TOKENS
    # Neither another machine nor another choice of ours changes what a run learns with.
    monkeypatch.setattr(sizing, "batch_tokens", None)
    assert cli.status(train.main, [*AUTO, "--max-steps", "4"]) == cli.DONE
    assert configfile.from_json(Path("run/config.json")).train.batch_tokens == sizing.LEAST_TOKENS
    assert arrays("run")[0] == 4


def test_too_little_memory_for_any_batch_is_one_sentence_and_status_2(folder, monkeypatch, capsys):
    monkeypatch.setattr(sizing, "memory", lambda devices: 1_000)
    assert cli.status(train.main, AUTO) == cli.USER_ERROR
    output = capsys.readouterr().err
    assert "smallest batch" in output
    assert output.count("\n") == 1
    assert not Path("run/config.json").exists()
