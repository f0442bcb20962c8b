"""One file over HTTP: resumed where it was cut off, verified, placed by one rename.

What has arrived lies in NAME.part, and NAME.part.json tells which version of the file it is of.
Two versions are never spliced: the server is asked to continue only that one (If-Range), and what
was put together from several answers is fetched anew, once, if its checksum is wrong.
"""

import contextlib
import hashlib
import http.client
import json
import logging
import os
import re
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, NoReturn
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from public_corpora.homes import Archive
from public_corpora.progress import report
from seq2seq.errors import UserError
from seq2seq.files import write_atomically

WAITS_SECONDS = (2.0, 5.0, 15.0, 45.0)  # before each new try without any gain since the last
_SILENCE_SECONDS = 60.0
_BLOCK_BYTES = 1 << 18
_MAGIC = {".tgz": b"\x1f\x8b", ".gz": b"\x1f\x8b", ".zip": b"PK\x03\x04"}
_log = logging.getLogger("seq2seq.get_data")


class Unavailable(UserError):
    """This address does not give the file; another one may."""


class _TryAgain(Exception):
    """Something that may pass: the connection, or the server's mood."""


class _Answer(NamedTuple):
    """What a response says of the file."""

    start: int  # of the bytes that follow
    total: int  # 0: not told
    version: str  # ETag, else the date; "": not told

    @classmethod
    def of(cls, response: Any) -> "_Answer":
        headers = response.headers
        length = int(headers.get("Content-Length") or 0)
        tag = headers.get("ETag") or ""
        # A weak tag does not promise the same bytes.
        version = tag if tag.startswith('"') else headers.get("Last-Modified") or ""
        if response.status != http.HTTPStatus.PARTIAL_CONTENT:
            return cls(0, length, version)
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", headers.get("Content-Range") or "")
        if span is None:
            raise _TryAgain("the server sent another part than it was asked for")
        return cls(int(span[1]), 0 if span[2] == "*" else int(span[2]), version)


