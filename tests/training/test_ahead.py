"""Fetching in a thread: nothing changes but when it happens."""

import itertools
import subprocess
import sys
import threading

import pytest

from seq2seq.training.ahead import Ahead


def test_items_come_in_order_and_end():
    ahead = Ahead(iter(range(50)), most=2)
    assert list(ahead) == list(range(50))
    assert list(ahead) == []
    ahead.close()


def test_no_more_is_fetched_than_was_allowed():
    fetched = []
    third = threading.Event()

    def items():
        for number in itertools.count():
            fetched.append(number)
            if number == 2:
                third.set()
            yield number

    ahead = Ahead(items(), most=2)
    assert next(ahead) == 0
    assert third.wait(10)
    ahead.close()
    assert fetched == [0, 1, 2]


def test_an_error_comes_where_its_item_would_have_come():
    def items():
        yield 1
        raise OSError("the disk is gone")

    ahead = Ahead(items(), most=2)
    assert next(ahead) == 1
    for _ in range(2):
        with pytest.raises(OSError, match="the disk is gone"):
            next(ahead)
    ahead.close()


def test_closing_ends_the_thread():
    before = threading.active_count()
    ahead = Ahead(itertools.count(), most=2)
    next(ahead)
    assert threading.active_count() == before + 1
    ahead.close()
    assert threading.active_count() == before


def test_what_was_not_closed_keeps_no_process_alive():
    program = (
        "import itertools; from seq2seq.training.ahead import Ahead;"
        "next(Ahead(itertools.count(), most=2))"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
