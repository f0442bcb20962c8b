import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER
from sacrebleu.significance import PairedTest

from seq2seq.config import ConfigError, EvaluateConfig
from seq2seq.evaluation import quality, significance

CONFIG = EvaluateConfig(resamples=300)


def _compared(ours, baseline, references, config=CONFIG):
    system = quality.count(ours, references, config)
    other = quality.count(baseline, references, config)
    return [quality.compare(system[name], other[name], config) for name in system]


def _mixed(system) -> tuple[list[str], list[str]]:
    """Two systems that are hard to tell apart: each is the good one on every other sentence."""
    pairs = list(enumerate(zip(system.good, system.poor, strict=True)))
    return [pair[n % 2] for n, pair in pairs], [pair[(n + 1) % 2] for n, pair in pairs]


def test_p_values_are_those_of_sacrebleu_but_for_ties(system, monkeypatch) -> None:
    monkeypatch.setenv("SACREBLEU_SEED", str(CONFIG.seed))
    even_is_good, odd_is_good = _mixed(system)
    signatures, theirs = PairedTest(
        [("baseline", odd_is_good), ("system", even_is_good)],
        {"BLEU": BLEU(), "chrF2": CHRF(), "TER": TER()},
        [system.references],
        n_samples=CONFIG.resamples,
    )()
    ours = _compared(even_is_good, odd_is_good, system.references)
    for comparison, label in zip(ours, ("BLEU", "chrF2", "TER"), strict=True):
        result = theirs[label][1]
        # TER is a count of edits, so equal differences are frequent, and sacreBLEU leaves them out.
        ties = 0.05 if comparison.metric == "ter" else 1e-9
        assert comparison.p_value is not None
        assert -1e-9 <= comparison.p_value - result.p_value <= ties
        assert comparison.baseline + comparison.difference == pytest.approx(result.score)
        assert f"ar:{CONFIG.resamples}|seed:{CONFIG.seed}" in str(signatures[label])


def test_the_signature_of_a_comparison_is_that_of_sacrebleu(system) -> None:
    _, theirs = PairedTest(
        [("baseline", system.good[:9]), ("system", system.poor[:9])],
        {"BLEU": BLEU()},
        [system.references[:9]],
        n_samples=20,
        n_ar_confidence=20,
    )()[0].popitem()
    config = EvaluateConfig(metrics=("bleu",), resamples=20)
    counted = quality.count(system.good, system.references, config)["bleu"]
    assert quality.one_score(counted, config, paired=True).signature == str(theirs)


def test_identical_systems_do_not_differ(system) -> None:
    for comparison in _compared(system.good, system.good, system.references):
        assert comparison.p_value == 1
        assert comparison.difference == comparison.low == comparison.high == 0
        assert not comparison.verdict


def test_one_changed_sentence_is_no_significant_difference(system) -> None:
    changed = [system.poor[0], *system.good[1:]]
    for comparison in _compared(changed, system.good, system.references):
        assert comparison.p_value == 1


def test_a_clearly_better_system_is_called_better_in_every_metric(system) -> None:
    for comparison in _compared(system.good, system.poor, system.references):
        assert comparison.p_value is not None
        assert comparison.p_value < 0.02
        assert comparison.verdict == "better"
        assert (comparison.difference < 0) == (comparison.metric == "ter")


def test_swapped_systems_differ_by_the_mirrored_amount(system) -> None:
    there = _compared(system.good, system.poor, system.references)
    back = _compared(system.poor, system.good, system.references)
    for one, other in zip(there, back, strict=True):
        assert one.difference == -other.difference
        assert one.p_value == other.p_value
        assert (one.low, one.high) == (-other.high, -other.low)
        assert (one.verdict, other.verdict) == ("better", "worse")


def test_a_strict_confidence_withholds_the_verdict(system) -> None:
    config = EvaluateConfig(resamples=20, confidence=0.99)  # the least p-value is 1/21
    for comparison in _compared(system.good, system.poor, system.references, config):
        assert not comparison.verdict


def test_drawing_in_small_batches_changes_nothing(system, monkeypatch) -> None:
    def figures():
        return (
            quality.score(system.good, system.references, CONFIG),
            _compared(*_mixed(system), system.references),
        )

    at_once = figures()
    monkeypatch.setattr(significance, "_CELLS_AT_ONCE", 64 * 45)
    assert figures() == at_once


def test_the_same_seed_gives_the_same_interval_and_another_seed_another(system) -> None:
    def interval(seed: int):
        config = EvaluateConfig(metrics=("chrf",), resamples=50, seed=seed)
        [score] = quality.score(system.good, system.references, config)
        return score.low, score.high

    assert interval(1) == interval(1)
    assert interval(1) != interval(2)


def test_more_confidence_widens_the_interval() -> None:
    samples = np.random.default_rng(1).normal(size=1_000)
    wide = significance.interval(samples, 0.99)
    narrow = significance.interval(samples, 0.9)
    assert wide.low < narrow.low < narrow.high < wide.high
    assert np.mean((narrow.low <= samples) & (samples <= narrow.high)) == 0.9


def test_without_resampling_there_is_no_interval_and_no_p_value(system) -> None:
    config = EvaluateConfig(resamples=0)
    for score in quality.score(system.good, system.references, config):
        assert score.low is score.high is None
        assert "bs:" not in score.signature
    for comparison in _compared(system.good, system.poor, system.references, config):
        assert comparison.p_value is comparison.low is comparison.high is None
        assert comparison.difference != 0


def test_a_negative_seed_is_refused_by_name(system) -> None:
    with pytest.raises(ConfigError, match=r"evaluate\.seed=-1"):
        quality.score(system.good, system.references, EvaluateConfig(seed=-1))
