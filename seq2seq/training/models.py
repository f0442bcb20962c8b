"""The model folders of a run: exported at validations, the best few kept, `best` pointing.

Knows weights and files, not how they came about.
"""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from seq2seq import configfile, files
from seq2seq.config import Config
from seq2seq.layout import SIDES, ModelFolder, RunFolder
from seq2seq.model import weights as weight_files
from seq2seq.model.network import Weights

AVERAGE = "average"


def export(
    run: RunFolder, name: str, weights: Weights, *, config: Config, about: Mapping[str, Any]
) -> None:
    """Writes `models/name`, in one piece."""
    with files.folder_in_one_piece(run.model(name).path) as path:
        folder = ModelFolder(path)
        for side in SIDES:
            shutil.copyfile(run.tokenizer(side), folder.tokenizer(side))
        folder.config.write_text(configfile.to_json(config), encoding="utf-8")
        weight_files.save(folder, weights)
        folder.card.write_text(_card(config, about), encoding="utf-8")


def point_best(run: RunFolder, name: str) -> None:
    """Makes `best` a link to `models/name`."""
    files.point_link(run.best, f"{run.models.name}/{name}")


def best_name(run: RunFolder) -> str | None:
    """Which of the models `best` points to."""
    return run.best.resolve().name if run.best.exists() else None


def rank(
    ranked: Sequence[tuple[float, str]], value: float, name: str, *, higher_is_better: bool
) -> list[tuple[float, str]]:
    """All models with the new one among them, the best first, the earlier before its equals."""
    sign = -1 if higher_is_better else 1
    others = [(old, known) for old, known in ranked if known != name]
    return sorted([*others, (value, name)], key=lambda entry: (sign * entry[0], entry[1]))


def keep_only(run: RunFolder, names: Iterable[str]) -> None:
    """Removes every other model, except the one that `best` points to."""
    kept = {*names, best_name(run)}
    for path in run.models.iterdir():
        if path.name not in kept:
            shutil.rmtree(path)


def averaged(run: RunFolder, names: Sequence[str]) -> Weights:
    """The mean of the weights of several models, added up in double precision."""
    total: dict[str, np.ndarray] = {}
    for name in names:
        for key, value in weight_files.flatten(weight_files.load(run.model(name))):
            total[key] = total.get(key, 0) + value.astype(np.float64)
    return weight_files.unflatten({
        key: (value / len(names)).astype(np.float32) for key, value in total.items()
    })


def _card(config: Config, about: Mapping[str, Any]) -> str:
    pair = f"{config.data.source_language} → {config.data.target_language}"
    corpora = [f"- {path}" for corpus in config.data.train for path in corpus.paths]
    facts = [f"- {key}: {value}" for key, value in about.items()]
    return "\n".join([
        f"# Translation model {pair}",
        "",
        "An LSTM encoder-decoder with attention, trained with seq2seq. Translate with",
        "`python -m seq2seq.translate THIS_FOLDER`.",
        "",
        "## Data",
        "",
        *corpora,
        "",
        "The licences of these corpora decide what this model may be used for.",
        "",
        "## Training",
        "",
        *facts,
        "",
    ])
