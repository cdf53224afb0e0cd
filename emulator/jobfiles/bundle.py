"""One archive with all that is known of a job: for a colleague, an issue, or the report of a test that failed.

First everything that will be in it is found and weighed (`plan_bundle`), then written. What is left out is said in
the README at the archive's beginning, and to whoever asked for the archive.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, cast

from botocore.exceptions import ClientError

from .. import __version__
from ..contract.arns import S3Uri
from ..contract.job import InputData
from ..contract.kinds import JobKind
from ..contract.life import parse
from ..contract.outcome import DataDownloadError
from ..contract.status import status_of
from ..errors import EmulatorError, UsageError
from .clients import Clients, code_and_message, service_errors
from .job_log import JobLogReader
from .job_objects import NOTHING_THERE, StoredObject, inputs_of, results_of

MOST_BYTES: Final = 1024**3
_README: Final = "README.md"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One file of a bundle, by its path in it; `open` gives its content, of exactly this size in bytes."""

    path: str
    size: int
    what: str
    open: Callable[[], BinaryIO]


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """What will be in an archive, and one sentence for each thing that will not."""

    name: str
    title: str
    parts: tuple[Part, ...]
    left_out: tuple[str, ...]

    def write(self, destination: Path) -> Path:
        """Write the archive, aside and then in its place; into a folder under the job's name. Returns where it is.

        Raises:
            UsageError: the file exists, or cannot be written.
            EmulatorError: an object has gone since it was found.
        """
        target = destination / f"{self.name}.tar.gz" if destination.is_dir() else destination
        if target.exists():
            raise UsageError(f"{target} exists. Choose another name with --output, or remove it.")
        aside = target.with_name(f".{target.name}.part")
        try:
            with tarfile.open(aside, "w:gz", compresslevel=1) as tar:
                readme = self.readme.encode()
                for part in (_part(_README, readme, "this text"), *self.parts):
                    self._add(tar, part)
            aside.rename(target)
        except OSError as error:
            raise UsageError(f"{target} cannot be written: {error.strerror or error}.") from error
        finally:
            aside.unlink(missing_ok=True)
        return target

    def _add(self, tar: tarfile.TarFile, part: Part) -> None:
        member = tarfile.TarInfo(f"{self.name}/{part.path}")
        member.size, member.mtime, member.mode = part.size, int(time.time()), 0o644
        with service_errors(), closing(part.open()) as content:
            try:
                tar.addfile(member, content)
            except OSError as error:
                if "unexpected end of data" in str(error):
                    raise EmulatorError(f"{part.what} has changed while it was read. Try again.") from error
                raise

    @property
    def readme(self) -> str:
        """The index: what is in the archive, what is not and why."""
        contents = "\n".join(f"- `{part.path}` ({part.size} bytes): {part.what}" for part in self.parts)
        missing = "\n".join(f"- {sentence}" for sentence in self.left_out) or "Nothing."
        return (
            f"# {self.title}\n\nWritten by sagemaker-emulator {__version__}. It may hold secrets: the variables and "
            "data that the job was given are in it as they were.\n\n"
            f"## What is in it\n\n{contents}\n\n## What was left out\n\n{missing}\n"
        )


def write_bundle(
    clients: Clients, kind: JobKind, name: str, destination: Path, *, inputs: bool = True, most_bytes: int = MOST_BYTES
) -> Path:
    """Write all that is known of a job to a .tar.gz: a file, or one named after the job in an existing folder.

    Raises:
        UsageError: the file exists, or cannot be written.
        EmulatorError: the endpoint refused, or does not know the job.
    """
    return plan_bundle(clients, kind, name, inputs=inputs, most_bytes=most_bytes).write(destination)


