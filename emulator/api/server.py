"""The HTTP server: threads, keep-alive, one listening address."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

from cheroot.wsgi import Gateway_10, Server

from .connection import Connection, send_file
from .wire import UNDERSCORED_HEADERS

_THREADS = 64
# A client may read a large object as slowly as it trains on it.
_SILENCE_SECONDS = 900
_SHUTDOWN_SECONDS = 3
_KEPT_CONNECTIONS = 1000
_SMALLEST_SENDFILE = 64 * 1024


class _Gateway(Gateway_10):
    """Keeps the spelling of header names with underscores, which WSGI's own form cannot tell from dashes."""

    def get_environ(self) -> dict[str, Any]:  # type: ignore[override]  # cheroot's stub says None
        environ: dict[str, Any] = super().get_environ()  # type: ignore[no-untyped-call]
        environ[UNDERSCORED_HEADERS] = {
            name.decode("latin-1").lower(): value.decode("latin-1")
            for name, value in self.req.inheaders.items()
            if b"_" in name
        }
        return environ

    def respond(self) -> None:
        """Answer the request. What lies in files goes from there to the socket inside the kernel.

        The library's own way takes several copies of each chunk, in Python.
        """
        response: Any = self.req.server.wsgi_app(self.env, self.start_response)
        try:
            spans = getattr(response, "spans", ())
            if sum(span.length for span in spans) < _SMALLEST_SENDFILE:
                with self.req.conn.wfile.together():
                    for chunk in filter(None, response):
                        self.write(chunk)
                    self.req.ensure_headers_sent()
                return
            self.req.ensure_headers_sent()
            for span in spans:
                with span.path.open("rb") as file:
                    send_file(self.req.conn.socket, file.fileno(), span.offset, span.length)
        finally:
            self.req.ensure_headers_sent()
            if hasattr(response, "close"):
                response.close()


class _Server(Server):
    """Closes a socket whose address is taken, which the library forgets to do."""

    @staticmethod
    def bind_socket(socket_: socket.socket, bind_addr: tuple[str, int]) -> socket.socket:
        try:
            socket_.bind(bind_addr)
        except OSError:
            socket_.close()
            raise
        return socket_


class HttpServer:
    """Serves an application at one address, from threads of its own, until it is closed."""

    def __init__(self, application: Callable[..., Any], host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened at.
        """
        self._server = _Server(
            (host, port),
            application,
            numthreads=_THREADS,
            request_queue_size=256,
            timeout=_SILENCE_SECONDS,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        self._server.gateway = _Gateway
        self._server.ConnectionClass = Connection
        self._server.keep_alive_conn_limit = _KEPT_CONNECTIONS
        # How often the server looks up from waiting for requests: what closing it takes.
        self._server.expiration_interval = 0.1
        self._server.prepare()
        self.port = int(self._server.bind_addr[1])
        self._thread = threading.Thread(target=self._server.serve, name=f"http-{host}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, let requests in progress finish for a moment, and close."""
        self._server.stop()
        self._thread.join(timeout=10)
