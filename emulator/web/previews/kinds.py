"""What content is, by its first bytes, and by its name where these leave it open."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .streams import WINDOW, inflated_head

_IMAGES: Final = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "image/webp"),
)
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_GZIP: Final = b"\x1f\x8b"
_TABLES: Final = (".csv", ".tsv")
_LINES: Final = (".jsonl", ".ndjson", ".jsonlines")
# Names that say what the bytes do not bear out.
_PROMISES: Final = {
    ".png": "a PNG image", ".jpg": "a JPEG image", ".jpeg": "a JPEG image", ".gif": "a GIF image",
    ".webp": "a WebP image", ".gz": "a gzip file", ".tgz": "a gzip file", ".tar": "a tar archive",
    ".zip": "a zip archive", ".whl": "a zip archive", ".parquet": "a Parquet file",
}  # fmt: skip


class Kind(StrEnum):
    """The ways to show content."""

    TEXT = "text"
    TABLE = "table"
    JSON = "json"
    JSON_LINES = "lines"
    IMAGE = "image"
    TAR = "tar"
    ZIP = "zip"
    PARQUET = "parquet"
    BYTES = "bytes"


@dataclass(frozen=True, kw_only=True)
class Content:
    """What there is to show: which kind, below gzip or not, which ways to show it, and a doubt about its name."""

    kind: Kind
    views: tuple[Kind, ...]
    is_gzip: bool = False
    media_type: str = ""
    note: str = ""


def content_of(name: str, head: bytes) -> Content:
    """Tell what content is whose first bytes these are (a window of them, or all)."""
    if head.startswith(_GZIP) and (inner := inflated_head(head, WINDOW)):
        found = _plain(name.lower().removesuffix(".gz"), inner)
        if found.kind in (Kind.TEXT, Kind.TABLE, Kind.JSON, Kind.JSON_LINES, Kind.TAR):
            return Content(kind=found.kind, views=found.views, is_gzip=True)
        return Content(kind=Kind.BYTES, views=(Kind.BYTES,))
    found = _plain(name.lower(), head)
    promised = next((what for ending, what in _PROMISES.items() if name.lower().endswith(ending)), None)
    if promised is not None and head and found.kind in (Kind.BYTES, Kind.TEXT, Kind.JSON, Kind.TABLE):
        return Content(
            kind=found.kind, views=found.views, note=f"By its name this is {promised}, by its bytes it is not."
        )
    return found


def decoded(head: bytes) -> str | None:
    """Return bytes as text, without a character that was cut at the end; None if they are none."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    try:
        text = head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if len(head) - error.start > 3 or error.reason != "unexpected end of data":
            return None
        text = head[: error.start].decode("utf-8-sig")
    controls = sum(text.count(chr(code)) for code in range(32) if code not in (9, 10, 12, 13, 27))
    return None if "\0" in text or controls > len(text) // 50 else text


def is_tar(head: bytes) -> bool:
    """Tell whether the first block is a tar's header: by its magic, or in old ones by its checksum."""
    if len(head) < 512:
        return False
    if head[257:262] == b"ustar":
        return True
    written = head[148:156].strip(b" \0")
    if not re.fullmatch(rb"[0-7]{4,7}", written) or not head[:100].strip(b"\0"):
        return False
    return int(written, 8) == sum(head[:148]) + 8 * 32 + sum(head[156:512])


def _plain(name: str, head: bytes) -> Content:
    for magic, media_type in _IMAGES:
        if magic.match(head):
            return Content(kind=Kind.IMAGE, views=(Kind.IMAGE, Kind.BYTES), media_type=media_type)
    if head.startswith(_ZIP):
        return Content(kind=Kind.ZIP, views=(Kind.ZIP, Kind.BYTES))
    if is_tar(head):
        return Content(kind=Kind.TAR, views=(Kind.TAR, Kind.BYTES))
    if head.startswith(b"PAR1"):
        return Content(kind=Kind.PARQUET, views=(Kind.PARQUET, Kind.BYTES))
    text = decoded(head)
    if text is None:
        return Content(kind=Kind.BYTES, views=(Kind.BYTES,))
    return _text(name, text)


def _text(name: str, text: str) -> Content:
    first = text.lstrip()[:1]
    if name.endswith(_TABLES):
        return Content(kind=Kind.TABLE, views=(Kind.TABLE, Kind.TEXT, Kind.BYTES))
    if name.endswith(_LINES):
        return Content(kind=Kind.JSON_LINES, views=(Kind.JSON_LINES, Kind.TEXT, Kind.BYTES))
    if name.endswith((".json", ".ipynb", ".geojson")) or (first and first in "{[" and "." not in name):
        return Content(kind=Kind.JSON, views=(Kind.JSON, Kind.TEXT, Kind.BYTES))
    return Content(kind=Kind.TEXT, views=(Kind.TEXT, Kind.TABLE, Kind.JSON, Kind.BYTES))
