import os
from pathlib import Path

import pytest

from seq2seq.corpus.chunks import read_chunks
from seq2seq.corpus.doctor import Examination, Record, held_lines, leak_findings, looks
from seq2seq.corpus.languages import language_of


def examined(folder, pairs, held=None):
    paths = (folder / "a.de", folder / "a.en")
    for path, side in zip(paths, (0, 1), strict=True):
        path.write_text("".join(f"{pair[side]}\n" for pair in pairs if pair[side] is not None))
    return examined_files(paths, held)


def examined_files(paths, held=None):
    record = Record("train", paths)
    for seen in map(Examination(held or {}), looks(read_chunks(paths))):
        record.add(seen)
    return record


def shifted(pairs, at, lines):
    """Removes target lines: from `at` on, the translation stands too early."""
    targets = [target for _, target in pairs]
    targets = targets[:at] + targets[at + lines :] + [f"Filling {n}." for n in range(lines)]
    return [(source, target) for (source, _), target in zip(pairs, targets, strict=True)]


def line_named(finding):
    return int(finding.split("about line ")[1].split()[0])


def test_good_pairs_raise_no_finding(tmp_path, pairs, more_pairs):
    assert examined(tmp_path, pairs).findings("de", "en") == []
    assert examined(tmp_path, more_pairs).findings("de", "en") == []


@pytest.mark.parametrize("lines", [1, 2, 5, 40])
def test_a_shift_in_the_middle_is_found_with_its_line(tmp_path, more_pairs, lines):
    [finding] = examined(tmp_path, shifted(more_pairs, 1_500, lines)).findings("de", "en")
    assert "out of step" in finding
    assert abs(line_named(finding) - 1_501) <= 3


def test_the_line_is_found_between_looks_that_are_far_apart(tmp_path, more_pairs, monkeypatch):
    monkeypatch.setattr("seq2seq.corpus.doctor._MOST_LINES_SEARCHED", 1_200)
    [finding] = examined(tmp_path, shifted(more_pairs, 1_500, 1)).findings("de", "en")
    assert abs(line_named(finding) - 1_501) <= 3
    targets = [target for _, target in more_pairs]
    del targets[2_200]
    both = [(s, t) for (s, _), t in zip(more_pairs, [*targets, None], strict=True)]
    assert abs(examined(tmp_path, both).first_suspicious_line() - 2_201) <= 3


def test_a_missing_source_line_shows_as_well(tmp_path, pairs):
    turned = shifted([(target, source) for source, target in pairs], 300, 1)
    [finding] = examined(tmp_path, [(s, t) for t, s in turned]).findings("de", "en")
    assert "fits 1 line(s) later" in finding
    assert abs(line_named(finding) - 301) <= 3


def test_a_shift_that_is_mended_later_is_found(tmp_path, more_pairs):
    pairs = shifted(more_pairs[:2_000], 1_200, 1) + more_pairs[2_000:]
    [finding] = examined(tmp_path, pairs).findings("de", "en")
    assert abs(line_named(finding) - 1_201) <= 3


def test_the_first_suspicious_line_of_unequal_files_is_the_missing_one(tmp_path, pairs):
    targets = [target for _, target in pairs]
    del targets[200]
    both = [(source, target) for (source, _), target in zip(pairs, [*targets, None], strict=True)]
    record = examined(tmp_path, both)
    assert record.counts == [600, 599]
    assert abs(record.first_suspicious_line() - 201) <= 3


def test_repeated_or_periodic_lines_are_no_drift(tmp_path):
    assert examined(tmp_path, [("ab cd", "ef gh ij")] * 1_000).findings("xx", "yy") == []
    periodic = [("ab cd", "ef gh"), ("kl mn op qr", "st uv wx yz")] * 500
    assert examined(tmp_path, periodic).findings("xx", "yy") == []


def test_swapped_sides_are_found(tmp_path, pairs):
    [finding] = examined(tmp_path, [(t, s) for s, t in pairs]).findings("de", "en")
    assert "swapped" in finding


def test_a_wrong_language_is_found(tmp_path, pairs):
    french = [(s, "le chat est dans la maison et il ne dort pas") if i % 4 == 0 else (s, t)
              for i, (s, t) in enumerate(pairs)]  # fmt: skip
    findings = examined(tmp_path, french).findings("de", "en")
    assert any("not in 'en', mostly in 'fr'" in finding for finding in findings)


def test_untranslated_pairs_are_found(tmp_path, pairs):
    copied = [(s, s) if i % 5 == 0 else (s, t) for i, (s, t) in enumerate(pairs)]
    findings = examined(tmp_path, copied).findings("de", "en")
    assert any("untranslated" in finding for finding in findings)


def test_fifty_leaked_test_lines_are_found_and_counted(tmp_path, pairs, more_pairs):
    held = held_lines(more_pairs[:1_000])
    record = examined(tmp_path, pairs + more_pairs[:50], held)
    [finding] = leak_findings([record], [("the test set", held)])
    assert "50 of the 1000" in finding
    assert "50 of them with the same translation" in finding


def test_leaked_sources_with_another_translation_are_found(tmp_path, pairs, more_pairs):
    held = held_lines(more_pairs[:1_000])
    leaked = [(source + "  ", "something else") for source, _ in more_pairs[:50]]
    [finding] = leak_findings([examined(tmp_path, pairs + leaked, held)], [("test", held)])
    assert "0 of them with the same translation" in finding


def test_stock_phrases_are_no_leak(tmp_path, pairs, more_pairs):
    stock = [(f"Kann ich Ihnen helfen {n}?", f"Can I help you {n}?") for n in range(30)]
    held = held_lines(more_pairs[:500] + stock)
    record = examined(tmp_path, pairs + stock * 4 + more_pairs[:3], held)
    assert leak_findings([record], [("test", held)]) == []


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("Das ist nicht der Weg, auf dem wir gekommen sind.", "de"),
        ("This is not the way that we have come.", "en"),
        ("Ce n'est pas le chemin par lequel nous sommes dans la ville.", "fr"),
        ("Este no es el camino por el que se va a la casa.", "es"),
        ("print(x)", ""),
        ("", ""),
    ],
)
def test_languages_are_told_by_their_little_words(line, language):
    assert language_of(line) == language


@pytest.mark.slow
@pytest.mark.skipif("SEQ2SEQ_CORPORA" not in os.environ, reason="SEQ2SEQ_CORPORA names no folder")
def test_no_false_alarm_on_real_corpora():
    for source in sorted(Path(os.environ["SEQ2SEQ_CORPORA"]).glob("*/*.de.xz")):
        target = source.with_name(source.name.replace(".de.", ".en."))
        assert examined_files((source, target)).findings("de", "en") == []
