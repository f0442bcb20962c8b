"""The loop: what a run does is decided by its settings and data, whatever happens to it."""

import json
import os
import signal
import threading
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.corpus.batching import Plan
from seq2seq.errors import Interrupted, UserError
from seq2seq.layout import step_name
from seq2seq.model import network
from seq2seq.training.checkpoints import Checkpoints
from seq2seq.training.parallel import Program


def weights_at_end(training):
    """All arrays of the last checkpoint, moments and counters included."""
    checkpoints = Checkpoints(training.run, keep=9)
    manager = checkpoints._manager
    found = manager.restore(checkpoints.steps[-1])
    checkpoints.close()
    return checkpoints.steps[-1], jax.tree.leaves(found["state"])


def metrics(training):
    lines = training.run.metrics.read_text().splitlines()
    speeds = ("tokens_per_second", "target_tokens_per_second")
    return [{k: v for k, v in json.loads(line).items() if k not in speeds} for line in lines]


class Scripted:
    """A validation that gives losses from a list, and may send a signal at one of them."""

    def __init__(self, losses, kill_at=None):
        self.losses = list(losses)
        self.calls = 0
        self.kill_at = kill_at

    def __call__(self, weights):
        self.calls += 1
        if self.calls == self.kill_at:
            os.kill(os.getpid(), signal.SIGTERM)
        return {"loss": self.losses[self.calls - 1]}


@pytest.mark.parametrize(("shared", "devices"), [("false", 1), ("true", 3)])
def test_a_stopped_and_resumed_run_ends_with_the_same_bits(
    training, settings, tmp_path, shared, devices
):
    config = settings(
        "train.ema=0.9", "train.validate_every_steps=4", f"train.shard_optimizer={shared}"
    )
    losses = [5.0, 4.0, 3.0, 2.0, 1.0]
    training(config, Scripted(losses), devices)
    whole, expected = weights_at_end(training), metrics(training)
    training.run = type(training.run)(tmp_path / "stopped")
    stopped = Scripted(losses, kill_at=2)
    with pytest.raises(Interrupted, match="the same command goes on"):
        training(config, stopped, devices)
    assert weights_at_end(training)[0] < whole[0]
    training(config, Scripted(losses[stopped.calls :]), devices)
    again = weights_at_end(training)
    assert again[0] == whole[0]
    jax.tree.map(np.testing.assert_array_equal, again[1], whole[1])
    assert metrics(training) == expected


@pytest.mark.parametrize("kill_at", [None, 3, 4])
def test_a_plateau_stops_training_at_the_predicted_validation(training, settings, kill_at):
    config = settings("train.max_steps=0", "train.patience=3")
    plateau = [5.0, 4.0, 4.5, 4.0, 4.2, 1.0, 1.0, 1.0, 1.0]
    validation = Scripted(plateau, kill_at)
    if kill_at is not None:
        with pytest.raises(Interrupted):
            training(config, validation)
        assert validation.calls >= kill_at
        validation.kill_at = None
    training(config, validation)
    assert validation.calls == 5
    assert weights_at_end(training)[0] == 5 * training.plan.batches
    assert training.run.best.resolve().name == step_name(2 * training.plan.batches)


def test_a_finished_run_is_left_alone_and_goes_on_when_allowed_more(training, settings, caplog):
    training(settings("train.max_steps=4"))
    before = training.run.metrics.read_text()
    with caplog.at_level("INFO", "seq2seq"):
        training(settings("train.max_steps=4"))
    assert "finished before" in caplog.text
    assert training.run.metrics.read_text() == before
    training(settings("train.max_steps=6"))
    assert weights_at_end(training)[0] == 6


def test_the_latest_and_the_best_checkpoints_are_kept(training, settings):
    config = settings(
        "train.max_steps=10", "train.validate_every_steps=2", "train.keep_checkpoints=2"
    )
    training(config, Scripted([5.0, 1.0, 5.0, 5.0, 5.0, 5.0]))
    checkpoints = Checkpoints(training.run, keep=2)
    assert checkpoints.steps == [4, 8, 10]
    checkpoints.close()


def test_the_average_of_the_best_models_becomes_best_if_it_is_better(training, settings):
    config = settings("train.max_steps=0", "train.max_epochs=3", "train.average_best=2")
    training(config, Scripted([5.0, 4.0, 3.0, 2.0]))
    assert training.run.best.resolve().name == "average"


def test_models_beyond_the_best_few_are_removed(training, settings):
    training(settings("train.max_steps=0", "train.max_epochs=4"), Scripted([5.0, 2.0, 4.0, 3.0]))
    best = step_name(2 * training.plan.batches)
    assert [path.name for path in training.run.models.iterdir()] == [best]


def test_after_the_largest_shapes_are_compiled_in_the_order_of_their_use(
    training, settings, monkeypatch
):
    orders = []
    begin = Program.compile

    def recorded(self: Program, looks: Any) -> None:
        orders.append(list(looks))
        begin(self, looks)

    monkeypatch.setattr(Program, "compile", recorded)
    training.shapes = 3
    plan = training.plan
    for steps in (2, 4):
        training(settings("train.shapes=3", f"train.max_steps={steps}"))
    for order, begun in zip(orders, (0, 2), strict=True):
        used = [batch.shape for batch in plan.epoch(seed=1, epoch=1)][begun:]
        assert order == list(dict.fromkeys((plan.largest, *used, *plan.shapes)))
    assert len(orders[0]) > 1


