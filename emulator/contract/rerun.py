"""The request that runs a job again: the same one, under a name of its own."""

from __future__ import annotations

import re
from typing import Any, Final

from .record import JobRecord

LONGEST_NAME: Final = 63
"""The characters that a job's name may have."""
_EARLIER: Final = re.compile(r"-rerun-\d+$")


def request_of(record: JobRecord, name: str) -> dict[str, Any]:
    """Return the request that created a job, its tags as they are now, with another name."""
    tags = [{"Key": key, "Value": value} for key, value in record.tags.items()]
    request = {**record.request, record.kind.name_member: name}
    return {**request, "Tags": tags} if tags else request


def rerun_name(name: str, number: int) -> str:
    """Return the name of the job that runs one again for this number's time. A rerun's rerun has no second ending."""
    ending = f"-rerun-{number}"
    return _EARLIER.sub("", name)[: LONGEST_NAME - len(ending)].rstrip("-") + ending
