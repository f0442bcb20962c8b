"""Scores translations against references: BLEU, chrF and TER with signatures and confidence.

python -m seq2seq.evaluate MODEL --source test.de --reference test.en
python -m seq2seq.evaluate --hypotheses out.en --reference test.en --baseline old.en
python -m seq2seq.evaluate MODEL --source valid.de --reference valid.en --calibrate
"""

import argparse
import json
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from seq2seq import cli, confidence, configfile
from seq2seq.corpus.text import read_lines
from seq2seq.errors import UserError
from seq2seq.evaluation import calibrating, report
from seq2seq.evaluation.calibrating import Said
from seq2seq.files import write_atomically

_log = logging.getLogger("seq2seq.evaluate")  # as a command its name is __main__


def main(argv: Sequence[str]) -> None:
    """Parses, evaluates, prints."""
    options = _options(argv)
    config = configfile.from_tree({}, options.overrides).evaluate
    texts, said = _texts(options)
    files = {
        name: getattr(options, name)
        for name in ("model", "hypotheses", "source", "reference", "baseline")
    }
    confident = None if said is None else _confidence(said, texts.references, options)
    result = report.build(texts, config, files, confident)
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
    parser.add_argument(
        "--calibrate", action="store_true", help="measure MODEL's confidence, keep it in MODEL"
    )
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
    if options.hypotheses and options.calibrate:
        raise UserError(
            "--calibrate needs a MODEL: given translations do not say how sure they are"
        )
    if options.calibrate and options.model:
        from seq2seq.decoding import members

        if len(found := members.find(options.model)) > 1:
            raise UserError(f"--calibrate takes one model; {options.model!r} are {len(found)}")
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


def _texts(options: argparse.Namespace) -> tuple[report.Texts, list[Said] | None]:
    """What is evaluated, and what a model says of the words that it wrote."""
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
    translations, said = lines.get("hypotheses"), None
    if translations is None:
        overrides = _of_the_model(options.overrides)
        translations, said = _translated(options.model, lines["source"], overrides)
    texts = report.Texts(
        translations=translations,
        references=lines["reference"],
        sources=lines.get("source"),
        baseline=lines.get("baseline"),
    )
    return texts, said


def _translated(
    model: str, lines: list[str], overrides: Sequence[str]
) -> tuple[list[str], list[Said]]:
    # Here, because scoring a given file needs no model, and should not wait for JAX.
    from seq2seq.decoding.translator import Translator

    _log.info("translating %d lines with %s", len(lines), model)
    translations, said = [], []
    for result in Translator.load(model, overrides).stream(lines):
        translations.append(result.translation)
        words = result.words
        said.append(Said([word.text for word in words], [word.log_probability for word in words]))
    return translations, said


def _confidence(
    said: Sequence[Said], references: Sequence[str], options: argparse.Namespace
) -> dict[str, Any] | None:
    """How far the model's words can be trusted, by its calibration or by one made here."""
    from seq2seq.decoding import members

    judged = calibrating.judge(said, references)
    found = members.find(options.model)
    kept = found[0][1].calibration
    if not options.calibrate:
        # Several models together are more or less sure than any of them alone.
        return calibrating.report(judged, confidence.load(kept) if len(found) == 1 else None)
    if judged.size < calibrating.LEAST_WORDS:
        raise UserError(
            f"--calibrate needs {calibrating.LEAST_WORDS:,} words or more, but the translations "
            f"have {judged.size:,}; give more lines"
        )
    confidence.save(calibrating.fit(judged), kept)
    _log.info("the calibration is in %s", kept)
    return calibrating.report(judged, None, held_out=True)


if __name__ == "__main__":
    cli.run(main)
