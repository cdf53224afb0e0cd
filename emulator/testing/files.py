"""The files that a job left: an archive, or the objects of a processing output."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import IO, Any

from botocore.exceptions import ClientError

from ..contract.arns import S3Uri
from ..jobfiles.clients import Clients, code_and_message

NOTHING_THERE = ("NoSuchKey", "NoSuchBucket", "404")


class JobFiles(ABC):
    """Files by their names, relative to what the container wrote them into: `"model.joblib" in result.model`."""

    def __init__(self, what: str, uri: S3Uri) -> None:
        self.what = what
        """What messages call it: `model.tar.gz of my-job`."""
        self.uri = str(uri)

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The names of the files in their order; empty if there are none, or the job left nothing."""

    @property
    def exists(self) -> bool:
        """Whether the job has left this at all."""
        return bool(self.names)

    @abstractmethod
    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading.

        Raises:
            FileNotFoundError: there is no such file; the text names those there are.
        """

    @abstractmethod
    def extract(self, destination: Path) -> Path:
        """Write everything into a folder, which is made if it is not there, and return it."""

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __bool__(self) -> bool:
        return self.exists

    def __repr__(self) -> str:
        return f"<{self.what}: {', '.join(self.names) or 'no files'}>"

    def read_bytes(self, name: str) -> bytes:
        """Return the content of a file."""
        __tracebackhide__ = True
        with self.open(name) as file:
            return file.read()

    def read_text(self, name: str, encoding: str = "utf-8") -> str:
        """Return the content of a text file."""
        __tracebackhide__ = True
        return self.read_bytes(name).decode(encoding)

    def load(self, name: str, loader: Callable[[IO[bytes]], Any] | None = None) -> Any:
        """Return what a file holds: JSON for .json, by joblib for .joblib, .pkl and .pickle, else by your loader.

        joblib runs what the file says: load only what your own program wrote.
        """
        __tracebackhide__ = True
        with self.open(name) as file:
            return (loader or _loader_of(name))(file)

    def _missing(self, name: str) -> FileNotFoundError:
        return FileNotFoundError(f"There is no {name} in {self.what}. There is: {', '.join(self.names) or 'nothing'}.")


class Archive(JobFiles):
    """model.tar.gz or output.tar.gz, brought here when it is first asked for."""

    def __init__(self, what: str, uri: S3Uri, clients: Clients, kept: Path) -> None:
        super().__init__(what, uri)
        self._uri = uri
        self._clients = clients
        self._kept = kept

    @property
    def exists(self) -> bool:
        """Whether the job has left the archive, be it an empty one."""
        return self._path is not None

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files, without directories, in their order."""
        return tuple(sorted(name for name, member in self.members.items() if not member.isdir()))

    @cached_property
    def members(self) -> dict[str, tarfile.TarInfo]:
        """Everything in the archive by name, directories too."""
        if self._path is None:
            return {}
        with tarfile.open(self._path) as archive:
            return {member.name.removeprefix("./"): member for member in archive}

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading."""
        __tracebackhide__ = True
        if name not in self.members or self._path is None:
            raise self._missing(name)
        with tarfile.open(self._path) as archive:
            file = archive.extractfile(self.members[name])
            if file is None:
                raise self._missing(name)
            return io.BytesIO(file.read())

    def extract(self, destination: Path) -> Path:
        """Write everything into a folder, with links and modes."""
        destination.mkdir(parents=True, exist_ok=True)
        if self._path is not None:
            with tarfile.open(self._path) as archive:
                archive.extractall(destination, filter="data")
        return destination

    @cached_property
    def _path(self) -> Path | None:
        try:
            answer = self._clients.s3.get_object(Bucket=self._uri.bucket, Key=self._uri.key)
        except ClientError as error:
            if code_and_message(error)[0] in NOTHING_THERE:
                return None
            raise
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        with answer["Body"] as body, self._kept.open("wb") as file:
            shutil.copyfileobj(body, file)
        return self._kept


class OutputFiles(JobFiles):
    """The objects of one processing output, by their keys below its prefix."""

    def __init__(self, what: str, uri: S3Uri, clients: Clients, names: tuple[str, ...]) -> None:
        super().__init__(what, uri)
        self._uri = uri
        self._clients = clients
        self._names = names

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the files in their order."""
        return tuple(sorted(self._names))

    def open(self, name: str) -> IO[bytes]:
        """Open a file for reading."""
        __tracebackhide__ = True
        if name not in self._names:
            raise self._missing(name)
        uri = self._uri.joined(name)
        with self._clients.s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"] as body:
            return io.BytesIO(body.read())

    def extract(self, destination: Path) -> Path:
        """Write every file into a folder."""
        for name in self._names:
            parts = PurePosixPath(name).parts
            if ".." in parts or name.startswith("/"):
                raise ValueError(f"{name!r} in {self.what} is no name of a file below a folder.")
            path = destination.joinpath(*parts)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(self.read_bytes(name))
        destination.mkdir(parents=True, exist_ok=True)
        return destination


def _loader_of(name: str) -> Callable[[IO[bytes]], Any]:
    __tracebackhide__ = True
    match PurePosixPath(name).suffix:
        case ".json":
            return json.load
        case ".joblib" | ".pkl" | ".pickle":
            try:
                import joblib  # type: ignore[import-not-found, unused-ignore] # where the user has it
            except ImportError:
                raise ImportError(
                    f"{name} is loaded with joblib, which is not installed here: pip install joblib, "
                    "or give load() a loader of your own."
                ) from None
            load: Callable[[IO[bytes]], Any] = joblib.load
            return load
        case _:
            raise ValueError(f"Nothing is known that loads {name}. Give load() a loader: a function of a binary file.")
