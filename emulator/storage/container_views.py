"""What jobs' containers found when they started, one JSON file a job."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from ..jobs.ports import ViewStore

VIEWS_FOLDER: Final = "views"


class ContainerViewFiles:
    """A folder of documents. A job's unique name is a file name: the request's pattern allows nothing else."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, unique_name: str, document: Mapping[str, Any]) -> None:
        """Write a document aside and move it to its place."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self._path(unique_name)
        aside = path.with_suffix(".new")
        aside.write_text(json.dumps(document, separators=(",", ":")), encoding="utf-8")
        aside.replace(path)

    def get(self, unique_name: str) -> dict[str, Any] | None:
        """Return a job's document; None: there is none."""
        try:
            document: dict[str, Any] = json.loads(self._path(unique_name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        return document

    def delete(self, unique_name: str) -> None:
        """Remove a job's document; none is fine."""
        self._path(unique_name).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self, unique_name: str) -> Path:
        return self._folder / f"{unique_name}.json"


_: type[ViewStore] = ContainerViewFiles
