#!/usr/bin/env python3
"""Rewrite the table of docs/engines.md from the capabilities of the engines; --check only compares.

Run it from the root of the repository: python scripts/engines_doc.py
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from emulator.engines.differences import only, table  # noqa: E402

PAGE = ROOT / "docs" / "engines.md"
BEGIN = "<!-- table: begin; written by scripts/engines_doc.py, do not edit -->"
END = "<!-- table: end -->"


def main(arguments: list[str]) -> int:
    """Rewrite the page, or with --check tell whether it is up to date."""
    old = PAGE.read_text(encoding="utf-8")
    before, _, rest = old.partition(BEGIN)
    _, _, after = rest.partition(END)
    alone = ", ".join(f"`{name}`" for name in only("docker"))
    new = f"{before}{BEGIN}\n\n{table()}\nOnly docker has: {alone}.\n\n{END}{after}"
    if "--check" not in arguments:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    if new != old:
        print(f"{PAGE} is out of date. Run: python scripts/engines_doc.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
