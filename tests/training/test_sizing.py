"""The largest batch: it fits, it is found without trying it, and it is no larger than useful."""

import numpy as np
import pytest

from seq2seq.corpus.batching import Plan
from seq2seq.corpus.shards import Shard
from seq2seq.errors import UserError
from seq2seq.model.network import Sizes
from seq2seq.training import sizing
from tests.training.conftest import PIECES, first_devices

SIZES = Sizes(PIECES, PIECES)
WIDE = ["model.embedding=64", "model.decoder_layers=1"]  # memory that grows, soon compiled


def plan_of(pairs):
    return Plan(
        [Shard(np.zeros(18 * pairs, np.uint16), 9 * np.arange(2 * pairs + 1))],
        batch_tokens=1,
        shapes=1,
    )


def test_the_search_ends_below_the_limit_and_near_it_after_three_trials():
    tried = []

    def needed(tokens):
        tried.append(tokens)
        return 5_000_000 + 300 * tokens

    tokens, size = sizing._search(needed, 10**6, limit=20_000_000)
    assert size <= 20_000_000
    assert tokens >= 0.97 * 50_000
    assert len(tried) == 3


def test_the_search_ends_below_the_limit_where_memory_jumps():
    def needed(tokens):
        return 300 * tokens + (10_000_000 if tokens > 30_000 else 0)

    tokens, size = sizing._search(needed, 10**6, limit=15_000_000)
    assert size == needed(tokens) <= 15_000_000
    assert tokens > 15_000


def test_what_needs_little_is_as_large_as_allowed():
    assert sizing._search(lambda tokens: 7, 9_000, limit=8)[0] == 9_000


def test_a_batch_fits_under_the_limit_and_a_larger_one_would_not(settings, monkeypatch):
    config, plan, devices = settings(*WIDE), plan_of(200_000), first_devices(2)

    def needed(tokens):
        return sizing._bytes_needed(config, plan.within(tokens).largest, SIZES, devices)

    monkeypatch.setattr(sizing, "memory", lambda devices: int(needed(3_000) / sizing._USED_SHARE))
    tokens = sizing.batch_tokens(config, plan, SIZES, devices)
    assert 2_500 <= tokens <= 3_000


def test_a_small_corpus_keeps_its_updates(settings, monkeypatch):
    monkeypatch.setattr(sizing, "_bytes_needed", lambda *_: 1_000)
    plan = plan_of(40_000)
    tokens = sizing.batch_tokens(settings(), plan, SIZES, first_devices(1))
    assert plan.within(tokens).batches >= 100
    assert plan.within(2 * tokens).batches < 100


def test_too_little_memory_for_the_smallest_batch_is_said(settings, monkeypatch):
    monkeypatch.setattr(sizing, "memory", lambda devices: 10_000)
    monkeypatch.setattr(sizing, "_bytes_needed", lambda *_: 8_001)
    with pytest.raises(UserError, match=r"smallest batch.*needs .* MB.*train\.accumulate=2"):
        sizing.batch_tokens(settings(), plan_of(100), SIZES, first_devices(1))


def test_the_memory_of_the_host_is_divided_among_devices():
    one, four = (sizing.memory(first_devices(count)) for count in (1, 4))
    assert one == pytest.approx(4 * four, rel=0.2)
