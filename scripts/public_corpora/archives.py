"""Members of archives as streams of lines, in constant memory.

Nothing is unpacked to a name that an archive chooses. An archive with a name that leads out of it,
or with a link where a text should be, is refused all the same: it is not what it should be.
"""

import contextlib
import gzip
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, cast

from seq2seq.errors import UserError

Take = Callable[[IO[bytes]], None]
_DAMAGE = (
    *(tarfile.TarError, zipfile.BadZipFile, gzip.BadGzipFile, lzma.LZMAError),
    *(zlib.error, EOFError, UnicodeDecodeError, NotImplementedError),
)


class _Unfit(Exception):
    """An archive that holds what it should not, or lacks what it should hold."""


def read_members(archive: Path, takes: Mapping[str, Take]) -> None:
    """Hands every member that `takes` names to its function, in the archive's order.

    An archive that proves to be unfit is removed, so that the next call fetches it anew.
    """
    try:
        if archive.suffix == ".zip":
            missing = _read_zip(archive, takes)
        elif archive.suffix == ".gz":
            missing = _read_gzip(archive, takes)
        else:
            missing = _read_tar(archive, takes)
        if missing:
            raise _Unfit(f"it holds no {', no '.join(sorted(missing))}")
    except (*_DAMAGE, _Unfit) as error:
        archive.unlink()
        raise UserError(
            f"{archive.name} is damaged or not the archive it should be ({error}), so it was "
            "removed; run this again to fetch it anew"
        ) from error


def _read_gzip(archive: Path, takes: Mapping[str, Take]) -> set[str]:
    with gzip.open(archive) as stream:
        takes[archive.stem](cast(IO[bytes], stream))
    return set(takes) - {archive.stem}


def _read_zip(archive: Path, takes: Mapping[str, Take]) -> set[str]:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            _require_safe(member.filename)
        present = takes.keys() & set(file.namelist())
        for name in sorted(present):
            with file.open(name) as stream:
                takes[name](stream)
    return set(takes) - present


def _read_tar(archive: Path, takes: Mapping[str, Take]) -> set[str]:
    missing = set(takes)
    with gzip.open(archive) as packed, tarfile.open(fileobj=packed, mode="r|") as file:
        for member in file:
            _require_safe(member.name)
            name = str(PurePosixPath(member.name))
            if name not in missing:
                continue
            stream = file.extractfile(member) if member.isfile() else None
            if stream is None:
                raise _Unfit(f"{name} is no plain file")
            with contextlib.closing(stream):
                takes[name](stream)
            missing.remove(name)
        # To the very end, where gzip compares its checksum.
        while packed.read(1 << 20):
            pass
    return missing


def _require_safe(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise _Unfit(f"it holds the unsafe name {name!r}")


def lines(stream: IO[bytes]) -> Iterator[str]:
    """The lines of UTF-8 text, without their ends."""
    for line in stream:
        yield line.decode("utf-8").rstrip("\r\n")
