"""The dashboard as a WSGI application. Most emulators never show a page: it is loaded when the first is asked for."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from .guard import refused_host

if TYPE_CHECKING:
    from flask import Flask

    from ..runtime import Emulator


class Dashboard:
    """Answers what is below `PREFIX`."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._lock = threading.Lock()
        self._app: Flask | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        refused = refused_host(environ, self._emulator.settings.host_names)
        if refused is not None:
            return refused(environ, start_response)
        with self._lock:
            if self._app is None:
                from .app import create_app

                self._app = create_app(self._emulator)
        return self._app(environ, start_response)
