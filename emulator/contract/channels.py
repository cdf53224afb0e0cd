"""Input channels: which S3 objects become which files under /opt/ml/input/data/<channel>.

Source: BC `Channel` and `S3DataSource`, "Amazon SageMaker: access training data", and captured jobs. What
becomes of a channel's objects is in s3_data.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from . import paths
from .arns import S3Uri
from .job import Host


@dataclass(frozen=True, kw_only=True)
class Channel:
    """One entry of InputDataConfig: where its S3 data goes inside the container."""

    name: str
    source: S3Uri
    s3_data_type: str = "S3Prefix"
    distribution: str = "FullyReplicated"
    input_mode: str = "File"
    content_type: str | None = None
    compression: str = "None"
    record_wrapper: str = "None"
    instance_groups: tuple[str, ...] = ()

    @property
    def container_path(self) -> PurePosixPath:
        """The channel's directory, which exists also when no object reaches this host."""
        return paths.INPUT_DATA / self.name

    @property
    def manifest_path(self) -> PurePosixPath:
        """The file beside the directory which lists the channel's objects."""
        return paths.INPUT_DATA / f"{self.name}-manifest"

    def receivers(self, hosts: Sequence[Host]) -> tuple[Host, ...]:
        """Return the hosts of the job that the channel goes to: those of its instance groups, else all."""
        return tuple(host for host in hosts if not self.instance_groups or host.group in self.instance_groups)

    @classmethod
    def parse(cls, document: Mapping[str, Any], default_mode: str) -> Channel:
        """Read one InputDataConfig entry; `default_mode` is AlgorithmSpecification.TrainingInputMode."""
        source = document["DataSource"]["S3DataSource"]
        return cls(
            name=document["ChannelName"],
            source=S3Uri.parse(source["S3Uri"]),
            s3_data_type=source["S3DataType"],
            distribution=source.get("S3DataDistributionType", "FullyReplicated"),
            input_mode=document.get("InputMode", default_mode),
            content_type=document.get("ContentType"),
            compression=document.get("CompressionType", "None"),
            record_wrapper=document.get("RecordWrapperType", "None"),
            instance_groups=tuple(source.get("InstanceGroupNames", ())),
        )


def manifest_text(source: S3Uri, keys: Iterable[str]) -> str:
    """Return the text of `<channel>-manifest`: the prefix, then the URI of every matched object.

    Every host's file lists all objects, also those that went to another host.
    """
    lines = [source.key.rstrip("/"), *(f"s3://{source.bucket}/{key}" for key in keys)]
    return "".join(f"{line}\n" for line in lines)
