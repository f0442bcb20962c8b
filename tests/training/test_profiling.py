"""The trace of some updates: it appears, once, and nothing else changes."""

import jax
import numpy as np
import pytest

from tests.training.test_loop import weights_at_end


@pytest.mark.parametrize("steps", [1, 50])
def test_a_trace_appears_and_the_weights_are_those_without_it(
    training, settings, tmp_path, caplog, steps
):
    training(settings())
    expected = weights_at_end(training)
    assert not training.run.profile(0).exists()
    training.run = type(training.run)(tmp_path / "traced")
    with caplog.at_level("INFO", "seq2seq"):
        training(settings(f"train.profile_steps={steps}"))
    assert f"a trace is in {str(training.run.profile(0))!r}" in caplog.text
    (trace,) = training.run.profile(0).rglob("*.xplane.pb")
    assert trace.stat().st_size > 0
    found = weights_at_end(training)
    assert found[0] == expected[0]
    jax.tree.map(np.testing.assert_array_equal, found[1], expected[1])


def test_a_run_that_goes_on_may_be_traced_and_is_so_once(training, settings, caplog):
    training(settings("train.max_steps=2"))
    with caplog.at_level("INFO", "seq2seq"):
        for steps in (16, 30):
            training(settings(f"train.max_steps={steps}", "train.profile_steps=2"))
    assert caplog.text.count("a trace is in") == 1
