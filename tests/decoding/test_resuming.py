"""A file that is written from a file: killed at any moment, it goes on, and only where it may."""

import json
import logging
import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seq2seq import cli, files, translate
from seq2seq.decoding import resuming
from seq2seq.decoding.resuming import Origin, resumed, write_whole
from seq2seq.errors import Interrupted, UserError

ROOT = str(Path(__file__).parents[2])
ORIGIN = Origin({"the input": "a1"}, {"translate.beam": 5, "names": ("a", "b")})


@pytest.fixture
def output(tmp_path):
    return tmp_path / "out"


def partial(output: Path) -> Path:
    return output.with_name("out.partial")


def stopped(output: Path, *lines: str, by: type[BaseException] = KeyboardInterrupt) -> str:
    """Writes some lines and is stopped; what it says."""

    def write() -> None:
        with resumed(output, ORIGIN) as file:
            for line in lines:
                file.write(line)
            raise by

    with pytest.raises(Interrupted) as told:
        write()
    return str(told.value)


def test_the_finished_file_appears_by_its_name_and_leaves_nothing_beside_it(output):
    output.write_text("before\n")
    with resumed(output, ORIGIN) as file:
        file.write("ä")
        assert output.read_text() == "before\n"
        assert partial(output).read_text("utf-8") == "ä\n"
    assert output.read_text("utf-8") == "ä\n"
    assert list(output.parent.iterdir()) == [output]


def test_a_link_stays_and_what_it_leads_to_is_replaced(output, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    output.symlink_to(tmp_path / "elsewhere" / "file")
    with resumed(output, ORIGIN) as file:
        file.write("a")
    assert output.is_symlink()
    assert (tmp_path / "elsewhere" / "file").read_text() == "a\n"


@pytest.mark.parametrize("error", [KeyboardInterrupt, Interrupted])
def test_what_is_written_stays_and_a_torn_line_is_cut_off(output, error):
    said = stopped(output, "eins", "zwei", by=error)
    assert "2 lines are in" in said
    assert "the same command goes on" in said
    with partial(output).open("a") as file:
        file.write("halb")
    with resumed(output, ORIGIN) as file:
        assert file.lines == 2
        file.write("drei")
    assert output.read_text() == "eins\nzwei\ndrei\n"


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (ORIGIN._replace(checksums={"the input": "b2"}), "the input has changed"),
        (ORIGIN._replace(checksums={**ORIGIN.checksums, "x": "c"}), "x has changed"),
        (
            ORIGIN._replace(settings={**ORIGIN.settings, "translate.beam": 4}),
            "translate.beam was 5 and is 4",
        ),
    ],
)
def test_lines_of_something_else_are_refused_by_name_and_kept(output, now, sentence):
    stopped(output, "eins")
    with pytest.raises(UserError, match=sentence), resumed(output, now):
        pass
    assert partial(output).read_text() == "eins\n"
    partial(output).unlink()
    with resumed(output, now) as file:
        file.write("neu")
    assert output.read_text() == "neu\n"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("{")])
def test_lines_without_a_record_are_refused_and_kept(output, damage):
    stopped(output, "eins")
    damage(output.with_name("out.partial.json"))
    with pytest.raises(UserError, match="nothing says what it was made from"):
        resumed(output, ORIGIN).__enter__()
    assert partial(output).read_text() == "eins\n"


def test_where_nothing_was_written_yet_anything_may_begin(output):
    stopped(output)
    with resumed(output, ORIGIN._replace(checksums={"the input": "b2"})) as file:
        file.write("neu")
    assert output.read_text() == "neu\n"


def test_two_processes_do_not_write_one_file(output):
    with resumed(output, ORIGIN) as file:
        file.write("eins")
        with pytest.raises(UserError, match="another process is writing"):
            resumed(output, ORIGIN).__enter__()
    assert output.read_text() == "eins\n"


def test_lines_are_counted_block_by_block(output, monkeypatch):
    monkeypatch.setattr(resuming, "_BLOCK_BYTES", 3)
    lines = ["", "a", "lang" * 5, "", "ü"]
    stopped(output, *lines)
    with partial(output).open("a") as file:
        file.write("y" * 7)
    with resumed(output, ORIGIN) as file:
        assert file.lines == 5
    assert output.read_text("utf-8") == "".join(f"{line}\n" for line in lines)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_is_told_with_the_name_of_the_file(capsys):
    def main(_argv) -> None:
        with open("/dev/full", "wb", buffering=0) as file:
            write_whole(file, "x")

    assert cli.status(main, []) == 2
    assert capsys.readouterr().err == (
        "seq2seq: the disk is full: cannot write '/dev/full'; free some space and run this again\n"
    )


# The command


class Command:
    """`translate --input in --output out` in this process."""

    def __init__(self, model, folder: Path, capfd) -> None:
        self.source, self.output = folder / "in", folder / "out"
        self._model, self._capfd = model.path, capfd

    def __call__(self, *options: str) -> tuple[int, str]:
        argv = [self._model, "--input", self.source, "--output", self.output, *options]
        status = cli.status(translate.main, list(map(str, argv)))
        return status, self._capfd.readouterr().err


