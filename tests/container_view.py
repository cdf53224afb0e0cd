"""What the probe image saw, made comparable with golden files."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from tests.jobs import AnyJob

GOLDEN = Path(__file__).parents[1] / "fixtures/golden"


def neutral(seen: dict[str, Any], job: AnyJob) -> dict[str, Any]:
    """Replace what differs from run to run by a word that says what stood there."""
    text = json.dumps(seen)
    text = text.replace(job.name, "JOB").replace(job.name.lower(), "JOB").replace(job.bucket, "BUCKET")
    text = re.sub(r"in/[0-9a-f]{8}/", "in/PREFIX/", text)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UUID", text)
    text = re.sub(r"http://(169\.254\.170\.2|127\.0\.0\.1|[a-z.]+):\d+", "http://ENDPOINT", text)
    text = re.sub(r"ip-10-0-\d+-\d+\.ec2\.internal", "ip-10-0-X-Y.ec2.internal", text)
    result: dict[str, Any] = json.loads(text)
    return result


def golden(kind: str, name: str, found: object) -> object:
    """Return a golden document. With UPDATE_GOLDEN set, write it first: read the difference before committing."""
    path = GOLDEN / kind / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return json.loads(path.read_text())


def tree(seen: dict[str, Any]) -> dict[str, str]:
    """The tree as "type mode owner", without sizes."""
    return {
        path: f"{one['type']} {one['mode']} {one['uid']}:{one['gid']}"
        for path, one in seen["tree"].items()
        if path != "/opt/ml"
    }


def parsed(texts: dict[str, str]) -> dict[str, object]:
    """JSON files as documents, the rest line by line."""
    return {path: json.loads(text) if path.endswith(".json") else text.splitlines() for path, text in texts.items()}


def is_compact(texts: dict[str, str]) -> bool:
    return not any(": " in text for path, text in texts.items() if path.endswith(".json"))


def environment(seen: dict[str, Any]) -> dict[str, str]:
    """What the platform and the request set; credentials are compared by the way they are reached."""
    # The image's, Python's and the shell's.
    others = {
        "PATH",
        "HOME",
        "LANG",
        "PYTHON_VERSION",
        "GPG_KEY",
        "PYTHON_SHA256",
        "PYTHON_PIP_VERSION",
        "LC_CTYPE",
        "PWD",
    }
    found = {name: value for name, value in seen["environment"].items() if name not in others}
    # Port 80 of the metadata address belongs to the first emulator of a machine; others give the full URI, and so do
    # engines whose programs do not reach that address.
    full = found.pop("AWS_CONTAINER_CREDENTIALS_FULL_URI", None)
    if full is not None:
        found["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = full.removeprefix("http://ENDPOINT")
    return found
