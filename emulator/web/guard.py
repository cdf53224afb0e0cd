"""What keeps other pages of the user's browser out of the dashboard, and texts of jobs from becoming code."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, abort, request
from werkzeug.wrappers import Response

from ..browsers import is_known_host, unknown_host
from .scopes import PREFIX

TOKEN_HEADER: Final = "X-Emulator-Token"  # noqa: S105 - a name
TOKEN_FIELD: Final = "token"  # noqa: S105
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_MOST_BODY: Final = 1024**2
_OURS: Final = ("same-origin", "none")
_HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def refused_host(environ: Mapping[str, Any], names: Collection[str]) -> Response | None:
    """Return the answer to a request by a foreign name, which may have been made to lead here (DNS rebinding).

    It comes before everything else, and is no page of ours: those have the token in them.
    """
    host = environ.get("HTTP_HOST", "")
    if not host or is_known_host(host, names):
        return None
    return Response(f"{unknown_host(host)}\n", status=403, content_type="text/plain; charset=utf-8", headers=_HEADERS)


def register(app: Flask) -> None:
    """Check every request for the page that it is from, and give every answer its headers.

    What changes something needs this process's token, which only our own pages can read.
    """
    token = secrets.token_urlsafe(32)
    app.config["MAX_CONTENT_LENGTH"] = _MOST_BODY

    def check() -> None:
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.method in _SAFE:
            # A link may lead here from anywhere; nothing of ours is a part of another page.
            is_link = request.headers.get("Sec-Fetch-Mode") == "navigate"
            if site not in _OURS and not (is_link and request.headers.get("Sec-Fetch-Dest") == "document"):
                abort(403, "This is no part of other sites' pages. Open it in a tab of its own.")
            return
        origin = request.headers.get("Origin")
        if site not in _OURS or (origin is not None and urlsplit(origin).netloc != request.host):
            abort(403, f"A page at {origin or 'another site'!r} may not change anything here.")
        given = request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD, "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), token.encode()):
            abort(403, "This page is from an earlier start of the emulator. Load it again, then repeat the action.")

    app.before_request(check)
    app.after_request(_with_headers)
    app.context_processor(lambda: {"token": token, "token_header": TOKEN_HEADER, "token_field": TOKEN_FIELD})


def _policy() -> str:
    """Return what a page may load. Scripts are our own files only: objects of S3 have the same origin as pages.

    Charts set styles of elements.
    """
    own = f"{request.host_url.rstrip('/')}{PREFIX}/static/"
    return (
        f"default-src 'none'; script-src {own}; style-src {own} 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )


def _with_headers(response: Response) -> Response:
    for name, value in {**_HEADERS, "Content-Security-Policy": _policy()}.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