class _Part:
    """What has arrived of a file, over any number of calls."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}.part")
        self._notes = target.with_name(f"{target.name}.part.json")
        self.total, self.version = 0, ""
        with contextlib.suppress(OSError, ValueError, KeyError):
            notes = json.loads(self._notes.read_text("utf-8"))
            self.total, self.version = int(notes["total"]), str(notes["version"])
        self.spliced = self.size > 0

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def begin(self, answer: _Answer) -> None:
        """Empties the file, for what is about to come from its start."""
        self.clear()
        self.total, self.version = answer.total, answer.version
        write_atomically(self._notes, json.dumps({"total": self.total, "version": self.version}))

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)
        self.total, self.version, self.spliced = 0, "", False

    def place(self) -> None:
        with self.path.open("rb") as file:
            os.fsync(file.fileno())
        self.path.replace(self.target)
        self._notes.unlink(missing_ok=True)


def fetch(archive: Archive, folder: Path, *, unverified: bool = False) -> Path:
    """The file in `folder`, whole and verified; what is there already is not fetched again."""
    target = folder / archive.name
    if target.exists():
        return target
    if unverified:
        archive = Archive(archive.address)
    part = _Part(target)
    _complete(archive, part)
    if part.spliced and _fault(archive, part):
        _log.info("%s: its parts do not belong together; starting over", archive.name)
        part.clear()
        _complete(archive, part)
    if fault := _fault(archive, part):
        part.clear()
        raise Unavailable(f"{archive.address} {fault}; it was not kept")
    part.place()
    return target


def _complete(archive: Archive, part: _Part) -> None:
    most, failures = part.size, 0
    while True:
        try:
            return _receive(archive, part)
        except _TryAgain as error:
            part.spliced = part.size > 0
            if part.size > most:
                most, failures = part.size, 0
            if failures == len(WAITS_SECONDS):
                raise UserError(
                    f"{archive.address}: {error}, {failures + 1} times in a row; "
                    f"{_standing(archive, part)}"
                ) from error
            seconds = WAITS_SECONDS[failures]
            failures += 1
            _log.info("%s: %s; trying again in %g s", archive.name, error, seconds)
            time.sleep(seconds)


def _standing(archive: Archive, part: _Part) -> str:
    total = part.total or archive.size
    of = f" of {total:,}" if total else ""
    then = "go on from there" if part.size and _can_go_on(archive, part) else "start over"
    return f"{part.size:,}{of} bytes have arrived: run this again to {then}"


def _can_go_on(archive: Archive, part: _Part) -> bool:
    # Without a version and a checksum nobody could tell a splice from the file.
    return bool(part.version or archive.checksum)


def _receive(archive: Archive, part: _Part) -> None:
    if part.size and not _can_go_on(archive, part):
        part.clear()
    if part.size and part.size == (part.total or archive.size):
        return
    with _opened(archive, part) as response:
        answer = _Answer.of(response)
        _check(archive, response, answer)
        _continue_or_begin(part, answer)
        with part.path.open("ab") as file, report(archive.name, answer.total) as arrived:
            for block in _blocks(response):
                file.write(block)
                file.flush()  # a kill loses nothing that has arrived
                arrived(file.tell())
    if part.size < part.total:
        raise _TryAgain("the connection was cut off")


def _continue_or_begin(part: _Part, answer: _Answer) -> None:
    if answer.start == 0:
        if part.size:
            _log.info("%s: the server sends it from its start again", part.target.name)
        part.begin(answer)
    elif not _continues(part, answer):
        part.clear()
        raise _TryAgain("the file has changed meanwhile; starting over")


def _continues(part: _Part, answer: _Answer) -> bool:
    return (
        answer.start == part.size
        and (not part.version or answer.version in ("", part.version))
        and (not part.total or answer.total in (0, part.total))
    )


@contextlib.contextmanager
def _opened(archive: Archive, part: _Part) -> Iterator[Any]:
    # Some servers refuse Python's own name.
    request = Request(archive.address, headers={"User-Agent": "seq2seq-get-data"})
    if part.size:
        request.add_header("Range", f"bytes={part.size}-")
        if part.version:
            request.add_header("If-Range", part.version)
    try:
        response = urlopen(request, timeout=_SILENCE_SECONDS)
    except HTTPError as error:
        error.close()
        _refuse(archive, part, error.code)
    except URLError as error:
        if archive.address.startswith("file:"):
            raise Unavailable(f"{archive.address} is not there") from error
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            message = error.reason.verify_message
            raise Unavailable(f"{archive.address} cannot be trusted (TLS: {message})") from error
        raise _TryAgain(_reason(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _TryAgain(_reason(error)) from error
    with response:
        yield response


def _refuse(archive: Archive, part: _Part, status: int) -> NoReturn:
    if status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.clear()
        raise _TryAgain("the file has become shorter meanwhile; starting over")
    if status in (408, 425, 429) or status >= 500:
        raise _TryAgain(f"the server answered with status {status}")
    what = "is not there" if status in (404, 410) else "is refused"
    raise Unavailable(f"{archive.address} {what} (status {status})")


def _reason(error: object) -> str:
    match error:
        case socket.gaierror():
            return "its server's name is not known, or there is no network"
        case ConnectionRefusedError():
            return "the server refused the connection"
        case TimeoutError():
            return f"nothing was heard for {_SILENCE_SECONDS:.0f} s"
        case ConnectionError() | http.client.HTTPException():
            return "the connection was cut off"
        case _:
            return str(error)


def _check(archive: Archive, response: Any, answer: _Answer) -> None:
    """Refuses what cannot be the file before a gigabyte of it has arrived."""
    if response.headers.get_content_type() == "text/html":
        raise Unavailable(
            f"{archive.address} answers with a web page (an error, or a login), not with a file"
        )
    if archive.size and answer.total not in (0, archive.size):
        raise Unavailable(
            f"{archive.address} is {answer.total:,} bytes long and not {archive.size:,}, so it is "
            "another file than the one we know (--unverified takes it as it is)"
        )


def _blocks(response: Any) -> Iterator[bytes]:
    while True:
        try:
            # Whatever is there: a longer read that is cut off in the middle may lose all of it.
            block = response.read1(_BLOCK_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise _TryAgain(_reason(error)) from error
        if not block:
            return
        yield block


def _fault(archive: Archive, part: _Part) -> str:
    """What is wrong with a file that has arrived; nothing if nothing is."""
    magic = _MAGIC[Path(archive.name).suffix]
    with part.path.open("rb") as file:
        if file.read(len(magic)) != magic:
            return f"gave something else than a {Path(archive.name).suffix} file"
    expected = archive.size or part.total
    if expected and part.size != expected:
        return f"gave {part.size:,} bytes, not {expected:,}"
    if archive.checksum:
        kind, _, wanted = archive.checksum.partition(":")
        with part.path.open("rb") as file:
            found = hashlib.file_digest(file, kind).hexdigest()
        if found != wanted:
            return f"has the {kind} sum {found}, not {wanted} (--unverified takes it as it is)"
    return ""
