#!/usr/bin/env python3
"""Bring the dashboard's JavaScript libraries from npm into the package, each with its licence.

Run it after a change of the versions in emulator/web/static/vendor/libraries.json: python scripts/vendor.py
Users need none of this: what it writes is part of the repository. A test compares files and digests.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
import urllib.request
from pathlib import Path
from typing import Final

VENDOR: Final = Path(__file__).resolve().parent.parent / "emulator/web/static/vendor"
LIBRARIES: Final = VENDOR / "libraries.json"
REGISTRY: Final = "https://registry.npmjs.org"


def main() -> None:
    """Fetch each library, check it against npm's own digest, write its files and note their digests."""
    libraries = json.loads(LIBRARIES.read_text())
    for name, library in libraries.items():
        with urllib.request.urlopen(f"{REGISTRY}/{name}/{library['version']}", timeout=60) as answer:
            known = json.load(answer)
        with urllib.request.urlopen(known["dist"]["tarball"], timeout=300) as answer:
            content = answer.read()
        algorithm, _, digest = known["dist"]["integrity"].partition("-")
        if base64.b64encode(hashlib.new(algorithm, content).digest()).decode() != digest:
            raise SystemExit(f"{name} {library['version']} is not what npm says it is")
        library |= {"licence": known["license"], "sha256": {}}
        with tarfile.open(fileobj=io.BytesIO(content)) as archive:
            for member, target in library["files"].items():
                path = f"package/{member}"
                file = archive.extractfile(path) if path in archive.getnames() else None
                if file is None:
                    raise SystemExit(
                        f"{name} {library['version']} has no file {member}: correct it in {LIBRARIES.name}"
                    )
                text = file.read()
                (VENDOR / target).write_bytes(text)
                library["sha256"][target] = hashlib.sha256(text).hexdigest()
        print(f"{name} {library['version']}: {', '.join(library['files'].values())}")
    LIBRARIES.write_text(json.dumps(libraries, indent=2) + "\n")


if __name__ == "__main__":
    main()
