"""Archives become the files that the configs name, and what is no such archive is refused."""

import io
import lzma
import re
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seq2seq.errors import UserError
from tests.scripts.misbehaving import SCRIPTS, archives, homes, recipes

CONFIGS = SCRIPTS.parent / "configs"


def write_tar(path: Path, members: dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz") as file:
        for name, text in members.items():
            add(file, tarfile.TarInfo(name), text)
    return path


def add(file: tarfile.TarFile, member: tarfile.TarInfo, text: str = "") -> None:
    content = text.encode()
    member.size = len(content)
    file.addfile(member, io.BytesIO(content))


def write_zip(path: Path, members: dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        for name, text in members.items():
            file.writestr(name, text)
    return path


def read_lines(folder: Path, stem: str) -> list[tuple[str, str]]:
    sides = [(folder / f"{stem}.{side}").read_text("utf-8").split("\n") for side in ("de", "en")]
    pairs = list(zip(*sides, strict=True))
    assert pairs.pop() == ("", "")
    return pairs


def folders(tmp_path: Path) -> tuple[Path, Path]:
    source, out = tmp_path / "archives", tmp_path / "out"
    source.mkdir(), out.mkdir()
    return source, out


def sgm(*texts: str) -> str:
    body = "\n".join(f'<seg id="{n}"> {text} </seg>' for n, text in enumerate(texts, 1))
    return f'<srcset setid="x">\n<doc docid="y">\n<p>\n{body}\n</p>\n</doc>\n</srcset>\n'


def test_iwslt14_is_split_as_everyone_splits_it(tmp_path: Path) -> None:
    source, out = folders(tmp_path)
    members = {}
    for side in ("de", "en"):
        talk = ["<doc>", "<url>http://a</url>", "<keywords>x, y</keywords>", "<speaker>A</speaker>"]
        talk += ["<talkid>1</talkid>", f"<title>A: T&amp;T {side}</title>"]
        talk += [f"<description>D {side}</description>", *(f" {n} {side} " for n in range(3, 47))]
        members[f"de-en/train.tags.de-en.{side}"] = "\n".join([*talk, "</doc>", ""])
        for test in ("TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012"):
            members[f"de-en/IWSLT14.{test}.de-en.{side}.xml"] = sgm(f"{test} &quot;{side}&quot;")
    write_tar(source / "de-en.tgz", members | {"de-en/README": "else"})
    recipes.iwslt14(source, out)
    corpus = homes.CORPORA["iwslt14"]
    assert recipes.count_pairs(corpus, out) == {"train": 44, "valid": 2, "test": 5}
    assert read_lines(out, "train")[:3] == [
        ("A: T&T de", "A: T&T en"),
        ("D de", "D en"),
        ("3 de", "3 en"),
    ]
    assert read_lines(out, "valid") == [("23 de", "23 en"), ("46 de", "46 en")]
    assert [german for german, _ in read_lines(out, "test")] == [
        *('TED.dev2010 "de"', 'TEDX.dev2012 "de"'),
        *('TED.tst2010 "de"', 'TED.tst2011 "de"', 'TED.tst2012 "de"'),
    ]
    assert sorted(path.name for path in out.iterdir()) == sorted(corpus.files)


def test_wmt17_keeps_its_texts_and_unpacks_its_tests(tmp_path: Path) -> None:
    source, out = folders(tmp_path)
    texts = {
        "training-parallel-europarl-v7.tgz": "training/europarl-v7",
        "training-parallel-commoncrawl.tgz": "commoncrawl",
        "training-parallel-nc-v12.tgz": "training/news-commentary-v12",
        "rapid2016.tgz": "rapid2016",
    }
    for archive, stem in texts.items():
        sides = {f"{stem}.de-en.{side}": f" {side} &amp;\r\n\u2028ü" for side in ("de", "en")}
        write_tar(source / archive, {f"{stem}.cs-en.cs": "x"} | sides)
    tests = {
        f"dev/newstest{year}-deen-{role}.sgm": sgm(f"{role} &lt;{year}&gt;", "R&amp;D &amp;quot;")
        for year in (2016, 2017)
        for role in ("src.de", "ref.en")
    }
    write_tar(source / "dev.tgz", tests)
    recipes.wmt17(source, out)
    corpus = homes.CORPORA["wmt17"]
    assert set(recipes.count_pairs(corpus, out).values()) == {2}
    assert (out / "commoncrawl.de").read_bytes() == " de &amp;\r\n\u2028ü".encode()
    assert read_lines(out, "newstest2017") == [
        ("src.de <2017>", "ref.en <2017>"),
        ("R&D &quot;", "R&D &quot;"),
    ]
    assert sorted(path.name for path in out.iterdir()) == sorted(corpus.files)


def write_tatoeba(folder: Path, pairs: list[tuple[str, str]]) -> None:
    members = {
        f"Tatoeba.de-en.{side}": "".join(f"{pair[place]}\n" for pair in pairs)
        for place, side in enumerate(("de", "en"))
    }
    write_zip(folder / "de-en.txt.zip", members | {"README": "else"})


def test_tatoeba_holds_out_sentences_that_no_other_part_shares(tmp_path: Path) -> None:
    source, out = folders(tmp_path)
    pairs = [(f"Satz {n}!", f"Line {n % 900}.") for n in range(1000)]
    pairs += [(f"satz {n}", f"Other {n}") for n in range(1000)]
    write_tatoeba(source, pairs)
    recipes.tatoeba(source, out)
    parts = {part: read_lines(out, part) for part in ("train", "valid", "test")}
    assert len(parts["train"]) > 1900
    for part, other in (("valid", "test"), ("valid", "train"), ("test", "train")):
        assert parts[part]
        for side in (0, 1):
            mine = {re.sub(r"\W", "", pair[side].lower()) for pair in parts[part]}
            assert len(mine) == len(parts[part])
            others = {re.sub(r"\W", "", pair[side].lower()) for pair in parts[other]}
            assert mine.isdisjoint(others)
    assert set().union(*parts.values()) <= set(pairs)


def test_tatoebas_split_does_not_depend_on_the_other_sentences(tmp_path: Path) -> None:
    held_out = []
    for name, count in (("small", 500), ("large", 1000)):
        (tmp_path / name).mkdir()
        source, out = folders(tmp_path / name)
        write_tatoeba(source, [(f"Satz {n}!", f"Line {n}.") for n in range(count)])
        recipes.tatoeba(source, out)
        held_out.append(set(read_lines(out, "valid")))
    assert held_out[0] < held_out[1]


def test_texts_of_different_lengths_are_refused(tmp_path: Path) -> None:
    corpus = homes.CORPORA["tatoeba"]
    for name in corpus.files:
        (tmp_path / name).write_text("a\nb", encoding="utf-8")
    assert set(recipes.count_pairs(corpus, tmp_path).values()) == {2}
    (tmp_path / "valid.en").write_text("a", encoding="utf-8")
    with pytest.raises(UserError, match="valid has 2 German and 1 English lines"):
        recipes.count_pairs(corpus, tmp_path)


def link(name: str) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
    return member


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-6] ^= 1  # in the checksum
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: write_tar(path, {"../a.de": "x"}), "it holds the unsafe name '../a.de'"),
        (lambda path: write_tar(path, {"/etc/a.de": "x"}), "it holds the unsafe name '/etc/a.de'"),
        (lambda path: write_tar(path, {"b.de": "x"}), "it holds no a.de"),
        (lambda path: path.write_bytes(b"<html>"), "damaged"),
        (lambda path: cut(write_tar(path, {"a.de": "x" * 9999})), "damaged"),
        (lambda path: flip(write_tar(path, {"a.de": "x" * 9999})), "damaged"),
    ],
)
def test_an_unfit_archive_is_refused_and_removed(
    tmp_path: Path, spoil: Callable[[Path], Any], sentence: str
) -> None:
    path = tmp_path / "a.tgz"
    spoil(path)
    with pytest.raises(UserError, match=re.escape(sentence)):
        archives.read_members(path, {"a.de": lambda stream: stream.read()})
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_place_of_a_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tgz"
    with tarfile.open(path, "w:gz") as file:
        file.addfile(link("a.de"))
    with pytest.raises(UserError, match=r"a\.de is no plain file"):
        archives.read_members(path, {"a.de": lambda stream: stream.read()})


