"""How long something takes on a machine that others use too: CPU time, of the thread that asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


def quickest(call: Callable[[], object]) -> float:
    """Return the CPU seconds that the quickest of a few calls takes."""
    times = []
    for _ in range(5):
        began = time.thread_time()
        call()
        times.append(time.thread_time() - began)
    return min(times)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail if what is done below takes more CPU seconds."""
    began = time.thread_time()
    yield
    took = time.thread_time() - began
    assert took <= seconds, f"it took {took:.2f} s of CPU time, {seconds} are allowed"
