"""Reads a YAML file and remembers where everything stands in it, so that every error can say so."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml import MappingNode, Node, ScalarNode, SequenceNode
from yaml.reader import ReaderError

from ..errors import UsageError

At = tuple[str | int, ...]
"""Where a value stands: `("request", "InputDataConfig", 0, "ChannelName")`."""

_MAP: Final = "tag:yaml.org,2002:map"
_LIST: Final = "tag:yaml.org,2002:seq"
_STRING: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"
_DEEPEST: Final = 50


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a value starts, and for a scalar what is written there."""

    line: int
    written: str = ""


@dataclass(frozen=True, kw_only=True)
class YamlSource:
    """The document of a YAML file, with typed access by place. Every error names file, line and key."""

    path: Path
    document: Any
    places: Mapping[At, Place]

    @classmethod
    def read(cls, path: Path) -> YamlSource:
        """Read a file.

        Raises:
            UsageError: it cannot be read, or is not plain YAML.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except IsADirectoryError as error:
            raise UsageError(f"{path} is a folder. Name the job file in it, such as {path / 'job.yaml'}.") from error
        except FileNotFoundError as error:
            raise UsageError(f"There is no job file {path}. Check its spelling, and the current folder.") from error
        except UnicodeDecodeError as error:
            raise UsageError(f"{path} is not UTF-8 text ({error}). Save it as UTF-8.") from error
        except OSError as error:
            raise UsageError(f"The job file {path} cannot be read: {error.strerror}.") from error
        return cls.parse(path, text)

    @classmethod
    def parse(cls, path: Path, text: str) -> YamlSource:
        """Read the text of a file.

        Raises:
            UsageError: it is not plain YAML.
        """
        reader = _Reader(path, text)
        return cls(path=path, document=reader.document(), places=reader.places)

    def error(self, at: At, problem: str) -> UsageError:
        """Return the error that something is wrong with what stands, or is missing, at a place."""
        return _error(self.path, self.line(at), at, problem)

    def line(self, at: At) -> int:
        """Return the line of a place; of what is around it, if it is not in the file."""
        while at and at not in self.places:
            at = at[:-1]
        return self.places[at].line if at in self.places else 1

    def has(self, at: At) -> bool:
        """Tell whether anything is written there."""
        return at in self.places

    def get(self, at: At) -> Any:
        """Return the value at a place; None if there is none."""
        value = self.document
        for step in at:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def mapping(self, at: At, known: Collection[str] = ()) -> dict[str, Any]:
        """Return the mapping at a place, whose keys must all be known ones if any are given.

        Raises:
            UsageError: it is something else, or has another key.
        """
        value = self.get(at)
        if not isinstance(value, dict):
            raise self.error(at, f"must have keys and values below it, not {self.shown(at)}.")
        for key in value:
            if known and key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                meant = f"Did you mean {close[0]}? " if close else ""
                raise self.error((*at, key), f"there is no such key. {meant}Known here: {', '.join(known)}.")
        return value

    def text(self, at: At) -> str:
        """Return the text at a place.

        Raises:
            UsageError: it is something else, which quotes may cure.
        """
        value = self.get(at)
        if isinstance(value, str) and value:
            return value
        if value in ("", None):
            raise self.error(at, "must be a text, and there is none. Write one, or remove the key.")
        if isinstance(value, dict | list):
            raise self.error(at, f"must be a text, not {self.shown(at)}.")
        key, written = at[-1], self.places[at].written
        entry = f'{key}: "{written}"' if isinstance(key, str) else f'"{written}"'
        raise self.error(at, f"must be a text, not {self.shown(at)}. Put it in quotes: {entry}")

    def texts(self, at: At) -> tuple[str, ...]:
        """Return the list of texts at a place.

        Raises:
            UsageError: it is something else.
        """
        value = self.get(at)
        if not isinstance(value, list):
            raise self.error(at, f"must be a list, such as [a, b], not {self.shown(at)}.")
        return tuple(self.text((*at, number)) for number in range(len(value)))

    def number(self, at: At) -> float:
        """Return the number at a place.

        Raises:
            UsageError: it is something else.
        """
        value = self.get(at)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self.error(at, f"must be a number, not {self.shown(at)}.")
        return value

    def shown(self, at: At) -> str:
        """Describe the value at a place as its writer sees it."""
        written = self.places[at].written if at in self.places else ""
        value = self.get(at)
        if value in ("", None):
            return "empty"
        if isinstance(value, str):
            return f"the text {written!r}"
        kinds = ((dict, "keys and values"), (list, "a list"), (bool, "true or false"), (int | float, "a number"))
        kind = next((name for types, name in kinds if isinstance(value, types)), "a date or bytes")
        return f"{written} ({kind} in YAML)" if written else kind


def dotted(at: At) -> str:
    """Return a place as people write it: `request.InputDataConfig[0].ChannelName`."""
    text = ""
    for step in at:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def _error(path: Path, line: int, at: At, problem: str) -> UsageError:
    key = f"{dotted(at)}: " if at else ""
    return UsageError(f"{path}, line {line}: {key}{problem}")


class _Reader:
    """Turns YAML's nodes into plain values, noting their places on the way."""

    def __init__(self, path: Path, text: str) -> None:
        self.places: dict[At, Place] = {}
        self._path = path
        self._text = text

    def document(self) -> Any:
        """Return the value of the only document in the text."""
        try:
            self._loader = yaml.SafeLoader(self._text)
            node = self._loader.get_single_node()
            return None if node is None else self._value(node, (), node)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            line = mark.line + 1 if mark else 1
            problem = " ".join(part for part in (error.context, error.problem) if part)
            raise _error(self._path, line, (), f"this is not valid YAML: {problem}.") from error
        except ReaderError as error:
            line = self._text.count("\n", 0, error.position) + 1
            raise _error(self._path, line, (), "this is not valid YAML: there is a control character.") from error

    def _value(self, node: Node, at: At, shown_by: Node) -> Any:
        """Return a node's value; its place is that of `shown_by`, its key or itself."""
        line = shown_by.start_mark.line + 1
        if len(at) > _DEEPEST:
            raise _error(self._path, line, at[:3], "is nested too deeply, or contains itself.")
        self.places[at] = Place(line=line, written=node.value if isinstance(node, ScalarNode) else "")
        if isinstance(node, MappingNode) and node.tag == _MAP:
            return self._mapping(node, at)
        if isinstance(node, SequenceNode) and node.tag == _LIST:
            return [self._value(entry, (*at, number), entry) for number, entry in enumerate(node.value)]
        if not isinstance(node, ScalarNode):
            raise _error(self._path, line, at, f"has the tag {node.tag}. Write a plain mapping or list.")
        try:
            return self._loader.construct_object(node)
        except ValueError as error:
            raise _error(self._path, line, at, f"{node.value} is not valid ({error}). Put it in quotes.") from error

    def _mapping(self, node: MappingNode, at: At) -> dict[str, Any]:
        first: dict[str, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == _MERGE:
                continue
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode) or key_node.tag != _STRING:
                written = getattr(key_node, "value", "")
                key = f'"{written}"' if isinstance(written, str) else "a text"
                raise _error(self._path, line, at, f"a key must be a text. Put it in quotes: {key}")
            if key_node.value in first:
                earlier = first[key_node.value]
                raise _error(
                    self._path, line, (*at, key_node.value), f"is here twice, first in line {earlier}. Remove one."
                )
            first[key_node.value] = line
        self._loader.flatten_mapping(node)
        return {key.value: self._value(value, (*at, key.value), key) for key, value in node.value}
