"""Lays out /opt/ml of one host on this machine's disk, for an engine to bring into the container."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..contract import paths
from ..contract.arns import S3Uri, Scope
from ..contract.channels import Channel, ChannelLayout, file_layout, manifest_text
from ..contract.config_files import config_files
from ..contract.outcome import DataDownloadError
from ..contract.plan import Mount
from ..contract.training_job import Host, TrainingJob
from .ports import ObjectMissingError, ObjectStore


@dataclass(frozen=True)
class HostTree:
    """One host's /opt/ml below a directory of this machine."""

    root: Path

    @property
    def mounts(self) -> tuple[Mount, ...]:
        """The directories that the container gets; /opt/ml itself stays the image's."""
        return tuple(Mount(source=self.on_disk(path), target=path) for path in paths.PLATFORM_ROOTS)

    def on_disk(self, path: PurePosixPath) -> Path:
        """Return where a path below /opt/ml lies on this machine."""
        return self.root / path.relative_to(paths.OPT_ML)

    def make_directory(self, path: PurePosixPath, mode: int = paths.DIRECTORY_MODE) -> None:
        """Make a directory with the mode, whatever the umask is; missing parents get the usual one."""
        target = self.on_disk(path)
        if not target.is_dir():
            if not target.parent.is_dir():
                self.make_directory(path.parent)
            target.mkdir()
        target.chmod(mode)

    def write(self, path: PurePosixPath, text: str) -> None:
        """Write a file as the platform does: root's (if we are root), mode 0644."""
        target = self.on_disk(path)
        target.write_text(text, encoding="utf-8")
        target.chmod(paths.FILE_MODE)


def lay_out(root: Path, job: TrainingJob, host: Host) -> HostTree:
    """Make the directories and config files that every job of the kind has."""
    tree = HostTree(root)
    for path, mode in paths.DIRECTORY_MODES.items():
        tree.make_directory(path, mode)
    for path, text in config_files(job, host).items():
        tree.write(path, text)
    return tree


@dataclass(frozen=True, kw_only=True)
class PlannedChannel:
    """A channel whose objects are known: what to copy, and how much it is in bytes."""

    channel: Channel
    keys: tuple[str, ...]
    layout: ChannelLayout
    size: int


def plan_channel(objects: ObjectStore, scope: Scope, channel: Channel) -> PlannedChannel:
    """List a channel's objects and decide where each goes.

    Raises:
        DataDownloadError: nothing is there any more, or a key has no place in the channel's directory.
    """
    found = objects.objects(scope, channel.source)
    if not found:
        raise DataDownloadError(f"No S3 objects found under S3 URL {channel.source}. They were there at creation.")
    keys = tuple(one.key for one in found)
    return PlannedChannel(
        channel=channel,
        keys=keys,
        layout=file_layout(channel.source, keys),
        size=sum(one.size for one in found),
    )


def stage_channel(
    objects: ObjectStore,
    scope: Scope,
    planned: PlannedChannel,
    tree: HostTree,
    on_bytes: Callable[[int], None],
) -> None:
    """Copy a File-mode channel to a host: the manifest, the directories, then each object.

    `on_bytes` hears of every object copied; what it raises ends the staging.

    Raises:
        DataDownloadError: an object has vanished since it was listed.
    """
    channel = planned.channel
    tree.make_directory(channel.container_path)
    tree.write(channel.manifest_path, manifest_text(channel.source, planned.keys))
    for one in planned.layout.directories:
        tree.make_directory(channel.container_path / one)
    directory = tree.on_disk(channel.container_path)
    for staged in planned.layout.files:
        source = S3Uri(bucket=channel.source.bucket, key=staged.key)
        target = directory / staged.path
        try:
            size = objects.download(scope, source, target)
        except ObjectMissingError as error:
            raise DataDownloadError(f"Unable to download object {source} ({error})") from error
        target.chmod(paths.FILE_MODE)
        on_bytes(size)
