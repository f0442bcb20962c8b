"""scripts/get_data.sh, as it is typed: against a server on this machine, with small archives."""

import errno
import fcntl
import gzip
import lzma
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seq2seq import cli
from tests.scripts.misbehaving import SCRIPTS, File, Server, get_data, homes, running

NAMES = [archive.name for archive in homes.CORPORA["multi30k"].archives]
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHON": sys.executable, "no_proxy": "*"}
NEXT = "next: python -m seq2seq.prepare configs/multi30k.toml --set data.root="


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        for name in NAMES:
            # Random bytes, so that packing does not make it small.
            text = "\n".join(os.urandom(20_000).hex(" ", 20).split()) + "\n"
            server.files[name] = File(gzip.compress(text.encode()))
        yield server


def command(server: Server, *arguments: str) -> list[str]:
    script = ["bash", str(SCRIPTS / "get_data.sh"), "multi30k", "my corpora"]
    return [*script, "--mirror", server.address, "--unverified", *arguments]


def run(words: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words,
        cwd=folder,
        env=ENVIRONMENT | variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def sentence(result: subprocess.CompletedProcess[str], status: int) -> str:
    assert (result.returncode, result.stdout) == (status, ""), result.stderr
    return result.stderr.splitlines()[-1].removeprefix("seq2seq: ")


def texts(folder: Path) -> dict[str, bytes]:
    return {
        path.name: lzma.open(path).read() for path in (folder / "my corpora/multi30k").glob("*.xz")
    }


def expected(server: Server) -> dict[str, bytes]:
    return {
        f"{name.removesuffix('.gz')}.xz": gzip.decompress(server.files[name].content)
        for name in NAMES
    }


def test_one_command_makes_what_the_config_names_and_tells_the_next(
    server: Server, tmp_path: Path
) -> None:
    result = run(command(server), tmp_path)
    assert result.returncode == 0, result.stderr
    assert result.stdout == (
        "multi30k is in 'my corpora/multi30k' (pairs: train 1,000, val 1,000, test_2016_flickr "
        f"1,000, test_2017_flickr 1,000); {NEXT}'my corpora'\n"
    )
    assert texts(tmp_path) == expected(server)
    assert os.listdir(tmp_path / "my corpora") == ["multi30k"]
    origin = (tmp_path / "my corpora/multi30k/ORIGIN.txt").read_text("utf-8")
    assert origin.startswith("Licence: CC BY-NC-SA 4.0")
    assert len(re.findall(r"/train\.de\.gz sha256:[0-9a-f]{64}\n", origin)) == 1


def test_second_call_does_nothing_and_says_so(server: Server, tmp_path: Path) -> None:
    run(command(server), tmp_path)
    server.asked.clear()
    result = run(command(server), tmp_path)
    assert result.stdout == f"multi30k is in 'my corpora/multi30k' already; {NEXT}'my corpora'\n"
    assert (result.returncode, result.stderr, server.asked) == (0, "", [])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_same_command_goes_on_after_it_was_stopped(
    server: Server, tmp_path: Path, number: signal.Signals
) -> None:
    last = server.files[NAMES[-1]]
    last.stalls_after = 10_000
    process = subprocess.Popen(
        command(server),
        cwd=tmp_path,
        env=ENVIRONMENT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    part = tmp_path / f"my corpora/.multi30k.downloads/{NAMES[-1]}.part"
    while not (part.exists() and part.stat().st_size):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    said = process.communicate(timeout=60)[1].splitlines()[-1]
    if number != signal.SIGKILL:
        by = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
        assert said == f"seq2seq: stopped by {by}; the same command goes on"
        assert process.returncode == cli.GO_ON
    assert not (tmp_path / "my corpora/multi30k").exists()

    last.go_on.set()
    size = part.stat().st_size
    server.asked.clear()
    assert run(command(server), tmp_path).returncode == 0
    assert server.asked == [(NAMES[-1], f"bytes={size}-")]
    assert texts(tmp_path) == expected(server)


def test_archives_that_lie_in_a_folder_need_no_network(server: Server, tmp_path: Path) -> None:
    (tmp_path / "from elsewhere").mkdir()
    for name in NAMES:
        (tmp_path / "from elsewhere" / name).write_bytes(server.files[name].content)
    result = run(command(server, "--mirror", "from elsewhere"), tmp_path)
    assert result.returncode == 0, result.stderr
    assert texts(tmp_path) == expected(server)
    assert server.asked == []


def test_an_archive_that_is_gone_is_named_with_what_can_be_done(
    server: Server, tmp_path: Path
) -> None:
    del server.files["val.en.gz"]
    assert sentence(run(command(server), tmp_path), 2) == (
        f"{server.address}/val.en.gz is not there (status 404); the files are data/task1/raw of "
        "https://github.com/multi30k/dataset: with val.en.gz from there, or from anywhere else, "
        "give its folder or address as --mirror"
    )


def test_other_archives_than_the_known_ones_are_not_taken_unasked(
    server: Server, tmp_path: Path
) -> None:
    words = [word for word in command(server) if word != "--unverified"]
    said = sentence(run(words, tmp_path), 2)
    assert said.startswith(f"{server.address}/train.de.gz has the sha256 sum ")
    assert "--unverified takes it as it is" in said
    assert not (tmp_path / "my corpora/multi30k").exists()


def test_a_damaged_archive_is_fetched_anew_by_the_next_call(server: Server, tmp_path: Path) -> None:
    whole = server.files["val.en.gz"].content
    server.files["val.en.gz"].content = whole[:-9]
    assert sentence(run(command(server), tmp_path), 2).startswith("val.en.gz is damaged or not")
    assert not (tmp_path / "my corpora/multi30k").exists()
    server.files["val.en.gz"].content = whole
    server.asked.clear()
    assert run(command(server), tmp_path).returncode == 0
    assert server.asked == [("val.en.gz", "")]


def test_a_folder_with_files_of_the_users_is_not_touched(server: Server, tmp_path: Path) -> None:
    mine = tmp_path / "my corpora/multi30k/train.de.xz"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine", encoding="utf-8")
    assert sentence(run(command(server), tmp_path), 2) == (
        "'my corpora/multi30k' is there, but without train.en.xz; move it away, or name another "
        "folder: nothing of yours is written over"
    )
    assert mine.read_text(encoding="utf-8") == "mine"


def test_of_two_at_once_the_second_leaves(server: Server, tmp_path: Path) -> None:
    lock = tmp_path / "my corpora/.multi30k.downloads/lock"
    lock.parent.mkdir(parents=True)
    with lock.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        said = sentence(run(command(server), tmp_path), 2)
    assert said == "another get_data is at work in 'my corpora/.multi30k.downloads'"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["wmt99", "x"], "there is no corpus 'wmt99'; there are multi30k, tatoeba, iwslt14, wmt17"),
        (["wmt17"], "the following arguments are required: FOLDER; scripts/get_data.sh --help"),
        (["wmt17", "x", "--mirror", "y"], "--mirror 'y' is neither a folder nor an http address"),
        (["wmt17", "file/x"], "cannot open 'file/x/.wmt17.downloads': Not a directory"),
    ],
)
def test_a_mistake_is_answered_by_one_sentence(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "file").touch()
    result = run(["bash", str(SCRIPTS / "get_data.sh"), *arguments], tmp_path)
    assert sentence(result, 2).startswith(said)
    assert len(result.stderr.splitlines()) == 1
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("when", ["before", "while"])
def test_a_full_disk_is_told(
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    when: str,
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    if when == "before":
        monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 0))
    else:
        monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setenv("no_proxy", "*")
    before = signal.getsignal(signal.SIGTERM)
    try:
        given = ["multi30k", str(tmp_path), "--mirror", server.address, "--unverified"]
        assert cli.status(get_data.main, given) == cli.USER_ERROR
    finally:
        signal.signal(signal.SIGTERM, before)
    said = capsys.readouterr().err.splitlines()[-1]
    assert "free some space" in said
    assert when == "while" or "0 MB are free" in said
    assert not (tmp_path / "multi30k").exists()


def test_nothing_but_the_standard_library_is_needed(tmp_path: Path) -> None:
    without_packages = [sys.executable, "-S", str(SCRIPTS / "get_data.py"), "--help"]
    result = run(without_packages, tmp_path, PYTHONPATH=str(SCRIPTS.parent))
    assert result.returncode == 0, result.stderr
    assert all(name in result.stdout for name in homes.CORPORA)


def test_a_machine_without_a_recent_python_is_told_so(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPTS / "get_data.sh", tmp_path / "scripts")
    for name in ("python3.13", "python3.12", "python3.11", "python3", "python"):
        (tmp_path / name).write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    words = ["/bin/bash", "scripts/get_data.sh", "multi30k", "x"]
    result = run(words, tmp_path, PYTHON="no-such-python", PATH=f"{tmp_path}:/usr/bin:/bin")
    assert sentence(result, 2).startswith("no Python 3.11 or newer is there; install it, or name")
