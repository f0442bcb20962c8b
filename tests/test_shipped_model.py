"""The model in the box: small, whole, and able to say what the README shows."""

import re
from pathlib import Path

import pytest

from seq2seq import Translator

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "data/models/de-en"
CARD = (MODEL / "README.md").read_text("utf-8")
_ROW = re.compile(r"^\| (?P<source>[^|]+) \| (?P<output>[^|]+) \| (?:right|wrong)[^|]* \|$", re.M)


def test_it_takes_at_most_sixteen_megabytes():
    assert sum(path.stat().st_size for path in MODEL.iterdir()) <= 16_000_000


def test_its_card_shows_fifty_sentences_and_says_of_each_whether_it_is_right():
    assert len(set(_ROW.findall(CARD))) == 50


@pytest.mark.slow
def test_what_the_card_and_the_readme_show_is_what_it_says():
    shown = _ROW.findall(CARD)
    translator = Translator.load(MODEL)
    assert translator.translate([source for source, _ in shown]) == [out for _, out in shown]
    readme = (ROOT / "README.md").read_text("utf-8")
    (line,) = translator.translate(["Ich habe heute keine Zeit."])
    assert f"```text\n{line}\n```" in readme


@pytest.mark.slow
def test_scoring_what_it_says_gives_the_score_that_it_printed():
    translator = Translator.load(MODEL, ["translate.coverage_penalty=0.2"])
    results = translator.translate_all([source for source, _ in _ROW.findall(CARD)])
    scored = translator.score([(each.source, each.translation) for each in results])
    # A text that the search wrote in other pieces than the tokenizer's is another output.
    same = [
        (result, again)
        for result, again in zip(results, scored, strict=True)
        if [each.piece for each in result.tokens] == [each.piece for each in again.tokens]
    ]
    assert len(same) >= 40
    for result, again in same:
        assert again.score == pytest.approx(result.score, abs=1e-4)
        assert again.rank == pytest.approx(result.rank, abs=1e-4)
        assert [each.source for each in again.alignment] == [
            each.source for each in result.alignment
        ]


def test_its_card_names_every_corpus_with_its_licence():
    for name in ("tatoeba", "mlqe-pe-wiki", "demo"):
        assert name in CARD
    assert "CC BY 2.0" in CARD
    assert "nrefs:1|case:mixed" in CARD
