"""The hosts of a job, and how they tell each other what only one of them can know."""

import json
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PORT = 7777
SECONDS = 120


@dataclass(frozen=True)
class Cluster:
    """The hosts of a job, as SageMaker writes them into resourceconfig.json."""

    current: str
    hosts: tuple[str, ...]

    @classmethod
    def read(cls, path: Path) -> "Cluster":
        config = json.loads(path.read_text())
        return cls(config["current_host"], tuple(config["hosts"]))

    @property
    def is_first(self) -> bool:
        return self.current == self.hosts[0]

    def gather(self, value: Any) -> dict[str, Any]:
        """Return the value of each host, the same on all: the first one collects them and sends them back."""
        return self._collect(value) if self.is_first else self._report(value)

    def _collect(self, value: Any) -> dict[str, Any]:
        values = {self.current: value}
        deadline = time.monotonic() + SECONDS
        with socket.create_server(("", PORT), backlog=len(self.hosts)) as server:
            waiting = []
            try:
                while missing := [host for host in self.hosts if host not in values]:
                    server.settimeout(max(0.1, deadline - time.monotonic()))
                    try:
                        connection, _ = server.accept()
                        waiting.append(connection)
                        connection.settimeout(max(0.1, deadline - time.monotonic()))
                        values.update(receive(connection))
                    except TimeoutError as error:
                        raise TimeoutError(f"{', '.join(missing)} did not report within {SECONDS} s.") from error
                for connection in waiting:
                    send(connection, values)
            finally:
                for connection in waiting:
                    connection.close()
        return values

    def _report(self, value: Any) -> dict[str, Any]:
        with self._connection() as connection:
            send(connection, {self.current: value})
            return receive(connection)

    def _connection(self) -> socket.socket:
        """Connect to the first host, whose name may not be known yet and which may still be at work."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                return socket.create_connection((self.hosts[0], PORT), timeout=SECONDS)
            except OSError as error:
                if time.monotonic() > deadline:
                    raise TimeoutError(f"{self.hosts[0]} does not answer within {SECONDS} s ({error}).") from error
                time.sleep(0.1)


def send(connection: socket.socket, value: dict[str, Any]) -> None:
    connection.sendall(json.dumps(value).encode() + b"\n")


def receive(connection: socket.socket) -> dict[str, Any]:
    with connection.makefile("rb") as file:
        line = file.readline()
    if not line.endswith(b"\n"):
        raise ConnectionError("The other host ended before it had said all.")
    received: dict[str, Any] = json.loads(line)
    return received
