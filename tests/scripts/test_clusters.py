"""What starts a training on a cluster: it really trains, on two processes that stand for hosts."""

import os
import random
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

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


def test_both_are_well_formed():
    subprocess.run(["bash", "-n", str(SBATCH)], check=True, timeout=20)
    documents = list(yaml.safe_load_all(MANIFEST.read_text("utf-8")))
    assert [document["kind"] for document in documents] == ["Service", "Job"]
    service, job = documents
    pod = job["spec"]["template"]["spec"]
    assert service["spec"]["selector"] == {"job-name": job["metadata"]["name"]}
    assert pod["subdomain"] == service["metadata"]["name"]
    (container,) = pod["containers"]
    given = {entry["name"]: entry["value"] for entry in container["env"]}
    assert {int(given["HOSTS"])} == {job["spec"][key] for key in ("completions", "parallelism")}
    assert given["COORDINATOR"].startswith(f"{job['metadata']['name']}-0.{pod['subdomain']}:")
    again, never, _ = job["spec"]["podFailurePolicy"]["rules"]
    assert (again["action"], again["onExitCodes"]["values"]) == ("Ignore", [cli.GO_ON])
    assert (never["action"], never["onExitCodes"]["values"]) == ("FailJob", [cli.USER_ERROR])


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
    _, job = yaml.safe_load_all(MANIFEST.read_text("utf-8"))
    (container,) = job["spec"]["template"]["spec"]["containers"]
    given = {entry["name"]: entry["value"] for entry in container["env"]} | {
        "CONFIG": "config.toml",
        "RUN": "run",
        "PREPARED": "prepared",
        "COORDINATOR": f"127.0.0.1:{free_port()}",
        "SETTINGS": "--set train.max_steps=2",
        "KUBERNETES_SERVICE_HOST": "127.0.0.1",
    }
    pods = [
        subprocess.Popen(
            container["command"],
            cwd=folder,
            env=environment(folder, **given, JOB_COMPLETION_INDEX=str(index)),
            stderr=subprocess.PIPE,
            text=True,
        )
        for index in range(job["spec"]["completions"])
    ]
    said = [pod.communicate(timeout=240)[1] for pod in pods]
    assert [pod.returncode for pod in pods] == [cli.DONE] * 2, shlex.join(said)
    assert "2 x cpu" in said[0]
    assert (folder / "run/best/weights.safetensors").exists()
