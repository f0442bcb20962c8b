"""Scores translations against references: BLEU, chrF and TER with signatures and confidence.

python -m seq2seq.evaluate MODEL --source test.de --reference test.en
python -m seq2seq.evaluate --hypotheses out.en --reference test.en --baseline old.en
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from seq2seq import cli, configfile
from seq2seq.corpus.text import read_lines
from seq2seq.errors import UserError
from seq2seq.evaluation import report
from seq2seq.files import write_atomically

_log = logging.getLogger("seq2seq.evaluate")  # as a command its name is __main__


def main(argv: Sequence[str]) -> None:
    """Parses, evaluates, prints."""
    options = _options(argv)
    config = configfile.from_tree({}, options.overrides).evaluate
    texts = _texts(options)
    files = {
        name: getattr(options, name)
        for name in ("model", "hypotheses", "source", "reference", "baseline")
    }
    result = report.build(texts, config, files)
    for warning in result["warnings"]:
        _log.warning("warning: %s", warning)
    if config.format == "json":
        product = json.dumps(result, ensure_ascii=False, indent=1) + "\n"
    else:
        product = report.as_text(result)
    if options.output:
        write_atomically(Path(options.output), product)
    else:
        sys.stdout.write(product)


def _options(argv: Sequence[str]) -> argparse.Namespace:
    parser = cli.parser(
        "evaluate",
        "Scores translations, a model's or given ones, with BLEU, chrF and TER.",
        {"format": "evaluate.format"},
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a run folder or model folder")
    parser.add_argument("--source", metavar="F", help="the text that MODEL is to translate")
    parser.add_argument("--hypotheses", metavar="F", help="translations, instead of a MODEL")
    parser.add_argument("--reference", metavar="F", help="the right translations")
    parser.add_argument("--baseline", metavar="F", help="another system's, to compare with")
    parser.add_argument("--output", metavar="F", help="where the report goes, instead of stdout")
    options = parser.parse_args(argv)
    if bool(options.model) == bool(options.hypotheses):
        given = f"MODEL {options.model!r} and --hypotheses" if options.model else "neither"
        raise UserError(
            f"evaluate takes either a MODEL or --hypotheses FILE; given was {given}; "
            "--help shows both"
        )
    if not options.reference:
        raise UserError("--reference FILE is missing: what should the translations be compared to?")
    if options.model and not options.source:
        raise UserError("--source FILE is missing: what should the model translate?")
    if options.hypotheses and (unused := _of_the_model(options.overrides)):
        raise UserError(f"--set {unused[0]}: without a MODEL only evaluate.* settings have a use")
    _require_writable(options.output)
    return options


def _of_the_model(overrides: Sequence[str]) -> list[str]:
    """The settings that are not this stage's own."""
    return [item for item in overrides if item.partition(".")[0].strip() != "evaluate"]


def _require_writable(output: str | None) -> None:
    """Before minutes of work, not after."""
    if output and Path(output).is_dir():
        raise UserError(f"--output {output!r} is a folder; name a file in it")
    if output and not Path(output).parent.is_dir():
        raise UserError(f"--output {output!r}: its folder does not exist; create it first")


def _texts(options: argparse.Namespace) -> report.Texts:
    files = {"reference": options.reference}
    for name in ("source", "hypotheses", "baseline"):
        if path := getattr(options, name):
            files[name] = path
    lines = {name: list(read_lines(path)) for name, path in files.items()}
    if not any(line.strip() for line in lines["reference"]):
        raise UserError(f"reference {options.reference!r} holds no text to compare with")
    for name, found in lines.items():
        if len(found) != len(lines["reference"]):
            raise UserError(
                f"{name} {files[name]!r} has {len(found)} lines, but reference "
                f"{options.reference!r} has {len(lines['reference'])}; "
                "they must belong together line by line"
            )
    return report.Texts(
        translations=lines.get("hypotheses")
        or _translated(options.model, lines["source"], _of_the_model(options.overrides)),
        references=lines["reference"],
        sources=lines.get("source"),
        baseline=lines.get("baseline"),
    )


def _translated(model: str, lines: list[str], overrides: Sequence[str]) -> list[str]:
    # Here, because scoring a given file needs no model, and should not wait for JAX.
    from seq2seq.decoding.translator import Translator

    _log.info("translating %d lines with %s", len(lines), model)
    return Translator.load(model, overrides).translate(lines)


if __name__ == "__main__":
    cli.run(main)
