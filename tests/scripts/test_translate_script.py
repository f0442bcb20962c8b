"""scripts/translate.sh with a stand-in for the environment's Python."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    root = tmp_path / "a checkout"
    (root / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts/translate.sh", root / "scripts")
    (root / "scripts/setup.sh").write_text("echo setting up; cat\n", encoding="utf-8")
    python = root / ".venv/bin/python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\npwd\nprintf "%s\\n" "$@"\ncat\n', encoding="utf-8")
    python.chmod(0o755)
    (root / "data/models/de-en").mkdir(parents=True)
    return root


def translate(
    root: Path, *arguments: str, text: str = "", **variables: str
) -> subprocess.CompletedProcess[str]:
    (root.parent / "elsewhere").mkdir(exist_ok=True)
    return subprocess.run(
        ["bash", str(root / "scripts/translate.sh"), *arguments],
        input=text,
        env={"PATH": "/usr/bin:/bin"} | variables,
        cwd=root.parent / "elsewhere",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def arguments_of_python(result: subprocess.CompletedProcess[str]) -> list[str]:
    assert result.returncode == 0, result.stderr
    _, *arguments = result.stdout.splitlines()
    return arguments


def test_texts_and_options_reach_the_stage_as_they_were_typed(checkout: Path) -> None:
    result = translate(checkout, "Guten  Morgen.", "", "--beam", "2", "*")
    model = str(checkout / "data/models/de-en")
    assert arguments_of_python(result) == [
        *("-P", "-m", "seq2seq.translate", model, "Guten  Morgen.", "", "--beam", "2", "*")
    ]


def test_working_directory_is_the_callers(checkout: Path) -> None:
    result = translate(checkout)
    assert result.stdout.splitlines()[0] == str(checkout.parent / "elsewhere")


def test_stdin_is_the_text_and_stdout_the_product(checkout: Path) -> None:
    result = translate(checkout, text="eins\nzwei\n")
    assert result.stdout.endswith("eins\nzwei\n")
    assert "setting up" in result.stderr
    assert "setting up" not in result.stdout


@pytest.mark.parametrize("given", [["--model", "m"], ["--model=m"]])
def test_model_is_the_option_before_the_variable_before_the_default(
    checkout: Path, given: list[str]
) -> None:
    for name in ("m", "n"):
        (checkout.parent / "elsewhere" / name).mkdir(parents=True)
    both = translate(checkout, "Ja.", *given, "--beam", "2", SEQ2SEQ_MODEL="n")
    assert arguments_of_python(both)[3:] == ["m", "Ja.", "--beam", "2"]
    assert arguments_of_python(translate(checkout, SEQ2SEQ_MODEL="n"))[3:] == ["n"]


def test_without_a_model_it_says_so_before_installing(checkout: Path) -> None:
    shutil.rmtree(checkout / "data")
    result = translate(checkout, "Ja.")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"seq2seq: there is no model at '{checkout}/data/models/de-en'; "
        "train one (scripts/demo.sh), or name one with --model or SEQ2SEQ_MODEL\n"
    )


def test_model_without_a_name_is_refused(checkout: Path) -> None:
    result = translate(checkout, "--model")
    assert result.returncode == 2
    assert result.stderr == "seq2seq: --model needs a run folder or model folder after it\n"


def test_help_needs_no_model(checkout: Path) -> None:
    shutil.rmtree(checkout / "data")
    assert arguments_of_python(translate(checkout, "--help"))[-1] == "--help"


def test_a_failed_setup_translates_nothing(checkout: Path) -> None:
    (checkout / "scripts/setup.sh").write_text("exit 2\n", encoding="utf-8")
    result = translate(checkout, "Ja.")
    assert (result.returncode, result.stdout) == (2, "")


def test_a_link_to_the_script_works(checkout: Path) -> None:
    link = checkout.parent / "link"
    link.symlink_to(checkout / "scripts/translate.sh")
    result = subprocess.run(
        [str(link), "Ja."], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert arguments_of_python(result)[-1] == "Ja."
