"""Signals that wait until nothing is half done."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from emulator.jobfiles.held_signals import HeldSignals


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_one_is_heard_in_the_pause_and_not_before() -> None:
    with HeldSignals() as signals:
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            signals.pause(0)
        signals.pause(0)


def test_each_of_two_is_heard() -> None:
    with HeldSignals() as signals:
        interrupt()
        interrupt()
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                signals.pause(0)


def test_a_third_one_does_not_wait() -> None:
    with HeldSignals() as signals:
        interrupt()
        interrupt()
        with pytest.raises(KeyboardInterrupt):
            interrupt()
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                signals.pause(0)


def test_one_that_came_is_heard_at_the_end_at_the_latest() -> None:
    with pytest.raises(KeyboardInterrupt), HeldSignals():
        interrupt()


def test_afterwards_handlers_are_as_before() -> None:
    with HeldSignals():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_is_ignored_stays_so() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with HeldSignals() as signals:
        interrupt()
        signals.pause(0)


def test_another_thread_leaves_handlers_alone() -> None:
    found = []

    def look() -> None:
        with HeldSignals() as signals:
            found.append(signal.getsignal(signal.SIGINT))
            signals.pause(0)

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [signal.default_int_handler]
