r"""Translates text: sentences from the command line, a file or a pipe. One line in, one line out.

python -m seq2seq.translate runs/demo "Guten Morgen."
python -m seq2seq.translate runs/demo < in.de > out.en
python -m seq2seq.translate runs/a+runs/b --score out.en < in.de
"""

import hashlib
import itertools
import logging
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from seq2seq import cli
from seq2seq.errors import Interrupted, UserError

if TYPE_CHECKING:
    from seq2seq.decoding.explaining import Page
    from seq2seq.decoding.translator import Translator

_log = logging.getLogger("seq2seq.translate")  # as a command its name is __main__
_FROM_INPUT = Path("-")  # where --score finds translations: beside their sources


def main(argv: Sequence[str]) -> None:
    """Runs the stage with these arguments."""
    options = _parser().parse_intermixed_args(argv)
    _require_files(options.text, options.input, options.output)
    _require_translations(options.score, options.input, options.output)
    _require_picture(options.plot, options.score)

    # Late: --help and mistakes in the arguments need not wait for JAX.
    from seq2seq.decoding import inputs
    from seq2seq.decoding.outputs import outputs
    from seq2seq.decoding.translator import Translator

    translator = Translator.load(options.model, options.overrides)
    is_plain = _is_plain(translator, options)
    if is_plain and _is_resumable(options.input, options.output):
        _from_file_to_file(translator, options)
        return
    chunks = inputs.chunks(options.text, options.input, translator.chunk_sizes())
    if is_plain:
        products = itertools.chain.from_iterable(outputs(translator, chunks))
    else:
        products = _products(translator, chunks, options)
    with _writer(options.output) as write:
        for product in products:
            write(product)


def _parser() -> ArgumentParser:
    result = cli.parser(
        "translate",
        "Translates raw text: one line in, one line out, in order. With several hypotheses "
        "(--nbest) the format is json: one object a line, the best as its translation, the others "
        "as its alternatives; or explain, for people. Sentences that are too long are translated "
        "in parts. A file written from a file grows as FILE.partial, and the same command goes on "
        "where it was stopped. With --score nothing is translated: one line out is the "
        "log-probability of a given translation.",
        {"beam": "translate.beam", "nbest": "translate.nbest", "format": "translate.format"},
    )
    result.add_argument(
        "model",
        metavar="MODEL",
        help="a run folder, its best/, or a model folder; or several of one vocabulary: A+B",
    )
    result.add_argument("text", nargs="*", metavar="TEXT", help="lines to translate; none: stdin")
    result.add_argument("--input", type=Path, metavar="FILE", help="read this instead of stdin")
    result.add_argument("--output", type=Path, metavar="FILE", help="write this instead of stdout")
    result.add_argument(
        *("--document",),
        action="append_const",
        const="translate.document=true",
        dest="overrides",
        help="join wrapped lines, translate sentence by sentence, keep blank lines, indentation, "
        "bullets, headings and quotes: one line out for each paragraph",
    )
    result.add_argument(
        "--score",
        type=Path,
        metavar="FILE",
        help="score its lines as the translations; -: input lines are source, tab, translation",
    )
    result.add_argument(
        "--explain",
        action="append_const",
        const="translate.format=explain",
        dest="overrides",
        help="show what each word comes from, how sure it is, and what was done: --format explain",
    )
    result.add_argument(
        "--plot", type=Path, metavar="FILE", help="draw the attention too: .png, .svg or .pdf"
    )
    return result


def _is_plain(translator: "Translator", options: Namespace) -> bool:
    """Whether what is written is translations alone; refuses wishes that contradict one another."""
    settings = translator.config.translate
    if settings.nbest > 1 and settings.format == "text" and not options.score:
        raise UserError(
            f"translate.nbest={settings.nbest} needs --format json or --explain: "
            "text has one line for each line of the source"
        )
    if options.score and settings.format == "explain":
        raise UserError("--score has text and json, and nothing to explain")
    if settings.input_format == "json" and (options.score or settings.document):
        raise UserError("--score and --document read text; leave translate.input_format=text")
    is_plain = settings.format != "explain" and not options.score and not options.plot
    if settings.document and not is_plain:
        raise UserError("--document goes without --explain, --plot and --score")
    return is_plain


def _require_files(text: Sequence[str], source: Path | None, output: Path | None) -> None:
    """Finds mistakes before the model is loaded, and above all before a file is overwritten."""
    if text and source:
        raise UserError("text and --input were both given; give one of them")
    if source and not source.exists():
        raise UserError(f"input {str(source)!r} does not exist")
    if source and source.is_dir():
        raise UserError(f"input {str(source)!r} is a folder; name a text file")
    if output and output.is_dir():
        raise UserError(f"output {str(output)!r} is a folder; name a file in it")
    if output and not output.absolute().parent.is_dir():
        raise UserError(f"the folder of output {str(output)!r} does not exist; create it first")
    if output and output.exists() and not os.access(output, os.W_OK):
        raise UserError(f"output {str(output)!r} may not be overwritten; name another file")
    if source and output and output.exists() and output.samefile(source):
        raise UserError(f"input and output are the same file {str(source)!r}; name another output")


