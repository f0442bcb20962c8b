"""Memory in large pages that are kept."""

import os
import sys

import pytest

from seq2seq.training import pages

TUNABLES = "GLIBC_TUNABLES"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the wish is one to glibc")


@pytest.fixture
def started(monkeypatch):
    """The command lines that replaced this process."""
    commands: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda _, command: commands.append(command))
    monkeypatch.delenv(TUNABLES, raising=False)
    monkeypatch.setenv("JAX_PLATFORMS", "cpu")
    return commands


def test_a_process_starts_anew_once_and_with_its_own_arguments(started, monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "seq2seq.train", "my.toml", "runs/my"])
    pages.keep_large()
    pages.keep_large()
    assert started == [[sys.executable, "-m", "seq2seq.train", "my.toml", "runs/my"]]


def test_what_the_user_says_of_pages_stands(started, monkeypatch):
    monkeypatch.setenv(TUNABLES, "glibc.malloc.hugetlb=0")
    pages.keep_large()
    assert not started
    assert os.environ[TUNABLES] == "glibc.malloc.hugetlb=0"


def test_a_host_of_accelerators_keeps_its_pages_as_they_are(started, monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cuda")
    pages.keep_large()
    assert not started
    assert TUNABLES not in os.environ


@pytest.mark.parametrize("others", ["", "glibc.elision.enable=1"])
def test_programs_that_it_starts_can_be_without_the_wish(started, monkeypatch, others):
    if others:
        monkeypatch.setenv(TUNABLES, others)
    before = dict(os.environ)
    pages.keep_large()
    assert started
    assert "glibc.malloc.trim_threshold" in os.environ[TUNABLES]
    assert pages.without(os.environ) == before
