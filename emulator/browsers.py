"""Web pages may not use the endpoint: whoever runs it looks at pages that know its default port."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection
from typing import Final
from urllib.parse import urlsplit

from werkzeug.wrappers import Request, Response

from .errors import ServiceError

_READING: Final = ("GET", "HEAD", "OPTIONS")
# Nobody can have these names lead somewhere: they are reserved, or AWS's own (clients that are rerouted keep them).
_SAFE_ENDINGS: Final = (
    ".localhost", ".internal", ".test", ".cluster.local",
    ".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".on.aws", ".sagemaker.aws",
    ".amazonwebservices.com.cn", ".amazonaws.eu", ".amazonwebservices.eu", ".ic.gov", ".sgov.gov", ".aws.scloud",
    ".adc-e.uk",
)  # fmt: skip
_HOST: Final = re.compile(r"[A-Za-z0-9._:\[\]-]+")
_LABELS: Final = re.compile(r"(?:[^.]{1,63}\.)*[^.]{1,63}")
# What a page may do that is a job's, when a browser shows it: everything but to act in this origin's name.
SANDBOX: Final = "sandbox allow-scripts allow-forms allow-popups allow-downloads"


def refuse_unknown_host(request: Request, names: Collection[str]) -> None:
    """Refuse a request that comes by a name which somebody else may have made to lead here (DNS rebinding).

    To the browser such a page and the endpoint are one site: it may read every answer.

    Raises:
        ServiceError: AccessDeniedException.
    """
    host = request.headers.get("Host", "")
    if host and not is_known_host(host, names):
        raise ServiceError("AccessDeniedException", unknown_host(host), 403)


def unknown_host(host: str) -> str:
    """Say why a host name is refused, and what to do."""
    name = _host_of(f"//{host}") or host
    return (
        f"This emulator does not answer to the name {name!r}, which anybody may have made to lead here. "
        f"Use its address, or start it with --allow-host {name}"
    )


def refuse_foreign_page(request: Request, *, is_s3: bool, is_allowed: Callable[[str, str], bool]) -> None:
    """Refuse what a page that does not come from this machine asks, unless it reads from S3 or a bucket allows it.

    A page could else start containers, or forget all state. Browsers say where a page comes from in `Origin`, with
    every POST; nothing else sends it. Its host decides, not whether it equals `Host`: a foreign name can be made to
    lead here. S3 has rules of its own for pages, each bucket's CORS configuration (`is_allowed`, of origin and
    method): a browser applies them to what is read, but sends forms and plain texts without asking.

    Raises:
        ServiceError: AccessDeniedException.
    """
    origin = request.headers.get("Origin")
    is_reading = request.method in _READING
    if origin is None:
        # An image's address, or a link: no other header tells.
        is_foreign = request.headers.get("Sec-Fetch-Site") == "cross-site"
    else:
        is_foreign = not is_of_this_machine(origin)
    if not is_foreign or (is_s3 and (is_reading or (origin is not None and is_allowed(origin, request.method)))):
        return
    raise ServiceError(
        "AccessDeniedException",
        f"The page at {origin or request.headers.get('Referer', 'another site')!r} may not use this emulator; "
        "pages of this machine (http://localhost) may.",
        403,
    )


def disarm(request: Request, response: Response) -> None:
    """Keep a document that a browser shows from acting as one of ours: a job may have stored a page in S3."""
    if "text/html" in request.headers.get("Accept", ""):
        response.headers.setdefault("Content-Security-Policy", SANDBOX)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")


def is_of_this_machine(origin: str) -> bool:
    """Tell whether an Origin names a loopback host; `null`, which any page can have itself sent as, does not."""
    host = _host_of(origin)
    if _is_localhost(host):
        return True
    address = _address(host)
    return address is not None and address.is_loopback


def is_known_host(host: str, names: Collection[str]) -> bool:
    """Tell whether a Host header is an address, a name without dots, one that nobody can give, or one of these.

    Only a name can be made to lead here by somebody else; an address is what it says. Buckets stand before a name.
    """
    if not _HOST.fullmatch(host):
        return False
    name = _host_of(f"//{host}").rstrip(".")
    if not _LABELS.fullmatch(name):
        return False
    known = {one.lower() for one in names}
    return (
        "." not in name
        or _address(name) is not None
        or name.endswith((*_SAFE_ENDINGS, *(f".{one}" for one in known if _address(one) is None)))
        or name in known
    )


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