def _require_translations(given: Path | None, source: Path | None, output: Path | None) -> None:
    if given is None or given == _FROM_INPUT:
        return
    if not given.exists():
        raise UserError(f"--score {str(given)!r} does not exist")
    if given.is_dir():
        raise UserError(f"--score {str(given)!r} is a folder; name a text file")
    if output and output.exists() and output.samefile(given):
        raise UserError(f"--score and --output are the same file {str(given)!r}; name another")
    if source and source.is_file() and given.is_file():
        from seq2seq.decoding import pairs

        pairs.require_as_many(source, given)


def _is_resumable(source: Path | None, output: Path | None) -> bool:
    """Whether the input can be read again, and the output be put in place at the end."""
    if source is None or output is None:
        return False
    return source.is_file() and (output.is_file() or not output.exists())


def _from_file_to_file(translator: "Translator", options: Namespace) -> None:
    from seq2seq.decoding.inputs import decoded
    from seq2seq.decoding.outputs import count, origin, outputs
    from seq2seq.decoding.resuming import resumed
    from seq2seq.progress import progress

    with options.input.open("rb", buffering=0) as file:
        source_checksum = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        chunks = decoded(file.fileno(), translator.chunk_sizes(), warn=False)
        total = count(chunks, document=translator.config.translate.document)
        file.seek(0)
        with resumed(options.output, origin(translator, options.model, source_checksum)) as output:
            done = output.lines
            if done:
                _log.info("going on after %s of %s lines", f"{done:,}", f"{total:,}")
            with progress("translating", total, unit="lines", done=done) as advance:
                chunks = decoded(file.fileno(), translator.chunk_sizes())
                for group in outputs(translator, chunks, skip=done):
                    for line in group:
                        output.write(line)
                    advance(len(group))


def _require_picture(picture: Path | None, score: Path | None) -> None:
    if not picture:
        return
    if score:
        raise UserError("--plot draws what is translated; with --score nothing is")
    from seq2seq.decoding import plotting

    plotting.require(picture)


def _products(
    translator: "Translator", chunks: Iterator[list[str]], options: Namespace
) -> Iterator[str]:
    """What is written for each line: a score, or what explains its translation."""
    from seq2seq.decoding.inputs import paired
    from seq2seq.decoding.outputs import requested

    if options.score:
        given = None if options.score == _FROM_INPUT else options.score
        found = map(translator.score_chunk, paired(chunks, given))
    else:
        found = map(translator.translate_chunk, requested(translator, chunks))
    results: Iterator[Any] = itertools.chain.from_iterable(found)
    if options.plot:
        results = _drawn(results, translator, options.plot)
    match translator.config.translate.format:
        case "json":
            yield from (result.to_json() for result in results)
        case "explain":
            from seq2seq.decoding import explaining

            page = _page(to_file=options.output is not None)
            yield from explaining.explained(results, page)
        case _:
            yield from (result.to_text() for result in results)


def _page(*, to_file: bool) -> "Page":
    """The width of the terminal; colours where somebody sees them who has not refused them."""
    import shutil

    from seq2seq.decoding.explaining import Page

    on_terminal = sys.stdout.isatty() and not to_file
    colours = on_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Page(shutil.get_terminal_size().columns, colours)


def _drawn(results: Iterable[Any], translator: "Translator", picture: Path) -> Iterator[Any]:
    """The results, each with a picture: FILE for the first line, FILE-2 for the second."""
    from seq2seq.decoding import plotting

    for number, result in enumerate(results, start=1):
        yield result
        name = picture if number == 1 else picture.with_stem(f"{picture.stem}-{number}")
        try:
            plotting.draw_attention(translator.attention(result.source), name)
        except UserError as error:
            _log.warning("line %d has no picture: %s", number, error)


@contextmanager
def _writer(path: Path | None) -> Iterator[Callable[[str], None]]:
    """A function that writes a line at once and as a whole, so that a kill leaves whole lines."""
    if path is None:
        yield lambda line: print(line, flush=True)
        return
    from seq2seq.decoding.resuming import write_whole

    with path.open("wb", buffering=0) as file:
        yield lambda line: write_whole(file, line)


def _stop(_signal: int, _frame: object) -> NoReturn:
    raise Interrupted("stopped by SIGTERM; the same command starts again")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    cli.run(main)
