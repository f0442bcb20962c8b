"""The report on a translation: one tree of plain values, which is the JSON, and its text form.

Knows no files: it gets the lines, and names to show for where they come from.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sacrebleu

from seq2seq.config import EvaluateConfig
from seq2seq.evaluation import quality
from seq2seq.evaluation.counts import Name
from seq2seq.evaluation.quality import Counted

_NOTHING = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class Texts:
    """What is evaluated, line by line. Sources and baseline may be missing."""

    translations: Sequence[str]
    references: Sequence[str]
    sources: Sequence[str] | None = None
    baseline: Sequence[str] | None = None


def build(
    texts: Texts,
    config: EvaluateConfig,
    files: Mapping[str, str | None],
    confidence: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Evaluates everything. The keys are the same whatever is missing: that is null."""
    system = quality.count(texts.translations, texts.references, config)
    baseline = None
    if texts.baseline is not None:
        baseline = quality.count(texts.baseline, texts.references, config)
    lines = _lines(texts, config, system, baseline)
    return {
        "sacrebleu": sacrebleu.__version__,
        "sentences": len(texts.references),
        "files": dict(files),
        "settings": dataclasses.asdict(config),
        "warnings": _warnings(texts),
        "scores": [
            _score(each, baseline[name] if baseline else None, config)
            for name, each in system.items()
        ],
        "buckets": {
            "by": "source" if texts.sources else "reference",
            "rows": _buckets(texts, system, baseline),
        },
        "confidence": confidence,
        "examples": _examples(lines, config.examples),
        "lines": lines,
    }


def _warnings(texts: Texts) -> list[str]:
    sides = [(texts.translations, "the translations"), (texts.references, "the reference")]
    if texts.baseline:
        sides.append((texts.baseline, "the baseline"))
    found = (quality.tokenization_warning(lines, what) for lines, what in sides)
    return [warning for warning in found if warning]


def _score(system: Counted, baseline: Counted | None, config: EvaluateConfig) -> dict[str, Any]:
    comparison = baseline and quality.compare(system, baseline, config)
    return {
        "label": system.metric.label,
        "higher_is_better": system.metric.higher_is_better,
        **dataclasses.asdict(quality.one_score(system, config, paired=baseline is not None)),
        "comparison": comparison and dataclasses.asdict(comparison),
    }


def _buckets(
    texts: Texts, system: Mapping[Name, Counted], baseline: Mapping[Name, Counted] | None
) -> list[dict[str, Any]]:
    return [
        {
            "words": words,
            "sentences": len(numbers),
            "scores": quality.bucket_values(system, numbers),
            "baseline": baseline and quality.bucket_values(baseline, numbers),
        }
        for words, numbers in quality.length_buckets(texts.sources or texts.references).items()
    ]


def _lines(
    texts: Texts,
    config: EvaluateConfig,
    system: Mapping[Name, Counted],
    baseline: Mapping[Name, Counted] | None,
) -> list[dict[str, Any]]:
    nothing = [None] * len(texts.references)
    columns = (
        texts.sources or nothing,
        texts.references,
        texts.translations,
        _sentence_chrf(texts.translations, texts.references, config, system),
        texts.baseline or nothing,
        _sentence_chrf(texts.baseline, texts.references, config, baseline)
        if texts.baseline
        else nothing,
    )
    names = ("source", "reference", "translation", "chrf", "baseline", "baseline_chrf")
    return [
        {"line": number, **dict(zip(names, values, strict=True))}
        for number, values in enumerate(zip(*columns, strict=True), start=1)
    ]


def _sentence_chrf(
    lines: Sequence[str],
    references: Sequence[str],
    config: EvaluateConfig,
    counted: Mapping[Name, Counted] | None,
) -> list[float]:
    """One value a sentence; counted here where `evaluate.metrics` leaves chrF out."""
    if counted is None or "chrf" not in counted:
        config = dataclasses.replace(config, metrics=("chrf",))
        counted = quality.count(lines, references, config)
    chrf = counted["chrf"]
    return np.round(chrf.metric.values(chrf.rows_nk), 4).tolist()


def _examples(lines: list[dict[str, Any]], most: int) -> dict[str, list[dict[str, Any]]]:
    """Gained and lost most against the baseline; without one, the worst."""
    if lines[0]["baseline"] is None:
        return {"gained": [], "lost": [], "worst": sorted(lines, key=lambda x: x["chrf"])[:most]}
    ordered = sorted(lines, key=_gain)
    return {
        "gained": [line for line in reversed(ordered) if _gain(line) > 0][:most],
        "lost": [line for line in ordered if _gain(line) < 0][:most],
        "worst": [],
    }


