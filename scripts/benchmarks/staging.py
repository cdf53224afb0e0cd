"""File channels brought from the object store to a host's directory, beside `cp` of the same files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from emulator.contract.arns import Scope
from emulator.jobs.staging import lay_out, plan_input, stage
from emulator.storage.objects.store import DiskObjectStore
from emulator.storage.platform_objects import PlatformObjects
from tests.builders import channel_request, training_job

from .measuring import Row, medians, timed
from .running import seconds_of
from .s3_client import BUCKET, SMALL_BYTES, small_key
from .setting import Setting

_ROUNDS = 5
_PARTS = 128
_PART = bytes(8 * 1024**2)
_SMALL = 5000


def measure(setting: Setting) -> Iterator[Row]:
    """Measure a large object, which boto3 uploads in parts of 8 MiB, and a tree of small ones."""
    folder = setting.folder()
    with closing(DiskObjectStore(folder / "objects")) as store:
        store.create_bucket(BUCKET)
        upload = store.create_upload(BUCKET, "large/object", {})
        parts = [store.put_part(upload, number, [_PART]) for number in range(1, _PARTS + 1)]
        store.complete_upload(upload, parts, etag="0-128", attributes={})
        small = os.urandom(SMALL_BYTES)
        for number in range(_SMALL):
            store.put(BUCKET, small_key(number), [small], attributes={})
        yield _row("1 GiB to a File channel", store, "large", folder, 1.5)
        yield _row("5,000 x 10 KiB to a File channel", store, "small", folder, 3)


def _row(name: str, store: DiskObjectStore, prefix: str, folder: Path, target: float) -> Row:
    scope = Scope()
    objects = PlatformObjects(store, lambda _scope, _bucket: True)
    job = training_job(InputDataConfig=[channel_request("train", f"s3://{BUCKET}/{prefix}")])

    def channel(root: Path) -> Path:
        root.mkdir()
        tree = lay_out(root / "algo-1", job, job.hosts[0])
        stage(objects, scope, [plan_input(objects, scope, data, root) for data in job.input_data], tree, lambda _: None)
        return tree.on_disk(job.channels[0].container_path)

    source = channel(folder / f"{prefix}-source")

    def staged() -> float:
        seconds = timed(lambda: channel(folder / "staged"))
        shutil.rmtree(folder / "staged")
        return seconds

    def copied() -> float:
        seconds = seconds_of(["cp", "-r", str(source), str(folder / "copied")])
        shutil.rmtree(folder / "copied")
        return seconds

    ours, copy = medians(_ROUNDS, staged, copied)
    shutil.rmtree(folder / f"{prefix}-source")
    return Row(name=name, ours=ours, baseline=copy, baseline_name="cp -r", ratio_target=target)
