"""The benchmark of translating finds the parts that it times, whatever they are called."""

import json
import subprocess
import sys
from pathlib import Path

import bench_translate

ROOT = Path(__file__).parents[2]


def test_every_part_of_a_cold_start_is_found_and_takes_its_time():
    # In a process of its own: what is timed is replaced.
    result = subprocess.run(
        [
            *(sys.executable, "scripts/bench_translate.py"),
            *("--parts", "data/models/de-en", "translate.cache=off"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    spent = json.loads(result.stdout)
    assert {*bench_translate.PARTS, "imports", "the rest"} == spent.keys()
    assert spent["search"] > 0
    assert spent["weights"] > 0
