"""Adds a day to each row of each CSV file below the input, and keeps the result as one file a day."""

import os
import sys
from pathlib import Path

ROWS, KEPT = Path("/opt/ml/processing/input"), Path("/opt/ml/processing/output")

day = sys.argv[sys.argv.index("--date") + 1]
print("stage:", os.environ["STAGE"])
found = sorted(path for path in ROWS.rglob("*.csv"))
print("files:", *(str(path.relative_to(ROWS)) for path in found))
rows = [f"{row},{day}" for path in found for row in path.read_text().splitlines()[1:]]
(KEPT / f"{day}.csv").write_text("\n".join(rows))
