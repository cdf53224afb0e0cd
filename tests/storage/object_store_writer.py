"""Changes an object store at random until it is killed: `python -m tests.storage.object_store_writer FOLDER SEED`.

Each thread has keys of its own. It tells on standard output, a JSON line each, what it is about to do and,
when the store has acknowledged it, that it is done. Contents follow from the number that names them.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.storage.objects.model import Part, Versioning
from emulator.storage.objects.segments import SMALL
from emulator.storage.objects.store import DiskObjectStore

THREADS = 4
KEYS_EACH = 5
PLAIN, VERSIONED = "plain", "versioned"


def content_of(number: int) -> bytes:
    """Return the content with a number: often small, sometimes none, now and then some MiB."""
    chance = random.Random(number)
    size = chance.choice(
        [0, chance.randrange(100), chance.randrange(20_000), SMALL + chance.randrange(-1, 2), 300_000, 3_000_000]
    )
    return chance.randbytes(min(size, 4096)) + bytes([number % 256]) * max(size - 4096, 0)


def tell(**line: Any) -> None:
    os.write(1, (json.dumps(line) + "\n").encode())


@dataclass
class Writer:
    """One thread: works on its own keys, and reads nobody else's."""

    store: DiskObjectStore
    name: str
    chance: random.Random
    folder: Path

    def run(self) -> None:
        actions = [self.put, self.put, self.put_file, self.copy, self.delete, self.multipart, self.put_version]
        while True:
            self.chance.choice(actions)()

    def key(self) -> str:
        return f"{self.name}/{self.chance.randrange(KEYS_EACH)}"

    def number(self) -> int:
        return self.chance.getrandbits(50)

    def put(self) -> None:
        key, number = self.key(), self.number()
        tell(thread=self.name, begin="set", key=key, contents=[number])
        self.store.put(PLAIN, key, [content_of(number)], attributes={"contents": [number]})
        tell(thread=self.name, done="set")

    def put_file(self) -> None:
        key, number = self.key(), self.number()
        source = self.folder / f"source-{self.name}"
        source.write_bytes(content_of(number))
        tell(thread=self.name, begin="set", key=key, contents=[number])
        self.store.put_file(PLAIN, key, source, attributes={"contents": [number]}, consume=self.chance.random() < 0.5)
        tell(thread=self.name, done="set")

    def copy(self) -> None:
        source = self.store.get(PLAIN, self.key())
        if source is not None:
            key = self.key()
            tell(thread=self.name, begin="set", key=key, contents=source.attributes["contents"])
            self.store.copy(source, PLAIN, key, attributes=source.attributes)
            tell(thread=self.name, done="set")

    def delete(self) -> None:
        key = self.key()
        tell(thread=self.name, begin="set", key=key, contents=None)
        self.store.delete(PLAIN, key)
        tell(thread=self.name, done="set")

    def put_version(self) -> None:
        key, number = self.key(), self.number()
        tell(thread=self.name, begin="version", key=key)
        version = self.store.put(
            VERSIONED,
            key,
            [content_of(number)],
            attributes={"contents": [number]},
            versioning=Versioning.ENABLED,
        )
        tell(thread=self.name, done="version", version_id=version.version_id, contents=[number])

    def multipart(self) -> None:
        key = self.key()
        tell(thread=self.name, begin="upload")
        upload = self.store.create_upload(PLAIN, key, {})
        tell(thread=self.name, done="upload", upload=upload.upload_id)
        parts: list[tuple[Part, int]] = []
        for place in range(1, self.chance.randint(2, 4)):
            number = self.number()
            tell(thread=self.name, begin="part")
            part = self.store.put_part(upload, place, [content_of(number)])
            parts.append((part, number))
            tell(thread=self.name, done="part", upload=upload.upload_id, part=place, etag=part.etag)
        if self.chance.random() < 0.2:
            tell(thread=self.name, begin="end", upload=upload.upload_id)
            self.store.abort_upload(upload)
            tell(thread=self.name, done="end", upload=upload.upload_id)
            return
        chosen = parts[self.chance.randrange(2) :] or parts
        contents = [number for _, number in chosen]
        tell(thread=self.name, begin="complete", upload=upload.upload_id, key=key, contents=contents)
        self.store.complete_upload(
            upload, [part for part, _ in chosen], etag=f"e-{len(chosen)}", attributes={"contents": contents}
        )
        tell(thread=self.name, done="complete", upload=upload.upload_id)


def main(folder: Path, seed: int) -> None:
    store = DiskObjectStore(folder / "objects")
    for bucket in (PLAIN, VERSIONED):
        store.create_bucket(bucket)
    threads = [
        threading.Thread(target=Writer(store, f"t{n}", random.Random(seed * THREADS + n), folder).run)
        for n in range(THREADS)
    ]
    tell(ready=True)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
