"""The README keeps its word: every block runs, in order, and what it names exists.

A block may have a marker before it, `<!-- test: MARKER -->`:

  setup           set-up commands, which only say what they would install (--plan)
  max_steps       three steps of a tiny model, with a vocabulary that fits the test's corpus
  two processes   the lines run at the same time, as two processes on this machine
  picture, tree   text that no command prints; the tree is held against the files

A TOML block is written to the file that its first line names. A text block without a marker has
the form of lines that the commands before it print; a JSON block that of their first line.
"""

import dataclasses
import io
import itertools
import json
import lzma
import random
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from seq2seq import cli
from seq2seq.config import Config
from seq2seq.decoding.translation import FLAGS
from seq2seq.files import write_atomically

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
MARKERS = {
    "bash": {"", "setup", "max_steps", "two processes"},
    "toml": {""},
    "python": {""},
    "json": {""},
    "text": {"", "picture", "tree"},
}
SMALL = (
    *("train.max_steps=3", "train.shapes=1", "train.validate_sentences=1"),
    *("model.embedding=16", "model.encoder_units=8", "model.decoder_units=16"),
    *("model.encoder_layers=1", "tokenizer.vocabulary=340"),
)
SECONDS = 400  # of a block; demo.sh takes 90 alone on two cores, and tests run beside it


class Block(NamedTuple):
    """A fenced block of the README."""

    line: int
    language: str
    marker: str
    text: str


_BLOCK = re.compile(
    r"^(?:<!-- test: (?P<marker>.*) -->\n)?```(?P<language>.*)\n(?P<text>(?:.*\n)*?)```$",
    re.MULTILINE,
)


def blocks(text: str) -> list[Block]:
    """All of them; refuses what no test would look at."""
    for number, line in enumerate(_BLOCK.sub(_blank, text).splitlines(), start=1):
        if "```" in line or "<!-- test" in line:
            raise ValueError(f"line {number}: {line!r} belongs to no block")
    found = []
    for match in _BLOCK.finditer(text):
        language, marker = match["language"], match["marker"] or ""
        line = 1 + text.count("\n", 0, match.start())
        if marker not in MARKERS.get(language, set()):
            raise ValueError(f"line {line}: no test runs {language!r} blocks marked {marker!r}")
        found.append(Block(line, language, marker, match["text"]))
    return found


def _blank(match: re.Match[str]) -> str:
    return "\n" * match[0].count("\n")


def marked(marker: str) -> Block:
    (block,) = (block for block in blocks(README.read_text("utf-8")) if block.marker == marker)
    return block


# The user's files: numbers in words. "dreiundvierzig" is "forty-three".

_DE = (
    *("null", "ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn"),
    *("elf", "zwölf", "dreizehn", "vierzehn", "fünfzehn", "sechzehn", "siebzehn", "achtzehn"),
    *("neunzehn", "zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig"),
    "neunzig",
)
_EN = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"),
)


def in_words(number: int) -> tuple[str, str]:
    """A number below 100, in German and in English."""
    tens, units = divmod(number, 10)
    if number < 20:
        return "eins" if number == 1 else _DE[number], _EN[number]
    if not units:
        return _DE[18 + tens], _EN[18 + tens]
    return f"{_DE[units]}und{_DE[18 + tens]}", f"{_EN[18 + tens]}-{_EN[units]}"


def numbers(pairs: int) -> list[tuple[str, str]]:
    """Different lines, each of two numbers."""
    lines = []
    for line in random.Random(1).sample(range(100 * 100), pairs):
        sides = zip(*map(in_words, divmod(line, 100)), strict=True)
        source, target = (" ".join(words).capitalize() + "." for words in sides)
        lines.append((source, target))
    return lines


def write_pairs(pairs: Sequence[tuple[str, str]], *paths: Path) -> None:
    """Writes both sides, packed where the name says so."""
    for side, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        content = "".join(f"{pair[side]}\n" for pair in pairs).encode()
        if path.suffix == ".xz":
            content = lzma.compress(content)
        write_atomically(path, content)


