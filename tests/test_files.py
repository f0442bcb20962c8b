"""What is written survives being killed, and what cannot be written is said beforehand."""

import errno
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seq2seq import files
from seq2seq.errors import UserError


def test_atomic_writing_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_text("a much longer text", encoding="utf-8")
    files.write_atomically(path, "ü\n")
    assert path.read_bytes() == "ü\n".encode()
    files.write_atomically(path, b"\xff")
    assert path.read_bytes() == b"\xff"
    assert os.listdir(tmp_path) == ["a"]


def test_a_failed_atomic_write_keeps_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    path.write_text("old", encoding="utf-8")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        files.write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["a"]


def test_writing_into_a_missing_folder_names_file_and_folder(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "scores.json"
    with pytest.raises(UserError) as caught:
        files.write_atomically(path, "")
    assert (
        str(caught.value)
        == f"cannot write {str(path)!r}: the folder {str(path.parent)!r} is missing"
    )


def fill(path: Path, content: str) -> None:
    with files.folder_in_one_piece(path) as folder:
        (folder / "a").write_text(content, encoding="utf-8")
        assert not (path / "a").exists()


def test_a_folder_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "folder"
    fill(path, "new")
    assert (path / "a").read_text(encoding="utf-8") == "new"
    assert os.listdir(path.parent) == ["folder"]


def test_an_existing_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "stale").touch()
    fill(path, "new")
    assert os.listdir(path) == ["a"]
    assert os.listdir(tmp_path) == ["folder"]


def test_a_linked_folder_is_replaced_where_it_lies(tmp_path: Path) -> None:
    large = tmp_path / "large disk"
    large.mkdir()
    link = tmp_path / "link"
    link.symlink_to("large disk")
    fill(link, "new")
    assert link.is_symlink()
    assert (large / "a").read_text(encoding="utf-8") == "new"


def test_a_failed_block_leaves_the_old_folder_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    fill(path, "old")

    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("half-way")

    with pytest.raises(RuntimeError), files.folder_in_one_piece(path) as folder:
        fail(folder)
    assert os.listdir(tmp_path) == ["folder"]
    assert os.listdir(path) == ["a"]


def test_what_a_killed_process_left_is_cleared_away(tmp_path: Path) -> None:
    program = """
import sys, time
from pathlib import Path
from seq2seq import files
with files.folder_in_one_piece(Path(sys.argv[1])) as folder:
    (folder / "half").touch()
    Path(sys.argv[2]).touch()
    time.sleep(60)
"""
    path, begun = tmp_path / "deep" / "folder", tmp_path / "begun"
    process = subprocess.Popen([sys.executable, "-c", program, str(path), str(begun)])
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not path.exists()
    assert os.listdir(path.parent) != []

    fill(path, "new")
    assert os.listdir(path.parent) == ["folder"]
    assert os.listdir(path) == ["a"]


def test_a_link_is_moved_in_one_step(tmp_path: Path) -> None:
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
        files.point_link(tmp_path / "best", name)
        assert os.readlink(tmp_path / "best") == name
        assert (tmp_path / "best" / name).exists()
    assert sorted(os.listdir(tmp_path)) == ["1", "2", "best"]


def test_checksum_is_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc" * 100_000)
    assert files.checksum(tmp_path / "a") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_too_little_space_is_refused_with_both_numbers(tmp_path: Path) -> None:
    files.require_space(tmp_path, 1, "a test")
    with pytest.raises(
        UserError, match=r"^a test needs 1,000,000,000,000 MB in '.*', where [\d,]+"
    ):
        files.require_space(tmp_path, 10**18, "a test")
