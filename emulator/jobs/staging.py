"""Lays out /opt/ml of one host on this machine's disk, for an engine to bring into the container."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from ..contract import paths
from ..contract.arns import S3Uri, Scope
from ..contract.channels import manifest_text
from ..contract.config_files import config_files
from ..contract.job import Host, InputData, Job
from ..contract.outcome import DataDownloadError
from ..contract.plan import Mount
from ..contract.s3_data import (
    MANIFEST_FILE,
    SHARDED_BY_S3_KEY,
    SourceObject,
    file_layout,
    joined_layout,
    manifest_objects,
    prefix_objects,
    shard,
)
from .ports import ObjectMissingError, ObjectStore

_OPT_ML = str(paths.OPT_ML)
_FILE_MODE = f"{paths.FILE_MODE:04o}"


@dataclass(frozen=True)
class HostTree:
    """One host's /opt/ml below a directory of this machine, and which directories it has from the beginning.

    `entries` is all that was laid out, by path in the container: type, mode and size; `texts` are the files of the
    platform's own. They are written down as they are made, since walking thousands of files would hold up the job.
    """

    root: Path
    host: Host
    directories: tuple[PurePosixPath, ...] = ()
    entries: dict[str, tuple[str, str, int]] = field(default_factory=dict, compare=False)
    texts: dict[str, str] = field(default_factory=dict, compare=False)

    def mounts(self, roots: Iterable[PurePosixPath]) -> tuple[Mount, ...]:
        """Return how the container gets these of its directories; /opt/ml itself stays the image's."""
        return tuple(Mount(source=self.on_disk(path), target=path) for path in roots)

    def on_disk(self, path: PurePosixPath) -> Path:
        """Return where a path below /opt/ml lies on this machine."""
        # For each of many files: `relative_to` takes as long as the copy of a small one.
        text = str(path)
        assert text.startswith(_OPT_ML), f"{text} is not below {_OPT_ML}"
        return self.root / text[len(_OPT_ML) + 1 :]

    def make_directory(self, path: PurePosixPath, mode: int = paths.DIRECTORY_MODE) -> None:
        """Make a directory with the mode, whatever the umask is; missing parents get the usual one."""
        target = self.on_disk(path)
        if not target.is_dir():
            if not target.parent.is_dir():
                self.make_directory(path.parent)
            target.mkdir()
        target.chmod(mode)
        if path != paths.OPT_ML:
            self.entries[str(path)] = ("directory", f"{mode:04o}", 0)

    def write(self, path: PurePosixPath, text: str) -> None:
        """Write a file as the platform does: root's (if we are root), mode 0644."""
        target = self.on_disk(path)
        target.write_text(text, encoding="utf-8")
        target.chmod(paths.FILE_MODE)
        self.entries[str(path)] = ("file", _FILE_MODE, target.stat().st_size)
        self.texts[str(path)] = text


def lay_out(root: Path, job: Job, host: Host) -> HostTree:
    """Make the directories and config files that every job of its kind has."""
    modes = job.directory_modes(host)
    tree = HostTree(root, host, tuple(modes))
    for path, mode in modes.items():
        tree.make_directory(path, mode)
    for path, text in config_files(job, host).items():
        tree.write(path, text)
    return tree


@dataclass(frozen=True, kw_only=True)
class PlannedInput:
    """Input data whose objects are known. Sizes are in bytes; those of a ManifestFile's objects are not known."""

    data: InputData
    objects: tuple[SourceObject, ...]
    sizes: Mapping[S3Uri, int]

    @property
    def size(self) -> int:
        """How many bytes all hosts together get."""
        copies = 1 if self.data.distribution == SHARDED_BY_S3_KEY else len(self.data.receivers)
        return copies * sum(self.sizes.values())


def plan_input(objects: ObjectStore, scope: Scope, data: InputData, scratch: Path) -> PlannedInput:
    """Find the objects of input data. `scratch` is a directory of this machine for a moment.

    Raises:
        DataDownloadError: nothing is there any more, or the manifest file cannot be read.
    """
    if data.s3_data_type == MANIFEST_FILE:
        text = _text_of(objects, scope, data.source, scratch / "manifest")
        return PlannedInput(data=data, objects=manifest_objects(data.source, text), sizes={})
    found = objects.objects(scope, data.source)
    if not found:
        raise DataDownloadError(f"No S3 objects found under S3 URL {data.source}. They were there at creation.")
    known = prefix_objects(data.source, [one.key for one in found])
    return PlannedInput(
        data=data, objects=known, sizes={one.source: stored.size for one, stored in zip(known, found, strict=True)}
    )


def stage(
    objects: ObjectStore,
    scope: Scope,
    inputs: Sequence[PlannedInput],
    tree: HostTree,
    on_bytes: Callable[[int], None],
) -> None:
    """Copy a host's part of all File-mode inputs to its tree: manifests, directories, then each object.

    `on_bytes` hears of every object copied; what it raises ends the staging.

    Raises:
        DataDownloadError: an object has vanished since it was listed, or has no place where it goes.
    """
    received = [one for one in inputs if tree.host in one.data.receivers]
    layout = joined_layout(
        (
            (one.data.path, file_layout(shard(one.objects, one.data.distribution, tree.host, one.data.receivers)))
            for one in received
        ),
        tree.directories,
    )
    for one in received:
        if one.data.listed_at is not None:
            keys = [found.source.key for found in one.objects]
            tree.write(one.data.listed_at, manifest_text(one.data.source, keys))
    for directory in layout.directories:
        tree.make_directory(directory)
    for staged in layout.files:
        target = tree.on_disk(staged.path)
        size = _download(objects, scope, staged.source, target)
        on_bytes(size)
        target.chmod(paths.FILE_MODE)
        tree.entries[str(staged.path)] = ("file", _FILE_MODE, size)


def _text_of(objects: ObjectStore, scope: Scope, source: S3Uri, scratch: Path) -> str:
    _download(objects, scope, source, scratch)
    try:
        return scratch.read_text(encoding="utf-8", errors="replace")
    finally:
        scratch.unlink()


def _download(objects: ObjectStore, scope: Scope, source: S3Uri, target: Path) -> int:
    try:
        return objects.download(scope, source, target)
    except ObjectMissingError as error:
        raise DataDownloadError(f"Unable to download object {source} ({error})") from error
