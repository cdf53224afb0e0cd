"""What a row of the published tables says about one member of a request, and how it is applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Treatment(StrEnum):
    """What the emulator does with a member or an operation."""

    HONOURED = "honoured"
    RECORDED = "recorded"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One member; a row for a structure, or a list of structures, stands for all it holds.

    `accepted` names the only values that are taken; others are refused for the reason `why`. A refused
    member's `meaning` is its reason. `instead` says what to do.
    """

    path: str
    treatment: Treatment
    meaning: str
    accepted: tuple[object, ...] = ()
    why: str = ""
    instead: str = ""

    def refusal(self, value: object) -> str:
        """Return why this value is refused and what to do; empty when it is not."""
        if self.treatment is Treatment.REFUSED:
            return f"{self.meaning}; {self.instead}"
        if self.accepted and value not in self.accepted:
            return f"{value_text(value)} is not emulated: {self.why}; {self.instead}"
        return ""


def value_text(value: object) -> str:
    """Return a plain JSON value as a request spells it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def honoured(path: str, meaning: str) -> Row:
    """Return the row of a member that has its effect."""
    return Row(path=path, treatment=Treatment.HONOURED, meaning=meaning)


def only(path: str, accepted: tuple[object, ...], meaning: str, why: str, instead: str) -> Row:
    """Return the row of a member that has its effect for these values, and is refused for others."""
    return Row(path=path, treatment=Treatment.HONOURED, meaning=meaning, accepted=accepted, why=why, instead=instead)


def recorded(path: str, meaning: str) -> Row:
    """Return the row of a member that is kept and shown, and has no effect."""
    return Row(path=path, treatment=Treatment.RECORDED, meaning=meaning)


def refused(path: str, why: str, instead: str) -> Row:
    """Return the row of a member that is refused."""
    return Row(path=path, treatment=Treatment.REFUSED, meaning=why, instead=instead)


PIPE_ONLY: Final = "the service has it for Pipe mode only, which is not emulated"
LEAVE_OUT: Final = "leave it out"
REAL_SERVICE: Final = "leave it out, or run this job on the real service"


class MemberTable:
    """The rows of one operation's request."""

    def __init__(self, rows: tuple[Row, ...]) -> None:
        self.rows = rows
        self._by_path = {row.path: row for row in rows}
        self._inner = frozenset(above for row in rows for above in _inner(row.path))

    def refusals(self, request: Mapping[str, object]) -> list[str]:
        """Return one sentence for each member of a valid request that cannot be emulated."""
        return [sentence for name, value in request.items() for sentence in self._refusals(name, name, value)]

    def _refusals(self, path: str, where: str, value: object) -> Iterator[str]:
        """Walk one member: `path` finds its row, `where` names it in this request (`InputDataConfig[0]`)."""
        row = self._by_path.get(path)
        if value is None:
            return
        if row is not None and (reason := row.refusal(value)):
            yield f"{where}: {reason}."
        elif path in self._inner and isinstance(value, Mapping):
            for name, member in value.items():
                yield from self._refusals(f"{path}.{name}", f"{where}.{name}", member)
        elif path in self._inner and isinstance(value, list):
            for number, entry in enumerate(value):
                yield from self._refusals(f"{path}[]", f"{where}[{number}]", entry)
        elif row is None:
            yield f"{where}: The emulator does not know this member yet; {REAL_SERVICE}."


def _inner(path: str) -> Iterator[str]:
    """Yield what lies above a member: `A` and `A[]` for `A[].B`."""
    above = ""
    for name in path.split(".")[:-1]:
        above = f"{above}.{name}" if above else name
        yield from {above, above.removesuffix("[]")}
