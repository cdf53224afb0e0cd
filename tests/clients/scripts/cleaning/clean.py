"""A program that comes with its SDK script, and needs a package of its own: doubles what it reads."""

import json
import sys
from pathlib import Path

import doubling

INPUT, OUTPUT = Path("/opt/ml/processing/input/data"), Path("/opt/ml/processing/output")
HOSTS = json.loads(Path("/opt/ml/config/resourceconfig.json").read_text())

for path in sorted(INPUT.iterdir()):
    print("doubles", path.name, *sys.argv[1:])
    (OUTPUT / f"{HOSTS['current_host']}-{path.name}").write_text(str(doubling.double(int(path.read_text()))))
