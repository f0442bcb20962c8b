"""Scores of translations against references, each with its signature and its interval.

    >>> score_one("chrf", ["A cat sleeps."], ["A cat sleeps."])
    100.0

Knows no files; reports (`seq2seq.evaluation.report`) and the validation of training use it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from seq2seq.config import EvaluateConfig
from seq2seq.errors import UserError
from seq2seq.evaluation import counts, significance
from seq2seq.evaluation.counts import Metric, Name

# Upper bounds, in words; what is longer comes last.
_BUCKETS = (("0", 0), ("1-10", 10), ("11-20", 20), ("21-30", 30), ("31-50", 50))
_LONGER = "51+"
_SHARE_OF_TOKENIZED_LINES = 0.1


@dataclass(frozen=True, kw_only=True, slots=True)
class Score:
    """One metric's value for one system. `low` and `high` are None without resampling."""

    metric: Name
    value: float
    signature: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A system's score less a baseline's, and the chance that they are equally good."""

    metric: Name
    baseline: float
    difference: float
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    verdict: str = ""  # "better", "worse", or "" where the difference is not significant


class Counted(NamedTuple):
    """A metric, and its counts for every sentence of one system."""

    metric: Metric
    rows_nk: Float[np.ndarray, "n k"]

    @property
    def value(self) -> float:
        """The score of all sentences."""
        return float(self.metric.values(counts.total(self.rows_nk))[0])


def score(
    hypotheses: Sequence[str], references: Sequence[str], config: EvaluateConfig
) -> list[Score]:
    """The scores that `evaluate.metrics` names, in that order."""
    counted = count(hypotheses, references, config)
    return [one_score(each, config) for each in counted.values()]


def score_one(name: Name, hypotheses: Sequence[str], references: Sequence[str]) -> float:
    """One metric with default settings and no interval, as the validation of training wants it."""
    config = EvaluateConfig(metrics=(name,))
    return count(hypotheses, references, config)[name].value


def count(
    hypotheses: Sequence[str], references: Sequence[str], config: EvaluateConfig
) -> dict[Name, Counted]:
    """Counts all sentences for the metrics that `evaluate.metrics` names."""
    if len(hypotheses) != len(references):
        raise UserError(
            f"there are {len(hypotheses)} translations and {len(references)} references; "
            "they must belong together line by line"
        )
    if not references:
        raise UserError("there is nothing to evaluate: no translations and no references")
    metrics = (counts.metric(name, config) for name in dict.fromkeys(config.metrics))
    return {each.name: Counted(each, each.count(hypotheses, references)) for each in metrics}


def one_score(counted: Counted, config: EvaluateConfig, *, paired: bool = False) -> Score:
    """The score of counted sentences; `paired` tells the signature of a randomisation test."""
    low = high = None
    if config.resamples:
        samples_r = significance.bootstrap(*counted, resamples=config.resamples, seed=config.seed)
        low, high = significance.interval(samples_r, config.confidence)
    return Score(
        metric=counted.metric.name,
        value=counted.value,
        signature=counted.metric.signature(
            resamples=config.resamples, seed=config.seed, paired=paired
        ),
        low=low,
        high=high,
    )


def compare(system: Counted, baseline: Counted, config: EvaluateConfig) -> Comparison:
    """What the system gains over the baseline on the same sentences."""
    metric = system.metric
    difference = system.value - baseline.value
    if not config.resamples:
        return Comparison(metric=metric.name, baseline=baseline.value, difference=difference)
    drawing = {"resamples": config.resamples, "seed": config.seed}
    samples_r = significance.bootstrap(*system, **drawing)
    samples_r = samples_r - significance.bootstrap(*baseline, **drawing)
    low, high = significance.interval(samples_r, config.confidence)
    p_value = significance.randomisation_p(metric, system.rows_nk, baseline.rows_nk, **drawing)
    verdict = ""
    if p_value <= 1 - config.confidence:
        verdict = "better" if (difference > 0) == metric.higher_is_better else "worse"
    return Comparison(
        metric=metric.name,
        baseline=baseline.value,
        difference=difference,
        low=low,
        high=high,
        p_value=p_value,
        verdict=verdict,
    )


def length_buckets(texts: Sequence[str]) -> dict[str, list[int]]:
    """Sentence numbers by their count of words, shortest bucket first; empty buckets are left out.

    Words are what spaces separate: a text without spaces is one word.
    """
    result: dict[str, list[int]] = {name: [] for name, _ in _BUCKETS} | {_LONGER: []}
    for number, text in enumerate(texts):
        words = len(text.split())
        name = next((name for name, most in _BUCKETS if words <= most), _LONGER)
        result[name].append(number)
    return {name: numbers for name, numbers in result.items() if numbers}


def bucket_values(counted: Mapping[Name, Counted], numbers: Sequence[int]) -> dict[Name, float]:
    """The scores of some of the sentences."""
    return {
        name: Counted(metric, rows_nk[np.asarray(numbers)]).value
        for name, (metric, rows_nk) in counted.items()
    }


def tokenization_warning(lines: Sequence[str], what: str) -> str | None:
    """A sentence if the lines look tokenized or cut into subwords, where scores need raw text."""
    signs = {
        "end in ' .', as tokenized text does": lambda line: line.endswith(" ."),
        "hold '@@ ', the mark of BPE subwords": lambda line: "@@ " in line or line.endswith("@@"),
        "hold '\u2581', SentencePiece's sign for a space": lambda line: "\u2581" in line,
    }
    for sign, holds in signs.items():
        found = sum(map(holds, lines))
        if found >= max(1, _SHARE_OF_TOKENIZED_LINES * len(lines)):
            return (
                f"{found} of {len(lines)} lines of {what} {sign}; scores of such text compare "
                "with nobody's: give raw, detokenized text"
            )
    return None
