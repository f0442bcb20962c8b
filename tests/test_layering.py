"""Arrows point down only: who may import whom, who never imports JAX, who knows file names."""

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parents[1] / "seq2seq"

# An import goes to a smaller number, or stays inside its own folder; so neighbours never meet.
TIERS = {
    **dict.fromkeys(("prepare", "train", "translate", "evaluate"), 5),
    **dict.fromkeys(("training", "decoding", "evaluation"), 4),
    **dict.fromkeys(("model", "corpus"), 3),
    **dict.fromkeys(("cli", "configfile", "layout", "confidence"), 2),
    **dict.fromkeys(("config", "files", "progress", "accelerators", "processor"), 1),
    "errors": 0,
}
TRAINING_ONLY = {"optax", "orbax"}
JAX = {"jax", "jaxlib", "flax"} | TRAINING_ONLY
# Not even inside a function.
NEVER_IMPORTS = {
    **dict.fromkeys(("corpus", "evaluation", "prepare"), JAX),
    **dict.fromkeys((part for part, tier in TIERS.items() if tier <= 2), JAX),
    **dict.fromkeys(("model", "decoding", "translate"), TRAINING_ONLY),
}
# Importing these loads no JAX, whatever they import in turn. (The lazy imports of the root and
# of evaluate are what makes scoring two files quick.)
LOAD_WITHOUT_JAX = {part for part, banned in NEVER_IMPORTS.items() if banned == JAX} | {
    *("", "evaluate")
}


class Import(NamedTuple):
    module: str  # seq2seq.corpus.text, jax.numpy
    at_load: bool  # not in a function, not for the type checker alone


def modules(package: Path) -> dict[str, Path]:
    """Every module of the package, by its dotted name."""
    return {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in sorted(package.rglob("*.py"))
    }


def part_of(module: str) -> str:
    """`corpus` for seq2seq.corpus.text; nothing for the package itself."""
    return module.split(".")[1] if "." in module else ""


