"""An output file that survives its process: what was written is kept, and work goes on from there.

Lines go to NAME.partial, which becomes NAME by one rename when all are there. NAME.partial.json
says what they are made from, since nobody else knows: an input, a model or a setting that has
changed since would make a file of two halves, and is refused by name. Knows no model.
"""

import contextlib
import dataclasses
import json
import os
from collections.abc import Iterator, Mapping
from io import FileIO
from pathlib import Path
from typing import Any, NamedTuple

from seq2seq import files
from seq2seq.errors import Interrupted, UserError

_BLOCK_BYTES = 1 << 20


class Origin(NamedTuple):
    """What an output is made from."""

    checksums: Mapping[str, str]  # of the input, and of the files of the model
    settings: Mapping[str, Any]


@dataclasses.dataclass(slots=True)
class Output:
    """Where lines go; `lines` of them are there."""

    file: FileIO
    lines: int

    def write(self, line: str) -> None:
        """Writes a line at once, so that a kill leaves whole lines, and perhaps a part of one."""
        write_whole(self.file, line)
        self.lines += 1


def write_whole(file: FileIO, line: str) -> None:
    """A line and its end, in one piece if the system is able to."""
    rest = memoryview((line + "\n").encode("utf-8"))
    while rest:
        try:
            rest = rest[file.write(rest) :]
        except OSError as error:
            error.filename = error.filename or file.name
            raise


@contextlib.contextmanager
def resumed(path: Path, origin: Origin) -> Iterator[Output]:
    """The output, with what is there of it; the block writes the rest, and then it is finished."""
    path = path.resolve()  # where a link leads, so that the link stays
    partial = path.with_name(f"{path.name}.partial")
    record = path.with_name(f"{path.name}.partial.json")
    with partial.open("a+b", buffering=0) as file:
        files.lock(file, f"another process is writing {str(partial)!r}; wait for it, or stop it")
        if os.fstat(file.fileno()).st_size:
            _require_same(partial, record, origin)
        else:
            files.write_atomically(record, json.dumps(origin._asdict(), indent=2) + "\n")
        output = Output(file, _cut_to_whole_lines(file))
        try:
            yield output
        except (KeyboardInterrupt, Interrupted):
            raise Interrupted(
                f"stopped; {output.lines:,} lines are in {str(partial)!r}, and the same command "
                "goes on from there"
            ) from None
        os.fsync(file.fileno())
        partial.replace(path)
    record.unlink(missing_ok=True)


def _require_same(partial: Path, record: Path, origin: Origin) -> None:
    name = repr(str(partial))
    advice = f"delete {name} to begin anew, or name another output"
    try:
        before = Origin(**json.loads(record.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise UserError(
            f"{name} holds text, and nothing says what it was made from; {advice}"
        ) from None
    now = Origin(**json.loads(json.dumps(origin._asdict())))  # lists, as they are in a file
    if changed := [*_changed(before, now)]:
        raise UserError(
            f"{name} was begun with something else: {', '.join(changed)}; {advice}, or undo the "
            "change to go on"
        )


def _changed(before: Origin, now: Origin) -> Iterator[str]:
    for name in sorted({*before.checksums, *now.checksums}):
        if before.checksums.get(name) != now.checksums.get(name):
            yield f"{name} has changed"
    for name in sorted({*before.settings, *now.settings}):
        was, is_now = before.settings.get(name), now.settings.get(name)
        if was != is_now:
            yield f"{name} was {was!r} and is {is_now!r}"


def _cut_to_whole_lines(file: FileIO) -> int:
    """Cuts off a last line without an end; counts the others."""
    file.seek(0)
    lines = size = end = 0
    while block := file.read(_BLOCK_BYTES):
        lines += block.count(b"\n")
        if (last := block.rfind(b"\n")) >= 0:
            end = size + last + 1
        size += len(block)
    file.truncate(end)  # what is appended comes after it
    return lines
