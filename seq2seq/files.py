"""Writing that survives being killed, and checksums. Knows no file names of ours."""

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from seq2seq.errors import UserError


def write_atomically(path: Path, content: str | bytes) -> None:
    """Replaces `path` as a whole: a reader sees the old content or the new, never a part."""
    if not path.parent.is_dir():
        raise UserError(f"cannot write {str(path)!r}: the folder {str(path.parent)!r} is missing")
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_in_one_piece(path: Path) -> Iterator[Path]:
    """Yields an empty folder that becomes `path` by one rename if the block succeeds.

    What an earlier, killed attempt left behind is removed. An existing `path` is replaced; where
    it is a link to a folder on a larger disk, that folder is.
    """
    path = path.resolve()
    temporary = path.with_name(f".{path.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        yield temporary
        # A rename onto a full folder fails, so the old one steps aside first.
        aside = path.with_name(f".{path.name}.old")
        shutil.rmtree(aside, ignore_errors=True)
        if path.exists():
            path.rename(aside)
        temporary.rename(path)
        shutil.rmtree(aside, ignore_errors=True)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def point_link(link: Path, target: str) -> None:
    """Makes `link` a symbolic link to `target` (relative), by one rename."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}.tmp")
    temporary.unlink(missing_ok=True)
    temporary.symlink_to(target)
    temporary.replace(link)


def checksum(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock(file: IO[Any], complaint: str) -> None:
    """Keeps other processes out until the file is closed; a killed one leaves no lock behind."""
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(complaint) from None


def require_space(folder: Path, needed_bytes: int, purpose: str) -> None:
    """Refuses to begin what would fill the disk."""
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise UserError(
            f"{purpose} needs {needed_bytes / 1e6:,.0f} MB in {str(folder)!r}, where "
            f"{free / 1e6:,.0f} MB are free; free some space, or choose another folder"
        )
