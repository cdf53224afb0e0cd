"""SIGKILL at random moments: what was acknowledged is there, byte for byte, and nothing is left over."""

from __future__ import annotations

import json
import random
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emulator.storage.objects.model import ObjectVersion
from emulator.storage.objects.store import DiskObjectStore

from .object_store_writer import KEYS_EACH, PLAIN, THREADS, VERSIONED, content_of

KILLS = 30
# Acknowledgements before a kill: a number, not a time, so that a slow machine's store has done as much.
MOST_LINES = 120
REPOSITORY = Path(__file__).parents[2]

Contents = list[int] | None
"""The numbers of the contents that make up an object; None: there is no object."""


@dataclass
class Acknowledged:
    """What the store has said that it has done, and what it was doing when it was killed."""

    objects: dict[str, Contents] = field(default_factory=dict)
    versions: dict[str, tuple[str, list[int]]] = field(default_factory=dict)
    uploads: dict[str, dict[int, str]] = field(default_factory=dict)
    begun: dict[str, dict[str, Any]] = field(default_factory=dict)
    count: int = 0

    def hear(self, line: dict[str, Any]) -> None:
        if "ready" in line:
            return
        if "begin" in line:
            self.begun[line["thread"]] = line
            return
        begun = self.begun.pop(line["thread"])
        self.count += 1
        match line["done"]:
            case "set":
                self.objects[begun["key"]] = begun["contents"]
            case "version":
                self.versions[line["version_id"]] = (begun["key"], line["contents"])
            case "upload":
                self.uploads[line["upload"]] = {}
            case "part":
                self.uploads[line["upload"]][line["part"]] = line["etag"]
            case "end":
                del self.uploads[line["upload"]]
            case _:
                assert line["done"] == "complete"
                del self.uploads[line["upload"]]
                self.objects[begun["key"]] = begun["contents"]


def test_what_was_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    chance = random.Random(20240229)
    acknowledged = Acknowledged()
    for kill in range(KILLS):
        for line in lines_until_killed(tmp_path, kill, chance.randrange(MOST_LINES), chance.uniform(0, 0.01)):
            acknowledged.hear(line)
        store = DiskObjectStore(tmp_path / "objects")
        check_objects(store, acknowledged)
        check_versions(store, acknowledged)
        check_uploads(store, acknowledged)
        check_files(store, tmp_path / "objects")
        store.close()
        acknowledged.begun.clear()
    assert acknowledged.count > KILLS, "the store was always killed before it did anything"


def lines_until_killed(folder: Path, seed: int, lines: int, seconds: float) -> Iterator[dict[str, Any]]:
    """Kill a writer a moment after it has told so many lines; yield these and what it told in that moment."""
    command = [sys.executable, "-m", "tests.storage.object_store_writer", str(folder), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=REPOSITORY) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        assert first, "the writer ended by itself"
        told = [writer.stdout.readline() for _ in range(lines)]
        time.sleep(seconds)
        writer.kill()
        told += writer.stdout.readlines()
    yield from (json.loads(line) for line in told if line.endswith(b"\n"))
    assert writer.returncode == -9


def content(contents: list[int]) -> bytes:
    return b"".join(content_of(number) for number in contents)


def bytes_of(store: DiskObjectStore, version: ObjectVersion) -> bytes:
    found = b"".join(store.read(version))
    assert len(found) == version.size
    return found


def check_objects(store: DiskObjectStore, acknowledged: Acknowledged) -> None:
    """An operation that was under way happened or did not: both are right, anything else is not."""
    under_way = {line["key"]: line["contents"] for line in acknowledged.begun.values() if "contents" in line}
    for key in (f"t{thread}/{number}" for thread in range(THREADS) for number in range(KEYS_EACH)):
        version = store.get(PLAIN, key)
        found = None if version is None else version.attributes["contents"]
        allowed = [acknowledged.objects.get(key)]
        if key in under_way:
            allowed.append(under_way[key])
        assert found in allowed, key
        if version is not None:
            assert bytes_of(store, version) == content(version.attributes["contents"]), key
        acknowledged.objects[key] = found
    listed = [one.key for one in store.list_objects(PLAIN).objects]
    assert listed == sorted(key for key, contents in acknowledged.objects.items() if contents is not None)


def check_versions(store: DiskObjectStore, acknowledged: Acknowledged) -> None:
    listed = {one.version_id: one for one in store.list_versions(VERSIONED, limit=100_000).objects}
    for version_id, (key, contents) in acknowledged.versions.items():
        assert listed[version_id].key == key
        assert bytes_of(store, listed[version_id]) == content(contents)
    extra = [version for version_id, version in listed.items() if version_id not in acknowledged.versions]
    assert len(extra) <= sum(line["begin"] == "version" for line in acknowledged.begun.values())
    for version in listed.values():
        if version in extra:
            assert bytes_of(store, version) == content(version.attributes["contents"])
        store.delete_version(VERSIONED, version.key, version.version_id)
    acknowledged.versions.clear()


def check_uploads(store: DiskObjectStore, acknowledged: Acknowledged) -> None:
    begun = list(acknowledged.begun.values())
    ending = {line["upload"] for line in begun if line["begin"] in ("end", "complete")}
    found = {upload.upload_id: upload for upload in store.list_uploads(PLAIN)}
    assert acknowledged.uploads.keys() - ending <= found.keys()
    assert len(found.keys() - acknowledged.uploads.keys()) <= sum(line["begin"] == "upload" for line in begun)
    for upload_id, upload in found.items():
        parts = {part.number: part.etag for part in store.list_parts(upload)}
        known = acknowledged.uploads.get(upload_id, {})
        assert parts.items() >= known.items()
        assert len(parts) <= len(known) + 1
        store.abort_upload(upload)
    acknowledged.uploads.clear()


def check_files(store: DiskObjectStore, folder: Path) -> None:
    store.sweep()
    store.sweep()  # the one at the start may have been at it too; now all are gone
    assert not any((folder / "tmp").iterdir())
    with closing(sqlite3.connect(folder / "index.sqlite")) as connection:
        named = {name for (name,) in connection.execute("SELECT name FROM segments")}
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        orphans = (
            "SELECT count(*) FROM contents LEFT JOIN versions ON id = version"
            " WHERE id IS NULL OR segments <> '[]' OR size <> length(bytes)"
        )
        assert connection.execute(orphans).fetchone() == (0,)
    assert {path.name for path in (folder / "segments").rglob("*") if path.is_file()} == named
