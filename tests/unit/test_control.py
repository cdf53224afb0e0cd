"""The hand on a running job."""

from __future__ import annotations

import threading
import time

import pytest

from emulator.jobs.control import JobControl, ShutdownRequestedError

# Longer than a test may take: a wait that nothing ends fails it.
FOR_EVER = 3600


def test_a_new_job_is_not_asked_for_anything() -> None:
    assert not JobControl().stop_requested


def test_a_stop_request_stays() -> None:
    control = JobControl()
    control.request_stop()
    control.wait(0)
    assert control.stop_requested


def test_a_shutdown_goes_before_a_stop() -> None:
    control = JobControl()
    control.request_stop()
    control.request_shutdown()
    with pytest.raises(ShutdownRequestedError):
        _ = control.stop_requested


@pytest.mark.parametrize("what", [JobControl.request_stop, JobControl.request_shutdown, JobControl.wake])
def test_whatever_happens_wakes_the_thread_that_watches(what: object) -> None:
    assert callable(what)
    control = JobControl()
    threading.Timer(0.02, what, [control]).start()
    control.wait(FOR_EVER)


def test_what_happened_before_the_wait_is_not_missed_and_wakes_once() -> None:
    control = JobControl()
    control.wake()
    control.wait(FOR_EVER)
    began = time.monotonic()
    control.wait(0.02)
    assert time.monotonic() - began >= 0.015
