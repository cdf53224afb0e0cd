"""What is sent as a file to be saved."""

from __future__ import annotations

from urllib.parse import quote


def disposition(name: str) -> str:
    """Return the header that has a browser save under a name (RFC 6266): any name is possible in its second form."""
    plain = "".join(one if one.isascii() and one.isprintable() and one not in '"\\%/' else "_" for one in name)
    encoded = quote(name.encode("utf-8", "replace"), safe="")
    return f"attachment; filename=\"{plain or 'object'}\"; filename*=UTF-8''{encoded or 'object'}"
