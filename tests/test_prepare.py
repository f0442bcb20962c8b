import gzip
import logging
import lzma
import os
import signal
import subprocess
import sys
import time

import pytest

from seq2seq import cli
from seq2seq.corpus.shards import read_meta
from seq2seq.layout import PreparedFolder
from seq2seq.prepare import main


def lines(count, first=0):
    """Numbered sentences whose length varies as real ones do."""
    for n in range(first, first + count):
        tail = ("", "") if n % 3 else (", weil es regnet", ", because it is raining")
        name = ("Anna", "Peter", "Thomas", "Julia")[n * 7 % 4] * (1 + n % 5)
        yield (
            f"Das ist für {name} und {n} nicht gut{tail[0]}.",
            f"This is not good for {name} and {n}{tail[1]}.",
        )


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A folder with good files and a config that uses them."""
    monkeypatch.chdir(tmp_path)
    for name, pairs in (("train", list(lines(400))), ("valid", list(lines(20, 1_000_000)))):
        for side, place in (("de", 0), ("en", 1)):
            (tmp_path / f"{name}.{side}").write_text("".join(f"{p[place]}\n" for p in pairs))
    (tmp_path / "config.toml").write_text(
        '[data]\nprepared = "out/prepared"\n'
        "[tokenizer]\nvocabulary = 310\n"
        '[[data.train]]\nsource = "train.de"\ntarget = "train.en"\n'
        '[[data.valid]]\nsource = "valid.de"\ntarget = "valid.en"\n'
    )
    return tmp_path


def prepare(*settings, config="config.toml"):
    options = [part for setting in settings for part in ("--set", setting)]
    return cli.status(main, [config, *options])


def edit(path, change):
    path.write_bytes(change(path.read_bytes()))


def use(work, split, text):
    """Replaces the corpus of a split in the config."""
    edit(
        work / "config.toml",
        lambda toml: toml.replace(
            f'source = "{split}.de"\ntarget = "{split}.en"'.encode(), text.encode()
        ),
    )


def packed(work, name, content):
    (work / name).write_bytes(content)
    use(work, "train", f'source = "{name}"\ntarget = "train.en"')


def tsv(work, content):
    (work / "train.tsv").write_text(content)
    use(work, "train", 'pairs = "train.tsv"')


def foreign(work):
    (work / "out" / "prepared").mkdir(parents=True)
    (work / "out" / "prepared" / "thesis.txt").write_text("years of work")


def in_the_way(work):
    (work / "out").mkdir()
    (work / "out" / "prepared").write_text("precious")


def no_folder(work):
    (work / "out").write_text("a file where a folder should be")


def without_line_201(data):
    all_lines = data.splitlines(keepends=True)
    return b"".join(all_lines[:200] + all_lines[201:])


GZ = gzip.compress("".join(f"{s}\n" for s, _ in lines(400)).encode())
XZ = lzma.compress("".join(f"{s}\n" for s, _ in lines(400)).encode())

WRONG_USES = {
    "missing file": (lambda w: (w / "train.en").unlink(), (), "'train.en' does not exist"),
    "empty file": (lambda w: (w / "train.en").write_text(""), (), "'train.en' is empty"),
    "a folder as corpus": (lambda w: use(w, "train", 'pairs = "."'), (), "not a regular file"),
    "no train corpus": (lambda w: None, ("data.train=[]",), "data.train names no corpus"),
    "no valid corpus": (lambda w: None, ("data.valid=[]",), "data.valid names no corpus"),
    "no folder named": (lambda w: None, ("data.prepared=",), "data.prepared names no folder"),
    "unequal lines": (
        lambda w: edit(w / "train.en", without_line_201),
        (),
        "have 400 and 399 lines",
    ),
    "latin-1": (
        lambda w: edit(w / "train.de", lambda b: b.replace(b"ist", b"\xefst", 1)),
        (),
        "line 1, byte 5 is 0xEF",
    ),
    "latin-1 in valid": (
        lambda w: edit(w / "valid.en", lambda b: b + b"\xff\n"), (), "line 21, byte 1 is 0xFF"
    ),
    "utf-16": (
        lambda w: edit(w / "train.de", lambda b: b.decode().encode("utf-16")),
        (),
        "it looks like UTF-16",
    ),
    "packed without suffix": (lambda w: packed(w, "train.packed", GZ), (), "looks compressed"),
    "truncated gz": (lambda w: packed(w, "t.gz", GZ[:-40]), (), "'t.gz' ends in the middle"),
    "corrupt gz": (
        lambda w: packed(w, "t.gz", GZ[:500] + b"\0" * 50 + GZ[550:]), (), "cannot be decompressed"
    ),
    "plain text named gz": (lambda w: packed(w, "t.gz", b"hello\n"), (), "cannot be decompressed"),
    "truncated xz": (lambda w: packed(w, "t.xz", XZ[:-40]), (), "'t.xz' ends in the middle"),
    "plain text named xz": (lambda w: packed(w, "t.xz", b"hello\n"), (), "cannot be decompressed"),
    "tsv without tab": (
        lambda w: tsv(w, "eins\tone\nzwei two\n"), (), "line 2 of 'train.tsv' has no tab"
    ),
    "vocabulary too large": (
        lambda w: None, ("tokenizer.vocabulary=30000",), "tokenizer.vocabulary=30000 is more than"
    ),
    "no sentencepiece model": (
        lambda w: None,
        ("tokenizer.source_model=train.de", "tokenizer.target_model=train.de"),
        "'train.de' is not a SentencePiece model",
    ),
    "missing model": (
        lambda w: None,
        ("tokenizer.source_model=no.model", "tokenizer.target_model=no.model"),
        "'no.model' does not exist",
    ),
    "prepared is a file": (in_the_way, (), "is a file; name a folder"),
    "prepared is someone's folder": (foreign, (), "holds other things and no meta.json"),
    "no place for the folder": (no_folder, (), "out"),
    "everything filtered": (lambda w: None, ("data.min_length=140",), "no training pair is left"),
    "only empty lines": (
        lambda w: edit(w / "train.de", lambda b: b"\n" * 400),
        ("data.doctor=off",),
        "pair is left of 400: empty 400",
    ),
    "valid too long": (lambda w: None, ("data.max_length=2",), "no validation pair is left"),
    "swapped sides": (
        lambda w: use(w, "train", 'source = "train.en"\ntarget = "train.de"'), (), "swapped"
    ),
    "valid is train": (
        lambda w: use(w, "valid", 'source = "train.de"\ntarget = "train.en"'), (), "stand in train"
    ),
    "no such setting": (lambda w: None, ("data.filter=1",), "unknown setting"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG_USES)
def test_a_wrong_use_is_one_sentence_and_harms_nothing(work, capsys, name):
    spoil, settings, expected = WRONG_USES[name]
    spoil(work)
    before = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    assert prepare(*settings) == cli.USER_ERROR
    said = capsys.readouterr()
    assert expected in said.err
    assert len(said.err.strip().splitlines()) == 1
    assert said.out == ""
    after = {path: path.read_bytes() for path in work.rglob("*") if path.is_file()}
    assert after == before


def test_a_good_run_says_what_it_kept_on_stderr_alone(work, capsys, caplog):
    edit(work / "train.de", lambda b: b + b"gleich\n")
    edit(work / "train.en", lambda b: b + b"gleich\n")
    with caplog.at_level(logging.INFO, logger="seq2seq"):
        assert prepare() == cli.DONE
    assert "400 of 401 pairs kept" in caplog.text
    assert "left out as identical: 1" in caplog.text
    assert capsys.readouterr().out == ""
    assert read_meta(PreparedFolder(work / "out" / "prepared")).train.pairs == 400


def test_tab_separated_and_compressed_corpora_give_the_same_data(work):
    prepare()
    (work / "train.tsv").write_text("".join(f"{s}\t{t}\tx\n" for s, t in lines(400)))
    toml = (work / "config.toml").read_bytes()
    use(work, "train", 'pairs = "train.tsv"')
    assert prepare("data.prepared=second") == cli.DONE
    (work / "config.toml").write_bytes(toml)
    packed(work, "t.gz", GZ)
    assert prepare("data.prepared=third") == cli.DONE
    first, second, third = (work / name for name in ("out/prepared", "second", "third"))
    for file in ("source.model", "train-00000.tokens.npy", "train-00000.offsets.npy"):
        content = (first / file).read_bytes()
        assert content == (second / file).read_bytes() == (third / file).read_bytes()


def test_the_unequal_line_is_named(work, capsys):
    edit(work / "train.en", without_line_201)
    assert prepare() == cli.USER_ERROR
    line = int(capsys.readouterr().err.rsplit("suspicious line is ", 1)[1])
    assert abs(line - 201) <= 3


def start(work):
    # The package is found as in this very process, wherever the tests were started.
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-m", "seq2seq.prepare", "config.toml"]
    return subprocess.Popen(command, cwd=work, env=environment, stderr=subprocess.PIPE, text=True)


def wait_for(path, process):
    while not path.exists():
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sent", "status"), [(signal.SIGTERM, 75), (signal.SIGINT, 75), (signal.SIGKILL, -9)]
)
def test_a_stopped_run_leaves_nothing_half_made(work, sent, status):
    for side, place in (("de", 0), ("en", 1)):
        text = "".join(f"{pair[place]}\n" for pair in lines(80_000))
        (work / f"train.{side}").write_text(text)
    process = start(work)
    temporary = work / "out" / ".prepared.tmp"
    wait_for(temporary / "source.sample", process)
    process.send_signal(sent)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == status
    assert "Traceback" not in said
    assert not (work / "out" / "prepared").exists()
    assert temporary.exists() == (sent == signal.SIGKILL)
    for side in ("de", "en"):
        edit(work / f"train.{side}", lambda b: b"".join(b.splitlines(True)[:400]))
    assert prepare() == cli.DONE
    assert not temporary.exists()
