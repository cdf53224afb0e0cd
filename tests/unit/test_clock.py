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
    clock = SystemClock(time_scale=60)
    assert 59 < clock.remaining(clock.deadline(3600)) <= 60
    assert 3599 < SystemClock().remaining(SystemClock().deadline(3600)) <= 3600


def test_a_limit_of_the_emulators_own_is_not_scaled() -> None:
    clock = SystemClock(time_scale=60)
    assert 59 < clock.remaining(clock.unscaled_deadline(60)) <= 60


def test_nothing_remains_of_a_limit_that_is_over() -> None:
    clock = SystemClock()
    assert clock.remaining(clock.deadline(-5)) == 0
