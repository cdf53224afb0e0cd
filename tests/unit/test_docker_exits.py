"""Exit codes come from the engine's events where there are any, else from asking."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from emulator.engines.docker import exits
from emulator.engines.docker.exits import Exits

HANGS_UP = None


class Engine:
    """Tells of what a test puts in, and counts how often it is asked."""

    def __init__(self) -> None:
        self.told: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self.asked: list[str] = []

    def events(self, **_: object) -> Iterator[dict[str, Any]]:
        return iter(self.told.get, HANGS_UP)

    def tell(self, container: str, code: int) -> None:
        self.told.put({"Actor": {"ID": container, "Attributes": {"exitCode": str(code)}}})

    def wait(self, container: str, **_: object) -> dict[str, int]:
        self.asked.append(container)
        return {"StatusCode": 7}


@contextmanager
def listening(engine: Engine) -> Iterator[Exits]:
    heard = Exits(engine, "a=b")  # type: ignore[arg-type]
    thread = threading.Thread(target=heard.listen)
    thread.start()
    try:
        yield heard
    finally:
        engine.told.put(HANGS_UP)
        thread.join(timeout=60)


def test_an_event_saves_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exits, "_PATIENCE_SECONDS", 60)
    engine = Engine()
    engine.tell("other", 1)
    engine.tell("one", 3)
    with listening(engine) as heard:
        wait_until_heard(engine)
        assert heard.code_of("one") == 3
    assert engine.asked == []


def test_a_container_that_no_event_tells_of_is_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exits, "_PATIENCE_SECONDS", 0.01)
    engine = Engine()
    with listening(engine) as heard:
        assert heard.code_of("one") == 7
    assert engine.asked == ["one"]


def test_nobody_waits_for_events_when_the_engine_has_hung_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exits, "_PATIENCE_SECONDS", 600)
    engine = Engine()
    with listening(engine) as heard:
        pass
    assert heard.code_of("one") == 7


def wait_until_heard(engine: Engine) -> None:
    while not engine.told.empty():
        pass