class Reader:
    """A person who follows the README in a fresh checkout, command after command."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.printed = ""  # by the commands of the last block, on stdout
        self.said = ""  # on both streams
        binaries = folder / ".venv/bin"
        self._environment = {
            "PATH": f"{binaries}:{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder / "home"),
            "PYTHONPATH": str(folder),
            "JAX_PLATFORMS": "cpu",
            # Most of the time is spent on compiling what then runs for a second.
            "XLA_FLAGS": "--xla_backend_optimization_level=0",
            "LC_ALL": "C.UTF-8",
        }
        self._check_out(binaries)
        self._write_texts()

    def _check_out(self, binaries: Path) -> None:
        for name in ("seq2seq", "scripts", "configs", "data"):
            shutil.copytree(ROOT / name, self.folder / name)
        binaries.mkdir(parents=True)
        _write_program(binaries / "python", f'exec {shlex.quote(sys.executable)} "$@"')
        (binaries / "activate").write_text("", encoding="utf-8")
        # It would install for minutes; what it would do it says. Its own tests are elsewhere.
        setup = shlex.quote(str(ROOT / "scripts/setup.sh"))
        _write_program(self.folder / "scripts/setup.sh", f'exec bash {setup} --plan "$@"')

    def _write_texts(self) -> None:
        pairs = numbers(940)
        cuts = {"my-valid": pairs[:20], "my-test": pairs[20:40], "my": pairs[40:]}
        for name, part in cuts.items():
            write_pairs(part, self.folder / f"{name}.de", self.folder / f"{name}.en")
        write_pairs(cuts["my-test"], self.folder / "unused.de", self.folder / "old.en")
        shipped = tomllib.loads((ROOT / "configs/multi30k.toml").read_text("utf-8"))["data"]
        for split, name in (("train", "my"), ("valid", "my-valid"), ("test", "my-test")):
            for corpus in shipped[split]:
                paths = (self.folder / "corpora" / corpus[side] for side in ("source", "target"))
                write_pairs(cuts[name], *paths)

    def follow(self, block: Block) -> None:
        """Does what a block says, or holds it against what was printed."""
        match block.language, block.marker:
            case "bash", "two processes":
                self._run_together(_commands(block.text))
            case "bash", "max_steps":
                self._run("bash", "-euo", "pipefail", "-c", _with_settings(block.text))
            case "bash", _:
                self._run("bash", "-euo", "pipefail", "-c", block.text)
            case "python", _:
                self._run("python", "-c", block.text)
            case "toml", _:
                name = block.text.splitlines()[0].removeprefix("# ")
                write_atomically(self.folder / name, block.text)
            case _:
                self._compare(block)

    def _compare(self, block: Block) -> None:
        if block.language == "json":
            first = json.loads(self.printed.splitlines()[0])
            require_form(json.loads(block.text), first, "")
        elif not block.marker:
            require_lines(block.text, self.said)

    def _start(self, command: Sequence[str], **variables: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self._environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def _finish(self, process: subprocess.Popen[str]) -> None:
        try:
            out, err = process.communicate(timeout=SECONDS)
        finally:
            process.kill()
        assert process.returncode == 0, f"status {process.returncode}\n{out}\n{err}"
        self.printed, self.said = self.printed + out, self.said + out + err

    def _run(self, *command: str) -> None:
        self.printed = self.said = ""
        self._finish(self._start(command))

    def _run_together(self, commands: list[str]) -> None:
        self.printed = self.said = ""
        port = _free_port()
        if commands[0].startswith("srun "):
            (command,) = commands
            wanted = shlex.split(command)
            program = wanted[next(i for i, word in enumerate(wanted) if word == "python") :]
            commands = [shlex.join(program)] * 2
        processes = [
            self._start(
                [
                    *("bash", "-euc"),
                    re.sub(r"host0:\d+", f"127.0.0.1:{port}", _with_settings(command)),
                ],
                **(_slurm(place, port) if "host0" not in command else {}),
            )
            for place, command in enumerate(commands)
        ]
        try:
            for process in processes:
                self._finish(process)
        finally:
            for process in processes:
                process.kill()
        assert len(processes) == 2
        assert "2 x cpu" in self.said


def _write_program(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n", encoding="utf-8")
    path.chmod(0o755)


def _commands(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def _with_settings(text: str) -> str:
    settings = " ".join(f"--set {setting}" for setting in SMALL)
    found = r"(python -m seq2seq\.(?:prepare|train) |scripts/demo\.sh )(.*?)(?=;|$)"
    changed, count = re.subn(found, rf"\1\2 {settings}", text, flags=re.MULTILINE)
    assert count, f"nothing to set in {text!r}"
    return changed


def _slurm(place: int, port: int) -> dict[str, str]:
    """What srun tells its tasks; JAX makes the port from the job's number."""
    return {
        "SLURM_JOB_ID": str(port - _FIRST_SLURM_PORT),
        "SLURM_STEP_NODELIST": "localhost",
        "SLURM_NTASKS": "2",
        "SLURM_PROCID": str(place),
        "SLURM_LOCALID": str(place),
    }


_FIRST_SLURM_PORT = 65_535 - 2**12 + 1


def _free_port() -> int:
    for port in random.sample(range(_FIRST_SLURM_PORT, 65_535), 50):
        with socket.socket() as attempt:
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port")


