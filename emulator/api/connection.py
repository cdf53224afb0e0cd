"""One client's connection: its bytes, and how long it stays with the thread that serves it."""

from __future__ import annotations

import errno
import os
import select
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from cheroot.server import HTTPConnection, HTTPRequest

# Between two requests of a busy client. A hand-over to another thread costs more than many requests do.
_PATIENCE_MS: Final = 10
_RECEIVE: Final = 64 * 1024
_LITTLE: Final = 64 * 1024
_SILENCE: Final = "timed out"  # what the library knows a silent client by


class SocketReader:
    """Reads a socket in the way of a buffered file, with one call of the kernel for whatever length is asked for.

    The library's own reader is written in Python down to the last byte.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._buffer = b""
        self._position = 0
        self.closed = False

    def read(self, size: int) -> bytes:
        """Return this many bytes; fewer if the client ends before."""
        found = self._buffered(size)
        if len(found) == size:
            return found
        pieces = [found] if found else []
        missing = size - len(found)
        while missing and (piece := self._receive(missing, socket.MSG_WAITALL)):
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readline(self, limit: int = 2**16) -> bytes:
        """Return the next line with its end; no more than the limit."""
        while True:
            end = self._buffer.find(b"\n", self._position, self._position + limit) + 1
            if end:
                return self._buffered(end - self._position)
            if len(self._buffer) - self._position >= limit:
                return self._buffered(limit)
            more = self._receive(_RECEIVE)
            if not more:
                return self._buffered(limit)
            self._buffer = self._buffer[self._position :] + more
            self._position = 0

    def has_data(self) -> bool:
        """Tell whether there is something that was received and not read."""
        return self._position < len(self._buffer)

    def close(self) -> None:
        self.closed = True

    def _buffered(self, size: int) -> bytes:
        found = self._buffer[self._position : self._position + size]
        self._position += len(found)
        return found

    def _receive(self, size: int, flags: int = 0) -> bytes:
        try:
            return self._socket.recv(size, flags)
        except BlockingIOError as error:
            raise TimeoutError(_SILENCE) from error


class SocketWriter:
    """Writes to a socket at once, or what is little and belongs together in one call of the kernel."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._waiting: bytes | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Let little wait for what follows, until the end at the latest: a head for its body."""
        self._waiting = b""
        try:
            yield
        finally:
            waiting, self._waiting = self._waiting, None
            if waiting:
                self.write(waiting)

    def write(self, data: bytes) -> int:
        if self._waiting is not None:
            data = self._waiting + data if self._waiting else data
            if len(data) < _LITTLE:
                self._waiting = data
                return len(data)
            self._waiting = b""
        try:
            self._socket.sendall(data)
        except BlockingIOError as error:
            raise TimeoutError(_SILENCE) from error
        return len(data)


def send_file(connected: socket.socket, file: int, offset: int, length: int) -> None:
    """Send a stretch of a file inside the kernel.

    Raises:
        OSError: the client is gone or silent, or the file is shorter.
    """
    end = offset + length
    while offset < end:
        try:
            sent = os.sendfile(connected.fileno(), file, offset, end - offset)
        except BlockingIOError as error:
            raise TimeoutError(_SILENCE) from error
        if not sent:
            raise OSError(errno.EIO, "The file is shorter than it was written")
        offset += sent


class _Request(HTTPRequest):
    """Reads its head from the connection itself: no length is measured that nothing limits."""

    def parse_request(self) -> None:
        self.rfile = self.conn.rfile
        line_is_good: bool = self.read_request_line()  # type: ignore[no-untyped-call]
        self.ready = line_is_good and self.read_request_headers()  # type: ignore[no-untyped-call]


class Connection(HTTPConnection):
    """Answers requests one after the other as long as they follow closely."""

    RequestHandlerClass = _Request

    def __init__(self, server: Any, connected: socket.socket, _makefile: object = None) -> None:
        # The kernel keeps the time: so a read is one call, and waits for all that it asks for.
        timeout = struct.pack("ll", int(server.timeout), 0)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
        connected.settimeout(None)
        super().__init__(server, connected, _file)
        self._more = select.poll()
        self._more.register(connected, select.POLLIN)

    def communicate(self) -> bool:
        """Answer requests; tell whether the connection stays open."""
        while super().communicate():  # type: ignore[no-untyped-call]
            waiting = bool(self.server.requests.qsize)
            if not self.rfile.has_data() and not self._more.poll(0 if waiting else _PATIENCE_MS):
                return True
        return False


def _file(connected: socket.socket, mode: str, _size: int) -> SocketReader | SocketWriter:
    return SocketReader(connected) if "r" in mode else SocketWriter(connected)
