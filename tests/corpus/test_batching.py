"""The batch plan: every pair once, within budget, the same for the same arguments."""

import numpy as np
import pytest

from seq2seq.corpus.batching import Plan
from seq2seq.corpus.shards import Shard
from seq2seq.corpus.tokenizer import EOS


def shard(lengths, first=10):
    offsets = np.concatenate([[0], np.cumsum(np.asarray(lengths).reshape(-1))])
    return Shard(np.arange(offsets[-1]) % 90 + first, offsets)


def random_shards(count=3, pairs=200, longest=20, seed=0):
    random = np.random.default_rng(seed)
    return [shard(random.integers(1, longest, (pairs, 2))) for _ in range(count)]


def texts(one):
    """All pairs of a shard."""
    sides = np.split(one.tokens, one.offsets[1:-1])
    return list(zip(sides[0::2], sides[1::2], strict=True))


@pytest.fixture(name="plan")
def some_plan():
    return Plan(random_shards(), batch_tokens=200, shapes=6)


def test_every_pair_comes_once_an_epoch(plan):
    pairs = np.concatenate([planned.pairs for planned in plan.epoch(seed=1, epoch=1)])
    assert sorted(pairs) == list(range(600))


def test_every_pair_comes_once_an_epoch_when_windows_are_small(plan, monkeypatch):
    monkeypatch.setattr("seq2seq.corpus.batching._WINDOW_PAIRS", 250)
    pairs = np.concatenate([planned.pairs for planned in plan.epoch(seed=1, epoch=1)])
    assert sorted(pairs) == list(range(600))


def test_the_number_of_batches_is_known_beforehand(plan):
    assert sum(1 for _ in plan.epoch(seed=1, epoch=1)) == plan.batches


def test_no_batch_is_over_its_budget_and_shapes_are_few(plan):
    assert len(plan.shapes) <= 6
    for planned in plan.epoch(seed=1, epoch=1):
        assert planned.shape in plan.shapes
        assert len(planned.pairs) <= planned.shape.rows
        assert planned.shape.rows * planned.shape.target <= 200


def test_an_epoch_begins_with_one_of_the_largest_batches(plan):
    for epoch in range(5):
        assert next(plan.epoch(seed=1, epoch=epoch)).shape == plan.largest


def test_a_sentence_longer_than_the_budget_still_gets_a_batch():
    plan = Plan([shard([(3, 50)])], batch_tokens=20, shapes=3)
    assert [planned.shape for planned in plan.epoch(seed=0, epoch=0)] == [(1, 4, 51)]


def test_the_same_seed_and_epoch_give_the_same_plan_and_others_another(plan):
    def order(seed, epoch):
        return [tuple(planned.pairs) for planned in plan.epoch(seed=seed, epoch=epoch)]

    assert order(1, 1) == order(1, 1)
    assert order(1, 1) != order(1, 2)
    assert order(1, 1) != order(2, 1)


def test_a_batch_holds_its_pairs_with_ends_of_sentence_and_nothing_else(plan):
    shards = random_shards()
    planned = next(iter(plan.epoch(seed=3, epoch=2)))
    batch = plan.read(planned, range(planned.shape.rows))
    for row, pair in enumerate(planned.pairs):
        source, target = texts(shards[pair // 200])[int(pair) % 200]
        for tokens, length, ids in (
            (batch.source_rs[row], batch.source_length_r[row], source),
            (batch.target_rt[row], batch.target_length_r[row], target),
        ):
            assert list(tokens[:length]) == [*ids, EOS]
            assert (tokens[length:] == 0).all()


def test_rows_beyond_the_pairs_weigh_nothing(plan):
    planned = min(plan.epoch(seed=3, epoch=2), key=lambda planned: len(planned.pairs))
    rows = planned.shape.rows + 3
    batch = plan.read(planned, range(rows))
    count = len(planned.pairs)
    assert (batch.target_length_r[count:] == 0).all()
    assert (batch.source_length_r[count:] == 1).all()


def test_parts_of_a_batch_are_the_rows_of_the_whole(plan):
    planned = next(iter(plan.epoch(seed=3, epoch=2)))
    whole = plan.read(planned, range(8))
    parts = [plan.read(planned, range(start, start + 4)) for start in (0, 4)]
    for together, *pieces in zip(whole, *parts, strict=True):
        np.testing.assert_array_equal(together, np.concatenate(pieces))


def test_more_shapes_mean_less_padding():
    padding = [Plan(random_shards(), batch_tokens=200, shapes=n).padding for n in (1, 4, 16)]
    assert padding[0] > padding[1] > padding[2]


def test_only_the_last_batch_of_a_shape_that_nothing_holds_has_empty_rows():
    plan = Plan(random_shards(), batch_tokens=100, shapes=8)
    empty = [
        planned
        for planned in plan.epoch(seed=1, epoch=1)
        if len(planned.pairs) < planned.shape.rows
    ]
    assert len({planned.shape for planned in empty}) == len(empty)
    for planned in empty:
        _, source, target = planned.shape
        larger = [shape for shape in plan.shapes if shape != planned.shape]
        assert not any(shape.source >= source and shape.target >= target for shape in larger)


def test_the_share_of_padding_is_that_of_the_batches(plan):
    positions = sum(
        planned.shape.rows * (planned.shape.source + planned.shape.target)
        for planned in plan.epoch(seed=1, epoch=1)
    )
    tokens = sum(int(side.sum()) + len(side) for one in random_shards() for side in one.lengths())
    assert plan.padding == pytest.approx(1 - tokens / positions)


def test_pairs_of_alike_lengths_waste_little():
    random = np.random.default_rng(0)
    source = random.gamma(4, 4, 20_000).astype(int).clip(1, 80)
    target = (source * random.normal(1, 0.1, 20_000)).astype(int).clip(1, 80)
    plan = Plan([shard(np.stack([source, target], 1))], batch_tokens=2_048, shapes=16)
    assert plan.padding < 0.09
    assert plan.target_tokens / plan.batches > 0.85 * 2_048
