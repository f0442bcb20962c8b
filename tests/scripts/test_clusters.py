"""What starts a training on a cluster: it really trains, on two processes that stand for hosts."""

import os
import random
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq import cli
from tests.training.conftest import write_prepared

ROOT = Path(__file__).parents[2]
SBATCH = ROOT / "scripts/slurm.sbatch"
MANIFEST = ROOT / "scripts/kubernetes.yaml"
CONFIG = """
[model]
embedding = 8
encoder_layers = 1
encoder_units = 4
decoder_layers = 1
decoder_units = 8
[train]
batch_tokens = 64
shapes = 1
validate_sentences = 0
stop_metric = "loss"
average_best = 1
[translate]
cache = "off"
"""
# Two tasks, each alone on its host; the worst of their statuses, as srun has it.
SRUN = """#!/usr/bin/env bash
while [[ $1 == --* ]]; do shift; done
export SLURM_STEP_NODELIST=localhost SLURM_NTASKS=2 SLURM_STEP_NUM_NODES=2 SLURM_LOCALID=0
SLURM_PROCID=0 "$@" & first=$!
SLURM_PROCID=1 "$@"; second=$?
wait "$first"; status=$?
exit $((status > second ? status : second))
"""
SCONTROL = """#!/usr/bin/env bash
echo "$@" >> requeued
"""


FIRST_PORT = 65_535 - 2**12 + 1  # JAX makes a job's port from its number


def free_port():
    for port in random.sample(range(FIRST_PORT, 65_535), 50):
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")


@pytest.fixture(name="folder")
def working_folder(tmp_path):
    write_prepared(tmp_path / "prepared")
    (tmp_path / "config.toml").write_text(CONFIG)
    for name, text in (("srun", SRUN), ("scontrol", SCONTROL)):
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(text)
        program.chmod(0o755)
    return tmp_path


def environment(folder, **extra):
    return {
        **os.environ,
        "PATH": f"{folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        **{"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu", "JAX_NUM_CPU_DEVICES": "1"},
        **{"PYTHON": sys.executable, **extra},
    }


def written(key):
    """The values that the manifest gives a key, in order."""
    return re.findall(rf"^ *(?:- )?{key}: *([^\s#]+)", MANIFEST.read_text("utf-8"), re.MULTILINE)


def given_to_the_pods():
    """Their environment."""
    return dict(re.findall(r'- name: ([A-Z]+)\n +value: "?([^"\n]*)', MANIFEST.read_text("utf-8")))


def command_of_the_pods():
    """Two words, and the folded lines that follow a remark."""
    found = re.search(
        r"command:\n +- (\S+)\n +- (\S+)\n(?: +#.*\n)*( +)- >-\n((?:\3  .*\n)+)",
        MANIFEST.read_text("utf-8"),
    )
    return [found[1], found[2], " ".join(found[4].split())]


def test_the_job_can_be_read_by_bash():
    subprocess.run(["bash", "-n", str(SBATCH)], check=True, timeout=20)


def test_what_the_manifest_says_twice_agrees():
    assert written("kind") == ["Service", "Job"]
    service, job, *_ = written("name")
    assert (written("job-name"), written("subdomain")) == ([job], [service])
    given = given_to_the_pods()
    assert {*written("completions"), *written("parallelism")} == {given["HOSTS"]}
    assert given["COORDINATOR"].startswith(f"{job}-0.{service}:")
    assert written("action")[:2] == ["Ignore", "FailJob"]
    assert written("values") == [f"[{status}]" for status in (cli.GO_ON, cli.USER_ERROR)]


def test_a_job_without_a_run_folder_says_what_is_missing(folder):
    command = ["bash", str(SBATCH), "config.toml"]
    job = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=20
    )
    assert job.returncode == cli.USER_ERROR
    assert "name a config and a run folder" in job.stderr


@pytest.mark.slow
def test_a_slurm_job_trains_on_all_hosts_and_is_requeued_until_it_is_done(folder):
    for limit, status, requeued in (("1e-9", cli.GO_ON, "requeue"), ("0", cli.DONE, None)):
        number = str(free_port() - FIRST_PORT)
        settings = ["data.prepared=prepared", f"train.max_minutes={limit}", "train.max_steps=4"]
        job = subprocess.run(
            ["bash", str(SBATCH), "config.toml", "run"]
            + [word for setting in settings for word in ("--set", setting)],
            cwd=folder,
            env=environment(folder, SLURM_JOB_ID=number),
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert job.returncode == status, job.stderr
        assert "2 x cpu" in job.stderr
        asked = folder / "requeued"
        assert asked.exists() == bool(requeued)
        if requeued:
            assert asked.read_text() == f"requeue {number}\n"
            asked.unlink()
    assert "resuming at step" in job.stderr
    assert (folder / "run/best/weights.safetensors").exists()


@pytest.mark.slow
def test_the_pods_of_the_manifest_train_together(folder):
    given = given_to_the_pods() | {
        "CONFIG": "config.toml",
        "RUN": "run",
        "PREPARED": "prepared",
        "COORDINATOR": f"127.0.0.1:{free_port()}",
        "SETTINGS": "--set train.max_steps=2",
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
    }
    pods = [
        subprocess.Popen(
            command_of_the_pods(),
            cwd=folder,
            env=environment(folder, **given, JOB_COMPLETION_INDEX=str(index)),
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(int(given["HOSTS"]))
    ]
    said = [pod.communicate(timeout=240)[1] for pod in pods]
    assert [pod.returncode for pod in pods] == [cli.DONE] * 2, shlex.join(said)
    assert "2 x cpu" in said[0]
    assert (folder / "run/best/weights.safetensors").exists()
