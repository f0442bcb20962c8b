"""Every command's exit statuses, its one sentence, and who gets which stream."""

import errno
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from seq2seq import cli
from seq2seq.errors import Interrupted, UserError


def raising(error: BaseException):
    def main(argv: Sequence[str]) -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "status", "sentence"),
    [
        (UserError("no such thing"), 2, "no such thing"),
        (Interrupted("stopped at step 7"), 75, "stopped at step 7"),
        (KeyboardInterrupt(), 75, "stopped by Ctrl-C; the same command starts again"),
        (OSError(errno.ENOSPC, "x", "a/b"), 2, "the disk is full: cannot write 'a/b'; free some"),
        (OSError(errno.EDQUOT, "x"), 2, "the disk is full: cannot write; free some space"),
        (OSError(errno.EFBIG, "x", "a"), 2, "cannot write 'a': it grows beyond the file size"),
        (
            PermissionError(errno.EACCES, "Permission denied", "a"),
            2,
            "not allowed to open 'a': Perm",
        ),
        (OSError(errno.EROFS, "Read-only", "a"), 2, "not allowed to open 'a': Read-only"),
        (FileNotFoundError(errno.ENOENT, "No such file", "a"), 2, "cannot open 'a': No such file"),
        (IsADirectoryError(errno.EISDIR, "Is a directory", "a"), 2, "cannot open 'a': Is a dir"),
    ],
)
def test_an_early_end_is_one_sentence_and_its_status(
    error: BaseException, status: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.status(raising(error), []) == status
    said = capsys.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith(f"seq2seq: {sentence}")


@pytest.mark.parametrize("error", [ValueError("bug"), OSError(errno.ENOENT, "no name"), OSError()])
def test_our_own_bug_keeps_its_traceback(error: Exception) -> None:
    with pytest.raises(type(error)):
        cli.status(raising(error), [])


def test_a_finished_command_returns_0_and_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.status(lambda argv: None, []) == 0
    assert capsys.readouterr() == ("", "")


def test_an_option_is_another_spelling_of_its_setting() -> None:
    parser = cli.parser("translate", "Translates.", {"beam": "translate.beam"})
    options = parser.parse_args(["--set", "translate.beam=2", "--beam", "3", "-s", "a.b=c"])
    assert options.overrides == ["translate.beam=2", "translate.beam=3", "a.b=c"]
    assert parser.parse_args([]).overrides == []


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (["--bean", "3"], "unrecognized arguments: --bean 3"),
        (["--bea", "3"], "unrecognized arguments: --bea 3"),
        (["--beam"], "argument --beam: expected one argument"),
        (["--set"], "argument --set/-s: expected one argument"),
    ],
)
def test_a_wrong_option_is_one_sentence_without_the_usage(
    argv: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = cli.parser("translate", "Translates.", {"beam": "translate.beam"})
    assert cli.status(lambda given: discard(parser.parse_args(given)), argv) == 2
    assert capsys.readouterr().err == (
        f"seq2seq: {sentence}; python -m seq2seq.translate --help lists what there is\n"
    )


def discard(_: object) -> None:
    """A main returns nothing."""


def test_a_value_may_begin_with_a_dash_after_an_equals_sign() -> None:
    parser = cli.parser("train", "Trains.", {"seed": "train.seed"})
    assert parser.parse_args(["--seed=-1"]).overrides == ["train.seed=-1"]


HEAD = "import sys, logging, time\nfrom seq2seq import cli\ndef main(argv):\n    "


def shell(line: str, body: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Runs `line`, in which $RUN is a command whose main is `body`."""
    program = f"{HEAD}{body}\ncli.run(main)\n"
    return subprocess.run(
        ["bash", "-c", 'RUN() { "$PYTHON" -c "$PROGRAM" "$@"; }; ' + line],
        # Buffered, as for most people: what is left in a buffer is written at exit.
        env=os.environ
        | {"PYTHON": sys.executable, "PROGRAM": program, "PYTHONUNBUFFERED": ""}
        | variables,
        capture_output=True,
        check=False,
        timeout=60,
    )


MANY_LINES = "[print('x' * 50) for _ in range(100_000)]"


def test_a_closed_pipe_ends_quietly() -> None:
    result = shell("RUN | head -n 1; exit ${PIPESTATUS[0]}", MANY_LINES)
    assert (result.returncode, result.stderr) == (0, b"")
    assert result.stdout == b"x" * 50 + b"\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("body", ["print('few')", MANY_LINES])
def test_a_full_disk_under_stdout_is_one_sentence(body: str) -> None:
    result = shell("RUN > /dev/full", body)
    assert result.returncode == 2
    assert result.stderr.decode().splitlines() == [
        "seq2seq: the disk is full: cannot write; free some space and run this again"
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_complaint_stays_the_only_one_when_stdout_is_full() -> None:
    body = "from seq2seq.errors import UserError; print('few'); raise UserError('a')"
    result = shell("RUN > /dev/full", body)
    assert (result.returncode, result.stderr) == (2, b"seq2seq: a\n")


def test_closed_streams_are_nobodys_file() -> None:
    body = "print('out'); file = open('/dev/null'); logging.warning('%d', file.fileno())"
    assert shell("RUN >&-", body).stderr.strip().isdigit()
    assert shell("RUN 2>&-", body).stdout == b"out\n"
    complaint = shell("RUN 2>&-", "from seq2seq.errors import UserError; raise UserError('a')")
    assert (complaint.returncode, complaint.stdout) == (2, b"")


def test_stdout_is_utf8_with_plain_newlines_in_any_locale() -> None:
    result = shell("RUN", r"print('\u00fc\u2028')", LC_ALL="C", PYTHONUTF8="0")
    assert result.stdout == "ü\u2028\n".encode()


def test_a_name_that_is_no_utf8_can_be_complained_about() -> None:
    body = "from seq2seq.errors import UserError; raise UserError('no ' + argv[0])"
    result = shell(r"RUN $'\xff'", body)
    assert (result.returncode, result.stderr) == (2, b"seq2seq: no \\udcff\n")


def test_logs_go_to_stderr_and_libraries_keep_quiet() -> None:
    body = "[logging.getLogger(name).info(name) for name in ('seq2seq.training', 'absl')]"
    result = shell("RUN", body)
    assert (result.stdout, result.stderr) == (b"", b"seq2seq.training\n")


def test_our_own_bug_is_status_1() -> None:
    result = shell("RUN", "1 / 0")
    assert result.returncode == 1
    assert b"Traceback" in result.stderr


def test_help_is_status_0() -> None:
    body = "cli.parser('train', 'Trains.', {'seed': 'train.seed'}).parse_args(argv)"
    result = shell("RUN --help", body)
    assert result.returncode == 0
    assert b"the same as --set train.seed=SEED" in result.stdout


def test_ctrl_c_is_one_sentence_and_status_75(tmp_path: Path) -> None:
    program = f"{HEAD}open(argv[0], 'w').close(); time.sleep(60)\ncli.run(main)\n"
    begun = tmp_path / "begun"
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(begun)], stderr=subprocess.PIPE, text=True
    )
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 75
    assert said == "seq2seq: stopped by Ctrl-C; the same command starts again\n"


def test_importing_the_program_configures_no_logging() -> None:
    assert logging.getLogger("seq2seq").level == logging.NOTSET
