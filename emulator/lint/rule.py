"""What a rule is, and what it finds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from .facts import Facts, Kind


class Severity(StrEnum):
    """How bad a finding is: an error breaks jobs, a warning may, a note is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True)
class Hit:
    """What a rule has seen: a sentence, and the line of the Dockerfile it is about."""

    message: str
    line: int | None = None


Check = Callable[[Facts], Iterator[Hit]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that is wrong with images. `why` is the service's contract, with its source.

    `unless` are rules whose finding explains this one's, which is then left out. `reads` is what has to be
    known for it: a Dockerfile suffices, or an image, its files, or a probing run.
    """

    id: str
    severity: Severity
    what: str
    why: str
    fix: str
    check: Check
    reads: str
    kinds: tuple[Kind, ...] = tuple(Kind)
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding of a rule about one image."""

    rule: Rule
    message: str
    line: int | None
