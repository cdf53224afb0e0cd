"""Input is the container's own copy: S3 never sees what is done to it."""

from __future__ import annotations

import io
from typing import Any

from boto3.s3.transfer import TransferConfig

from tests.jobs import TrainingJobs


def test_a_container_that_writes_into_its_input_never_changes_the_store(jobs: TrainingJobs) -> None:
    names = ("truncated", "appended", "overwritten", "removed", "replaced", "in_parts", "copied")
    contents = {name: f"{name} ".encode() * 50_000 for name in names}
    channel = jobs.channel("train", {f"/{name}": content for name, content in contents.items()})
    prefix = channel["DataSource"]["S3DataSource"]["S3Uri"].removeprefix(f"s3://{jobs.bucket}/")
    s3 = jobs.clients.s3
    place: Any = {"Bucket": jobs.bucket, "Key": f"{prefix}in_parts"}
    contents["in_parts"] = b"1" * 5 * 1024**2 + b"2" * 1000
    s3.upload_fileobj(io.BytesIO(contents["in_parts"]), **place, Config=TransferConfig(5 * 1024**2))
    s3.copy_object(Bucket=jobs.bucket, Key=f"{prefix}copied", CopySource=place)  # both share their files in the store
    contents["copied"] = contents["in_parts"]
    job = jobs.running(
        "set -e; cd /opt/ml/input/data/train; : > truncated; echo more >> appended; rm removed; "
        "for file in overwritten in_parts copied; do"
        '  python3 -c \'import sys; open(sys.argv[1], "r+b").write(b"changed")\' $file; '
        "done; "
        "echo new > other; mv other replaced; ls; head -c 7 copied",
        InputDataConfig=[channel],
    ).ended()
    assert job.status == "Completed", job.log()
    assert job.log() == [*sorted(set(names) - {"removed"}), "changed"]
    for name, content in contents.items():
        assert s3.get_object(Bucket=jobs.bucket, Key=prefix + name)["Body"].read() == content, name
