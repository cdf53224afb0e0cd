"""Web pages may not use the endpoint: whoever runs it looks at pages that know its default port."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from typing import Final
from urllib.parse import urlsplit

from werkzeug.wrappers import Request

from .errors import ServiceError

_OWN_PATHS: Final = ("/_emulator/", "/moto-api/")


def refuse_foreign_page(request: Request) -> None:
    """Refuse what a page that does not come from this machine asks of anything but S3.

    A page could else start containers, or forget all state. Browsers say where a page comes from in `Origin`, with
    every POST; nothing else sends it. Its host decides, not whether it equals `Host`: a foreign name can be made to
    lead here. S3 has rules of its own for pages, each bucket's CORS configuration.

    Raises:
        ServiceError: AccessDeniedException.
    """
    origin = request.headers.get("Origin")
    if origin is None or not (request.path.startswith(_OWN_PATHS) or "X-Amz-Target" in request.headers):
        return
    if not is_of_this_machine(origin):
        raise ServiceError(
            "AccessDeniedException",
            f"The page at {origin!r} may not use this emulator; pages of this machine (http://localhost) may.",
            403,
        )


def is_of_this_machine(origin: str) -> bool:
    """Tell whether an Origin names a loopback host; `null`, which any page can have itself sent as, does not."""
    host = _host_of(origin)
    if _is_localhost(host):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def is_known_host(host: str, names: Collection[str]) -> bool:
    """Tell whether a Host header is an address, localhost, or one of these names.

    Only a name can be made to lead here by somebody else (DNS rebinding); an address is what it says.
    """
    name = _host_of(f"//{host}")
    return _is_localhost(name) or _address(name) is not None or name in names


def _host_of(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(name)
    except ValueError:
        return None
