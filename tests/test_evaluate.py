import gzip
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import seq2seq
from seq2seq import cli, confidence
from seq2seq.decoding.translation import Aligned, Token, Translation
from seq2seq.evaluate import main
from seq2seq.evaluation import calibrating
from seq2seq.layout import SIDES, ModelFolder

REFERENCE = ["The house is small.", "A man reads a book.", "It rains.", "Bread and butter!"]
BETTER = ["The house is small.", "A man reads the book.", "It is raining.", "Bread and butter!"]
WORSE = ["House small.", "A man is reading.", "Rain.", "Bread with butter!"]
SOURCE = ["Das Haus ist klein.", "Ein Mann liest ein Buch.", "Es regnet.", "Brot und Butter!"]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(Path(seq2seq.__file__).parents[1])}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    for name, lines in (
        ("ref", REFERENCE),
        ("better", BETTER),
        ("worse", WORSE),
        ("source", SOURCE),
        ("short", BETTER[:3]),
        ("blank", ["", " ", "", ""]),
        ("empty", []),
    ):
        text = "".join(f"{line}\n" for line in lines)
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "latin1").write_bytes("ein\nschöner\nTag\nheute\n".encode("latin-1"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def calls(monkeypatch) -> list:
    """What the stage asked of a translator that answers with the better translations."""
    asked = []

    class Translator:
        @classmethod
        def load(cls, folder, overrides=()):
            asked.append((folder, list(overrides)))
            return cls()

        def stream(self, texts):
            asked.append(texts)
            return map(_translated, BETTER)

    module = ModuleType("seq2seq.decoding.translator")
    module.Translator = Translator  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return asked


def _translated(text: str) -> Translation:
    """With as many pieces as words, each with probability one half."""
    pieces = [*(f"▁{word}" for word in text.split()), "</s>"]
    return Translation(
        "",
        text,
        tokens=tuple(Token(piece, math.log(0.5)) for piece in pieces),
        alignment=(Aligned(0, "</s>", 1.0),) * len(pieces),
    )


@pytest.fixture
def model(folder, monkeypatch) -> ModelFolder:
    """As far as the stage looks into it."""
    found = ModelFolder(folder / "model")
    found.path.mkdir()
    for file in (found.config, *map(found.tokenizer, SIDES), found.weights):
        file.touch()
    return found


def _printed(capsys, *argv: str) -> str:
    assert cli.status(main, argv) == cli.DONE
    return capsys.readouterr().out


def test_given_hypotheses_are_scored_as_text(folder, capsys) -> None:
    text = _printed(capsys, "--hypotheses", "better", "--reference", "ref")
    assert "4 sentences" in text
    assert "BLEU" in text
    assert "nrefs:1|bs:1000|seed:12345|case:mixed" in text
    assert "line 3:" in text


def test_json_is_one_object_with_the_settings_and_the_files(folder, capsys) -> None:
    report = json.loads(
        _printed(
            capsys,
            *("--hypotheses", "better", "--reference", "ref", "--baseline", "worse"),
            *("--format", "json", "--set", "evaluate.resamples=50"),
            *("--set", "evaluate.metrics=['chrf']"),
        )
    )
    assert [score["metric"] for score in report["scores"]] == ["chrf"]
    assert report["scores"][0]["comparison"]["difference"] > 0
    assert report["settings"]["resamples"] == 50
    assert report["files"]["baseline"] == "worse"
    assert report["files"]["model"] is None
    assert len(report["lines"]) == 4


def test_as_a_process_it_reads_compressed_files_and_prints_the_report_alone(folder, capsys) -> None:
    (folder / "packed.gz").write_bytes(gzip.compress((folder / "better").read_bytes()))
    command = [sys.executable, "-m", "seq2seq.evaluate", "--reference", "ref"]
    done = subprocess.run(
        [*command, "--hypotheses", "packed.gz"],
        env=ENVIRONMENT,
        check=True,
        capture_output=True,
        encoding="utf-8",
    )
    plain = _printed(capsys, "--hypotheses", "better", "--reference", "ref")
    assert done.stdout == plain.replace("hypotheses better", "hypotheses packed.gz")
    assert done.stderr == ""


def test_output_takes_the_report_and_leaves_stdout_empty(folder, capsys) -> None:
    argv = ["--hypotheses", "better", "--reference", "ref"]
    report = _printed(capsys, *argv)
    assert _printed(capsys, *argv, "--output", "report.txt") == ""
    assert (folder / "report.txt").read_text(encoding="utf-8") == report


def test_a_source_beside_hypotheses_is_shown_in_the_examples(folder, capsys) -> None:
    text = _printed(capsys, "--hypotheses", "worse", "--reference", "ref", "--source", "source")
    assert "by words in the source" in text
    assert SOURCE[2] in text


def test_a_model_translates_the_source_with_the_settings_that_are_its_own(
    model, calls, capsys
) -> None:
    argv = [*MEASURED, "--set", "translate.beam=2"]
    report = json.loads(_printed(capsys, *argv, "--baseline", "worse", "--format", "json"))
    assert calls == [("model", ["translate.beam=2"]), SOURCE]
    assert [line["translation"] for line in report["lines"]] == BETTER
    assert [line["source"] for line in report["lines"]] == SOURCE
    assert report["files"]["model"] == "model"


MEASURED = ("model", "--source", "source", "--reference", "ref")


def test_a_model_s_probabilities_are_measured(model, calls, capsys) -> None:
    # Of 15 words 12 are in the reference too.
    assert "calibration error: 0.300 of the probabilities" in _printed(capsys, *MEASURED)
    found = json.loads(_printed(capsys, *MEASURED, "--format", "json"))["confidence"]
    assert (found["words"], found["right"]) == (15, 12 / 15)
    assert found["errors"] == {"probability": pytest.approx(0.3), "confidence": None}


def test_given_translations_have_no_confidence(folder, capsys) -> None:
    report = json.loads(_printed(capsys, *GIVEN, "--format", "json"))
    assert report["confidence"] is None


def test_calibrating_writes_a_file_that_later_calls_measure(
    model, calls, capsys, monkeypatch
) -> None:
    monkeypatch.setattr(calibrating, "LEAST_WORDS", 15)
    report = json.loads(_printed(capsys, *MEASURED, "--calibrate", "--format", "json"))
    assert report["confidence"]["held_out"]
    stored = confidence.load(model.calibration)
    assert stored
    assert stored.words == 15
    text = _printed(capsys, *MEASURED)
    # Half a word of doubt: (12 + 0.5) / 16 against 12 / 15.
    assert "calibration error: 0.019 of the confidence" in text
    assert "0.8 .. 0.9" not in text
    assert "0.7 .. 0.8" in text


def test_a_handful_of_words_is_not_calibrated(model, calls, capsys) -> None:
    assert cli.status(main, [*MEASURED, "--calibrate"]) == cli.USER_ERROR
    assert "needs 1,000 words or more" in capsys.readouterr().err
    assert not model.calibration.exists()


def test_wrong_counts_are_noticed_before_anything_is_translated(folder, calls, capsys) -> None:
    argv = ["model", "--source", "short", "--reference", "ref"]
    assert cli.status(main, argv) == cli.USER_ERROR
    assert "source 'short' has 3 lines" in capsys.readouterr().err
    assert calls == []


def test_tokenized_text_is_warned_of_on_stderr_alone(folder, capsys, caplog) -> None:
    (folder / "tokenized").write_text("".join(f"{x} .\n" for x in BETTER), encoding="utf-8")
    text = _printed(capsys, "--hypotheses", "tokenized", "--reference", "ref")
    assert "detokenized text" in caplog.text
    assert "detokenized text" not in text


def test_scoring_given_hypotheses_imports_no_jax(folder) -> None:
    program = (
        "import sys; from seq2seq.evaluate import main; "
        "main(['--hypotheses', 'better', '--reference', 'ref', '--output', 'report']); "
        "sys.exit(any(name in sys.modules for name in ('jax', 'flax', 'orbax', 'optax')))"
    )
    root = str(Path(seq2seq.__file__).parents[1])
    subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": root}, check=True
    )


def test_help_fits_one_screen_and_offers_at_most_ten_options(capsys) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    text = capsys.readouterr().out
    assert len(text.splitlines()) <= 24
    assert text.count("\n  -") <= 10


GIVEN = ("--hypotheses", "better", "--reference", "ref")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        ((), "either a MODEL or --hypotheses"),
        (("model", *GIVEN), "either a MODEL or --hypotheses"),
        (("--hypotheses", "better"), "--reference FILE is missing"),
        (("model", "--reference", "ref"), "--source FILE is missing"),
        (("--hypotheses", "nowhere", "--reference", "ref"), "'nowhere'"),
        (("--hypotheses", ".", "--reference", "ref"), "'.'"),
        (("--hypotheses", "short", "--reference", "ref"), "has 3 lines, but reference 'ref' has 4"),
        ((*GIVEN, "--baseline", "short"), "baseline 'short' has 3 lines"),
        ((*GIVEN, "--source", "short"), "source 'short' has 3 lines"),
        (("--hypotheses", "empty", "--reference", "ref"), "'empty' has 0 lines"),
        (("--hypotheses", "empty", "--reference", "empty"), "holds no text"),
        (("--hypotheses", "better", "--reference", "blank"), "holds no text"),
        (("--hypotheses", "latin1", "--reference", "ref"), "UTF-8"),
        ((*GIVEN, "--set", "evaluate.resample=9"), "did you mean 'resamples'"),
        ((*GIVEN, "--set", "evaluate.metrics=['blue']"), "did you mean 'bleu'"),
        ((*GIVEN, "--set", "evaluate.seed=-1"), "must be from 0"),
        ((*GIVEN, "--set", "translate.beam=2"), "without a MODEL"),
        ((*GIVEN, "--format", "xml"), "must be one of"),
        ((*GIVEN, "--output", "no/such/report"), "its folder does not exist"),
        ((*GIVEN, "--output", "."), "is a folder"),
        ((*GIVEN, "--calibrate"), "--calibrate needs a MODEL"),
    ],
)
def test_a_wrong_use_is_one_sentence_and_status_2(folder, capsys, argv, words) -> None:
    assert cli.status(main, argv) == cli.USER_ERROR
    captured = capsys.readouterr()
    assert words in captured.err
    assert captured.err.count("\n") == 1
    assert captured.out == ""
