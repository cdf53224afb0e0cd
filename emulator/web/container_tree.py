"""The files that a container found, as a tree to open and close."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from .unseen import visible

MOST_ENTRIES: Final = 200
"""Of a directory with more entries than this the first ones are shown, and how many more there are."""


@dataclass(kw_only=True)
class Node:
    """A directory, a file or a link; `name` of a root is its whole path."""

    name: str
    path: str
    type: str
    mode: str = ""
    size: int = 0
    target: str = ""
    text: str | None = None
    children: list[Node] = field(default_factory=list)
    files: int = 0
    """How many files are below it."""
    not_shown: int = 0

    @property
    def is_directory(self) -> bool:
        """Whether there can be something below it."""
        return self.type == "directory"


def roots(tree: Mapping[str, Mapping[str, Any]], texts: Mapping[str, str], most: int = MOST_ENTRIES) -> list[Node]:
    """Return the trees that the entries of a container view make; sizes and counts of directories are of all below.

    A path whose directory is not listed is a root. Texts are those of the platform's own files.
    """
    nodes: dict[str, Node] = {}
    found: list[Node] = []
    for path in sorted(tree):
        entry = tree[path]
        above, _, name = path.rpartition("/")
        parent = nodes.get(above)
        node = Node(
            name=visible(path if parent is None else name),
            path=path,
            type=entry["type"],
            mode=entry["mode"],
            size=entry["size"] if entry["type"] == "file" else 0,
            target=visible(entry.get("target", "")),
            text=texts.get(path),
        )
        nodes[path] = node
        (found if parent is None else parent.children).append(node)
    for path in sorted(nodes, reverse=True):  # what is below comes before what is above
        _sum_up(nodes[path])
        _cut(nodes[path], most)
    return found


def _sum_up(node: Node) -> None:
    if not node.is_directory:
        return
    node.size = sum(one.size for one in node.children)
    node.files = sum(one.files if one.is_directory else 1 for one in node.children)


def _cut(node: Node, most: int) -> None:
    node.children = _directories_first(node.children)
    node.not_shown = max(0, len(node.children) - most)
    del node.children[most:]


def _directories_first(nodes: Sequence[Node]) -> list[Node]:
    return sorted(nodes, key=lambda one: (not one.is_directory, one.name))
