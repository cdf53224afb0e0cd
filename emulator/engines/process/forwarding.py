"""Brings the connections that programs make inside of their private network to the endpoint."""

from __future__ import annotations

import logging
import socket
import threading
from contextlib import suppress
from typing import Final

logger = logging.getLogger(__name__)

_CHUNK: Final = 256 * 1024


class Forwarder:
    """Accepts at sockets that listen in other network namespaces, and connects each client to an address here."""

    def __init__(self, port: int) -> None:
        """Lead to a port of this machine's loopback."""
        self._address = ("127.0.0.1", port)
        self._lock = threading.Lock()
        self._listeners: list[socket.socket] = []
        self._connections: set[socket.socket] = set()

    def serve(self, listener: socket.socket) -> None:
        """Accept at a socket from now on, in a thread."""
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener,), name="forward", daemon=True).start()

    def close(self) -> None:
        """End all connections, and accept no more."""
        for listener in self._listeners:
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)  # wakes its thread
            listener.close()
        with self._lock:
            open_ones = list(self._connections)
        for connection in open_ones:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), name="forward", daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        """Pass on both directions until both have ended."""
        with client:
            try:
                endpoint = socket.create_connection(self._address)
            except OSError as error:
                logger.info("The endpoint does not answer a program: %s", error)
                return
            with endpoint:
                both = {client, endpoint}
                with self._lock:
                    self._connections |= both
                answers = threading.Thread(target=_copy, args=(endpoint, client), name="forward", daemon=True)
                answers.start()
                _copy(client, endpoint)
                answers.join()
                with self._lock:
                    self._connections -= both


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while chunk := source.recv(_CHUNK):
            target.sendall(chunk)
    for one, how in ((source, socket.SHUT_RD), (target, socket.SHUT_WR)):
        with suppress(OSError):
            one.shutdown(how)
