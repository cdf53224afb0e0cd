"""An object store in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.storage.objects import segments
from emulator.storage.objects.store import DiskObjectStore


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "objects"


@pytest.fixture(params=["small in the index", "all in files"])
def store(root: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[DiskObjectStore]:
    if request.param == "all in files":
        monkeypatch.setattr(segments, "SMALL", 0)
    store = DiskObjectStore(root)
    store.create_bucket("b")
    yield store
    assert store.sweep() == 0, "operations left files behind"
    store.close()
