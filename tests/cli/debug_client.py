"""A debugger that speaks just enough of the Debug Adapter Protocol to stop a program at a line and look at it."""

from __future__ import annotations

import json
import socket
import time
from types import TracebackType
from typing import Any, Self

SECONDS = 240


class DebugClient:
    """One session with debugpy at a port of this machine."""

    def __init__(self, port: int) -> None:
        """Connect; whoever listens must do so in time."""
        self._number = 0
        self._waiting: list[dict[str, Any]] = []
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
                self._file = self._socket.makefile("rb")
                self.initialized = self.request(
                    "initialize", adapterID="test", pathFormat="path", linesStartAt1=True, columnsStartAt1=True
                )
            except (OSError, EOFError):
                # The engine takes connections to a published port also while nobody listens behind it.
                assert time.monotonic() < deadline, f"nobody answers at port {port}"
                time.sleep(0.2)
            else:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._file.close()
        self._socket.close()

    def send(self, command: str, **arguments: Any) -> int:
        self._number += 1
        message = {"seq": self._number, "type": "request", "command": command, "arguments": arguments}
        content = json.dumps(message).encode()
        self._socket.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(content), content))
        return self._number

    def request(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request and return the body of its answer."""
        return self.answer_to(self.send(command, **arguments))

    def answer_to(self, number: int) -> dict[str, Any]:
        answer = self._next(lambda one: one["type"] == "response" and one["request_seq"] == number)
        assert answer["success"], answer
        body: dict[str, Any] = answer.get("body") or {}
        return body

    def event(self, name: str) -> dict[str, Any]:
        """Wait for an event and return its body."""
        body: dict[str, Any] = self._next(lambda one: one["type"] == "event" and one["event"] == name).get("body") or {}
        return body

    def _next(self, wanted: Any) -> dict[str, Any]:
        for index, message in enumerate(self._waiting):
            if wanted(message):
                return self._waiting.pop(index)
        while True:
            message = self._read()
            if wanted(message):
                return message
            self._waiting.append(message)

    def _read(self) -> dict[str, Any]:
        length = 0
        while (line := self._file.readline()) not in (b"\r\n", b""):
            length = int(line.partition(b":")[2])
        if not line:
            raise EOFError
        message: dict[str, Any] = json.loads(self._file.read(length))
        return message
