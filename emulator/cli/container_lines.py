"""A container view as lines for a person."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from typing import Any

_SHORT = {"directory": "d", "file": "-", "symlink": "l", "other": "?"}


def container_lines(view: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what each host's container found when it started, each line with its label."""
    if "image_missing" in view:
        yield "warning", view["image_missing"]
    for name, host in view["hosts"].items():
        yield "host", f"{name} ({host['hostname']})"
        yield "command", shlex.join(host["command"])
        yield "user", host["user"]
        yield "directory", host["working_directory"]
        for mount in host["mounts"]:
            yield "mount", f"{mount['target']} {'writable' if mount['writable'] else 'read-only'}"
        for variable, value in sorted(host["environment"].items()):
            yield "environment", f"{variable} = {value}"
        for path, one in host["tree"].items():
            target = f" -> {one['target']}" if "target" in one else ""
            yield "tree", f"{_SHORT[one['type']]} {one['mode']} {one['size']:>12}  {path}{target}"
        for path, text in host["texts"].items():
            yield "text", path
            yield "", text
