"""Hostile lines, through a tiny model that was never trained, and through the one in the box."""

import importlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seq2seq import Translator, layout
from seq2seq.decoding import lines
from seq2seq.decoding.translation import Translation
from tests.decoding.conftest import write_model

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "scripts"))
check_hostile = importlib.import_module("check_hostile")


@pytest.fixture(scope="module")
def translator(tmp_path_factory) -> Translator:
    folder = layout.ModelFolder(tmp_path_factory.mktemp("model"))
    write_model(folder)
    return Translator.load(folder.path)


def test_the_same_seed_makes_the_same_lines_of_every_kind():
    made = list(check_hostile.hostile(60, 1, 50))
    assert made == list(check_hostile.hostile(60, 1, 50))
    assert made != list(check_hostile.hostile(60, 2, 50))
    assert {line.kind for line in made} == set(check_hostile._KINDS)
    assert not any(b"\n" in line.raw for line in made)


def test_hostile_lines_get_an_answer_each(translator):
    made = list(check_hostile.hostile(75, 1, 60))
    began = time.process_time()
    results = translator.translate_all([lines.decode(line.raw) for line in made])
    assert time.process_time() - began < 120
    assert list(check_hostile.complaints(translator, made, results)) == []


@pytest.mark.parametrize(
    ("raw", "said", "flags", "complaint"),
    [
        ("Ein Hund.", "", (), "nothing said"),
        ("Ein Hund.", "\u200b", (), "nothing to see"),
        ("\t", "Image.", (), "something from nothing"),
        ("Ein Hund.", "a\nb", (), "more than a line"),
        ("Ein Hund.", "a dog", ("invalid_utf8",), "not flagged"),
        (
            "Das ist nicht der Hund und die Katze.",
            "Das ist nicht der Hund und die Katze.",
            (),
            "echo",
        ),
        ("Ein Hund.", "the the the the the", (), "loop"),
    ],
)
def test_what_is_wrong_is_complained_of(translator, raw, said, flags, complaint):
    line = check_hostile.Line("words", raw.encode())
    found = check_hostile.complaints(translator, [line], [Translation(raw, said, flags=flags)])
    assert complaint in [name for name, _, _ in found]


@pytest.mark.slow
def test_hostile_lines_get_an_answer_from_the_model_in_the_box():
    command = (
        *(sys.executable, "scripts/check_hostile.py", "--model", "data/models/de-en"),
        *("--lines", "500", "--longest", "1000", "--seed", "2"),
    )
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout
