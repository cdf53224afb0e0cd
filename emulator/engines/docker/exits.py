"""How containers ended, as early as the engine knows it."""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from typing import Any, Final

import docker
from docker.errors import DockerException
from docker.types.daemon import CancellableStream

logger = logging.getLogger(__name__)

# The event follows the end of the output at once, unless the program has closed its output and goes on.
_PATIENCE_SECONDS: Final = 0.25


class Exits:
    """Exit codes from the engine's events, else from asking it.

    Asking is answered only when the engine has also taken down the container's network, which is a
    sixth of all that a container costs. The events are a short cut and no more: where they do not
    come, asking is enough.
    """

    def __init__(self, api: docker.APIClient, label: str) -> None:
        """Be about the containers that have a label."""
        self._api = api
        self._filters = {"type": "container", "event": "die", "label": label}
        self._told = threading.Condition()
        self._codes: dict[str, int] = {}
        self._listening = False
        self._events: CancellableStream[dict[str, Any]] | None = None

    def listen(self) -> None:
        """Take in events until the engine hangs up."""
        try:
            self._events = self._api.events(filters=self._filters, decode=True)
            self._listening = True
            for event in self._events:
                actor = event["Actor"]
                with self._told:
                    self._codes[actor["ID"]] = int(actor["Attributes"]["exitCode"])
                    self._told.notify_all()
        except Exception as error:  # noqa: BLE001 - the engine is asked instead
            logger.info("No events from the Docker Engine: %s", error)
        with self._told:
            self._listening = False
            self._told.notify_all()

    def close(self) -> None:
        """Hang up."""
        if self._events is not None:
            with suppress(DockerException, OSError):  # over SSH it only ends with the client
                self._events.close()

    def code_of(self, container: str) -> int:
        """Wait for the end of a container whose output has ended, and return its exit code.

        Raises:
            APIError: the engine does not know the container.
        """
        with self._told:
            self._told.wait_for(lambda: container in self._codes or not self._listening, _PATIENCE_SECONDS)
            if container in self._codes:
                return self._codes.pop(container)
        code = int(self._api.wait(container, timeout=None)["StatusCode"])
        with self._told:
            self._codes.pop(container, None)
        return code
