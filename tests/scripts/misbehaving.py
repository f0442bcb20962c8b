"""A server on this machine that cuts off, stalls and lies; and what get_data.py is made of."""

import importlib
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2] / "scripts"
# No package holds the scripts: they find one another as they do when one of them is run.
sys.path.append(str(SCRIPTS))
archives = importlib.import_module("public_corpora.archives")
download = importlib.import_module("public_corpora.download")
get_data = importlib.import_module("get_data")
homes = importlib.import_module("public_corpora.homes")
recipes = importlib.import_module("public_corpora.recipes")


@dataclass
class File:
    """Something to serve, and how badly."""

    content: bytes
    tag: str = '"1"'
    resumes: bool = True  # knows Range
    compares: bool = True  # knows If-Range
    cuts: list[int] = field(default_factory=list)  # bytes after which the next answers break off
    statuses: list[int] = field(default_factory=list)  # of the next answers
    type: str = "application/octet-stream"
    tells_length: bool = True
    stalls_after: int = 0
    go_on: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    """Serves `files` by name; `asked` holds (name, Range) of each request."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, File] = {}
        self.asked: list[tuple[str, str]] = []
        self.address = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves early is what the tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.rsplit("/", 1)[-1]
        wanted = self.headers.get("Range") or ""
        self.server.asked.append((name, wanted))
        file = self.server.files.get(name)
        if file is None or file.statuses:
            self.send_error(file.statuses.pop(0) if file else 404)
            return
        start = self._start(file, wanted)
        if start > len(file.content):
            self.send_error(416)
            return
        self._send_head(file, start)
        self._send_body(file, start)

    def _start(self, file: File, wanted: str) -> int:
        known = self.headers.get("If-Range")
        if not file.resumes or (file.compares and known and known != file.tag):
            return 0
        return int(wanted.removeprefix("bytes=").removesuffix("-") or 0)

    def _send_head(self, file: File, start: int) -> None:
        size = len(file.content)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
        if file.tells_length:
            self.send_header("Content-Length", str(size - start))
        if file.tag:
            self.send_header("ETag", file.tag)
        self.send_header("Content-Type", file.type)
        self.end_headers()

    def _send_body(self, file: File, start: int) -> None:
        body = file.content[start:]
        if file.cuts:
            body = body[: file.cuts.pop(0)]
        if file.stalls_after:
            self.wfile.write(body[: file.stalls_after])
            self.wfile.flush()
            file.go_on.wait()
            body = body[file.stalls_after :]
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[Server]:
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            for file in server.files.values():
                file.go_on.set()
            server.shutdown()
            thread.join()