@pytest.fixture
def command(model, tmp_path, capfd, monkeypatch):
    (tmp_path / "in").write_text("Ein Hund.\n\nDas Kind. Die Frau\nspielt.\n" * 5, encoding="utf-8")
    return Command(model, tmp_path, capfd)


@pytest.mark.parametrize("options", [(), ("--document",), ("--format", "json", "--document")])
def test_a_command_that_was_stopped_goes_on_to_the_same_bytes(command, monkeypatch, options):
    command(*options)
    whole = command.output.read_bytes()
    command.output.unlink()
    for lines in (3, 7):
        with monkeypatch.context() as patched:
            patched.setattr(resuming, "write_whole", stopping_after(lines))
            status, said = command(*options)
        assert status == 75
        assert "the same command goes on" in said
        assert not command.output.exists()
    status, said = command(*options)
    assert status == 0
    assert command.output.read_bytes() == whole


def stopping_after(lines: int):
    left = iter(range(lines))

    def write(file, line: str) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write_whole(file, line)

    return write


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        ("Ein anderer Hund.\n", (), "the input has changed"),
        ("", ("--beam", "2"), "translate.beam was 3 and is 2"),
        ("", ("--document",), "translate.document was False and is True"),
        ("", ("--format", "json"), "translate.format was 'text' and is 'json'"),
    ],
)
def test_a_changed_input_or_setting_is_refused_by_name(
    command, monkeypatch, change, options, sentence
):
    with monkeypatch.context() as patched:
        patched.setattr(resuming, "write_whole", stopping_after(3))
        command()
    with command.source.open("a", encoding="utf-8") as file:
        file.write(change)
    status, said = command(*options)
    assert status == 2
    assert sentence in said
    assert f"delete '{command.output}.partial' to begin anew" in said
    assert said.count("\n") == 1


def test_settings_that_change_no_translation_may_change(command, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "seq2seq")
    with monkeypatch.context() as patched:
        patched.setattr(resuming, "write_whole", stopping_after(3))
        command()
    assert command("--set", "translate.chunk=2") == (0, "")
    assert caplog.messages == ["going on after 3 of 20 lines"]


def test_another_model_by_the_same_name_is_refused(command, monkeypatch, model):
    checksum = files.checksum
    with monkeypatch.context() as patched:
        patched.setattr(resuming, "write_whole", stopping_after(3))
        command()
        patched.setattr(
            files, "checksum", lambda path: "other" if path == model.weights else checksum(path)
        )
        status, said = command()
    assert status == 2
    assert "weights.safetensors has changed" in said


def test_a_file_size_limit_is_one_sentence_and_the_same_command_goes_on(command):
    command()
    whole = command.output.read_bytes()
    command.output.unlink()
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    command.source.write_bytes(command.source.read_bytes() * 30)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, hard))
    try:
        status, said = command()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert status == 2
    assert "out.partial': it grows beyond the file size limit" in said
    assert command()[0] == 0
    assert command.output.read_bytes() == whole * 30


def test_an_output_that_is_no_file_is_written_as_it_comes(command):
    command.output = Path("/dev/null")
    assert command() == (0, "")
    assert not Path("/dev/null.partial").exists()


@pytest.mark.slow
def test_killed_at_any_moment_it_ends_in_the_same_bytes(model, tmp_path, command):
    draw = random.Random(3)
    words = ("der Hund", "die Katze", "das Kind", "läuft", "spielt", "mit", "und")
    lines = [" ".join(draw.choices(words, k=draw.randint(1, 5))) for _ in range(400)]
    command.source.write_text("\n".join(lines), encoding="utf-8")
    command()
    whole = command.output.read_bytes()
    command.output.unlink()
    argv = [sys.executable, "-m", "seq2seq.translate", model.path, "--input", command.source]
    argv += ["--output", command.output, "--set", "translate.chunk=2"]
    argv += ["--set", f"translate.cache={tmp_path / 'cache'}"]
    environment = os.environ | {"PYTHONPATH": ROOT}
    for sent in (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
        before = partial(command.output)
        there = before.stat().st_size if before.exists() else 0
        process = subprocess.Popen(list(map(str, argv)), env=environment, stderr=subprocess.PIPE)
        while not (before.exists() and before.stat().st_size > there):
            assert process.poll() is None
            time.sleep(0.001)
        time.sleep(draw.random() / 20)  # into some write, or between two
        process.send_signal(sent)
        _, said = process.communicate()
        assert process.returncode == (-sent if sent == signal.SIGKILL else 75)
        assert (b"the same command goes on" in said) == (sent != signal.SIGKILL)
        assert not command.output.exists()
        assert before.stat().st_size < len(whole)
        record = json.loads(before.with_name("out.partial.json").read_text())
        assert {"checksums", "settings"} == record.keys()
    assert subprocess.run(list(map(str, argv)), env=environment, check=False).returncode == 0
    assert command.output.read_bytes() == whole
    assert not list(tmp_path.glob("*.partial*"))
