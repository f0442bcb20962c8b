import json
import random
import subprocess
import sys

import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

from seq2seq.config import EvaluateConfig
from seq2seq.errors import UserError
from seq2seq.evaluation import quality

NO_RESAMPLING = EvaluateConfig(resamples=0)


@pytest.mark.parametrize("lowercase", [False, True])
@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "none"])
def test_scores_are_those_of_sacrebleu_called_by_hand(system, lowercase, tokenize) -> None:
    config = EvaluateConfig(lowercase=lowercase, tokenize=tokenize, resamples=0)
    by_hand = [BLEU(lowercase=lowercase, tokenize=tokenize), CHRF(lowercase=lowercase), TER()]
    for ours, metric in zip(
        quality.score(system.good, system.references, config), by_hand, strict=True
    ):
        assert ours.value == pytest.approx(
            metric.corpus_score(system.good, [system.references]).score, rel=1e-12
        )
        assert ours.signature == str(metric.get_signature())


@pytest.mark.parametrize(
    ("config", "options"),
    [
        (NO_RESAMPLING, []),
        (
            EvaluateConfig(lowercase=True, tokenize="intl", resamples=0),
            ["--lowercase", "--chrf-lowercase", "--tokenize", "intl"],
        ),
        (
            EvaluateConfig(tokenize="char", resamples=200),
            ["--tokenize", "char", "--confidence", "--confidence-n", "200"],
        ),
    ],
    ids=["defaults", "lowercase intl", "char with intervals"],
)
def test_scores_and_signatures_are_those_of_sacrebleus_command_line(
    system, tmp_path, config, options
) -> None:
    for name, lines in (("hyp", system.good), ("ref", system.references)):
        (tmp_path / name).write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    command = [sys.executable, "-m", "sacrebleu", "ref", "-i", "hyp", "-f", "json", "-w", "6"]
    printed = subprocess.run(
        [*command, "-m", "bleu", "chrf", "ter", *options],
        cwd=tmp_path,
        check=True,
        capture_output=True,
    ).stdout
    for ours, theirs in zip(
        quality.score(system.good, system.references, config), json.loads(printed), strict=True
    ):
        assert ours.value == pytest.approx(theirs["score"], abs=1e-6)
        assert ours.signature == theirs["signature"]
        if config.resamples:
            assert ours.low is not None
            assert ours.high is not None
            half = (ours.high - ours.low) / 2
            assert half == pytest.approx(theirs["confidence_var"], abs=1e-3)


@pytest.mark.parametrize(
    ("hypotheses", "references"),
    [
        (["a longer one", "ab"], ["abc", "ab"]),
        (["I see", "No"], ["I see", "No"]),
        (["x", ""], ["", "y"]),
        (["Yes, of course.", "a b c"], ["", "c b a"]),
    ],
)
def test_very_short_sentences_score_as_in_sacrebleu(hypotheses, references) -> None:
    by_hand = [BLEU(), CHRF(), TER()]
    assert [each.value for each in quality.score(hypotheses, references, NO_RESAMPLING)] == (
        pytest.approx([m.corpus_score(hypotheses, [references]).score for m in by_hand])
    )


def test_sentence_chrf_is_that_of_sacrebleu(system) -> None:
    chrf = quality.count(system.good, system.references, NO_RESAMPLING)["chrf"]
    expected = [
        CHRF().sentence_score(ours, [theirs]).score
        for ours, theirs in zip(system.good, system.references, strict=True)
    ]
    assert chrf.metric.values(chrf.rows_nk).tolist() == pytest.approx(expected)


def test_one_score_for_validation_is_the_same_score(system) -> None:
    for each in quality.score(system.good, system.references, NO_RESAMPLING):
        assert quality.score_one(each.metric, system.good, system.references) == each.value


def test_metrics_come_once_each_in_the_order_of_the_setting(system) -> None:
    config = EvaluateConfig(metrics=("ter", "bleu", "ter"), resamples=0)
    scores = quality.score(system.good, system.references, config)
    assert [each.metric for each in scores] == ["ter", "bleu"]


def test_the_order_of_the_sentences_does_not_matter(system) -> None:
    pairs = list(zip(system.good, system.references, strict=True))
    random.Random(3).shuffle(pairs)
    good, references = (list(side) for side in zip(*pairs, strict=True))
    assert quality.score(good, references, NO_RESAMPLING) == quality.score(
        system.good, system.references, NO_RESAMPLING
    )


def test_a_perfect_translation_is_perfect_and_an_empty_one_worthless(system) -> None:
    perfect = quality.score(system.references, system.references, EvaluateConfig(resamples=40))
    assert [(x.value, x.low, x.high) for x in perfect] == [
        pytest.approx((100, 100, 100)),
        pytest.approx((100, 100, 100)),
        (0, 0, 0),
    ]
    nothing = quality.score([""] * len(system.references), system.references, NO_RESAMPLING)
    assert [each.value for each in nothing] == [0, 0, 100]


def test_buckets_hold_every_sentence_once_and_score_like_their_sentences(system) -> None:
    buckets = quality.length_buckets(system.references)
    assert list(buckets) == ["1-10", "11-20", "21-30", "31-50", "51+"]
    assert sorted(number for numbers in buckets.values() for number in numbers) == list(
        range(len(system.references))
    )
    counted = quality.count(system.good, system.references, NO_RESAMPLING)
    numbers = buckets["11-20"]
    assert all(10 < len(system.references[number].split()) <= 20 for number in numbers)
    alone = quality.score(
        [system.good[number] for number in numbers],
        [system.references[number] for number in numbers],
        NO_RESAMPLING,
    )
    assert quality.bucket_values(counted, numbers) == {each.metric: each.value for each in alone}


def test_bucket_bounds_belong_to_the_shorter_bucket_and_empty_lines_have_their_own() -> None:
    texts = [" ".join(["w"] * words) for words in (0, 1, 10, 11, 50, 51)]
    assert quality.length_buckets(texts) == {
        "0": [0],
        "1-10": [1, 2],
        "11-20": [3],
        "31-50": [4],
        "51+": [5],
    }


@pytest.mark.parametrize(
    ("line", "sign"),
    [
        ("that is good .", "tokenized text"),
        ("mor@@ ning all", "BPE"),
        ("good mor@@", "BPE"),
        ("\u2581good \u2581morning", "SentencePiece"),
    ],
)
def test_text_that_is_not_raw_is_warned_of(line: str, sign: str) -> None:
    warning = quality.tokenization_warning([line, "a raw line."], "the reference")
    assert warning is not None
    assert sign in warning
    assert "1 of 2 lines of the reference" in warning


def test_raw_text_with_a_stray_sign_is_not_warned_of(system) -> None:
    assert quality.tokenization_warning([*system.good, "odd ."], "it") is None


def test_unequal_counts_and_nothing_at_all_are_the_users_mistakes() -> None:
    with pytest.raises(UserError, match="2 translations and 1 references"):
        quality.score(["a", "b"], ["a"], NO_RESAMPLING)
    with pytest.raises(UserError, match="nothing to evaluate"):
        quality.score_one("bleu", [], [])
