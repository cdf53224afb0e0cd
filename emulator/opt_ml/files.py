"""The files that a job left in memory, asked for as those of any other job."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import IO

from ..contract.arns import S3Uri
from ..testing.files import JobFiles


class MemoryFiles(JobFiles):
    """The objects of one processing output, by their keys below its prefix."""

    def __init__(self, what: str, uri: S3Uri, contents: Mapping[str, bytes]) -> None:
        super().__init__(what, uri)
        self._contents = contents

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files in their order."""
        return tuple(sorted(self._contents))

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading."""
        if name not in self._contents:
            raise self._missing(name)
        return io.BytesIO(self._contents[name])

    def extract(self, destination: Path) -> Path:
        """Write every file into a folder."""
        for name, content in self._contents.items():
            path = destination / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        destination.mkdir(parents=True, exist_ok=True)
        return destination


class MemoryArchive(JobFiles):
    """model.tar.gz or output.tar.gz; `content` is b"" where the job left none."""

    def __init__(self, what: str, uri: S3Uri, content: bytes) -> None:
        super().__init__(what, uri)
        self.content = content

    @property
    def exists(self) -> bool:
        """Whether the job has left the archive, be it one of empty directories."""
        return bool(self.content)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files, without directories, in their order."""
        return tuple(sorted(name for name, member in self.members.items() if not member.isdir()))

    @cached_property
    def members(self) -> dict[str, tarfile.TarInfo]:
        """Everything in the archive by name, directories too."""
        if not self.content:
            return {}
        with self._archive() as archive:
            return {member.name: member for member in archive}

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading."""
        if name not in self.members:
            raise self._missing(name)
        with self._archive() as archive:
            file = archive.extractfile(self.members[name])
            if file is None:
                raise self._missing(name)
            return io.BytesIO(file.read())

    def extract(self, destination: Path) -> Path:
        """Write everything into a folder, with links and modes."""
        destination.mkdir(parents=True, exist_ok=True)
        if self.content:
            with self._archive() as archive:
                archive.extractall(destination, filter="data")
        return destination

    def _archive(self) -> tarfile.TarFile:
        return tarfile.open(fileobj=io.BytesIO(self.content))
