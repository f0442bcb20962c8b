"""The cache in processes of their own, because JAX sets its cache up once in a process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from seq2seq.decoding import cache

ROOT = str(Path(__file__).parents[2])


def translate(model, **environment) -> subprocess.CompletedProcess:
    """Runs the command with the cache where it is by default."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "seq2seq.translate", str(model.path), "Hund"),
            *("--set", "translate.cache=", "--set", "translate.beam=2"),
        ],
        env=os.environ | {"PYTHONPATH": ROOT} | environment,
        capture_output=True,
        text=True,
        check=True,
    )


def test_compiled_code_is_kept_in_the_users_cache_folder_and_closed_to_others(model, tmp_path):
    # The first process as a rule; JAX 0.12 cannot serialize a program every time.
    for _ in range(6):
        first = translate(model, XDG_CACHE_HOME=str(tmp_path))
        [folder] = (tmp_path / "seq2seq").iterdir()
        entries = sorted(folder.iterdir())
        if any("search" in entry.name for entry in entries):
            break
    else:
        pytest.fail("no search was kept")
    assert folder.stat().st_mode & 0o777 == 0o700
    for entry in entries:
        entry.write_bytes(b"damaged" + entry.read_bytes()[:200])
    second = translate(model, XDG_CACHE_HOME=str(tmp_path))
    assert first.stdout == second.stdout
    assert second.stderr == ""


def test_a_cache_that_cannot_be_made_is_done_without(tmp_path):
    (tmp_path / "file").write_text("")
    assert cache.enable(str(tmp_path / "file" / "folder")) is None


@pytest.mark.slow
def test_a_cache_that_cannot_be_made_costs_nothing_but_time(model, tmp_path):
    (tmp_path / "file").write_text("")
    done = translate(model, XDG_CACHE_HOME=str(tmp_path / "file"))
    assert done.stdout.strip()
    assert done.stderr.count("not kept") == 1


def test_a_folder_that_others_can_write_to_is_not_trusted(tmp_path, caplog):
    folder = tmp_path / cache._machine()
    folder.mkdir()
    folder.chmod(0o777)
    assert cache.enable(str(tmp_path)) is None
    assert "chmod 700" in caplog.text


@pytest.mark.parametrize("setting", ["off"])
def test_off_means_off(setting):
    assert cache.enable(setting) is None


def test_what_is_written_is_read_by_its_name_only(tmp_path):
    cache.write(tmp_path, "a", b"content")
    assert cache.read(tmp_path, "a") == b"content"
    (tmp_path / "a.entry").rename(tmp_path / "b.entry")
    assert cache.read(tmp_path, "b") is None
    assert cache.read(tmp_path, "a") is None


def test_a_link_is_not_followed(tmp_path):
    cache.write(tmp_path, "a", b"content")
    (tmp_path / "a.entry").rename(tmp_path / "elsewhere")
    (tmp_path / "a.entry").symlink_to(tmp_path / "elsewhere")
    assert cache.read(tmp_path, "a") is None


def test_writing_leaves_nothing_but_whole_entries_closed_to_others(tmp_path):
    for content in (b"old", b"new"):
        cache.write(tmp_path, "a", content)
    [path] = tmp_path.iterdir()
    assert path.stat().st_mode & 0o777 == 0o600
    assert cache.read(tmp_path, "a") == b"new"


def test_a_folder_that_is_gone_costs_nothing(tmp_path):
    cache.write(tmp_path / "gone", "a", b"content")
    assert cache.read(tmp_path / "gone", "a") is None


def test_the_longest_unused_entries_make_room(tmp_path, monkeypatch):
    monkeypatch.setitem(cache._MOST_BYTES, ".entry", 1_000)
    for age, name in enumerate(("old", "used", "new")):
        cache.write(tmp_path, name, bytes(300))
        os.utime(tmp_path / f"{name}.entry", (age, age))
    cache.read(tmp_path, "old")
    cache.write(tmp_path, "newest", bytes(300))
    kept = [name for name in ("old", "used", "new", "newest") if cache.read(tmp_path, name)]
    assert kept == ["old", "new", "newest"]


def test_what_is_mapped_lies_where_it_can_be_used_as_it_is_and_cannot_be_changed(tmp_path):
    chunks = [b"line\n", bytes(range(200)), b"", b"last"]
    cache.write_mapped(tmp_path, "a", chunks)
    found = cache.mapped(tmp_path, "a")
    assert found is not None
    assert found.ctypes.data % 64 == 0
    assert not found.flags.writeable
    start = 0
    for chunk in chunks:
        assert found[start:][: len(chunk)].tobytes() == chunk
        start += cache.aligned(len(chunk))
    assert start == len(found)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw[:-64],
        lambda raw: raw[:-1],
        lambda raw: b"",
        lambda raw: raw[:100] + bytes([raw[100] ^ 1]) + raw[101:],
        lambda raw: bytes(len(raw)),
    ],
)
def test_what_is_mapped_is_whole_or_nothing(tmp_path, damage):
    cache.write_mapped(tmp_path, "a", [bytes(range(256))])
    path = tmp_path / "a.mapped"
    path.write_bytes(damage(path.read_bytes()))
    assert cache.mapped(tmp_path, "a") is None


def test_what_would_fill_the_cache_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setitem(cache._MOST_BYTES, ".mapped", 1_000)
    cache.write_mapped(tmp_path, "a", [bytes(2_000)])
    assert list(tmp_path.iterdir()) == []


def test_a_key_changes_with_its_parts_the_environment_and_our_source(monkeypatch):
    keys = {cache.key("a"), cache.key("b")}
    monkeypatch.setenv("XLA_FLAGS", "--xla_something")
    keys.add(cache.key("a"))
    monkeypatch.setattr(cache, "_sources", lambda: (b"edited",))
    keys.add(cache.key("a"))
    assert len(keys) == 4
