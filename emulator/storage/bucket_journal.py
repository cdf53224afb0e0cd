"""The requests that made the buckets what they are, on disk: moto, which keeps buckets, forgets them at the end.

One file a bucket holds the last request of each kind (its creation, its policy, its versioning ...), so the
journal is as large as the configuration is, however often it was changed.
"""

from __future__ import annotations

import base64
import json
import logging
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote

from .buckets import BucketCall

logger = logging.getLogger(__name__)

FOLDER: Final = "buckets"
CREATION: Final = ""
"""The kind of a bucket's first request; all others are the name of a subresource, such as "policy"."""

# All buckets first, then what logging and replication ask for; the rest is known in the order of time.
_ORDER: Final = {CREATION: 0, "versioning": 1, "acl": 2, "policy": 3}

_ASIDE: Final = ".new"

Entries = dict[str, dict[str, Any]]


class BucketJournal:
    """Files of requests in a folder; each is replaced as a whole, and survives a crash at any moment."""

    def __init__(self, folder: Path) -> None:
        """Open the folder, or make it; what a killed process left half-written is removed."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        for half_written in folder.glob(f"*{_ASIDE}"):
            half_written.unlink()
        self._lock = threading.Lock()

    def record(self, bucket: str, kind: str, call: BucketCall, at: float | None = None) -> None:
        """Remember a request instead of the last one of its kind; the first creation stays the creation.

        `at` is when it was made, in epoch seconds; None: now.
        """
        with self._lock:
            entries = self._read(bucket)
            if kind == CREATION and kind in entries:
                return
            document = {**asdict(call), "body": base64.b64encode(call.body).decode()}
            entries[kind] = {"at": time.time() if at is None else at, "call": document}
            self._write(bucket, entries)

    def forget(self, bucket: str, kind: str) -> None:
        """Forget the request of a kind: its configuration was deleted."""
        with self._lock:
            entries = self._read(bucket)
            if entries.pop(kind, None) is not None:
                self._write(bucket, entries)

    def forget_bucket(self, bucket: str) -> None:
        """Forget a bucket: it was deleted."""
        with self._lock:
            self._file(bucket).unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget all buckets."""
        with self._lock:
            for file in self._files():
                file.unlink(missing_ok=True)

    def calls(self) -> Iterator[BucketCall]:
        """Yield all requests in an order in which they work: configuration may depend on other configuration."""
        with self._lock:
            entries = [(kind, entry) for file in self._files() for kind, entry in _parsed(file).items()]
        for _, entry in sorted(entries, key=lambda one: (_ORDER.get(one[0], len(_ORDER)), one[1]["at"])):
            document = entry["call"]
            yield BucketCall(**{**document, "body": base64.b64decode(document["body"])})

    def created(self) -> dict[str, float]:
        """Return when each bucket was created, in epoch seconds."""
        with self._lock:
            found = [(file, _parsed(file).get(CREATION)) for file in self._files()]
        return {unquote(entry["call"]["target"])[1:]: entry["at"] for _, entry in found if entry is not None}

    def _file(self, bucket: str) -> Path:
        return self._folder / f"{quote(bucket, safe='')}.json"

    def _files(self) -> list[Path]:
        return sorted(self._folder.glob("*.json"))

    def _read(self, bucket: str) -> Entries:
        file = self._file(bucket)
        return _parsed(file) if file.exists() else {}

    def _write(self, bucket: str, entries: Entries) -> None:
        file = self._file(bucket)
        aside = file.with_suffix(_ASIDE)
        with aside.open("w", encoding="utf-8") as target:
            json.dump(entries, target, indent=1)
            target.flush()
            os.fsync(target.fileno())
        aside.replace(file)


def _parsed(file: Path) -> Entries:
    try:
        entries: Entries = json.loads(file.read_text(encoding="utf-8"))
    except ValueError:
        logger.exception("The bucket configuration in %s cannot be read and is left out", file)
        return {}
    return entries