def require_form(example: Any, found: Any, where: str) -> None:
    """The same keys and types; lists with elements of the same form."""
    assert type(example) is type(found), where
    if isinstance(example, dict):
        assert list(example) == list(found), where
        for key, value in example.items():
            require_form(value, found[key], f"{where}.{key}")
    if isinstance(example, list) and example:
        # What a word comes from may be nothing but the end of the source.
        assert found or where.endswith(".sources"), where
        for value in found:
            require_form(example[0], value, f"{where}[]")


def require_lines(example: str, found: str) -> None:
    """Every line of the example was said, but for its numbers."""
    number = r"[-+]?\d[\d,.]*(?:e[-+]?\d+)?"
    for line in example.splitlines():
        parts = map(re.escape, re.split(number, line))
        assert re.search(rf"^{number.join(parts)}$", found, re.MULTILINE), f"{line}\n{found}"


@pytest.mark.slow
def test_every_block_runs(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    for block in blocks(README.read_text("utf-8")):
        try:
            reader.follow(block)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            pytest.fail(f"README.md, line {block.line}: {error}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("```sh\nls\n```\n", "line 1: no test runs 'sh' blocks marked ''"),
        ("```\nls\n```\n", "line 1: no test runs '' blocks"),
        ("<!-- test: skip -->\n```bash\nls\n```\n", "line 1: no test runs .* marked 'skip'"),
        ("<!-- test: setup -->\nText.\n```bash\nls\n```\n", "line 1: .* belongs to no block"),
        ("```bash\nls\n```\n\n<!-- test: setup -->\n", "line 5: .* belongs to no block"),
        ("```bash\nls\n", "line 1: .* belongs to no block"),
        ("- a list\n\n  ```bash\n  ls\n  ```\n", "line 3: .* belongs to no block"),
        ("<!-- test:setup -->\n", "line 1: .* belongs to no block"),
    ],
)
def test_a_block_that_nobody_runs_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        blocks(text)


def test_blocks_are_found_with_their_markers() -> None:
    text = "A\n<!-- test: setup -->\n```bash\nls\n```\n\n```json\n{}\n```\n"
    assert blocks(text) == [
        Block(2, "bash", "setup", "ls\n"),
        Block(7, "json", "", "{}\n"),
    ]


def tree(text: str) -> Iterator[str]:
    """The paths that an indented list of names and remarks stands for."""
    above: list[str] = []
    for line in text.splitlines():
        name, _, remark = line.strip().partition("  ")
        depth = (len(line) - len(line.lstrip())) // 2
        above[depth:] = [name]
        if not name.endswith("/"):
            assert remark, f"{name} has no remark"
            yield "".join(above)
        elif remark:
            yield "".join(above).rstrip("/")


def test_file_tree_names_every_module_and_nothing_else() -> None:
    named = list(tree(marked("tree").text))
    assert len(named) == len(set(named))
    assert [name for name in named if not (ROOT / name).exists()] == []
    present = {
        str(path.relative_to(ROOT))
        for folder, pattern in (("seq2seq", "*.py"), ("scripts", "*.*"), ("configs", "*.toml"))
        for path in (ROOT / folder).rglob(pattern)
        if "__pycache__" not in path.parts
        if path.name != "__init__.py" or path.parent.name == "seq2seq"
    }
    assert sorted(present - set(named)) == []


def test_settings_that_are_named_exist() -> None:
    sections = {section.name: section for section in dataclasses.fields(Config)}
    defaults = Config()
    named = re.findall(rf"\b({'|'.join(sections)})\.([a-z_0-9]+)\b", README.read_text("utf-8"))
    settings = [(section, key) for section, key in named if key not in ("py", "md", "sh", "json")]
    assert len(settings) > 10
    assert [
        f"{section}.{key}"
        for section, key in settings
        if not hasattr(getattr(defaults, section), key)
    ] == []


def rows(head: str) -> list[list[str]]:
    """The cells of the table whose first line begins so."""
    lines = io.StringIO(README.read_text("utf-8").split(f"\n| {head} |")[1])
    next(lines), next(lines)
    table = itertools.takewhile(lambda line: line.startswith("|"), lines)
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table]


def test_exit_statuses_are_those_of_the_program() -> None:
    listed = [int(row[0]) for row in rows("exit status")]
    assert sorted(listed) == sorted([cli.DONE, cli.BUG, cli.USER_ERROR, cli.GO_ON])


def test_flags_are_those_of_the_translator() -> None:
    assert [row[0].strip("`") for row in rows("flag")] == list(FLAGS)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README.read_text("utf-8"))
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
