"""What the four commands have in common: options that spell settings, exit statuses, logging.

stdout belongs to the product; everything said here goes to stderr.
"""

import argparse
import errno
import io
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn, TextIO

from seq2seq.errors import Interrupted, UserError

DONE, BUG, USER_ERROR, GO_ON = 0, 1, 2, 75


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, which is the contract, and not the whole usage."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; {self.prog} --help lists what there is")


def parser(stage: str, summary: str, shorthands: Mapping[str, str]) -> argparse.ArgumentParser:
    """A parser with `--set`, and an option for every daily setting (name -> section.key)."""
    result = Parser(prog=f"python -m seq2seq.{stage}", description=summary, allow_abbrev=False)
    result.add_argument(
        *("--set", "-s"),
        action="append",
        default=[],
        metavar="SECTION.KEY=VALUE",
        dest="overrides",
        help="change any setting; may be repeated",
    )
    for name, setting in shorthands.items():
        result.add_argument(
            f"--{name}",
            action="append",
            type=lambda value, setting=setting: f"{setting}={value}",
            dest="overrides",
            metavar=name.upper(),
            help=f"the same as --set {setting}={name.upper()}",
        )
    return result


def run(main: Callable[[Sequence[str]], None]) -> None:
    """Runs a stage's `main(argv)` as a process: its errors become a sentence and a status."""
    # One that the caller closed (`>&-`) is None, and the next file opened would take its place.
    sys.stdout, sys.stderr = _opened(sys.stdout), _opened(sys.stderr)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    # Libraries tell of their inner life at INFO; ours is what the user asked for.
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("seq2seq").setLevel(logging.INFO)
    sys.exit(status(main, sys.argv[1:]))


def _opened(stream: TextIO | None) -> TextIO:
    if stream is None:
        stream = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if isinstance(stream, io.TextIOWrapper):
        # A name that is no UTF-8 must not turn a message into a traceback.
        errors = "backslashreplace" if stream is sys.stderr else "strict"
        stream.reconfigure(encoding="utf-8", newline="\n", errors=errors)
    return stream


def status(main: Callable[[Sequence[str]], None], argv: Sequence[str]) -> int:
    """Runs `main(argv)` and returns the exit status of the contract."""
    try:
        main(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()  # the reader (`| head`) has what it wanted
        return DONE
    except UserError as error:
        return _say(error, USER_ERROR)
    except Interrupted as error:
        return _say(error, GO_ON)
    except KeyboardInterrupt:
        return _say("stopped by Ctrl-C; the same command starts again", GO_ON)
    except OSError as error:
        message = _explained(error)
        if message is None:
            raise
        return _say(message, USER_ERROR)
    return DONE


def _drop_output() -> None:
    """Drops what stdout cannot take; Python would try again at exit, and tell of it."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: object, code: int) -> int:
    _drop_output()
    print(f"seq2seq: {message}", file=sys.stderr, flush=True)
    return code


def _explained(error: OSError) -> str | None:
    """The sentence for an error that only the user can mend; None if it may be our bug."""
    where = f" {str(error.filename)!r}" if error.filename else ""
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return f"the disk is full: cannot write{where}; free some space and run this again"
        case errno.EFBIG:
            return f"cannot write{where}: it grows beyond the file size limit (see ulimit -f)"
        case errno.EACCES | errno.EPERM | errno.EROFS:
            return f"not allowed to open{where}: {error.strerror}"
        case errno.ENOENT | errno.ENOTDIR | errno.EISDIR | errno.EEXIST if error.filename:
            return f"cannot open{where}: {error.strerror}"
        case _:
            return None
