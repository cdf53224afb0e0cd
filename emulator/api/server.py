"""The HTTP server: threads, keep-alive, one listening address."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from cheroot.wsgi import Server

_THREADS = 32
_SHUTDOWN_SECONDS = 3


class HttpServer:
    """Serves an application at one address, from threads of its own, until it is closed."""

    def __init__(self, application: Callable[..., Any], host: str, port: int) -> None:
        """Listen.

        Raises:
            OSError: the address cannot be listened at.
        """
        self._server = Server(
            (host, port),
            application,
            numthreads=_THREADS,
            request_queue_size=256,
            shutdown_timeout=_SHUTDOWN_SECONDS,
        )
        self._server.prepare()
        self.port = int(self._server.bind_addr[1])
        self._thread = threading.Thread(target=self._server.serve, name=f"http-{host}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop accepting, let requests in progress finish for a moment, and close."""
        self._server.stop()
        self._thread.join(timeout=10)
