"""Calls side by side: results in order, so many at a time, and no thread for one alone."""

import functools
import threading
import time

import pytest

from seq2seq.decoding.abreast import abreast, at_a_time


def test_results_come_in_the_order_of_the_calls_whoever_ends_first():
    def late(number):
        time.sleep(0.002 * (5 - number % 5))
        return number

    calls = [functools.partial(late, number) for number in range(20)]
    assert list(abreast(calls, 3)) == list(range(20))
    assert list(abreast([], 3)) == []


def test_so_many_are_under_way_at_a_time_and_no_more():
    meet, lock, running, most = threading.Barrier(3, timeout=30), threading.Lock(), [], []

    def call():
        with lock:
            running.append(None)
            most.append(len(running))
        meet.wait()  # for two others
        with lock:
            running.pop()

    assert len(list(abreast([call] * 9, 3))) == 9
    assert max(most) <= 3


def test_nothing_is_started_long_before_it_is_asked_for():
    started = []
    results = abreast((functools.partial(started.append, number) for number in range(100)), 2)
    next(results)
    time.sleep(0.05)
    assert len(started) <= 4
    results.close()


def test_one_call_alone_is_made_by_the_caller():
    assert list(abreast([threading.current_thread], 4)) == [threading.current_thread()]


def test_a_mistake_in_a_call_reaches_the_caller():
    with pytest.raises(ZeroDivisionError):
        list(abreast([lambda: 1, lambda: 1 // 0, lambda: 2], 2))


def test_a_processor_each_but_never_one_alone_nor_a_crowd(monkeypatch):
    def of(processors, platform="cpu"):
        monkeypatch.setattr("seq2seq.processor.count", lambda: processors)
        return at_a_time(platform)

    assert [of(1), of(2), of(4), of(64)] == [2, 2, 4, 8]
    assert of(64, "cuda") == 2
