"""Puts what a test gives as the data of a channel into S3."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..contract.arns import S3Uri
from ..errors import UsageError
from .requests import is_in_s3, require_names
from .sagemaker_emulator import SageMakerEmulator

Data = str | bytes | Path | Mapping[str, Any]
"""An s3:// URI; a file's content; a file or folder; contents or files by name; or a member of the request as it is."""


def stored(
    emulator: SageMakerEmulator, job: str, word: str, inputs: Mapping[str, Data] | None
) -> dict[str, str | Mapping[str, Any]]:
    """Store the data of a job's inputs, each below a prefix of its own, and return their URIs.

    `word` is what a test calls them: channels, or inputs.

    Raises:
        UsageError: something is given that is no data, or a file that is not there.
    """
    require_names(word, inputs, "{'train': Path('data')}")
    return {name: _stored(emulator, job, name, data) for name, data in (inputs or {}).items()}


def _stored(emulator: SageMakerEmulator, job: str, name: str, data: Data) -> str | Mapping[str, Any]:
    if is_in_s3(data):
        return data
    if isinstance(data, str):
        raise UsageError(
            f"{name}: {data!r} may be a path or a content. Write Path({data!r}), or {data!r}.encode(), "
            "or name an s3:// URI."
        )
    prefix = S3Uri(bucket=emulator.bucket, key=f"{job}/input/{name}")
    contents = data if isinstance(data, Mapping) else {"": data}
    for key, content in contents.items():
        _store(emulator, prefix, name, str(key), content)
    return f"{prefix}/"


def _store(emulator: SageMakerEmulator, prefix: S3Uri, name: str, key: str, content: object) -> None:
    """Store one entry: a content at its key, a folder's files below it."""
    s3 = emulator.clients.s3
    if isinstance(content, str):
        content = content.encode()
    if isinstance(content, bytes):
        at = prefix.joined(key or "data")
        s3.put_object(Bucket=at.bucket, Key=at.key, Body=content)
        return
    if not isinstance(content, Path):
        kind = type(content).__name__
        raise UsageError(f"{name}: {key or 'its data'} is of type {kind}. Give bytes, a text, a Path, or an s3:// URI.")
    path = emulator.rootpath / content
    if path.is_file():
        at = prefix.joined(key or path.name)
        s3.upload_file(str(path), at.bucket, at.key)
        return
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else []
    if not files:
        raise UsageError(f"{name}: there is no file, and no folder with files, {path}.")
    for file in files:
        at = prefix.joined(*filter(None, (key, file.relative_to(path).as_posix())))
        s3.upload_file(str(file), at.bucket, at.key)
