"""Signals that wait for a moment at which nothing is half done."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Any, Final, Self

_HELD: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)
# Somebody who sends so many more has waited long enough.
_MOST_HELD: Final = 2


class HeldSignals:
    """While a block runs, the handlers of signals are called in `pause` only, where they may raise what they like.

    An exception that a handler raises in the middle of a request leaves the locks of the client's connections taken,
    and the next request waits for them for ever. In another thread than the main one this does nothing: handlers run
    in the main thread.
    """

    def __init__(self) -> None:
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._came: list[int] = []

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            for number in _HELD:
                handler = signal.getsignal(number)
                if callable(handler):
                    self._before[number] = handler
                    signal.signal(number, self._hold)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if kind is None:
            self._let_go()

    def pause(self, seconds: float) -> None:
        """Wait, then let the handlers of the signals that came do what they do, one signal at a time."""
        time.sleep(seconds)
        self._let_go()

    def _let_go(self) -> None:
        if self._came:
            number = self._came.pop(0)
            self._before[number](number, None)

    def _hold(self, number: int, frame: FrameType | None) -> None:
        if len(self._came) == _MOST_HELD:
            self._before[number](number, frame)
        else:
            self._came.append(number)
