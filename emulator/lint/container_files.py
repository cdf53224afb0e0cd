"""Reads single files of a container that need not run, by the engine's archive API: nothing in the image is needed."""

from __future__ import annotations

import base64
import io
import json
import posixpath
import tarfile
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, cast

import docker
import requests
from docker.errors import APIError

_DIRECTORY: Final = 1 << 31
_LINK: Final = 1 << 27
_MOST_LINKS: Final = 8
_SECONDS: Final = 30
_MOST_BYTES: Final = 64 * 1024**2


@dataclass(frozen=True, kw_only=True)
class FileStatus:
    """One file or directory, links followed."""

    path: str
    mode: int
    size: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return bool(self.mode & _DIRECTORY)

    @property
    def is_executable(self) -> bool:
        """Whether anybody may execute it."""
        return not self.is_directory and bool(self.mode & 0o111)


class ContainerFiles:
    """The file system of one container that does not change: what was looked up once is not asked for again."""

    def __init__(self, api: docker.APIClient, container: str) -> None:
        self._api = api
        self._url = f"{api.base_url}/v{api.api_version}/containers/{container}/archive"
        self._found: dict[str, FileStatus | None] = {}

    def status(self, path: str) -> FileStatus | None:
        """Return what is at a path; None if nothing is."""
        if path not in self._found:
            self._found[path] = self._ask(path)
        return self._found[path]

    def _ask(self, path: str) -> FileStatus | None:
        followed = path
        for _ in range(_MOST_LINKS):
            answer = self._api.head(self._url, params={"path": followed}, timeout=_SECONDS)
            if answer.status_code == requests.codes.not_found:
                return None
            _check(answer)
            found = json.loads(base64.b64decode(answer.headers["X-Docker-Container-Path-Stat"]))
            if not found["mode"] & _LINK:
                return FileStatus(path=path, mode=found["mode"], size=found["size"])
            followed = posixpath.join(posixpath.dirname(followed), found["linkTarget"])
        return None

    def read(self, path: str, most: int) -> bytes | None:
        """Return the first bytes of a file; None if there is no such file."""
        for _ in range(_MOST_LINKS):
            with closing(self._get(path)) as answer:
                if answer.status_code == requests.codes.not_found:
                    return None
                _check(answer)
                with _opened(answer) as tar:
                    member = tar.next()
                    if member is None:
                        return None
                    if not member.issym():
                        content = tar.extractfile(member)
                        return content.read(most) if content is not None else None
                    path = posixpath.join(posixpath.dirname(path), member.linkname)
        return None

    def names_below(self, path: str, most: int) -> list[str]:
        """Return the files below a directory, so many at most, as far as they are found without reading much."""
        found: list[str] = []
        seen = 0
        with closing(self._get(f"{path}/.")) as answer:
            if answer.status_code == requests.codes.not_found:
                return []
            _check(answer)
            with _opened(answer) as tar:
                for member in tar:
                    if not member.isdir():
                        found.append(posixpath.normpath(posixpath.join(path, member.name)))
                    seen += member.size
                    if len(found) >= most or seen > _MOST_BYTES:
                        break
        return found

    def program(self, name: str, search: str, working_directory: str) -> FileStatus | None:
        """Return the file that a command's first word means, as `execvp` finds it; None if there is none.

        One that may not be executed is returned only if no other is found.
        """
        if "/" in name:
            found = self.status(posixpath.normpath(posixpath.join(working_directory, name)))
            return None if found is None or found.is_directory else found
        closed = None
        for folder in dict.fromkeys(search.split(":")):
            found = self.status(posixpath.join(folder or working_directory, name))
            if found is not None and found.is_executable:
                return found
            if found is not None and not found.is_directory:
                closed = closed or found
        return closed

    def _get(self, path: str) -> requests.Response:
        # Uncompressed, as it is read from the socket.
        plain = {"Accept-Encoding": "identity"}
        return self._api.get(self._url, params={"path": path}, headers=plain, stream=True, timeout=_SECONDS)


def _opened(answer: requests.Response) -> tarfile.TarFile:
    """Return the archive that an answer's body is, read as it comes."""
    answer.raw.auto_close = False  # its end is for tarfile to find
    return tarfile.open(fileobj=io.BufferedReader(cast("Any", answer.raw), 64 * 1024), mode="r|")


def _check(answer: requests.Response) -> None:
    """Raise APIError for what is no success."""
    try:
        answer.raise_for_status()
    except requests.HTTPError as error:
        raise APIError(str(error), response=answer) from error
