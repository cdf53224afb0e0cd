#!/usr/bin/env python3
"""Rewrite the tables of docs/lint.md from the rules; --check only compares.

Run it from the root of the repository: python scripts/lint_doc.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from emulator.lint.rules import table  # noqa: E402

PAGE = ROOT / "docs" / "lint.md"
BEGIN = "<!-- tables: begin; written by scripts/lint_doc.py, do not edit -->"
END = "<!-- tables: end -->"


def main(arguments: list[str]) -> int:
    """Rewrite the page, or with --check tell whether it is up to date."""
    old = PAGE.read_text(encoding="utf-8")
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    new = "\n".join([before + BEGIN, "", *table(), END + after])
    if "--check" not in arguments:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    if new != old:
        print(f"{PAGE} is out of date. Run: python scripts/lint_doc.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
