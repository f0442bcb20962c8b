import dataclasses
import logging
from pathlib import Path

import numpy as np
import pytest

from seq2seq import configfile
from seq2seq.config import DataConfig
from seq2seq.corpus import inputs as inputs_module
from seq2seq.corpus.building import build
from seq2seq.corpus.chunks import read_chunks
from seq2seq.corpus.duplicates import SeenHashes
from seq2seq.corpus.encoding import Share, drawn
from seq2seq.corpus.shards import open_split, read_meta
from seq2seq.corpus.text import normalise
from seq2seq.corpus.tokenizer import Tokenizer
from seq2seq.corpus.workers import Workers
from seq2seq.errors import UserError
from seq2seq.layout import PreparedFolder


def write_side(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="")


@pytest.fixture
def make(tmp_path):
    """Builds a prepared folder from {name: pairs}; names beginning with valid are validation."""

    def make(corpora, *, weights=None, prepared="prepared", **settings):
        tree = {"data": {"root": str(tmp_path), "prepared": str(tmp_path / prepared)}}
        tree["tokenizer"] = {"vocabulary": 400}
        for name, pairs in corpora.items():
            for side, place in (("de", 0), ("en", 1)):
                write_side(tmp_path / f"{name}.{side}", [pair[place] for pair in pairs])
            corpus = {"source": f"{name}.de", "target": f"{name}.en"}
            corpus["weight"] = (weights or {}).get(name, 1.0)
            tree["data"].setdefault("valid" if name == "valid" else "train", []).append(corpus)
        config = configfile.from_tree(tree, [f"{k}={v}" for k, v in settings.items()])
        build(config)
        return PreparedFolder(tmp_path / prepared)

    return make


@pytest.fixture
def valid(more_pairs):
    return more_pairs[-20:]


def _small_chunks(paths):
    return read_chunks(paths, size=50)


def texts(folder, split="train"):
    source, target = (Tokenizer.load(folder.tokenizer(side)) for side in ("source", "target"))
    return [
        (source.decode(a), target.decode(b))
        for shard in open_split(folder, split)
        for a, b in map(shard.pair, range(len(shard)))
    ]


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


def test_the_shards_hold_the_normalised_pairs_in_order(make, pairs, valid):
    dirty = [(f" {s}\u2028", f"{t}\u200b\r") for s, t in pairs]
    folder = make({"a": dirty, "valid": valid}, **{"data.shard_pairs": 250})
    assert texts(folder) == pairs
    assert len(open_split(folder, "train")) == 3
    assert texts(folder, "valid") == valid


def test_dropped_pairs_are_counted_by_their_first_reason(make, pairs, valid):
    bad = [
        ("", "an empty source"),
        ("ein leeres Ziel", " \u200b "),
        ("Tom Müller", " Tom  Müller"),
        ("x", "Wort " * 60),
        ("Wort " * 80, "word " * 80),
    ]
    folder = make({"a": bad[:3] + pairs + bad[3:], "valid": valid}, **{"data.max_length": 70})
    meta = read_meta(folder)
    assert texts(folder) == pairs
    assert meta.read["train"] == len(pairs) + len(bad)
    assert {reason: count for reason, count in meta.dropped.items() if count} == {
        "empty": 2,
        "identical": 1,
        "too_long": 1,
        "length_ratio": 1,
    }


def test_duplicates_are_dropped_across_corpora_but_not_from_further_copies(make, pairs, valid):
    corpora = {"a": pairs[:300], "b": pairs[:100] + pairs[300:], "valid": valid}
    once = make(corpora, **{"data.drop_duplicates": "true"})
    assert sorted(texts(once)) == sorted(pairs)
    assert read_meta(once).dropped["duplicate"] == 100
    weights = {"a": 2.0, "b": 2.0}
    twice = make(corpora, weights=weights, prepared="two", **{"data.drop_duplicates": "true"})
    assert sorted(texts(twice)) == sorted(pairs * 2)


def test_pairs_that_only_break_elsewhere_are_no_duplicates(make, pairs, valid):
    split = [("Haus und Hof", "Anna"), ("Haus und", "Hof Anna")]
    folder = make({"a": [*pairs, *split], "valid": valid}, **{"data.drop_duplicates": "true"})
    assert texts(folder) == [*pairs, *split]


@pytest.mark.parametrize(
    ("weight", "least", "most"), [(0.5, 250, 350), (2.0, 1200, 1200), (2.3, 1300, 1460)]
)
def test_a_weight_is_the_number_of_copies(make, pairs, valid, weight, least, most):
    found = texts(make({"a": pairs, "valid": valid}, weights={"a": weight}))
    assert least <= len(found) <= most
    copies = {found.count(pair) for pair in pairs}
    assert copies <= {int(weight), int(weight) + 1}


def test_corpora_are_mingled_in_proportion(make, pairs, more_pairs, valid, monkeypatch):
    monkeypatch.setattr(inputs_module, "read_chunks", _small_chunks)
    found = texts(make({"a": pairs, "b": more_pairs[:1_800], "valid": valid}))
    firsts = [index for index, pair in enumerate(found) if pair in set(pairs)]
    assert len(found) == 2_400
    assert abs(np.mean(firsts) - 1_200) < 100


def test_the_validation_text_is_raw_and_stays_with_its_shard_only_by_length(make, pairs, valid):
    raw = [(" Zwei  Wörter\u2028 ", "two\twords"), ("", "empty"), ("Wort " * 200, "word")]
    folder = make({"a": pairs, "valid": valid + raw})
    lines = folder.text("valid", "source").read_bytes().decode().split("\n")
    assert lines == [s for s, _ in [*valid, raw[0], raw[2]]] + [""]
    assert texts(folder, "valid") == [*valid, tuple(map(normalise, raw[0]))]


