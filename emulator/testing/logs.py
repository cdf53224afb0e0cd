"""What a job wrote, as tests ask for it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from ..jobfiles.events import LogLine


class JobLogs:
    """The log of a job: all hosts' lines by time, and each host's own."""

    def __init__(self, lines: Iterable[LogLine]) -> None:
        self._lines = tuple(lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """Every line, those of several hosts in the order of their time."""
        return tuple(line.message for line in self._lines)

    @property
    def text(self) -> str:
        """All lines as one text."""
        return "\n".join(self.lines)

    @property
    def hosts(self) -> dict[str, tuple[str, ...]]:
        """The lines of each host, as `hosts["algo-1"]`."""
        found: dict[str, list[str]] = {}
        for line in self._lines:
            found.setdefault(line.host, []).append(line.message)
        return {host: tuple(found[host]) for host in sorted(found)}

    def matching(self, pattern: str) -> list[re.Match[str]]:
        """Return a match of a regular expression for each line that has one."""
        return [match for line in self.lines if (match := re.search(pattern, line))]

    def tail(self, count: int) -> list[str]:
        """Return the last lines, with their hosts where there are several."""
        several = len(self.hosts) > 1
        return [f"{line.host} | {line.message}" if several else line.message for line in self._lines[-count:]]

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and text in self.text

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<log of {len(self)} lines: {self.lines[-1] if self._lines else 'empty'!r}>"
