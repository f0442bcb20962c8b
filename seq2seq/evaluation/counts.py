"""BLEU, chrF and TER as counts per sentence, and the score that sums of such counts give.

Every figure of a report (a corpus, a bucket of it, a bootstrap sample, one sentence) is
`values` of sums of the same rows, so nothing is counted twice. All counts are whole numbers,
exact in float64. What the numbers must be is sacreBLEU's to say: tests compare with it.

Axes: n sentences   r sums (samples, or sentences)   k counts
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from jaxtyping import Float
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.helpers import extract_all_char_ngrams
from sacrebleu.metrics.ter import TER
from sacrebleu.tokenizers.tokenizer_ter import TercomTokenizer

from seq2seq.config import EvaluateConfig
from seq2seq.evaluation import ter

Name = Literal["bleu", "chrf", "ter"]

# sacreBLEU knows the number of references, which its signature names, from having seen some.
_ONE_REFERENCE = [[""]]


class Bleu:
    """Row: hypothesis length, reference length, 4 counts of found n-grams, 4 of all."""

    name: Name = "bleu"
    label = "BLEU"
    higher_is_better = True

    def __init__(self, config: EvaluateConfig) -> None:
        # Effective order only silences a warning about sentences: the counts are the same.
        self._sentence = BLEU(
            lowercase=config.lowercase, tokenize=config.tokenize, force=True, effective_order=True
        )
        self._corpus = BLEU(
            lowercase=config.lowercase, tokenize=config.tokenize, references=_ONE_REFERENCE
        )

    def count(
        self, hypotheses: Sequence[str], references: Sequence[str]
    ) -> Float[np.ndarray, "n k"]:
        """One row of counts per sentence."""
        scores = (
            self._sentence.sentence_score(hypothesis, [reference])
            for hypothesis, reference in zip(hypotheses, references, strict=True)
        )
        return _table([[s.sys_len, s.ref_len, *s.counts, *s.totals] for s in scores])

    def values(self, sums_rk: Float[np.ndarray, "r k"]) -> Float[np.ndarray, " r"]:
        """The formula of sacreBLEU itself, smoothing included."""
        orders = self._corpus.max_ngram_order
        rows = sums_rk.astype(int).tolist()
        return np.array(
            [
                BLEU.compute_bleu(
                    correct=row[2 : 2 + orders],
                    total=row[2 + orders :],
                    sys_len=row[0],
                    ref_len=row[1],
                    smooth_method=self._corpus.smooth_method,
                ).score
                for row in rows
            ],
            dtype=np.float64,
        )

    def signature(self, *, resamples: int, seed: int, paired: bool) -> str:
        """The one that sacreBLEU's command line prints for the same figures."""
        return _signed(self._corpus, resamples, seed, paired=paired)


class Chrf:
    """Row: for n-grams of 1 to 6 characters, those of the hypothesis, the reference, and both."""

    name: Name = "chrf"
    label = "chrF2"
    higher_is_better = True

    def __init__(self, config: EvaluateConfig) -> None:
        self._metric = CHRF(lowercase=config.lowercase, references=_ONE_REFERENCE)

    def count(
        self, hypotheses: Sequence[str], references: Sequence[str]
    ) -> Float[np.ndarray, "n k"]:
        """One row of counts per sentence."""
        return _table([
            self._row(hypothesis, reference)
            for hypothesis, reference in zip(hypotheses, references, strict=True)
        ])

    def _row(self, hypothesis: str, reference: str) -> list[int]:
        if self._metric.lowercase:
            hypothesis, reference = hypothesis.lower(), reference.lower()
        order = self._metric.char_order
        row = []
        for ours, theirs in zip(
            extract_all_char_ngrams(hypothesis, order),
            extract_all_char_ngrams(reference, order),
            strict=True,
        ):
            both = sum(min(count, theirs[ngram]) for ngram, count in ours.items())
            # As in sacreBLEU: n-grams longer than the whole reference are not held against anyone.
            row += [ours.total() if theirs else 0, theirs.total(), both]
        return row

    def values(self, sums_rk: Float[np.ndarray, "r k"]) -> Float[np.ndarray, " r"]:
        """F-beta of precision and recall, each averaged over the orders that both sides have."""
        hypothesis, reference, both = np.moveaxis(sums_rk.reshape(len(sums_rk), -1, 3), 2, 0)
        has_order = (hypothesis > 0) & (reference > 0)
        orders = np.maximum(has_order.sum(axis=1), 1)
        precision = (has_order * both / np.maximum(hypothesis, 1)).sum(axis=1) / orders
        recall = (has_order * both / np.maximum(reference, 1)).sum(axis=1) / orders
        beta2 = self._metric.beta**2
        below = beta2 * precision + recall
        return 100 * (1 + beta2) * precision * recall / np.where(below > 0, below, 1)

    def signature(self, *, resamples: int, seed: int, paired: bool) -> str:
        """The one that sacreBLEU's command line prints for the same figures."""
        return _signed(self._metric, resamples, seed, paired=paired)


class Ter:
    """Row: edits, reference length. Ignores case always, as Tercom and sacreBLEU do."""

    name: Name = "ter"
    label = "TER"
    higher_is_better = False

    def __init__(self) -> None:
        self._metric = TER(references=_ONE_REFERENCE)
        self._tokenize = TercomTokenizer()

    def count(
        self, hypotheses: Sequence[str], references: Sequence[str]
    ) -> Float[np.ndarray, "n k"]:
        """One row of counts per sentence."""
        rows = []
        for pair in zip(hypotheses, references, strict=True):
            ours, theirs = (self._tokenize(text.rstrip()).split() for text in pair)
            rows.append([ter.edits(ours, theirs), len(theirs)])
        return _table(rows)

    def values(self, sums_rk: Float[np.ndarray, "r k"]) -> Float[np.ndarray, " r"]:
        """Edits per 100 words; 100 where words stand against an empty reference."""
        edits, length = sums_rk.T
        return 100 * np.where(length > 0, edits / np.maximum(length, 1), edits > 0)

    def signature(self, *, resamples: int, seed: int, paired: bool) -> str:
        """The one that sacreBLEU's command line prints for the same figures."""
        return _signed(self._metric, resamples, seed, paired=paired)


Metric = Bleu | Chrf | Ter


def metric(name: Name, config: EvaluateConfig) -> Metric:
    """The metric of that name, set up as the settings say."""
    match name:
        case "bleu":
            return Bleu(config)
        case "chrf":
            return Chrf(config)
        case "ter":
            return Ter()


def total(counts_nk: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "1 k"]:
    """The counts of all sentences together."""
    return counts_nk.sum(axis=0, keepdims=True)


def _table(rows: list[list[int]]) -> Float[np.ndarray, "n k"]:
    return np.array(rows, dtype=np.float64)


def _signed(metric: BLEU | CHRF | TER, resamples: int, seed: int, *, paired: bool) -> str:
    signature = metric.get_signature()
    if resamples:
        signature.update("bs", resamples)
        signature.update("seed", seed)
        if paired:
            signature.update("ar", resamples)
    return str(signature)