def plan_bundle(
    clients: Clients, kind: JobKind, name: str, *, inputs: bool = True, most_bytes: int = MOST_BYTES
) -> Bundle:
    """Find what belongs into a job's bundle. Objects of S3 are taken while they are `most_bytes` together.

    Results come before inputs, as only the inputs can be had again.

    Raises:
        EmulatorError: the endpoint refused, or does not know the job.
    """
    with service_errors():
        description = clients.describe(name, kind)
        description.pop("ResponseMetadata", None)
        small = [
            _json("describe.json", description, f"the answer of Describe{kind.noun}: the request and what happened"),
            *_container(clients.container_view(description[kind.arn_member])),
            *_logs(clients, kind, description),
        ]
        collected = _Collected(most_bytes)
        if not any(part.path == "container-view.json" for part in small):
            collected.leave_out("container-view.json: the containers had not started.")
        for folder, objects in results_of(clients, kind, description):
            collected.add_all(clients, folder, objects, "what the job has made")
        for data in parse(kind, description, clients.scope).input_data:
            _add_input(clients, collected, data, description["CreationTime"], wanted=inputs)
    status = status_of(description)
    return Bundle(
        name=description[kind.name_member],
        title=f"The {kind.words} {description[kind.name_member]}: {status}",
        parts=(*small, *collected.parts),
        left_out=tuple(collected.left_out),
    )


class _Collected:
    """Objects that go into the archive while there is room."""

    def __init__(self, most_bytes: int) -> None:
        self._room = most_bytes
        self._most = most_bytes
        self.parts: list[Part] = []
        self.left_out: list[str] = []

    def leave_out(self, sentence: str) -> None:
        self.left_out.append(sentence)

    def add_all(self, clients: Clients, folder: str, objects: Iterable[StoredObject], what: str) -> None:
        for one in objects:
            path = f"{folder}/{one.path}"
            if {"", ".", ".."}.intersection(path.split("/")):
                self.leave_out(f"{one.uri}: its key makes no file name.")
                continue
            if one.size > self._room:
                self.leave_out(
                    f"{path} ({one.size} bytes, {one.uri}): with it there would be more than {self._most} bytes."
                )
                continue
            self._room -= one.size
            self.parts.append(Part(path=path, size=one.size, what=f"{what}, {one.uri}", open=_opener(clients, one.uri)))


def _opener(clients: Clients, uri: S3Uri) -> Callable[[], BinaryIO]:
    return lambda: cast("BinaryIO", clients.s3.get_object(Bucket=uri.bucket, Key=uri.key)["Body"])


def _part(path: str, content: bytes, what: str) -> Part:
    return Part(path=path, size=len(content), what=what, open=lambda: io.BytesIO(content))


def _json(path: str, document: Mapping[str, Any], what: str) -> Part:
    text = json.dumps(document, indent=2, default=lambda value: value.isoformat())
    return _part(path, f"{text}\n".encode(), what)


def _container(view: Mapping[str, Any] | None) -> Iterator[Part]:
    """Yield the container view, and the files that the platform wrote as files."""
    if view is None:
        return
    yield _json("container-view.json", view, "what the containers found when they started")
    for host, found in view["hosts"].items():
        for path, text in found["texts"].items():
            yield _part(f"container/{host}{path}", text.encode(), f"the platform's file on {host}")


def _logs(clients: Clients, kind: JobKind, description: Mapping[str, Any]) -> Iterator[Part]:
    hosts: dict[str, list[str]] = {}
    reader = JobLogReader(clients.logs, description[kind.name_member], description["CreationTime"], kind)
    for line in reader.read():
        hosts.setdefault(line.host, []).append(f"{line.message}\n")
    for host, lines in sorted(hosts.items()):
        yield _part(f"logs/{host}.log", "".join(lines).encode(), f"what {host} has written")


def _add_input(clients: Clients, collected: _Collected, data: InputData, created: datetime, *, wanted: bool) -> None:
    """Add the objects of one channel or input as they are now, under the paths that the containers found them at."""
    folder = f"inputs/{data.name}"
    if not wanted:
        collected.leave_out(f"{folder}/ ({data.source}): inputs were not asked for.")
        return
    try:
        objects = inputs_of(clients, data)
    except DataDownloadError as error:
        collected.leave_out(f"{folder}/ ({data.source}): {error.failure_reason}")
        return
    except ClientError as error:
        code, message = code_and_message(error)
        if code not in NOTHING_THERE:
            raise
        collected.leave_out(f"{folder}/ ({data.source}): {message}")
        return
    if not objects:
        collected.leave_out(f"{folder}/ ({data.source}): no object is there any more.")
    for one in objects:
        later = ", stored again AFTER the job was created" if one.stored > created else ""
        collected.add_all(clients, folder, [one], f"input data{later}")
