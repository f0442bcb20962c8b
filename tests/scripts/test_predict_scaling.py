"""The prediction is its formula, and says what it assumes."""

import json
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from seq2seq import configfile
from seq2seq.model import network

ROOT = Path(__file__).parents[2]
CONFIG = ROOT / "configs/demo.toml"
EXACT = (
    *("--overlap", "0", "--imbalance", "0", "--link-delay-us", "0", "--network-delay-us", "0"),
    *("--link-gbs", "100", "--network-gbs", "10"),
)


def predicted(*options):
    result = subprocess.run(
        [sys.executable, str(ROOT / "scripts/predict_scaling.py"), str(CONFIG), "--json", *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return json.loads(result.stdout)


@pytest.mark.slow
def test_rings_take_what_their_formula_says():
    found = predicted("--update-seconds", "0.1", "--devices", "1", "8", "64", *EXACT)
    config = configfile.load(str(CONFIG), [])
    weights = network.initialise(config.model, network.Sizes(3_000, 3_000), seed=1)
    size = 4 * sum(leaf.size for leaf in jax.tree.leaves(weights))
    assert found["reduced_bytes"] == size
    one, host, hosts = found["predictions"]
    assert (one["efficiency"], one["update"]) == (1, pytest.approx(100))
    assert host["inside"] == pytest.approx(1e3 * 2 * 7 / 8 * size / 100e9)
    assert host["update"] == pytest.approx(100 + host["inside"])
    assert hosts["hosts"] == 8
    assert hosts["between"] == pytest.approx(1e3 * 2 * 7 / 8 * size / 10e9)
    assert hosts["efficiency"] == pytest.approx(100 / (100 + host["inside"] + hosts["between"]))


@pytest.mark.slow
def test_a_measured_time_half_the_bytes_and_overlap_each_count(tmp_path):
    bench = tmp_path / "bench.json"
    bench.write_text('{"variant": "gnmt bfloat16", "update_seconds": 0.1}\n')
    whole = predicted("--bench", str(bench), "--devices", "64", *EXACT)
    half = predicted(
        *("--bench", str(bench), "--devices", "64", *EXACT),
        *("--set", "train.reduce=bfloat16", "--overlap", "0.5"),
    )
    assert whole["update_is"] == "measured"
    (slow,), (quick,) = whole["predictions"], half["predictions"]
    assert quick["update"] - 100 == pytest.approx((slow["update"] - 100) / 4)
