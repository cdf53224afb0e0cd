"""What a test gives as the data of a channel or input becomes S3 objects."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UsageError

Content = bytes | Path
"""What an object holds: bytes, or a file of this machine."""

_WRITTEN_BY_NAME = ".csv, .parquet, .json or .jsonl"


def contents(data: object, name: str, base: Path) -> dict[str, Content]:
    """Return the objects that data is, by their keys below its prefix; `name` is the channel's or the input's.

    Data is a map of keys to contents, files or directories; a file or a directory of this machine, whose path is
    relative to `base`; bytes, the content of one file; or a data frame.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(data, Mapping):
        found: dict[str, Content] = {}
        for key, value in data.items():
            found |= _entry(value, str(key), f"{name}: {key}", base)
        return found
    if isinstance(data, os.PathLike):
        return _files(base / data, name)
    if isinstance(data, bytes):
        return {"data": data}
    if _is_frame(data):
        return {f"{name}.csv": _written(data, f"{name}.csv")}
    raise UsageError(
        f"{name}: {type(data).__name__} is no data. Give {{file name: content}}, bytes, a pathlib.Path or a data frame."
    )


def _files(path: Path, name: str) -> dict[str, Content]:
    if path.is_file():
        return {path.name: path}
    if path.is_dir():
        return {one.relative_to(path).as_posix(): one for one in sorted(path.rglob("*")) if one.is_file()}
    raise UsageError(f"{name}: there is no file and no directory {path}.")


def _entry(value: object, key: str, where: str, base: Path) -> dict[str, Content]:
    """Return the objects of one entry of a map: a content or file at its key, a directory's files below it."""
    if not isinstance(value, os.PathLike):
        return {key: _content(value, key, where)}
    path = base / value
    if path.is_dir():
        return {f"{key.rstrip('/')}/{name}".lstrip("/"): content for name, content in _files(path, where).items()}
    if path.is_file():
        return {key: path}
    raise UsageError(f"{where}: there is no file and no directory {path}.")


def _content(value: object, key: str, where: str) -> Content:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if _is_frame(value):
        return _written(value, key)
    if key.endswith(".json"):
        return json.dumps(value).encode()
    raise UsageError(
        f"{where}: {type(value).__name__} is no content. Give a text, bytes, a pathlib.Path, "
        "a data frame, or for a .json what json.dumps takes."
    )


def _is_frame(value: object) -> bool:
    return hasattr(value, "to_csv") and hasattr(value, "to_parquet")


def _written(frame: Any, key: str) -> bytes:
    """Return a data frame as the format that the key's suffix names, without its index."""
    match key.rpartition(".")[2]:
        case "csv":
            return str(frame.to_csv(index=False)).encode()
        case "parquet":
            file = io.BytesIO()
            frame.to_parquet(file, index=False)
            return file.getvalue()
        case "json":
            return str(frame.to_json(orient="records")).encode()
        case "jsonl":
            return str(frame.to_json(orient="records", lines=True)).encode()
        case _:
            raise UsageError(f"{key}: a data frame is written by its name's suffix, {_WRITTEN_BY_NAME}.")
