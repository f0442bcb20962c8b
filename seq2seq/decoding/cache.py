"""Compiled code in a folder that is the user's own. A cache can only save time.

Knows no model. The folder is closed to others, because what is loaded from it is executed. What
cannot be read or written there is as if it had never been: nobody is told.
"""

import contextlib
import functools
import hashlib
import importlib.util
import logging
import mmap
import os
import platform
import stat
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from seq2seq import processor

_log = logging.getLogger(__name__)
_OFF = "off"
_SUFFIX, _MAPPED = ".entry", ".mapped"
# Of our own entries: an executable takes a few hundred kilobytes, weights as much as a model.
_MOST_BYTES = {_SUFFIX: 256 << 20, _MAPPED: 1 << 30}
_ALIGNED = 64  # bytes: XLA uses such memory as it is
_DIGEST_BYTES = 32
_TRACED = ("model", "decoding")  # folders of the package; settings come in as values
_VARIABLES = ("JAX_", "XLA_")


def folder(setting: str) -> Path | None:
    """Where compiled code lies (`translate.cache`: a folder, "" for the usual one, or "off")."""
    if setting == _OFF:
        return None
    chosen = (Path(setting).expanduser() if setting else _usual()) / _machine()
    return chosen if _is_ours(chosen) else None


def enable(setting: str) -> Path | None:
    """Turns on the cache that JAX itself has, which spares compiling but not tracing.

    Returns where it is. A cache that the process already has stays, unless a folder is named.
    """
    import jax

    if setting == _OFF:
        return None
    chosen = getattr(jax.config, "jax_compilation_cache_dir", None)
    if chosen and not setting:
        return Path(chosen)
    found = folder(setting)
    if found is None:
        return None
    # A damaged entry is compiled again; JAX's warning about it would only worry the reader.
    warnings.filterwarnings("ignore", ".*persistent compilation cache.*")
    jax.config.update("jax_compilation_cache_dir", str(found))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
    return found


def read(folder: Path, name: str) -> bytes | None:
    """What was written by this name, if it is whole, and nobody else's."""
    try:
        with _opened(folder / f"{name}{_SUFFIX}") as file:
            content = file.read()
    except OSError:
        return None
    digest, data = content[:_DIGEST_BYTES], content[_DIGEST_BYTES:]
    return data if digest == _digest(name, data) else None


def mapped(folder: Path, name: str) -> np.ndarray | None:
    """The bytes that were written by this name, under the same conditions; they cannot be changed.

    Every byte is looked at, which is also how it comes into memory.
    """
    try:
        with _opened(folder / f"{name}{_MAPPED}") as file:
            content = np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
    except (OSError, ValueError):  # the second: an empty file
        return None
    digest, data = content[:_DIGEST_BYTES], content[_ALIGNED:]
    whole = len(data) % _ALIGNED == 0
    return data if whole and digest.tobytes() == _digest(name, _total([data])) else None


def write(folder: Path, name: str, data: bytes) -> None:
    """Keeps data by this name, as a whole or not at all; the longest unused may have to go."""
    _write(folder, f"{name}{_SUFFIX}", [_digest(name, data), data])


def write_mapped(folder: Path, name: str, chunks: Iterable[bytes | memoryview]) -> None:
    """The same for `mapped`; every chunk takes an `aligned` number of bytes."""
    filled = [bytes(chunk).ljust(aligned(len(chunk)), b"\0") for chunk in chunks]
    if sum(map(len, filled)) > _MOST_BYTES[_MAPPED]:
        return
    begin = _digest(name, _total(np.frombuffer(chunk, np.uint8) for chunk in filled))
    _write(folder, f"{name}{_MAPPED}", [begin, bytes(_ALIGNED - len(begin)), *filled])


def aligned(size: int) -> int:
    """The room that so many bytes take where the next must begin at an aligned place."""
    return size + -size % _ALIGNED


