"""What became of each job, as pytest's hooks write it down and the summary reads it. Plain values that are JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

OPTION: Final = "--sagemaker-gate-results"
"""The option of pytest that says where to write them."""


# An entry of the list in a failed job's report; a FailureReason in it may have several lines.
_UNMET: Final = re.compile(r"^  - (.*?)(?=^  - |^The |\Z)", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """One job on one rung. `seconds` are the job's own where it told them, else the test's."""

    file: str
    rung: str
    outcome: str
    seconds: float
    status: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    text: str = ""
    bundle: str = ""
    has_no_engine: bool = False

    @property
    def unmet(self) -> list[str]:
        """What does not hold, a sentence each; of what never ran, why."""
        told = [" ".join(found[1].split()) for found in _UNMET.finditer(self.text)]
        return told or self.text.strip().splitlines()[:1]


@dataclass(frozen=True, kw_only=True)
class Results:
    """What one run of pytest came to. `errors` are what could not even be collected."""

    jobs: Sequence[JobResult] = ()
    errors: Sequence[str] = ()

    def write(self, path: Path) -> None:
        """Write them into a file."""
        document = {"jobs": [asdict(one) for one in self.jobs], "errors": list(self.errors)}
        path.write_text(json.dumps(document), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """Read them from a file; none, if pytest did not come to its end."""
        if not path.is_file():
            return cls()
        document = json.loads(path.read_text(encoding="utf-8"))
        return cls(jobs=[JobResult(**one) for one in document["jobs"]], errors=document["errors"])
