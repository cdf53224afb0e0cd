"""Compares what a job left, and what its container found, with a reviewed text file beside the test."""

from __future__ import annotations

import difflib
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from .files import Archive, JobFiles
from .results import JobResult, ProcessingResult, TrainingResult
from .views import ContainerView

FOLDER: Final = "__snapshots__"
_FLAG: Final = "--sagemaker-update-snapshots"
# What differs from run to run whatever the job does, in the order in which it is replaced.
_NORMAL: Final = (
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"/v2/credentials/[\w.-]+"), "/v2/credentials/<id>"),
    (re.compile(r"\b[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\bhttp://[\w.-]+:\d+"), "http://<endpoint>"),
    # Only one process of a machine can serve the metadata address; to the others' containers the same is told in full.
    (re.compile(r"\bAWS_CONTAINER_CREDENTIALS_FULL_URI=http://<endpoint>"), "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="),
    # On the process rung: this interpreter's folder, and before it the one that a program's requirements are in.
    (re.compile(rf"(?<=[=:]){re.escape(str(Path(sys.executable).parent))}(?=:)"), "<python>/bin"),
    (re.compile(r"(?<=PATH=)[^:\n]*/sagemaker-emulator/environments/[^:/\n]+"), "<environment>"),
    (re.compile(r"\bip-10-0-\d+-\d+\."), "ip-<address>."),
)


class Snapshots:
    """The fixture `sagemaker_snapshot`."""

    def __init__(self, test_file: Path, test: str, *, update: bool) -> None:
        self._folder = test_file.parent / FOLDER / test_file.stem
        self._test = re.sub(r"[^\w.\[\]-]+", "-", test)
        self._update = update

    def __call__(self, result: JobResult, name: str = "", *, container_view: bool = False) -> None:
        """Compare a job that has ended with the snapshot of this test; several of one test need names.

        With `container_view` also what its containers found; that differs from rung to rung, and so does
        the name of the file.

        Raises:
            AssertionError: it differs, or there is no snapshot yet.
        """
        __tracebackhide__ = True
        view = result.container_view if container_view else None
        self.check(snapshot_text(result, view), name, result.engine if container_view else "")

    def check(self, text: str, name: str = "", rung: str = "") -> None:
        """Compare a text with the snapshot of this test.

        Raises:
            AssertionError: it differs, or there is no snapshot yet.
        """
        __tracebackhide__ = True
        parts = filter(None, (self._test, name, rung if f"[{rung}]" not in self._test else ""))
        path = self._folder / f"{'.'.join(parts)}.txt"
        found = path.read_text(encoding="utf-8") if path.is_file() else None
        if found == text:
            return
        if self._update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            return
        if found is None:
            raise AssertionError(f"There is no snapshot {path} yet. Write it with {_FLAG}, and review it:\n{text}")
        lines = difflib.unified_diff(found.splitlines(), text.splitlines(), "the snapshot", "the job", lineterm="", n=2)
        raise AssertionError(
            f"The job differs from the snapshot {path}. If that is right, run with {_FLAG} and review the diff.\n"
            + "\n".join(lines)
        )


def snapshot_text(result: JobResult, view: ContainerView | None = None) -> str:
    """Return what a snapshot has of a job: its end, the files it left, and what its containers found."""
    lines = [f"status: {result.status}", *_artifacts(result)]
    if view is not None:
        lines += _view(view)
    return normal("\n".join(lines) + "\n", result)


def normal(text: str, result: JobResult) -> str:
    """Return a text without what differs from run to run: the job's name, times, ids and addresses."""
    for name in (result.name, result.name.lower()):
        text = text.replace(name, "<job>")
    text = text.replace(result.account, "<account>")
    for pattern, instead in _NORMAL:
        text = pattern.sub(instead, text)
    return text


def _artifacts(result: JobResult) -> Iterator[str]:
    files: Mapping[str, JobFiles] = {}
    if isinstance(result, TrainingResult):
        files = {"model.tar.gz": result.model, "output.tar.gz": result.output}
    elif isinstance(result, ProcessingResult):
        files = {f"output {name}": one for name, one in sorted(result.outputs.items())}
    for title, one in files.items():
        yield from ("", f"{title}:{'' if one.exists else ' none'}")
        yield from (f"  {line}" for line in _entries(one))


def _entries(files: JobFiles) -> Iterator[str]:
    if isinstance(files, Archive):
        for name, member in sorted(files.members.items()):
            if name not in ("", "."):
                kind = "d" if member.isdir() else "l" if member.issym() else "-"
                target = f" -> {member.linkname}" if member.issym() else ""
                yield f"{kind} {member.mode & 0o7777:04o} {name}{target}"
    else:
        yield from (f"- {name}" for name in files)


def _view(view: ContainerView) -> Iterator[str]:
    for name, host in view.hosts.items():
        yield from ("", f"{name}:")
        yield f"  command: {' '.join(host.command)}"
        yield f"  user: {host.user or 'root'}"
        yield f"  working directory: {host.working_directory}"
        yield "  environment:"
        yield from (f"    {key}={text}" for key, text in sorted(host.environment.items()))
        yield "  mounts:"
        yield from (f"    {one['target']}{'' if one['writable'] else ' (read-only)'}" for one in host.mounts)
        yield "  tree:"
        yield from (f"    {_tree_line(path, entry)}" for path, entry in sorted(host.tree.items()))
        for path, text in sorted(host.texts.items()):
            yield f"  {path}:"
            yield from (f"    {line}" for line in text.splitlines())


def _tree_line(path: str, entry: Mapping[str, Any]) -> str:
    target = f" -> {entry['target']}" if entry.get("target") else ""
    return f"{entry['type']} {entry['mode']} {path}{target}"