def imports(path: Path, known: dict[str, Path]) -> list[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {inside for node in ast.walk(tree) if runs_late(node) for inside in ast.walk(node)}
    return [
        Import(target, node not in late)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for target in targets(node, known)
    ]


def runs_late(node: ast.AST) -> bool:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.If(test=ast.Name("TYPE_CHECKING")):
            return True
        case _:
            return False


def targets(node: ast.Import | ast.ImportFrom, known: dict[str, Path]) -> list[str]:
    names = [alias.name for alias in node.names]
    if isinstance(node, ast.Import):
        return names
    # `from seq2seq.model import lstm` names a module, `from seq2seq.errors import UserError` none.
    return [
        full if (full := f"{node.module}.{name}") in known else str(node.module) for name in names
    ]


def arrows_pointing_up(package: Path) -> list[str]:
    known = modules(package)
    return [
        f"{module} imports {target}"
        for module, path in known.items()
        for target, _ in imports(path, known)
        if (source := part_of(module)) and target.startswith("seq2seq.")
        if source != part_of(target) and TIERS[source] <= TIERS[part_of(target)]
    ]


def banned_imports(package: Path) -> list[str]:
    known = modules(package)
    return [
        f"{module} imports {target}"
        for module, path in known.items()
        for target, _ in imports(path, known)
        if target.split(".")[0] in NEVER_IMPORTS.get(part_of(module), ())
    ]


def loads_jax(package: Path) -> list[str]:
    known = modules(package)
    loaded = {
        module: {target for target, at_load in imports(path, known) if at_load}
        for module, path in known.items()
    }

    def reached(module: str, seen: set[str]) -> set[str]:
        for target in loaded.get(module, set()) - seen:
            seen.add(target)
            reached(target, seen)
        return seen

    return [
        f"{module} loads {target}"
        for module in known
        if part_of(module) in LOAD_WITHOUT_JAX
        for target in reached(module, set())
        if target.split(".")[0] in JAX
    ]


def file_names(path: Path) -> set[str]:
    """String literals that end like a file of ours, docstrings left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return {
        node.value.rsplit("/")[-1]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in prose
        if re.fullmatch(r"\S*\.(jsonl?|safetensors|npy|model|md)", node.value)
    }


def names_known_twice(package: Path) -> list[str]:
    layout = package / "layout.py"
    owned = file_names(layout)
    return [
        f"{module} writes {name!r}, which belongs to layout"
        for module, path in modules(package).items()
        if path != layout
        for name in sorted(file_names(path) & owned)
    ]


def test_every_module_has_a_place_in_the_table() -> None:
    assert {part_of(module) for module in modules(PACKAGE)} - {""} <= TIERS.keys()


def test_imports_point_down_only() -> None:
    assert arrows_pointing_up(PACKAGE) == []


def test_what_needs_no_jax_never_names_it() -> None:
    assert banned_imports(PACKAGE) == []


def test_what_needs_no_jax_never_loads_it() -> None:
    assert loads_jax(PACKAGE) == []


def test_what_needs_no_jax_runs_without_it() -> None:
    # As above, but through other people's packages too.
    names = [module for module in modules(PACKAGE) if part_of(module) in LOAD_WITHOUT_JAX]
    program = f"import sys, {', '.join(names)}; print(*sorted({JAX} & sys.modules.keys()))"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == []


def test_search_knows_nothing_of_the_program() -> None:
    known = modules(PACKAGE)
    arithmetic = {"seq2seq.model.rows", "seq2seq.model.reduction"}
    parts = {f"seq2seq.decoding.{name}" for name in ("beam", "rules", "choosing", "search")}
    parts |= arithmetic
    reached = {target for part in parts for target, _ in imports(known[part], known)}
    assert {target for target in reached if target.startswith("seq2seq.")} <= parts


def test_layout_alone_knows_file_names() -> None:
    owned = file_names(PACKAGE / "layout.py")
    assert {"meta.json", "config.json", "weights.safetensors", "metrics.jsonl"} <= owned
    assert names_known_twice(PACKAGE) == []


def test_modules_are_named_for_what_they_hold() -> None:
    words = {word for module in modules(PACKAGE) for word in module.split(".")}
    assert words.isdisjoint({"utils", "util", "common", "helpers", "misc"})


@pytest.mark.parametrize(
    ("check", "module", "source", "found"),
    [
        (arrows_pointing_up, "corpus/text.py", "import seq2seq.training.loss", 1),
        (arrows_pointing_up, "corpus/text.py", "from seq2seq.model import lstm", 1),
        (arrows_pointing_up, "corpus/text.py", "def f():\n    import seq2seq.cli", 0),
        (arrows_pointing_up, "corpus/text.py", "def f():\n    from seq2seq import train", 1),
        (arrows_pointing_up, "training/loss.py", "import seq2seq.decoding.search", 1),
        (arrows_pointing_up, "training/loss.py", "import seq2seq.training.step", 0),
        (arrows_pointing_up, "train.py", "from seq2seq.translate import main", 1),
        (arrows_pointing_up, "layout.py", "from seq2seq.config import Config", 0),
        (banned_imports, "corpus/text.py", "def f():\n    import jax.numpy as jnp", 1),
        (banned_imports, "evaluation/quality.py", "from jax import Array", 1),
        (banned_imports, "corpus/text.py", "from jaxtyping import Float", 0),
        (banned_imports, "model/lstm.py", "import jax, optax", 1),
        (loads_jax, "evaluation/quality.py", "import seq2seq.model.lstm", 1),
        (loads_jax, "evaluate.py", "import seq2seq.model.lstm", 1),
        (loads_jax, "evaluate.py", "def f():\n    import seq2seq.model.lstm", 0),
        (names_known_twice, "train.py", "path = folder / 'meta.json'", 1),
        (names_known_twice, "train.py", "path = f'{folder}/meta.json'", 1),
        (names_known_twice, "train.py", '"""meta.json"""', 0),
    ],
)
def test_the_checks_above_find_what_they_look_for(
    tmp_path: Path, check, module: str, source: str, found: int
) -> None:
    package = tmp_path / "seq2seq"
    present = {
        **dict.fromkeys(("__init__.py", "cli.py", "config.py", "train.py", "translate.py"), ""),
        **dict.fromkeys(("training/loss.py", "training/step.py", "decoding/search.py"), ""),
        "layout.py": "NAME = 'meta.json'",
        "model/lstm.py": "import jax",
    }
    for name, text in (present | {module: source}).items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    assert len(check(package)) == found
