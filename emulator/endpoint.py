"""The emulator at an address: what `up`, `run` and the tests start."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final, Self

from .api import service_model
from .api.app import Application
from .api.server import HttpServer
from .config import Settings
from .contract.environment import METADATA_HOST
from .errors import EndpointUnavailableError
from .runtime import Emulator
from .web.dashboard import Dashboard
from .web.scopes import PREFIX as DASHBOARD

logger = logging.getLogger(__name__)

_METADATA_PORT: Final = 80
_EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - what a user may ask for


class Endpoint:
    """A running emulator that listens on the address of its settings and, for containers, on the engine's.

    Port 0 takes a free one. Leaving the context ends everything.

    Raises:
        EndpointUnavailableError: the address is taken or not this machine's.
        EngineUnavailableError, UsageError: see `Emulator`.
    """

    def __init__(self, settings: Settings) -> None:
        with ExitStack() as opened:
            self.emulator = Emulator(settings)
            opened.callback(self.emulator.close)
            self._application = _together(Application(self.emulator), Dashboard(self.emulator))
            self._servers = opened.enter_context(ExitStack())
            server = self._listen(settings.host, settings.port)
            self.port = server.port
            self.url = settings.url(self.port)
            self._let_containers_in(settings)
            self.emulator.take_up_jobs()
            self._opened = opened.pop_all()
        threading.Thread(target=_warm_up, name="warm-up", daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening, then end every job and remove what was made for it."""
        self._opened.close()

    def _listen(self, host: str, port: int) -> HttpServer:
        try:
            server = HttpServer(self._application, host, port)
        except OSError as error:
            raise EndpointUnavailableError(
                f"Cannot listen at {host}:{port}: {error.strerror or error}. "
                "Is another emulator running there? Choose another port with --port N, or address with --host ADDRESS."
            ) from error
        self._servers.callback(server.close)
        return server

    def _let_containers_in(self, settings: Settings) -> None:
        """Listen where containers reach this machine, and tell how they do."""
        access, gateway = self.emulator.container_access, self.emulator.engine.gateway
        if settings.container_endpoint is not None:
            access.endpoint_url = settings.container_endpoint.rstrip("/")
            return
        if gateway is not None and (settings.host in (gateway, _EVERYWHERE) or self._listens_also(gateway, self.port)):
            access.endpoint_url = f"http://{gateway}:{self.port}"
            access.serves_metadata_port = gateway == METADATA_HOST and self._listens_also(gateway, _METADATA_PORT)
        elif self.emulator.engine.host_alias is not None:
            # The engine runs on another machine, or in a virtual one that forwards this name to us.
            access.host_alias = self.emulator.engine.host_alias
            access.endpoint_url = f"http://{access.host_alias}:{self.port}"

    def _listens_also(self, host: str, port: int) -> bool:
        try:
            self._servers.callback(HttpServer(self._application, host, port).close)
        except OSError as error:
            logger.info("Not listening at %s:%s for containers: %s", host, port, error)
            return False
        return True


def _together(application: Application, dashboard: Dashboard) -> Callable[..., Iterable[bytes]]:
    """Return one application: pages of the dashboard below its path, and the API."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        is_page = path == DASHBOARD or path.startswith(f"{DASHBOARD}/")
        return (dashboard if is_page else application)(environ, start_response)

    return answer


def _warm_up() -> None:
    """Load what the first request would wait for."""
    service_model.operation_names()