def test_a_resumed_run_makes_no_weights_to_throw_away(training, settings, monkeypatch):
    training(settings("train.max_steps=2"))
    monkeypatch.setattr("seq2seq.training.loop.initial_state", None)
    training(settings("train.max_steps=4"))


def test_the_first_update_is_told(training, settings, caplog):
    with caplog.at_level("INFO", "seq2seq"):
        training(settings("train.max_steps=3"))
    assert caplog.text.count("first update after") == 1


def test_a_plateau_halves_the_rate(training, settings):
    config = settings(
        *("train.schedule=constant", "train.warmup_steps=0", "train.max_steps=0"),
        *("train.max_epochs=5", "train.plateau_patience=2", "train.patience=0"),
    )
    training(config, Scripted([3.0, 3.0, 3.0, 3.0, 3.0]))
    rates = [entry["rate"] for entry in metrics(training) if "rate" in entry]
    expected = np.repeat([0.01, 0.005], [3 * training.plan.batches, 2 * training.plan.batches])
    np.testing.assert_allclose(rates, expected, rtol=1e-6)


def test_bad_gradients_lead_back_with_half_the_rate_and_at_last_say_so(
    training, settings, caplog, monkeypatch
):
    initialise = network.initialise

    def broken(*arguments: Any, **named: Any) -> dict[str, Any]:
        weights = initialise(*arguments, **named)
        return {**weights, "output_bias_v": weights["output_bias_v"] + jnp.nan}

    monkeypatch.setattr(network, "initialise", broken)
    config = settings("train.max_bad_steps=2")
    with (
        caplog.at_level("INFO", "seq2seq"),
        pytest.raises(UserError, match=r"not finite.*lower train\.rate"),
    ):
        training(config)
    assert caplog.text.count("with half the learning rate") == 6


def test_a_run_is_not_resumed_with_other_data_or_settings(training, settings, tmp_path):
    from tests.training.conftest import write_prepared

    training(settings("train.max_steps=2"))
    with pytest.raises(UserError, match=r"train\.rate \(was 0\.01, now 0\.02\)"):
        training(settings("train.max_steps=4", "train.rate=0.02"))
    training.prepared = write_prepared(tmp_path / "other", seed=1)
    with pytest.raises(UserError, match="other prepared data"):
        training(settings("train.max_steps=4"))


def test_a_time_limit_saves_and_the_same_settings_go_on(training, settings):
    with pytest.raises(Interrupted, match="everything is saved"):
        training(settings("train.max_minutes=1e-9"))
    training(settings())
    assert weights_at_end(training)[0] == 12


def test_a_timed_checkpoint_is_nothing_to_go_back_to(training, settings):
    with pytest.raises(Interrupted):
        training(settings("train.max_minutes=1e-9"))
    checkpoints = Checkpoints(training.run, keep=9)
    assert checkpoints.steps
    assert checkpoints.last_placed(before=99) is None
    checkpoints.close()


def test_resuming_on_another_device_count_says_that_bits_will_differ(training, settings, caplog):
    training(settings("train.max_steps=2"))
    with caplog.at_level("INFO", "seq2seq"):
        training(settings("train.max_steps=4"), devices=2)
    assert "not bit for bit" in caplog.text
    assert weights_at_end(training)[0] == 4


def test_a_run_goes_on_on_other_devices_that_share_the_update_or_do_not(
    training, settings, tmp_path
):
    quiet = [f"model.{name}=0" for name in ("dropout_embedding", "dropout_layers")]
    quiet += ["model.dropout_output=0", "train.ema=0.9"]
    training(settings(*quiet))
    _, expected = weights_at_end(training)
    training.run = type(training.run)(tmp_path / "moved")
    for steps, shared, devices in ((4, "true", 4), (8, "false", 1), (12, "true", 3)):
        config = settings(*quiet, f"train.max_steps={steps}", f"train.shard_optimizer={shared}")
        training(config, devices=devices)
    _, found = weights_at_end(training)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def test_half_a_line_of_metrics_is_dropped_when_resuming(training, settings):
    training(settings("train.max_steps=3"))
    with training.run.metrics.open("a") as file:
        file.write('{"step": 3, "los')
    training(settings("train.max_steps=5"))
    assert [entry["step"] for entry in metrics(training) if "loss" in entry] == [1, 2, 3, 4, 5]


def test_too_little_memory_is_answered_with_a_number_to_try(training, settings, monkeypatch):
    def exhausted(*_, **__):
        raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 99 bytes")

    monkeypatch.setattr("seq2seq.training.updates.Updates.send", exhausted)
    with pytest.raises(UserError, match=r"train\.batch_tokens=32"):
        training(settings())


def test_an_error_in_reading_ends_the_training_and_its_thread(training, settings, monkeypatch):
    reads = Plan.read

    def read(plan: Plan, planned: Any, rows: range) -> Any:
        if threading.current_thread() is not threading.main_thread():
            count.append(rows)
        if len(count) == 4:
            raise OSError("the disk is gone")
        return reads(plan, planned, rows)

    count: list[range] = []
    monkeypatch.setattr(Plan, "read", read)
    with pytest.raises(OSError, match="the disk is gone"):
        training(settings("train.validate_every_steps=1"))
    assert [entry["step"] for entry in metrics(training) if "loss" in entry] == [1, 2, 3]
    assert "ahead" not in {thread.name for thread in threading.enumerate()}
