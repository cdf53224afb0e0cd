#!/usr/bin/env python3
"""Rewrite the tables of docs/fidelity.md from emulator/contract/fidelity.py; --check only compares.

Run it from the root of the repository: python scripts/fidelity_doc.py
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from emulator.contract.fidelity import MEMBERS, OPERATIONS  # noqa: E402
from emulator.contract.fidelity_rows import Row, Treatment, value_text  # noqa: E402

PAGE = ROOT / "docs" / "fidelity.md"
BEGIN = "<!-- tables: begin; written by scripts/fidelity_doc.py, do not edit -->"
END = "<!-- tables: end -->"


def main(arguments: list[str]) -> int:
    """Rewrite the page, or with --check tell whether it is up to date."""
    old = PAGE.read_text(encoding="utf-8")
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"
    if "--check" not in arguments:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    if new != old:
        print(f"{PAGE} is out of date. Run: python scripts/fidelity_doc.py", file=sys.stderr)
        return 1
    return 0


def tables() -> str:
    """Return every table of the page as Markdown."""
    return "\n".join(
        [
            *(line for operation, members in MEMBERS.items() for line in _member_tables(operation, members.rows)),
            "### Operations\n",
            *_table(("Operation", "Treatment", "What it means here"), _operations()),
            "| every other operation of the service | refused | An error that names the operation. |",
            "",
        ]
    )


def _member_tables(operation: str, rows: Iterable[Row]) -> Iterator[str]:
    rows = tuple(rows)
    refused = [
        (_code(row.path), _refused_values(row), row.why or row.meaning, row.instead)
        for row in rows
        if row.treatment is Treatment.REFUSED or row.why
    ]
    yield f"### Members of {operation}: honoured\n"
    yield from _accepted_table(row for row in rows if row.treatment is Treatment.HONOURED)
    yield f"\n### Members of {operation}: recorded\n"
    yield from _accepted_table(row for row in rows if row.treatment is Treatment.RECORDED)
    yield f"\n### Members of {operation}: refused\n"
    yield from _table(("Member", "Refused", "Why", "What to do"), refused)
    yield ""


def _accepted_table(rows: Iterable[Row]) -> Iterator[str]:
    return _table(
        ("Member", "Accepted", "What it means here"),
        ((_code(row.path), _accepted_values(row), row.meaning) for row in rows),
    )


def _operations() -> Iterator[tuple[str, ...]]:
    for (treatment, meaning), names in groupby(OPERATIONS, key=lambda name: OPERATIONS[name]):
        yield ", ".join(_code(name) for name in names), treatment.value, meaning


def _accepted_values(row: Row) -> str:
    return ", ".join(_value(value) for value in row.accepted) or "any"


def _refused_values(row: Row) -> str:
    if row.treatment is Treatment.REFUSED:
        return "any"
    return f"other than {_accepted_values(row)}"


def _value(value: object) -> str:
    return _code(value_text(value))


def _code(text: str) -> str:
    return f"`{text}`"


def _table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    yield _line(header)
    yield _line("---" for _ in header)
    for row in rows:
        yield _line(row)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
