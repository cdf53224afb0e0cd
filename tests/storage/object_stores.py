"""What tests of the object store do again and again."""

from __future__ import annotations

import io
import os
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

from emulator.storage.objects.model import (
    ObjectVersion,
)
from emulator.storage.objects.store import DiskObjectStore

MIB = 1024**2


def put(store: DiskObjectStore, key: str, content: bytes = b"content", **options: Any) -> ObjectVersion:
    return store.put("b", key, io.BytesIO(content), **{"attributes": {}, **options})


def content_of(store: DiskObjectStore, key: str, version_id: str | None = None) -> bytes:
    version = store.get("b", key, version_id)
    assert version is not None
    return b"".join(store.read(version))


def files(root: Path) -> list[Path]:
    return [path for folder in ("segments", "tmp") for path in (root / folder).rglob("*") if path.is_file()]


def contents(root: Path) -> int:
    """Return how many objects have their bytes in the index."""
    with closing(sqlite3.connect(root / "index.sqlite")) as connection:
        (count,) = connection.execute("SELECT count(*) FROM contents").fetchone()
    return int(count)


def kept(root: Path) -> int:
    """Return how many things the store keeps bytes in."""
    return len(files(root)) + contents(root)


def open_below(folder: Path) -> int:
    """Return how many files below a folder this process has open."""
    return sum(os.path.realpath(one).startswith(f"{folder}/") for one in Path("/proc/self/fd").iterdir())


def in_threads(*tasks: Any) -> None:
    """Run tasks side by side; the first failure of one fails the test."""
    failures: list[BaseException] = []

    def run(task: Any) -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001
            failures.append(error)

    threads = [threading.Thread(target=run, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
