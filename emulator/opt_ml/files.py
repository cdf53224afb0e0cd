"""The files that a job left, as tests ask for them: an archive's, or those of a processing output."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any


class JobFiles:
    """Files by their names, relative to what the job wrote them into: `"model.joblib" in result.model`."""

    def __init__(self, what: str, contents: Mapping[str, bytes]) -> None:
        self.what = what
        """What messages call it: `model.tar.gz of my-job`."""
        self._contents = contents

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files in their order."""
        return tuple(sorted(self._files))

    @property
    def exists(self) -> bool:
        """Whether the job has left this at all."""
        return bool(self.names)

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading.

        Raises:
            FileNotFoundError: there is no such file; the text names those there are.
        """
        if name not in self._files:
            raise FileNotFoundError(
                f"There is no {name} in {self.what}. There is: {', '.join(self.names) or 'nothing'}."
            )
        return io.BytesIO(self._files[name])

    def extract(self, destination: Path) -> Path:
        """Write everything into a folder, which is made if it is not there, and return it."""
        destination.mkdir(parents=True, exist_ok=True)
        for name in self.names:
            path = destination / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self._files[name])
        return destination

    def read_bytes(self, name: str) -> bytes:
        """Return the content of a file."""
        return self.open(name).read()

    def read_text(self, name: str, encoding: str = "utf-8") -> str:
        """Return the content of a text file."""
        return self.read_bytes(name).decode(encoding)

    def load(self, name: str, loader: Callable[[IO[bytes]], Any] | None = None) -> Any:
        """Return what a file holds: JSON for .json, by joblib for .joblib, .pkl and .pickle, else by your loader."""
        return (loader or _loader_of(name))(self.open(name))

    def __contains__(self, name: object) -> bool:
        return name in self._files

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self._files)

    def __bool__(self) -> bool:
        return self.exists

    def __repr__(self) -> str:
        return f"<{self.what}: {', '.join(self.names) or 'no files'}>"

    @property
    def _files(self) -> Mapping[str, bytes]:
        return self._contents


class Archive(JobFiles):
    """model.tar.gz or output.tar.gz; `content` is b"" where the job left none."""

    def __init__(self, what: str, content: bytes) -> None:
        super().__init__(what, {})
        self.content = content

    @property
    def exists(self) -> bool:
        """Whether the job has left the archive, be it one of empty directories."""
        return bool(self.content)

    def extract(self, destination: Path) -> Path:
        """Write everything into a folder, with links and modes."""
        destination.mkdir(parents=True, exist_ok=True)
        if self.content:
            with tarfile.open(fileobj=io.BytesIO(self.content)) as archive:
                archive.extractall(destination, filter="data")
        return destination

    @cached_property
    def _unpacked(self) -> Mapping[str, bytes]:
        if not self.content:
            return {}
        with tarfile.open(fileobj=io.BytesIO(self.content)) as archive:
            found = ((member.name, archive.extractfile(member)) for member in archive if not member.isdir())
            return {name: b"" if file is None else file.read() for name, file in found}

    @property
    def _files(self) -> Mapping[str, bytes]:
        return self._unpacked


def _loader_of(name: str) -> Callable[[IO[bytes]], Any]:
    match PurePosixPath(name).suffix:
        case ".json":
            return json.load
        case ".joblib" | ".pkl" | ".pickle":
            try:
                import joblib
            except ImportError as error:
                raise ImportError(
                    f"{name} is loaded with joblib, which is not installed here: pip install joblib, "
                    "or give load() a loader of your own."
                ) from error
            load: Callable[[IO[bytes]], Any] = joblib.load
            return load
        case _:
            raise ValueError(f"Nothing is known that loads {name}. Give load() a loader: a function of a binary file.")
