"""The batch plan: every pair once, within budget, the same for the same arguments."""

import itertools

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
        source, target = shards[pair // 200].pair(int(pair) % 200)
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


def test_the_cuts_are_as_good_as_the_best_of_all_when_there_is_one():
    shards = random_shards(count=1, pairs=60, longest=8)
    source, target = (side + 1 for side in shards[0].lengths())

    def positions(parts):
        return sum(
            int(part.sum()) * int(source[part].max() + target[part].max())
            for part in parts
            if part.any()
        )

    best = min(
        positions((side < cut, side >= cut))
        for side, cut in itertools.product((source, target), range(2, 9))
    )
    plan = Plan(shards, batch_tokens=10_000, shapes=2)
    ours = sum(
        count * (shape.source + shape.target)
        for shape, count in zip(
            plan.shapes,
            np.bincount(plan._shape_st[source, target], minlength=2),
            strict=True,
        )
    )
    assert ours == best
