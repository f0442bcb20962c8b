"""Reads and writes settings: TOML in, JSON out, `--set` overrides, errors that suggest.

Knows the types of `seq2seq.config`, not the meaning of any setting. TOML rather than YAML,
because YAML reads `rate: 1e-3` as a string and `language: no` as false.
"""

import dataclasses
import difflib
import json
import tomllib
import typing
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from seq2seq.config import Config, ConfigError


def load(path: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Reads a TOML file, then applies `section.field=value` overrides in order."""
    path = Path(path)
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"config file {str(path)!r} does not exist") from None
    except IsADirectoryError:
        raise ConfigError(f"config file {str(path)!r} is a folder; name a .toml file") from None
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"config file {str(path)!r} is not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"config file {str(path)!r} is not valid TOML: {error}") from None
    except OSError as error:
        raise ConfigError(f"config file {str(path)!r} cannot be read: {error.strerror}") from None
    return from_tree(tree, overrides, origin=f" in {str(path)!r}")


def from_tree(
    tree: Mapping[str, Any], overrides: Iterable[str] = (), *, origin: str = ""
) -> Config:
    """Builds a Config from nested mappings (parsed TOML or JSON)."""
    merged = {
        key: dict(value) if isinstance(value, Mapping) else value for key, value in tree.items()
    }
    overridden = _override(merged, overrides)

    def found(name: str) -> str:
        # A mistake on the command line is not to be looked for in the file.
        section, _, key = name.partition(".")
        typed = section not in tree or f"{section}.{key.partition('.')[0]}" in overridden
        return " in --set" if typed and overridden else origin

    return _coerce(Config, merged, name="", found=found)


def override(config: Config, overrides: Iterable[str]) -> Config:
    """Applies `section.field=value` overrides to an existing Config."""
    return from_tree(dataclasses.asdict(config), overrides)


def to_json(config: Config) -> str:
    """The resolved settings, every default written out."""
    return json.dumps(dataclasses.asdict(config), indent=2, ensure_ascii=False) + "\n"


def from_json(path: Path) -> Config:
    """Reads what `to_json` wrote."""
    try:
        tree = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"{str(path)!r} does not exist") from None
    except (json.JSONDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError(f"{str(path)!r} cannot be read as JSON: {error}") from None
    if not isinstance(tree, dict):
        raise ConfigError(f"{str(path)!r} must hold one JSON object")
    return from_tree(tree, origin=f" in {str(path)!r}")


def differences(old: Config, new: Config) -> list[tuple[str, Any, Any]]:
    """Every setting that differs, as (section.field, old value, new value)."""
    return [
        (f"{section.name}.{field.name}", before, after)
        for section in dataclasses.fields(Config)
        for field in dataclasses.fields(getattr(old, section.name))
        if (before := getattr(getattr(old, section.name), field.name))
        != (after := getattr(getattr(new, section.name), field.name))
    ]


def _override(tree: dict[str, Any], overrides: Iterable[str]) -> set[str]:
    """Writes the overrides into `tree` and returns the settings they name."""
    names = set()
    for item in overrides:
        name, equals, text = item.partition("=")
        section, dot, key = name.strip().partition(".")
        if not (equals and dot and section and key):
            raise ConfigError(
                f"--set takes section.key=value, as in train.seed=2; given was {item!r}"
            )
        part = tree.setdefault(section, {})
        if not isinstance(part, dict):
            raise ConfigError(f"{section!r} must be a section, not {part!r}")
        part[key] = _parse(text.strip())
        names.add(f"{section}.{key}")
    return names


def _parse(text: str) -> Any:
    """A TOML value if it is one, else the bare text: paths and words need no quotes."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _coerce(kind: Any, value: Any, *, name: str, found: Callable[[str], str]) -> Any:
    """Checks `value` against the annotation `kind`; the only conversions are lossless ones."""
    if dataclasses.is_dataclass(kind):
        return _coerce_section(typing.cast(type, kind), value, name=name, found=found)
    base = typing.get_origin(kind)
    if base is Literal:
        return _choice(kind, value, name=name, found=found)
    if base is typing.Union:
        return _number_or_word(kind, value, name=name, found=found)
    if base is tuple:
        if not isinstance(value, (list, tuple)):
            raise ConfigError(
                f"{name}={value!r}{found(name)} must be a list, as in {_example(kind)}"
            )
        item_kind = typing.get_args(kind)[0]
        return tuple(_coerce(item_kind, item, name=name, found=found) for item in value)
    value = _converted(kind, value)
    if type(value) is not kind or value != value or value in (float("inf"), float("-inf")):
        raise ConfigError(f"{name}={value!r}{found(name)} must be {_KINDS[kind]}")
    return value


def _converted(kind: Any, value: Any) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is str and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)  # `--set data.prepared=2024` names a folder
    return value


def _choice(kind: Any, value: Any, *, name: str, found: Callable[[str], str]) -> Any:
    choices = typing.get_args(kind)
    if value not in choices:
        listed = ", ".join(map(repr, choices))
        hint = _suggestion(str(value), map(str, choices))
        raise ConfigError(f"{name}={value!r}{found(name)} must be one of {listed}{hint}")
    return value


def _number_or_word(kind: Any, value: Any, *, name: str, found: Callable[[str], str]) -> Any:
    number, words = typing.get_args(kind)
    if type(value) is number or value in typing.get_args(words):
        return value
    listed = " or ".join(map(repr, typing.get_args(words)))
    raise ConfigError(f"{name}={value!r}{found(name)} must be {_KINDS[number]} or {listed}")


def _coerce_section(cls: type, value: Any, *, name: str, found: Callable[[str], str]) -> Any:
    if not isinstance(value, Mapping):
        raise ConfigError(
            f"{name or 'a config'}={value!r}{found(name)} must be a section of settings"
        )
    hints = typing.get_type_hints(cls)
    given = {}
    for key, item in value.items():
        full = f"{name}.{key}" if name else key
        if key not in hints:
            what = "section" if not name else "setting"
            hint = _suggestion(key, hints) or f"; there are {', '.join(hints)}"
            raise ConfigError(f"unknown {what} {full!r}{found(full)}{hint}")
        given[key] = _coerce(hints[key], item, name=full, found=found)
    return cls(**given)


def _suggestion(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {close[0]!r}?" if close else ""


def _example(kind: Any) -> str:
    item = typing.get_args(kind)[0]
    return (
        "[{source = 'a.de', target = 'a.en'}]" if dataclasses.is_dataclass(item) else "['a', 'b']"
    )


_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
}
