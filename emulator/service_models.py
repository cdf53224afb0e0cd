"""botocore's models of services, each read once in a process: SageMaker's takes a tenth of a second.

They are those that ship with botocore; a user's own ~/.aws/models does not count, so that the same request gets the
same answer on every machine.
"""

from __future__ import annotations

import threading
from functools import cache
from typing import Any, Final

from botocore.loaders import Loader

_KIND: Final = "service-2"
_reading = threading.Lock()


def service_model(service: str) -> dict[str, Any]:
    """Return the document that botocore's `ServiceModel` takes. It is everybody's: do not change it."""
    with _reading:
        return _read(service)


class OnceLoader(Loader):
    """What a botocore session finds its data with."""

    def __init__(self) -> None:
        super().__init__(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """Return a service's model, or what else there is of it: its paginators, its rules for endpoints."""
        if type_name == _KIND and api_version is None:
            return service_model(service_name)
        return super().load_service_model(service_name, type_name, api_version)


@cache
def _read(service: str) -> dict[str, Any]:
    loader = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    found: dict[str, Any] = loader.load_service_model(service, _KIND)
    return found
