"""What a job's containers found when they started: written down then, completed with the image's part when asked.

The record is cheap, since every job waits for it: what was laid out is known from the laying out, and the engine tells
the rest from what it knows already. What the image itself has of /opt/ml takes a container that is made and never
started, so that is read when somebody asks for it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any, Final

from ..contract.outcome import ImageMissingError
from ..contract.plan import ClusterPlan, GivenContainer
from ..contract.record import JobRecord
from .ports import Engine, ImageEntry, ImageView, ViewStore
from .staging import HostTree

_IMAGES_KEPT: Final = 16


def document_of(
    plan: ClusterPlan, given: Mapping[str, GivenContainer], trees: Mapping[str, HostTree]
) -> dict[str, Any]:
    """Return what the containers of a plan are about to find."""
    mounts = {
        one.host: [{"target": str(mount.target), "writable": mount.writable} for mount in one.mounts]
        for one in plan.containers
    }
    return {
        "image": plan.image,
        "hosts": {
            host: {
                "command": list(one.command),
                "environment": dict(one.environment),
                "user": one.user,
                "working_directory": one.working_directory,
                "hostname": one.hostname,
                "mounts": mounts[host],
                "tree": trees[host].entries,
                "texts": trees[host].texts,
            }
            for host, one in given.items()
        },
    }


class ContainerViews:
    """Answers what the containers of a job found."""

    def __init__(self, store: ViewStore, engine: Engine) -> None:
        self._store = store
        self._engine = engine
        self._lock = threading.Lock()
        self._images: dict[str, ImageView] = {}

    def of(self, record: JobRecord) -> dict[str, Any] | None:
        """Return a job's view, the image's part of /opt/ml in it; None: its containers have not started.

        Where the image is gone, `image_missing` says so, and the trees have what was mounted only.
        """
        document = self._store.get(record.unique_name)
        if document is None:
            return None
        image = self._image(document["image"])
        if isinstance(image, str):
            document["image_missing"] = image
            image = ImageView(entries={})
        for host in document["hosts"].values():
            host["tree"] = _joined_tree(host, image)
            if image.passwd:
                home = home_of(host["user"], image.passwd)
                host["environment"] = {"HOME": home, **host["environment"]}
        return document

    def _image(self, image: str) -> ImageView | str:
        """Return what an image has, read once; a text that says why it cannot be told any more."""
        with self._lock:
            known = self._images.get(image)
            if known is not None:
                return known
            try:
                found = self._engine.image_view(image)
            except ImageMissingError:
                return f"The image {image} is not there any more: what it had below /opt/ml cannot be told."
            if len(self._images) >= _IMAGES_KEPT:
                self._images.pop(next(iter(self._images)))
            self._images[image] = found
            return found


def _joined_tree(host: Mapping[str, Any], image: ImageView) -> dict[str, dict[str, Any]]:
    """Lay what was mounted over what the image has; of directories around the mounts the image's stay."""
    targets = [PurePosixPath(mount["target"]) for mount in host["mounts"]]

    def is_mounted(path: str) -> bool:
        return any(PurePosixPath(path).is_relative_to(target) for target in targets)

    laid_out: dict[str, Any] = {
        path: {"type": kind, "mode": mode, "size": size} for path, (kind, mode, size) in host["tree"].items()
    }
    of_image = {path: _entry(one) for path, one in image.entries.items() if not is_mounted(path)}
    return dict(sorted({**laid_out, **of_image}.items()))


def _entry(one: ImageEntry) -> dict[str, Any]:
    target = {} if one.target is None else {"target": one.target}
    return {"type": one.kind, "mode": f"{one.mode:04o}", "size": one.size, **target}


def home_of(user: str, passwd: str) -> str:
    """Return the home folder that a container's runtime gives a user: that of its line in /etc/passwd, else "/"."""
    wanted = user.partition(":")[0] or "0"
    for line in passwd.splitlines():
        fields = line.split(":")
        if len(fields) >= 6 and wanted in (fields[0], fields[2]):
            return fields[5] or "/"
    return "/"
