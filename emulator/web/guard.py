"""What keeps other pages of the user's browser out of the dashboard, and texts of jobs from becoming code."""

from __future__ import annotations

import hmac
import secrets
from typing import Final
from urllib.parse import urlsplit

from flask import Flask, abort, request
from werkzeug.wrappers import Response

from ..browsers import is_known_host

TOKEN_HEADER: Final = "X-Emulator-Token"  # noqa: S105 - a name
TOKEN_FIELD: Final = "token"  # noqa: S105
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_HEADERS: Final = {
    # Charts set styles of elements; no script but our own files runs.
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def register(app: Flask, host: str) -> None:
    """Check every request: the name it came by, and for one that changes something where its page is from.

    A foreign name may have been made to lead here (DNS rebinding), so it is refused. What changes something needs
    this process's token, which only our own pages can read.
    """
    token = secrets.token_urlsafe(32)

    def check() -> None:
        if not is_known_host(request.host, {host}):
            abort(403, f"The dashboard is not shown under the name {request.host!r}: open it by its address.")
        if request.method in _SAFE:
            return
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            abort(403, f"A page at {origin!r} may not change anything here.")
        given = request.headers.get(TOKEN_HEADER) or request.form.get(TOKEN_FIELD, "")
        if not hmac.compare_digest(given.encode(), token.encode()):
            abort(403, "This page is from an earlier start of the emulator. Load it again, then repeat the action.")

    app.before_request(check)
    app.after_request(_with_headers)
    app.context_processor(lambda: {"token": token, "token_header": TOKEN_HEADER, "token_field": TOKEN_FIELD})


def _with_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
