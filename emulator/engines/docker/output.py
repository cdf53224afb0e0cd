"""What a container writes, as (stream, chunk, time of writing in epoch seconds; None: just now)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from itertools import islice
from typing import Any, Final

import docker
from docker.utils.socket import STDERR, frames_iter

Output = tuple[str, bytes, float | None]

_FRAME: Final = struct.Struct(">BxxxL")


class AttachedOutput:
    """What a container writes from now on, as soon as it does."""

    def __init__(self, api: docker.APIClient, container: str) -> None:
        self._socket: Any = api.attach_socket(container, params={"stdout": 1, "stderr": 1, "stream": 1})

    def __iter__(self) -> Iterator[Output]:
        for number, chunk in frames_iter(self._socket, tty=False):  # type: ignore[no-untyped-call]
            yield _name(number), chunk, None

    def close(self) -> None:
        """Let go of the connection, which belongs to the answer that the stream came from."""
        self._socket._response.close()


class WholeOutput:
    """What a container has written since its start, and writes until its end, from the engine's own log of it.

    A line of more than 16 KiB comes in pieces; bytes that are no UTF-8 may come as U+FFFD.
    """

    def __init__(self, api: docker.APIClient, container: str) -> None:
        self._api = api
        self._url = f"{api.base_url}/v{api.api_version}/containers/{container}/logs"

    def __iter__(self) -> Iterator[Output]:
        count = 0
        for count, one in enumerate(self._read(follow=True), 1):  # noqa: B007 - used below
            yield one
        # An engine may hang up before it has sent the last lines of a container that has ended.
        yield from islice(self._read(follow=False), count, None)

    def close(self) -> None:
        """Nothing is held between two lines."""

    def _read(self, *, follow: bool) -> Iterator[Output]:
        parameters = {"stdout": 1, "stderr": 1, "timestamps": 1, "follow": int(follow)}
        with closing(self._api.get(self._url, params=parameters, stream=True, timeout=None)) as answer:
            answer.raise_for_status()
            while len(header := answer.raw.read(_FRAME.size)) == _FRAME.size:
                number, length = _FRAME.unpack(header)
                at, _, chunk = answer.raw.read(length).partition(b" ")
                yield _name(number), chunk, datetime.fromisoformat(at.decode()).timestamp()


def _name(number: int) -> str:
    return "stderr" if number == STDERR else "stdout"