def test_an_unsafe_name_in_a_zip_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.de": "x", "../../b": "y"})
    with pytest.raises(UserError, match=re.escape("the unsafe name '../../b'")):
        archives.read_members(path, {"a.de": lambda stream: stream.read()})


def test_bytes_that_are_no_utf8_are_refused(tmp_path: Path) -> None:
    source, out = folders(tmp_path)
    with zipfile.ZipFile(source / "de-en.txt.zip", "w") as file:
        file.writestr("Tatoeba.de-en.de", b"\xff\n")
        file.writestr("Tatoeba.de-en.en", b"x\n")
    with pytest.raises(UserError, match=r"de-en\.txt\.zip is damaged or not the archive"):
        recipes.tatoeba(source, out)


@pytest.mark.parametrize("name", homes.CORPORA)
def test_a_config_names_the_files_that_are_made(name: str) -> None:
    data = tomllib.loads((CONFIGS / f"{name}.toml").read_text("utf-8"))["data"]
    named = {
        corpus[side]
        for split in ("train", "valid", "test")
        for corpus in data[split]
        for side in ("source", "target")
    }
    assert named <= {f"{name}/{file}" for file in homes.CORPORA[name].files}


@pytest.mark.parametrize("name", homes.CORPORA)
def test_a_corpus_has_a_recipe_and_archives_that_can_be_told_apart(name: str) -> None:
    assert name in recipes.RECIPES
    known = homes.CORPORA[name].archives
    assert len({archive.name for archive in known}) == len(known)
    for archive in known:
        assert archive.address.startswith("https://")
        assert re.fullmatch(r"|sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", archive.checksum)


def test_packed_texts_are_counted_too(tmp_path: Path) -> None:
    corpus = homes.CORPORA["multi30k"]
    for name in corpus.files:
        (tmp_path / name).write_bytes(lzma.compress(b"a\nb\n"))
    assert set(recipes.count_pairs(corpus, tmp_path).values()) == {2}
