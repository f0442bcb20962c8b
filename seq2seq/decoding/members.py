"""The models that translate together: found, and held against one another. Knows no network.

"runs/a+runs/b" is an ensemble of two; most names are those of a single model.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from seq2seq import layout
from seq2seq.config import Config, ModelConfig
from seq2seq.errors import UserError
from seq2seq.model.weights import Weights

_PLUS = "+"


class Member(NamedTuple):
    """One of the networks, with what messages call it."""

    model: ModelConfig
    weights: Weights
    name: str = ""


def find(names: str) -> list[tuple[str, layout.ModelFolder]]:
    """The model folders that are meant, each with its name; `+` joins them.

    A path with a `+` in it is still a path: what exists goes before what might be meant.
    """
    found, rest = [], names.split(_PLUS)
    while rest:
        candidates = (_PLUS.join(rest[:size]) for size in range(len(rest), 1, -1))
        name = next((each for each in candidates if Path(each).exists()), rest[0])
        if name != names and not (name and Path(name).exists()):
            raise UserError(f"model {name!r} of {names!r} does not exist")
        found.append((name, layout.find_model(name)))
        rest = rest[name.count(_PLUS) + 1 :]
    return found


def require_one_vocabulary(found: Sequence[tuple[str, layout.ModelFolder]]) -> None:
    """Refuses models that do not read and write the very same pieces."""
    (first, folder), *others = found
    for side in layout.SIDES:
        for name, other in others:
            path = other.tokenizer(side)
            if path.read_bytes() != folder.tokenizer(side).read_bytes():
                raise UserError(
                    f"models {first!r} and {name!r} cannot translate together: they have "
                    f"different vocabularies ({path.name}); train both on one prepared folder"
                )


def common(chosen: Config, configs: Sequence[Config]) -> Config:
    """The chosen settings, with no longer lines than every one of the models was trained for."""
    limit = min(config.data.max_length for config in configs)
    return dataclasses.replace(chosen, data=dataclasses.replace(chosen.data, max_length=limit))
