"""One update: the same gradient however the batch is divided, and nothing learnt from nonsense."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seq2seq.corpus.batching import Batch
from seq2seq.model import network
from seq2seq.training import parallel
from seq2seq.training.keeping import Keeping
from seq2seq.training.step import Sentences, divided, gradient, initial_state, make_step
from tests.training.conftest import PIECES, first_devices

SIZES = network.Sizes(PIECES, PIECES)
NO_DROPOUT = [
    f"model.{name}=0" for name in ("dropout_embedding", "dropout_layers", "dropout_output")
]


def batch_of(rows=11, seed=0):
    """Unequal lengths, so that devices and pieces get unequal counts of tokens."""
    random = np.random.default_rng(seed)
    source_length, target_length = random.integers(1, 8, (2, rows))
    ids = random.integers(4, PIECES, (2, rows, 7))
    return Batch(ids[0], source_length, ids[1], target_length)


def laid_out(batch, devices, pieces):
    """Filled up with rows of no weight, as the plan does."""
    rows = devices.filled_up(len(batch.source_rs), pieces)
    fill = rows - len(batch.source_rs)
    source, source_length, target, target_length = batch
    filled = (
        np.pad(source, ((0, fill), (0, 0))),
        np.pad(source_length, (0, fill), constant_values=1),
        np.pad(target, ((0, fill), (0, 0))),
        np.pad(target_length, (0, fill)),
    )
    return Sentences(*(devices.divide(part.astype(np.int32), pieces) for part in filled))


def gradient_of(config, weights, batch, devices):
    def function(weights, sentences):
        key = jax.random.key(0)
        return gradient(config, weights, sentences, axis=parallel.AXIS, dropout_key=key)

    run = parallel.over_devices(function, divided=(False, True), donate=False)
    sentences = laid_out(batch, devices, config.train.accumulate)
    return parallel.to_host(run(devices.replicate(weights), sentences))


@pytest.fixture(name="whole", scope="module")
def on_one_device():
    from seq2seq import configfile
    from tests.training.conftest import SMALL

    config = configfile.from_tree(SMALL, NO_DROPOUT)
    weights = network.initialise(config.model, SIZES, seed=1)
    return weights, gradient_of(config, weights, batch_of(), first_devices(1))


@pytest.mark.parametrize(("count", "pieces"), [(2, 1), (4, 1), (8, 1), (1, 2), (2, 3)])
def test_devices_and_accumulation_compute_the_gradient_of_one_big_batch(
    settings, whole, count, pieces
):
    weights, (losses, gradients) = whole
    config = settings(*NO_DROPOUT, f"train.accumulate={pieces}")
    other_losses, other = gradient_of(config, weights, batch_of(), first_devices(count))
    np.testing.assert_allclose(other_losses, losses, rtol=1e-5)
    for ours, theirs in zip(jax.tree.leaves(other), jax.tree.leaves(gradients), strict=True):
        assert np.linalg.norm(ours - theirs) <= 1e-4 * np.linalg.norm(theirs)


@pytest.mark.parametrize("recurrence", ["scan", "inplace"])
@pytest.mark.parametrize("rematerialise", ["none", "layers", "time"])
def test_the_gradient_is_the_same_however_the_loop_is_computed(
    settings, whole, recurrence, rematerialise
):
    weights, (losses, gradients) = whole
    computed = f"model.recurrence={recurrence}", f"train.rematerialise={rematerialise}"
    config = settings(*NO_DROPOUT, *computed)
    other_losses, other = gradient_of(config, weights, batch_of(), first_devices(1))
    np.testing.assert_allclose(other_losses, losses, rtol=1e-5)
    for ours, theirs in zip(jax.tree.leaves(other), jax.tree.leaves(gradients), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_a_gradient_that_travels_in_bfloat16_differs_by_no_more_than_its_rounding(settings, whole):
    weights, (losses, gradients) = whole
    config = settings(*NO_DROPOUT, "train.reduce=bfloat16")
    other_losses, other = gradient_of(config, weights, batch_of(), first_devices(8))
    np.testing.assert_allclose(other_losses, losses, rtol=1e-5)
    errors = [
        np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)
        for ours, theirs in zip(jax.tree.leaves(other), jax.tree.leaves(gradients), strict=True)
    ]
    assert 1e-4 < max(errors) < 1e-2


def stepper(config, count=1):
    devices, pieces = first_devices(count), config.train.accumulate
    state = Keeping(config, SIZES, devices).place(
        initial_state(config, network.initialise(config.model, SIZES, seed=1))
    )
    step = parallel.over_devices(
        make_step(config, parallel.AXIS),
        divided=(divided(config), True, True),
        result=(divided(config), False),
        donate=True,
    )
    requests = np.zeros((count, 2), np.int32)
    return state, lambda state, batch: step(state, laid_out(batch, devices, pieces), requests)


def fetched(config, state, count):
    return Keeping(config, SIZES, first_devices(count)).fetch(state)


def test_ten_steps_of_sgd_end_at_the_same_weights_on_any_device_count(settings):
    config = settings(*NO_DROPOUT, "train.optimizer=sgd", "train.rate=0.1")
    ends = []
    for count in (1, 4):
        state, step = stepper(config, count)
        for seed in range(10):
            state, _ = step(state, batch_of(seed=seed))
        ends.append(parallel.to_host(state.weights))
    for one, other in zip(*map(jax.tree.leaves, ends), strict=True):
        assert np.linalg.norm(one - other) <= 1e-4 * np.linalg.norm(one)


def losses_of(config, count):
    state, step = stepper(config, count)
    curve = []
    for seed in range(40):
        state, update = step(state, batch_of(seed=seed % 4))
        curve.append(float(update.loss))
    return curve


@pytest.fixture(name="plain_curve", scope="module")
def curve_of_plain_training():
    from seq2seq import configfile
    from tests.training.conftest import SMALL

    curve = losses_of(configfile.from_tree(SMALL, [*NO_DROPOUT, "train.rate=0.03"]), 1)
    assert curve[-1] < 0.9 * curve[0]
    return curve


@pytest.mark.parametrize(
    ("count", "setting", "tolerance"),
    [
        (1, "train.precision=bfloat16", 1e-2),
        (1, "train.rematerialise=time", 1e-3),
        (4, "train.precision=float32", 1e-3),
        (4, "train.reduce=bfloat16", 1e-2),
    ],
)
def test_the_losses_lie_on_those_of_plain_training(
    settings, plain_curve, count, setting, tolerance
):
    config = settings(*NO_DROPOUT, "train.rate=0.03", setting)
    np.testing.assert_allclose(losses_of(config, count), plain_curve, rtol=tolerance)


def test_one_batch_can_be_learnt_by_heart(settings):
    config = settings(*NO_DROPOUT, "train.rate=0.03", "train.label_smoothing=0")
    state, step = stepper(config)
    batch = batch_of(rows=3)
    for _ in range(250):
        state, update = step(state, batch)
    assert float(update.loss) < 0.1


def test_counts_are_of_real_tokens_over_all_devices(settings):
    state, step = stepper(settings(), count=4)
    batch = batch_of()
    _, update = step(state, batch)
    assert int(update.target_tokens) == batch.target_length_r.sum()
    assert int(update.source_tokens) == batch.source_length_r.sum()


def test_dropout_differs_by_step_and_by_device(settings):
    config = settings("train.rate=1e-30", "model.dropout_output=0.5")
    state, step = stepper(config)
    losses = []
    for _ in range(2):
        state, update = step(state, batch_of())
        losses.append(float(update.loss))
    assert losses[0] != losses[1]
    # The same sentence on two devices: with one mask for both, the mean were that of one alone.
    one = Batch(*(part[:1] for part in batch_of()))
    twice = Batch(*(np.repeat(part, 2, axis=0) for part in one))
    alone, on_one = stepper(config)
    both, on_two = stepper(config, count=2)
    assert float(on_one(alone, one)[1].loss) != pytest.approx(float(on_two(both, twice)[1].loss))


@pytest.mark.parametrize("rule", ["sgd", "adamw"])
def test_devices_that_share_the_update_end_at_the_same_weights(settings, rule):
    ends = []
    for shared in ("false", "true"):
        config = settings(
            *(*NO_DROPOUT, f"train.optimizer={rule}", "train.weight_decay=0.1", "train.ema=0.9"),
            *("train.clip_norm=0.1", "train.accumulate=2", f"train.shard_optimizer={shared}"),
        )
        state, step = stepper(config, 4)
        for seed in range(10):
            state, update = step(state, batch_of(seed=seed))
            assert float(update.norm) > 0.1
        ends.append(fetched(config, state, 4))
    for one, other in zip(*map(jax.tree.leaves, ends), strict=True):
        assert one.shape == other.shape
        assert np.linalg.norm(one - other) <= 1e-6 * np.linalg.norm(one)


def test_devices_that_share_the_update_keep_a_part_each(settings):
    state, _ = stepper(settings("train.shard_optimizer=true", "train.ema=0.9"), 4)
    for leaf in jax.tree.leaves((state.moments, state.average)):
        assert leaf.ndim == 0 or leaf.addressable_data(0).size * 4 == leaf.size


@pytest.mark.parametrize("count", [1, 3, 8])
@pytest.mark.parametrize("shared", ["false", "true"])
def test_a_state_comes_back_from_the_devices_as_it_was(settings, count, shared):
    config = settings("train.ema=0.9", f"train.shard_optimizer={shared}")
    keeping = Keeping(config, SIZES, first_devices(count))
    random = np.random.default_rng(1)
    state = jax.tree.map(
        lambda like: random.normal(size=like.shape).astype(like.dtype), keeping.whole
    )
    jax.tree.map(np.testing.assert_array_equal, keeping.fetch(keeping.place(state)), state)
    jax.tree.map(np.testing.assert_array_equal, keeping.judged(keeping.place(state)), state.average)


@pytest.mark.parametrize(("shared", "count"), [("false", 1), ("true", 4)])
def test_a_gradient_that_is_not_finite_changes_nothing_and_is_counted(settings, shared, count):
    config = settings("train.ema=0.9", f"train.shard_optimizer={shared}")
    state, step = stepper(config, count)
    poisoned = state.weights
    poisoned["output_bias_v"] = poisoned["output_bias_v"] * jnp.nan
    before = fetched(config, state, count)
    state, update = step(state, batch_of())
    assert int(update.skipped) == int(update.skipped_in_a_row) == 1
    assert int(state.step) == 1
    after = fetched(config, state, count)
    for name in ("weights", "moments", "average"):
        jax.tree.map(np.testing.assert_array_equal, getattr(after, name), getattr(before, name))


def test_the_moving_average_lags_behind_the_weights(settings):
    state, step = stepper(settings("train.ema=0.9", "train.rate=0.1"))
    first = parallel.to_host(state.weights["output_bias_v"])
    for _ in range(5):
        state, _ = step(state, batch_of())
    weights = np.linalg.norm(state.weights["output_bias_v"] - first)
    average = np.linalg.norm(state.average["output_bias_v"] - first)
    assert 0 < average < weights