def _gain(line: Mapping[str, Any]) -> float:
    return line["chrf"] - line["baseline_chrf"]


def as_text(report: Mapping[str, Any]) -> str:
    """The report for people."""
    files = ", ".join(f"{what} {name}" for what, name in report["files"].items() if name)
    compared = report["scores"][0]["comparison"] is not None
    parts = [
        [f"{report['sentences']:,} sentences: {files}"],
        _table(_score_rows(report, compared=compared)),
        ["signatures", *(f"  {x['label']:<7}{x['signature']}" for x in report["scores"])],
        [
            f"by words in the {report['buckets']['by']}"
            + (" (in brackets: less the baseline)" if compared else ""),
            *_table(_bucket_rows(report)),
        ],
    ]
    if confidence := report["confidence"]:
        parts.append(list(_confidence_rows(confidence)))
    titles = {
        "gained": "gained most against the baseline (chrF of the sentence)",
        "lost": "lost most against the baseline (chrF of the sentence)",
        "worst": "worst (chrF of the sentence)",
    }
    for kind, title in titles.items():
        if examples := report["examples"][kind]:
            parts.append([title, *(row for line in examples for row in _example_rows(line))])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def _score_rows(report: Mapping[str, Any], *, compared: bool) -> Iterable[list[str]]:
    confidence = f"{100 * report['settings']['confidence']:g}% interval"
    head = ["metric", "score", confidence]
    yield [*head, "baseline", "difference", confidence, "p", ""] if compared else head
    for score in report["scores"]:
        label = score["label"] + ("" if score["higher_is_better"] else " (less is better)")
        row = [label, f"{score['value']:.2f}", _interval(score, "")]
        if comparison := score["comparison"]:
            p_value = comparison["p_value"]
            row += [
                f"{comparison['baseline']:.2f}",
                f"{comparison['difference']:+.2f}",
                _interval(comparison, "+"),
                _NOTHING if p_value is None else f"{p_value:.4f}",
                comparison["verdict"] or ("" if p_value is None else "not significant"),
            ]
        yield row


def _interval(figures: Mapping[str, Any], sign: str) -> str:
    if figures["low"] is None:
        return _NOTHING
    return f"{figures['low']:{sign}.2f} .. {figures['high']:{sign}.2f}"


def _bucket_rows(report: Mapping[str, Any]) -> Iterable[list[str]]:
    yield ["words", "sentences", *(score["label"] for score in report["scores"])]
    for row in report["buckets"]["rows"]:
        cells = [row["words"], f"{row['sentences']:,}"]
        for name, value in row["scores"].items():
            gain = f" ({value - row['baseline'][name]:+.2f})" if row["baseline"] else ""
            cells.append(f"{value:.2f}{gain}")
        yield cells


def _confidence_rows(confidence: Mapping[str, Any]) -> Iterable[str]:
    errors = confidence["errors"]
    measure = "probability" if errors["confidence"] is None else "confidence"
    yield (
        f"{measure} of the {confidence['words']:,} words of the translations "
        "(right: the reference has them too)"
    )
    rows = [
        [
            f"{row['from']:.1f} .. {row['to']:.1f}",
            f"{row['words']:,}",
            f"{row['said']:.1%}",
            f"{row['right']:.1%}",
        ]
        for row in confidence["rows"]
    ]
    yield from _table([[measure, "words", "said", "right"], *rows])
    yield f"  calibration error: {errors['probability']:.3f} of the probabilities"
    if errors["confidence"] is not None:
        how = ", fitted without the line in question" if confidence["held_out"] else ""
        yield f"  calibration error: {errors['confidence']:.3f} of the confidence{how}"


def _example_rows(line: Mapping[str, Any]) -> Iterable[str]:
    if line["baseline"] is None:
        yield f"  line {line['line']}: {line['chrf']:.1f}"
    else:
        yield (
            f"  line {line['line']}: {line['baseline_chrf']:.1f} -> {line['chrf']:.1f} "
            f"({_gain(line):+.1f})"
        )
    for what in ("source", "reference", "baseline", "translation"):
        if line[what] is not None:
            yield f"    {what:<12}{line[what]}"


def _table(rows: Iterable[list[str]]) -> list[str]:
    """Aligned columns: the first to the left, the figures to the right."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([
            "",
            row[0].ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
        ]).rstrip()
        for row in rows
    ]
