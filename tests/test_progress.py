"""What is told of a long step, on a terminal and elsewhere."""

import io
import logging

import pytest

from seq2seq import progress as module
from seq2seq.progress import duration, progress


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_elsewhere_than_on_a_terminal_a_line_now_and_then_tells_speed_and_time_left(clock, caplog):
    caplog.set_level(logging.INFO, "seq2seq")
    with progress("translating", 10_000, unit="lines", done=4_000) as advance:
        for _ in range(6):
            clock.now += 20
            advance(1_000)
    assert [record.getMessage() for record in caplog.records] == [
        "translating: 6,000 of 10,000 lines (60%), 50 lines/s, 1:20 left",
        "translating: 8,000 of 10,000 lines (80%), 50 lines/s, 0:40 left",
        "translating: 10,000 of 10,000 lines (100%), 50 lines/s, 0:00 left",
    ]


def test_without_a_total_there_is_no_share_and_no_end(clock, caplog):
    caplog.set_level(logging.INFO, "seq2seq")
    with progress("reading", 0, unit="pairs") as advance:
        clock.now += 40
        advance(100)
    assert [record.getMessage() for record in caplog.records] == ["reading: 100 pairs, 2.5 pairs/s"]


def test_a_terminal_gets_a_bar_that_goes_on_from_what_is_done(monkeypatch, caplog):
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("COLUMNS", "100")
    with progress("translating", 10, unit="lines", done=4) as advance:
        advance(3)
    assert "translating" in terminal.getvalue()
    assert "7/10" in terminal.getvalue()
    assert caplog.records == []


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.0, "0:00"), (59.6, "1:00"), (61.0, "1:01"), (3_723.0, "1:02:03")]
)
def test_a_duration_is_told_as_on_a_clock(seconds, told):
    assert duration(seconds) == told