def key(*parts: Any) -> str:
    """A name for what compiled code depends on: these parts, our own source, the libraries."""
    variables = sorted(item for item in os.environ.items() if item[0].startswith(_VARIABLES))
    # XLA divides work among the processors when it compiles.
    everything = (*_sources(), *_installed(), variables, processor.count(), *parts)
    return hashlib.sha256(repr(everything).encode()).hexdigest()[:40]


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """A file of our own; what is used stays, so it gets a new date."""
    with open(os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
        if not _owned(os.fstat(file.fileno())):
            raise PermissionError
        os.utime(path)
        yield file


def _write(folder: Path, name: str, chunks: Iterable[bytes | memoryview]) -> None:
    temporary = folder / f".{name}.{os.getpid()}.tmp"
    with contextlib.suppress(OSError):
        try:
            temporary.touch(mode=0o600)
            with temporary.open("wb") as file:
                file.writelines(chunks)
            temporary.replace(folder / name)
        finally:
            temporary.unlink(missing_ok=True)
        for suffix, most in _MOST_BYTES.items():
            _make_room(folder, suffix, most)


def _make_room(folder: Path, suffix: str, most: int) -> None:
    entries = sorted(_entries(folder, suffix), reverse=True)  # the youngest first
    total = 0
    for _, size, path in entries:
        total += size
        if total > most:
            path.unlink(missing_ok=True)


def _entries(folder: Path, suffix: str) -> Iterator[tuple[int, int, Path]]:
    for path in folder.glob(f"*{suffix}"):
        with contextlib.suppress(FileNotFoundError):  # another process makes room too
            status = path.stat()
            yield status.st_mtime_ns, status.st_size, path


def _total(chunks: Iterable[np.ndarray]) -> bytes:
    """The sum of all numbers in bytes: as fast as they come, where a digest would take a while."""
    total = sum(int(chunk.view(np.uint64).sum()) for chunk in chunks)
    return (total % (1 << 64)).to_bytes(8, "little")


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + data).digest()


def _usual() -> Path:
    parent = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(parent).expanduser() / "seq2seq"


def _machine() -> str:
    """A name for what compiled code depends on: a home folder may be shared by many machines."""
    features = [*_installed(), platform.machine(), *_processor()]
    return f"jax-{hashlib.sha256(' '.join(features).encode()).hexdigest()[:12]}"


@functools.cache
def _sources() -> tuple[bytes, ...]:
    """The modules that are traced, for whoever edits them."""
    package = Path(__file__).parents[1]
    files = sorted(path for name in _TRACED for path in (package / name).glob("*.py"))
    return tuple(hashlib.sha256(path.read_bytes()).digest() for path in files)


@functools.cache
def _installed() -> tuple[str, ...]:
    """What is known of the libraries that compile, without importing them."""
    found = []
    for name in ("jax", "jaxlib", "flax"):
        spec = importlib.util.find_spec(name)
        package = Path(spec.origin).parent if spec and spec.origin else Path(name)
        with contextlib.suppress(OSError):
            version = hashlib.sha256((package / "version.py").read_bytes()).hexdigest()
            # A plug-in for another device may have come since; it stands beside them.
            found += [str(package), version, str(package.parent.stat().st_mtime_ns)]
    return tuple(found)


def _processor() -> list[str]:
    """The first of them: a host of many would take milliseconds to describe them all."""
    lines = []
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in iter(file.readline, "\n"):
                if not line:
                    break
                if line.startswith(("model name", "flags", "Features")):
                    lines.append(line)
    except OSError:
        return [platform.processor()]
    return lines


def _is_ours(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except (OSError, RuntimeError) as error:
        _log.info("compiled code is not kept: cannot use %r (%s)", str(folder), error)
        return False
    if not _owned(status):
        _log.warning(
            "compiled code is not kept: others can write to %r; chmod 700 it, or set "
            "translate.cache to another folder",
            str(folder),
        )
        return False
    return os.access(folder, os.W_OK | os.X_OK)


def _owned(status: os.stat_result) -> bool:
    mine = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return mine and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