def test_separate_tokenizers_know_their_side_only(make, pairs, valid):
    folder = make(
        {"a": pairs, "valid": valid}, **{"tokenizer.joint": "false", "tokenizer.vocabulary": 350}
    )
    assert folder.tokenizer("source").read_bytes() != folder.tokenizer("target").read_bytes()
    assert texts(folder) == pairs


def test_a_given_tokenizer_is_taken_as_it_is(make, pairs, valid):
    first = make({"a": pairs, "valid": valid})
    model = first.tokenizer("source")
    second = make(
        {"a": pairs[:300], "valid": valid},
        prepared="second",
        **{"tokenizer.source_model": model, "tokenizer.target_model": model},
    )
    assert second.tokenizer("target").read_bytes() == model.read_bytes()
    assert texts(second) == pairs[:300]


def test_a_second_run_does_nothing_and_says_so(make, pairs, valid, caplog):
    corpora = {"a": pairs, "valid": valid}
    folder = make(corpora)
    before = {path: path.stat().st_mtime_ns for path in folder.path.iterdir()}
    with caplog.at_level(logging.INFO):
        make(corpora, **{"data.workers": 3})
    assert "up to date" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in folder.path.iterdir()} == before


@pytest.mark.parametrize("change", ["inputs", "settings", "damage"])
def test_a_changed_input_setting_or_output_is_built_anew(make, pairs, valid, caplog, change):
    folder = make({"a": pairs, "valid": valid})
    whole = bytes_of(folder)
    fingerprint = read_meta(folder).fingerprint
    settings = {"data.max_length": 40} if change == "settings" else {}
    if change == "damage":
        folder.tokens("train", 0).write_bytes(b"")
    with caplog.at_level(logging.INFO):
        make({"a": pairs[: 599 if change == "inputs" else 600], "valid": valid}, **settings)
    assert "building it anew" in caplog.text
    assert (bytes_of(folder) == whole) == (change == "damage")
    assert (read_meta(folder).fingerprint == fingerprint) == (change == "damage")


def test_the_result_does_not_depend_on_the_number_of_workers(make, pairs, valid, monkeypatch):
    monkeypatch.setattr("seq2seq.corpus.building._SMALL_BYTES", 0)
    for module in ("inputs", "building", "examining"):
        monkeypatch.setattr(f"seq2seq.corpus.{module}.read_chunks", _small_chunks)
    settings = {"data.drop_duplicates": "true", "tokenizer.sample_sentences": 400}
    corpora = {"a": pairs, "b": pairs[:90], "valid": valid}
    one = make(corpora, **settings, **{"data.workers": 1})
    three = make(corpora, prepared="three", **settings, **{"data.workers": 3})
    assert bytes_of(one) == bytes_of(three)


def test_a_refused_corpus_leaves_the_old_folder_as_it_was(make, pairs, valid, tmp_path):
    folder = make({"a": pairs, "valid": valid})
    before = bytes_of(folder)
    with pytest.raises(UserError, match="swapped"):
        make({"a": [(t, s) for s, t in pairs], "valid": valid})
    assert bytes_of(folder) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_doctor_that_warns_lets_the_data_pass_and_notes_it(make, pairs, valid):
    swapped = [(t, s) for s, t in pairs]
    warned = make({"a": swapped, "valid": valid}, **{"data.doctor": "warn"})
    assert any("swapped" in finding for finding in read_meta(warned).findings)
    silent = make({"a": swapped, "valid": valid}, prepared="off", **{"data.doctor": "off"})
    assert read_meta(silent).findings == []
    assert read_meta(silent).fingerprint == read_meta(warned).fingerprint


def test_a_sample_is_drawn_from_the_whole_corpus(tmp_path):
    chunk = next(read_chunks((_numbers(tmp_path, 10_000),) * 2, size=10_000))
    kept = np.flatnonzero(drawn(Share(chunk, 0.1, key=3), 10_000))
    assert 850 < len(kept) < 1_150
    assert all(abs(share - 0.25) < 0.05 for share in np.histogram(kept, 4)[0] / len(kept))
    assert not np.array_equal(kept, np.flatnonzero(drawn(Share(chunk, 0.1, key=4), 10_000)))


def _numbers(folder: Path, count: int) -> Path:
    path = folder / "numbers"
    path.write_text("".join(f"{number}\n" for number in range(count)))
    return path


def test_seen_hashes_are_known_until_the_memory_is_full():
    seen = SeenHashes(1)
    hashes = np.random.default_rng(1).integers(0, 2**63, 5_000, dtype=np.uint64)
    assert seen.first_time(np.concatenate([hashes, hashes[:10]])).sum() == 5_000
    assert not seen.first_time(hashes).any()
    for start in range(0, 200_000, 1_000):
        seen.first_time(np.arange(start, start + 1_000, dtype=np.uint64))
    assert seen.first_time(hashes).all()
    assert not seen.first_time(np.arange(199_000, 200_000, dtype=np.uint64)).any()


def test_a_killed_worker_is_one_sentence(tmp_path):
    with Workers(2) as workers, pytest.raises(UserError, match="worker process was killed"):
        list(workers.map(_exit, range(4)))


def _exit(status: int) -> None:
    raise SystemExit(status)


def test_settings_that_move_things_are_not_part_of_the_request(pairs):
    config = configfile.from_tree({})
    data = dataclasses.replace(config.data, root="/x", prepared="/y", workers=7)
    moved = dataclasses.replace(config, data=data)
    assert inputs_module.request(moved, []) == inputs_module.request(config, [])
    assert DataConfig().seed == 1
    reseeded = dataclasses.replace(config, data=DataConfig(seed=2))
    assert inputs_module.request(reseeded, []) != inputs_module.request(config, [])
