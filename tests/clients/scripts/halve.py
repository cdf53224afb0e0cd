"""A program of one file: halves what it reads, and fails on what is no number."""

import sys
from pathlib import Path

INPUT, OUTPUT = Path("/opt/ml/processing/input/data"), Path("/opt/ml/processing/output")

for path in sorted(INPUT.iterdir()):
    print("halves", path.name, *sys.argv[1:])
    try:
        half = int(path.read_text()) / 2
    except ValueError as error:
        Path("/opt/ml/output/message").write_text(f"{path.name}: {error}")
        sys.exit(3)
    (OUTPUT / path.name).write_text(str(half))
