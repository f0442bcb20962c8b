"""The command: what it reads, what it writes, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seq2seq import cli, translate

ROOT = str(Path(__file__).parents[2])


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "seq2seq.translate", *map(str, arguments)]


ENVIRONMENT = os.environ | {"PYTHONPATH": ROOT, "PYTHONUTF8": "0", "LC_ALL": "C"}


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """Compiled code that the processes of these tests share."""
    folder = tmp_path_factory.mktemp("cache")
    folder.chmod(0o700)
    return folder


@pytest.fixture
def run(capfd):
    """Runs the command in this process: its status, stdout and stderr."""

    def runner(*arguments: object) -> tuple[int, str, str]:
        try:
            status = cli.status(translate.main, list(map(str, arguments)))
        except SystemExit as error:
            status = int(str(error.code))
        return (status, *capfd.readouterr())

    return runner


@pytest.fixture
def source(tmp_path):
    """A file with everything that lines can hold."""
    path = tmp_path / "in.de"
    lines = "\ufeffEin Hund.\r\n\n  \nKatze 😀\nשלום\n"  # noqa: RUF001
    path.write_bytes(lines.encode() + b"ka\xffputt\nEnde")
    return path


def test_sentences_on_the_command_line_are_translated(run, model, translator):
    status, out, _ = run(model.path, "Ein Hund.", "", "Das Kind\nspielt.\n")
    assert status == 0
    assert out.split("\n")[:-1] == translator.translate(["Ein Hund.", "", "Das Kind", "spielt."])


def test_one_line_in_is_one_line_out_in_order(run, model, source, translator):
    status, out, err = run(model.path, "--input", source)
    lines = ["Ein Hund.", "", "", "Katze 😀", "שלום", "ka\ufffdputt", "Ende"]
    assert status == 0
    assert out.split("\n")[:-1] == translator.translate(lines)
    assert err.count("not UTF-8") <= 1


def test_json_flags_a_line_that_is_not_utf8(run, model, source):
    _, out, _ = run(model.path, "--input", source, "--format", "json")
    found = [json.loads(line) for line in out.split("\n")[:-1]]
    assert [bool("invalid_utf8" in each["flags"]) for each in found] == [False] * 5 + [True, False]
    assert found[0]["source"] == "Ein Hund."


def test_output_goes_to_a_file_in_whole_lines(run, model, source, tmp_path):
    _, expected, _ = run(model.path, "--input", source)
    status, out, _ = run(model.path, "--input", source, "--output", tmp_path / "out")
    assert (status, out) == (0, "")
    assert (tmp_path / "out").read_text(encoding="utf-8") == expected


def test_an_empty_input_gives_an_empty_output(run, model, tmp_path):
    (tmp_path / "empty").write_text("")
    assert run(model.path, "--input", tmp_path / "empty")[:2] == (0, "")


def test_given_translations_are_scored_beside_their_sources_or_after_a_tab(
    run, model, translator, tmp_path
):
    pairs = [("Ein Hund.", "a dog"), ("", ""), ("Katze 😀", "cat")]
    for name, side in (("in.de", 0), ("out.en", 1)):
        (tmp_path / name).write_text("".join(f"{pair[side]}\n" for pair in pairs), "utf-8")
    expected = [each.to_text() for each in translator.score(pairs)]
    options = ("--input", tmp_path / "in.de", "--score", tmp_path / "out.en")
    status, out, _ = run(model.path, *options)
    assert (status, out.split("\n")[:-1]) == (0, expected)
    assert run(model.path, "--score", "-", *map("\t".join, pairs))[:2] == (0, out)
    assert [float(line) for line in expected][1] == 0.0
    _, out, _ = run(model.path, *options, "--format", "json", "--nbest", "2")
    assert [json.loads(line)["translation"] for line in out.split("\n")[:-1]] == [
        "a dog",
        "",
        "cat",
    ]


def test_several_models_translate_as_one(run, model, translator):
    status, out, _ = run(f"{model.path}+{model.path}", "Ein Hund.", "", "Das Kind")
    assert status == 0
    assert out.split("\n")[:-1] == translator.translate(["Ein Hund.", "", "Das Kind"])


def test_a_document_is_translated_sentence_by_sentence_and_keeps_its_form(
    run, model, tmp_path, translator
):
    text = "# Hund\n\nEin Hund läuft\nmit. Das Kind spielt.\n\n- 42\n- Die Frau\n  und"
    (tmp_path / "in").write_text(text, encoding="utf-8")
    sources = ["Hund", "Ein Hund läuft mit.", "Das Kind spielt.", "Die Frau und"]
    head, first, second, item = translator.translate(sources)
    wanted = [f"# {head}", "", f"{first} {second}", "", "- 42", f"- {item}"]
    _, out, _ = run(model.path, "--document", "--input", tmp_path / "in")
    assert out.split("\n") == [*wanted, ""]

    _, out, _ = run(model.path, "--document", "--format", "json", "--input", tmp_path / "in")
    found = [json.loads(line) for line in out.splitlines()]
    assert [each["translation"] for each in found] == wanted
    assert found[2]["source"] == "Ein Hund läuft mit. Das Kind spielt."
    assert found[2]["sentences"] == [
        json.loads(result.to_json()) for result in translator.translate_all(sources[1:3])
    ]
    assert found[4]["sentences"] == []


def test_several_hypotheses_need_json(run, model):
    status, _, err = run(model.path, "Hund", "--nbest", "2")
    assert status == 2
    assert "needs --format json" in err


def test_explanations_have_no_colours_where_no_terminal_is(run, model, translator, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    status, out, _ = run(model.path, "Ein Hund.", "", "--explain", "--nbest", "2")
    assert status == 0
    assert "\x1b" not in out
    assert [row[12:] for row in out.split("\n") if row.startswith("source")] == ["Ein Hund."]
    shown = [row[12:].split() for row in out.split("\n") if row.startswith("output")]
    assert shown == [[word.text for word in translator.translate_all(["Ein Hund."])[0].words]]
    assert re.search(r"^2\. ", out, re.MULTILINE)


@pytest.mark.parametrize(
    ("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_a_terminal_gets_colours_unless_it_refuses_them(
    run, model, monkeypatch, variables, coloured
):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert ("\x1b[" in run(model.path, "Ein Hund.", "--explain")[1]) == coloured


def test_each_line_gets_its_picture_and_its_translation(run, model, tmp_path, caplog):
    pytest.importorskip("matplotlib")
    lines = ("Ein Hund.", "", "Katze.")
    status, out, _ = run(model.path, *lines, "--plot", tmp_path / "a.svg")
    assert (status, out) == (0, run(model.path, *lines)[1])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-3.svg", "a.svg"]
    assert "line 2 has no picture" in caplog.text


def test_help_fits_one_screen(run):
    status, out, _ = run("--help")
    assert status == 0
    assert out.count("\n") <= 40


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{tmp}/nowhere", "Hund"], "does not exist"),
        (["{tmp}/in.de", "Hund"], "is a file; name the run folder"),
        (["{tmp}", "Hund"], "is no model folder"),
        (["{tmp}/run", "Hund"], "has no finished model yet"),
        (["{model}", "Hund", "--input", "{tmp}/in.de"], "give one of them"),
        (["{model}", "--input", "{tmp}/nowhere"], "input .* does not exist"),
        (["{model}", "--input", "{tmp}"], "is a folder; name a text file"),
        (["{model}", "Hund", "--output", "{tmp}"], "is a folder; name a file in it"),
        (["{model}", "Hund", "--output", "{tmp}/no/where"], "create it first"),
        (["{model}", "--input", "{tmp}/in.de", "--output", "{tmp}/in.de"], "the same file"),
        (["{model}", "Hund", "--set", "translate.beem=3"], "did you mean"),
        (["{model}", "Hund", "--set", "beam"], "--set takes section.key=value"),
        (["{model}", "Hund", "--set", "model.embedding=9"], "is part of the model"),
        (["{model}", "Hund", "--beam", "many"], "must be a whole number"),
        (["{model}", "Hund", "--format", "xml"], "must be one of"),
        (["{model}", "a", "b", "--score", "{tmp}/one"], "one' ends after 1 lines, but the input"),
        (
            ["{model}", "--input", "{tmp}/in.de", "--score", "{tmp}/one"],
            "has 7 lines, but .* has 1",
        ),
        (["{model}", "Hund", "--score", "-"], "line 1 of the input has no tab"),
        (["{model}", "Hund", "--score", "{tmp}/nowhere"], "--score .* does not exist"),
        (["{model}", "Hund", "--score", "{tmp}"], "is a folder; name a text file"),
        (["{model}", "a", "--score", "{tmp}/one", "--output", "{tmp}/one"], "the same file"),
        (["{model}+{tmp}/nowhere", "Hund"], "nowhere' of .* does not exist"),
        (["{model}", "Hund", "--plot", "{tmp}/a.docx"], "must end in|matplotlib is missing"),
        (["{model}", "a", "--score", "{tmp}/one", "--explain"], "nothing to explain"),
        (["{model}", "a", "--score", "{tmp}/one", "--plot", "{tmp}/a.png"], "draws what is transl"),
        ([], "the following arguments are required: MODEL"),
        (["{model}", "Hund", "--bleu"], "unrecognized arguments"),
    ],
)
def test_a_mistake_is_a_sentence_and_status_2(run, model, source, arguments, message):
    (source.parent / "run" / "checkpoints").mkdir(parents=True)
    (source.parent / "one").write_text("dog\n")
    before = source.read_bytes()
    filled = [each.format(tmp=source.parent, model=model.path) for each in arguments]
    status, out, err = run(*filled)
    assert (status, out) == (2, "")
    assert "Traceback" not in err
    assert re.search(message, err), err
    assert source.read_bytes() == before


def test_a_pipe_is_answered_line_by_line_and_a_closed_one_ends_quietly(model, cache):
    process = subprocess.Popen(
        command(model.path, "--set", f"translate.cache={cache}"),
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    for line in ("Hund\n", "\n", "Kind\n", "Hund\n", "Kind\n"):
        written = time.monotonic()
        process.stdin.write(line.encode())
        process.stdin.flush()
        assert bool(process.stdout.readline().strip()) == bool(line.strip())
    # The first line waits for the program to start; once it runs, an answer takes no time.
    assert time.monotonic() - written < 1
    process.stdout.close()
    process.stdin.write(b"Hund\n")
    process.stdin.close()
    with process.stderr as errors:
        assert errors.read() == b""
    assert process.wait() == 0


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_signal_ends_with_status_75_and_no_traceback(model, cache, sent):
    process = subprocess.Popen(
        command(model.path, "--set", f"translate.cache={cache}"),
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(b"Hund\n")
    process.stdin.flush()
    process.stdout.readline()
    process.send_signal(sent)
    _, errors = process.communicate()
    assert process.returncode == 75
    assert b"the same command starts again" in errors
    assert b"Traceback" not in errors
