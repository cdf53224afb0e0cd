"""Time, and limits that pass faster under a time scale."""

from __future__ import annotations

import time

from emulator.jobs.clock import SystemClock


def test_time_stamps_are_real_milliseconds_whatever_the_scale() -> None:
    before = time.time()
    now = SystemClock(time_scale=1000).now()
    assert before - 0.001 <= now <= time.time() + 0.001
    assert now == round(now, 3)


def test_a_limit_of_the_service_is_over_sooner_by_the_time_scale() -> None:
    began = time.monotonic()
    assert 60 <= SystemClock(time_scale=60).deadline(3600) - began <= 60 + time.monotonic() - began
    assert 3600 <= SystemClock().deadline(3600) - began <= 3600 + time.monotonic() - began


def test_a_limit_of_the_emulators_own_is_not_scaled() -> None:
    began = time.monotonic()
    assert 60 <= SystemClock(time_scale=60).unscaled_deadline(60) - began <= 60 + time.monotonic() - began


def test_what_remains_of_a_limit_grows_less() -> None:
    clock = SystemClock(time_scale=60)
    deadline = clock.deadline(3600)
    assert 60 >= clock.remaining(deadline) >= clock.remaining(deadline)


def test_nothing_remains_of_a_limit_that_is_over() -> None:
    clock = SystemClock()
    assert clock.remaining(clock.deadline(-5)) == 0
