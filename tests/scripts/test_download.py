"""A file over HTTP arrives whole and verified, or not at all, whatever the server does."""

import hashlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from seq2seq.errors import UserError
from tests.scripts.misbehaving import File, Server, download, homes, running

NEW = b"\x1f\x8b" + bytes(range(256)) * 400
OLD = b"\x1f\x8b" + bytes(reversed(range(256))) * 400
SIZE = len(NEW)


@pytest.fixture
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WAITS_SECONDS", (0.0, 0.0))
    monkeypatch.setenv("no_proxy", "*")


def archive(server: Server, *, size: int = 0, checksum: str = "") -> homes.Archive:
    return homes.Archive(f"{server.address}/a.tgz", size, checksum)


def known(server: Server) -> homes.Archive:
    return archive(server, size=SIZE, checksum=f"sha256:{hashlib.sha256(NEW).hexdigest()}")


def fetch(wanted: homes.Archive, folder: Path, **options: bool) -> bytes:
    content = download.fetch(wanted, folder, **options).read_bytes()
    assert os.listdir(folder) == ["a.tgz"]
    return content


def refusal(wanted: homes.Archive, folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        download.fetch(wanted, folder)
    assert not (folder / "a.tgz").exists()
    return str(caught.value)


def leave_a_part(server: Server, folder: Path, content: bytes, *, tag: str = '"1"') -> None:
    """What a call that was stopped after 1,000 bytes leaves."""
    server.files["a.tgz"] = File(content, tag=tag, cuts=[1000, 0, 0] if tag else [1000] * 3)
    refusal(archive(server), folder)
    assert (folder / "a.tgz.part").read_bytes() == content[:1000]
    server.asked.clear()


def test_a_file_arrives_whole_and_alone(server: Server, tmp_path: Path) -> None:
    server.files["a.tgz"] = File(NEW)
    assert fetch(known(server), tmp_path) == NEW


def test_what_is_there_is_not_fetched_again(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(NEW)
    assert fetch(known(server), tmp_path) == NEW
    assert server.asked == []


def test_a_connection_that_is_cut_off_goes_on_where_it_stopped(
    server: Server, tmp_path: Path
) -> None:
    server.files["a.tgz"] = File(NEW, cuts=[1000, 500])
    assert fetch(known(server), tmp_path) == NEW
    assert [wanted for _, wanted in server.asked] == ["", "bytes=1000-", "bytes=1500-"]


def test_cut_off_without_end_is_told_with_how_far_it_came(server: Server, tmp_path: Path) -> None:
    server.files["a.tgz"] = File(NEW, cuts=[1000, 0, 0])
    assert refusal(archive(server), tmp_path) == (
        f"{server.address}/a.tgz: the connection was cut off, 3 times in a row; 1,000 of {SIZE:,} "
        "bytes have arrived: run this again to go on from there"
    )


def test_the_next_call_goes_on_where_the_last_one_gave_up(server: Server, tmp_path: Path) -> None:
    leave_a_part(server, tmp_path, NEW)
    assert fetch(archive(server), tmp_path) == NEW
    assert server.asked == [("a.tgz", "bytes=1000-")]


def test_a_server_that_cuts_often_but_lets_something_through_is_borne(
    server: Server, tmp_path: Path
) -> None:
    server.files["a.tgz"] = File(NEW, cuts=[100] * 20)
    assert fetch(known(server), tmp_path) == NEW


def test_a_server_that_cannot_resume_sends_the_file_from_its_start(
    server: Server, tmp_path: Path
) -> None:
    server.files["a.tgz"] = File(NEW, cuts=[1000], resumes=False)
    assert fetch(archive(server), tmp_path) == NEW


def test_a_file_that_changed_meanwhile_is_not_spliced(server: Server, tmp_path: Path) -> None:
    leave_a_part(server, tmp_path, OLD)
    server.files["a.tgz"] = File(NEW, tag='"2"')
    assert fetch(archive(server), tmp_path) == NEW
    assert server.asked == [("a.tgz", "bytes=1000-")]


def test_a_server_that_goes_on_with_another_version_is_not_believed(
    server: Server, tmp_path: Path
) -> None:
    leave_a_part(server, tmp_path, OLD)
    server.files["a.tgz"] = File(NEW, tag='"2"', compares=False)
    assert fetch(archive(server), tmp_path) == NEW


def test_a_part_of_unknown_version_is_resumed_where_a_checksum_can_tell(
    server: Server, tmp_path: Path
) -> None:
    leave_a_part(server, tmp_path, NEW, tag="")
    assert fetch(known(server), tmp_path) == NEW
    assert server.asked == [("a.tgz", "bytes=1000-")]


def test_a_splice_that_its_checksum_betrays_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    leave_a_part(server, tmp_path, OLD, tag="")
    server.files["a.tgz"] = File(NEW, tag="")
    assert fetch(known(server), tmp_path) == NEW
    assert server.asked == [("a.tgz", "bytes=1000-"), ("a.tgz", "")]


def test_a_part_of_unknown_version_is_not_resumed_without_a_checksum(
    server: Server, tmp_path: Path
) -> None:
    leave_a_part(server, tmp_path, OLD, tag="")
    server.files["a.tgz"] = File(NEW, tag="")
    assert fetch(archive(server), tmp_path) == NEW
    assert server.asked == [("a.tgz", "")]


def test_a_file_that_became_shorter_is_fetched_anew(server: Server, tmp_path: Path) -> None:
    leave_a_part(server, tmp_path, NEW)
    server.files["a.tgz"] = File(NEW[:500], compares=False)
    assert fetch(archive(server), tmp_path) == NEW[:500]


def test_a_part_that_is_complete_is_only_verified(server: Server, tmp_path: Path) -> None:
    (tmp_path / "a.tgz.part").write_bytes(NEW)
    assert fetch(known(server), tmp_path) == NEW
    assert server.asked == []


def test_wrong_content_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    server.files["a.tgz"] = File(OLD)
    assert refusal(known(server), tmp_path).startswith(f"{server.address}/a.tgz has the sha256 sum")
    assert os.listdir(tmp_path) == []


def test_wrong_length_is_refused_before_anything_is_fetched(server: Server, tmp_path: Path) -> None:
    server.files["a.tgz"] = File(NEW + b"more", stalls_after=1)
    assert f"is {SIZE + 4:,} bytes long and not {SIZE:,}" in refusal(known(server), tmp_path)
    assert os.listdir(tmp_path) == []


def test_wrong_length_that_nobody_announced_is_refused(server: Server, tmp_path: Path) -> None:
    server.files["a.tgz"] = File(NEW[:-1], tells_length=False)
    assert f"gave {SIZE - 1:,} bytes, not {SIZE:,}" in refusal(known(server), tmp_path)
    assert os.listdir(tmp_path) == []


def test_unverified_takes_another_length_and_content(server: Server, tmp_path: Path) -> None:
    server.files["a.tgz"] = File(OLD + b"more")
    assert fetch(known(server), tmp_path, unverified=True) == OLD + b"more"


@pytest.mark.parametrize(
    ("type", "sentence"),
    [
        ("text/html; charset=utf-8", "answers with a web page (an error, or a login), not with"),
        ("application/gzip", "gave something else than a .tgz file"),
    ],
)
def test_a_web_page_is_not_taken_for_an_archive(
    server: Server, tmp_path: Path, type: str, sentence: str
) -> None:
    server.files["a.tgz"] = File(b"<html>Please log in", type=type)
    assert sentence in refusal(archive(server), tmp_path)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "is not there (status 404)"),
        (410, "is not there (status 410)"),
        (403, "is refused (status 403)"),
    ],
)
def test_what_waiting_will_not_mend_is_told_at_once(
    server: Server, tmp_path: Path, status: int, sentence: str
) -> None:
    server.files["a.tgz"] = File(NEW, statuses=[status])
    assert refusal(archive(server), tmp_path) == f"{server.address}/a.tgz {sentence}"
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again(server: Server, tmp_path: Path, status: int) -> None:
    server.files["a.tgz"] = File(NEW, statuses=[status])
    assert fetch(known(server), tmp_path) == NEW


def test_a_server_that_falls_silent_is_left(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "_SILENCE_SECONDS", 0.05)
    server.files["a.tgz"] = File(NEW, stalls_after=1000, resumes=False)
    said = refusal(archive(server), tmp_path)
    assert "nothing was heard for 0 s, 3 times in a row; " in said


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/a.tgz"
        assert refusal(homes.Archive(address), tmp_path) == (
            f"{address}: the server refused the connection, 3 times in a row; 0 bytes have "
            "arrived: run this again to start over"
        )
