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


def contents(data: object, name: str) -> dict[str, Content]:
    """Return the objects that data is, by their keys below its prefix; `name` is the channel's or the input's.

    Data is a map of keys to contents, a file or a directory of this machine, or a data frame.

    Raises:
        UsageError: it is none of these.
    """
    if isinstance(data, Mapping):
        return {str(key): _content(value, str(key), f"{name}: {key}") for key, value in data.items()}
    if isinstance(data, os.PathLike):
        return _files(Path(data), name)
    if _is_frame(data):
        return {f"{name}.csv": _written(data, f"{name}.csv")}
    raise UsageError(
        f"{name}: {type(data).__name__} is no data. Give {{file name: content}}, a pathlib.Path or a data frame."
    )


def _files(path: Path, name: str) -> dict[str, Content]:
    path = path.absolute()
    if path.is_file():
        return {path.name: path}
    if path.is_dir():
        return {one.relative_to(path).as_posix(): one for one in sorted(path.rglob("*")) if one.is_file()}
    raise UsageError(f"{name}: there is no file and no directory {path}.")


def _content(value: object, key: str, where: str) -> Content:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    if isinstance(value, os.PathLike):
        path = Path(value).absolute()
        if path.is_file():
            return path
        raise UsageError(f"{where}: there is no file {path}. A directory is the data of a whole channel.")
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
