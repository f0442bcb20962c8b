import json

import pytest

from seq2seq.config import EvaluateConfig
from seq2seq.evaluation import report
from seq2seq.evaluation.report import Texts

CONFIG = EvaluateConfig(resamples=30, examples=3)
FILES = {"hypotheses": "ours.en", "reference": "right.en", "baseline": None}


@pytest.fixture(scope="module")
def alone(system):
    return report.build(
        Texts(translations=system.good, references=system.references), CONFIG, FILES
    )


@pytest.fixture(scope="module")
def compared(system):
    texts = Texts(
        translations=system.good,
        references=system.references,
        sources=[f"ein Satz {number}" for number in range(len(system.references))],
        baseline=system.poor,
    )
    return report.build(texts, CONFIG, FILES)


def test_the_keys_are_the_same_with_and_without_a_baseline(alone, compared) -> None:
    assert alone.keys() == compared.keys()
    for part in ("scores", "lines"):
        assert alone[part][0].keys() == compared[part][0].keys()
    assert alone["buckets"]["rows"][0].keys() == compared["buckets"]["rows"][0].keys()
    assert alone["examples"].keys() == compared["examples"].keys()


def test_the_tree_is_plain_json(compared) -> None:
    assert json.loads(json.dumps(compared, allow_nan=False))["scores"] == compared["scores"]


def test_there_is_a_record_for_every_line_in_order(compared, system) -> None:
    lines = compared["lines"]
    assert [line["line"] for line in lines] == list(range(1, len(system.references) + 1))
    assert [line["translation"] for line in lines] == system.good
    assert [line["baseline"] for line in lines] == system.poor


def test_gained_and_lost_sentences_are_those_that_changed_most(compared) -> None:
    gains = sorted(line["chrf"] - line["baseline_chrf"] for line in compared["lines"])

    def shown(kind: str) -> list[float]:
        return [line["chrf"] - line["baseline_chrf"] for line in compared["examples"][kind]]

    assert shown("gained") == gains[::-1][:3]
    assert shown("lost") == gains[:3]
    assert compared["examples"]["worst"] == []


def test_unchanged_sentences_are_neither_gained_nor_lost(system) -> None:
    texts = Texts(translations=system.good, references=system.references, baseline=system.good)
    examples = report.build(texts, CONFIG, FILES)["examples"]
    assert examples == {"gained": [], "lost": [], "worst": []}


def test_without_a_baseline_the_worst_sentences_are_shown(alone) -> None:
    worst = sorted(line["chrf"] for line in alone["lines"])[:3]
    assert [line["chrf"] for line in alone["examples"]["worst"]] == worst


def test_buckets_go_by_the_source_where_there_is_one(alone, compared, system) -> None:
    assert alone["buckets"]["by"] == "reference"
    assert len(alone["buckets"]["rows"]) == 5
    assert compared["buckets"]["by"] == "source"
    [row] = compared["buckets"]["rows"]
    assert (row["words"], row["sentences"]) == ("1-10", len(system.references))
    assert row["scores"] == {each["metric"]: each["value"] for each in compared["scores"]}


def test_examples_need_no_chrf_among_the_metrics(system) -> None:
    config = EvaluateConfig(metrics=("bleu",), resamples=0, examples=2)
    texts = Texts(translations=system.good, references=system.references, baseline=system.poor)
    tree = report.build(texts, config, FILES)
    assert [score["metric"] for score in tree["scores"]] == ["bleu"]
    assert len(tree["examples"]["gained"]) == 2


def test_the_text_shows_scores_signatures_buckets_and_examples(compared) -> None:
    text = report.as_text(compared)
    for score in compared["scores"]:
        assert score["signature"] in text
        assert f"{score['value']:.2f}" in text
        assert f"{score['comparison']['difference']:+.2f}" in text
        assert f"{score['comparison']['p_value']:.4f}" in text
    assert "less is better" in text
    assert "by words in the source" in text
    gained = compared["examples"]["gained"][0]
    assert f"line {gained['line']}:" in text
    for what in ("source", "reference", "baseline", "translation"):
        assert gained[what] in text


def test_the_columns_of_the_table_are_aligned(compared) -> None:
    head, *rows = report.as_text(compared).splitlines()[2:6]
    assert len({row.index(" .. ") for row in rows}) == 1
    assert all(row[head.index("baseline") + len("baseline") - 3] == "." for row in rows)


def test_without_resampling_the_text_shows_a_dash_instead_of_an_interval(system) -> None:
    config = EvaluateConfig(resamples=0, examples=0)
    texts = Texts(translations=system.good, references=system.references, baseline=system.poor)
    text = report.as_text(report.build(texts, config, FILES))
    assert " .. " not in text
    assert "significant" not in text
    assert "\n  line " not in text


def test_tokenized_text_is_warned_of_for_every_side(system) -> None:
    tokenized = [f"{text} ." for text in system.references]
    texts = Texts(translations=system.good, references=tokenized, baseline=tokenized)
    warnings = report.build(texts, EvaluateConfig(resamples=0), FILES)["warnings"]
    assert [("reference" in each, "baseline" in each) for each in warnings] == [
        (True, False),
        (False, True),
    ]
