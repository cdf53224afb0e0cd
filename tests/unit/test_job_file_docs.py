"""docs/job-files.md: its table is the parser's keys, its examples are job files.

`python tests/unit/test_job_file_docs.py` writes the table.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

from emulator.jobfiles.document import kinds, known_keys
from emulator.jobfiles.keys import KEYS
from emulator.jobfiles.request_check import faults
from emulator.jobfiles.schema import request_shape
from emulator.jobfiles.yaml_source import YamlSource

PAGE = Path(__file__).parents[2] / "docs/job-files.md"
START, END = (
    "<!-- keys: made by tests/unit/test_job_file_docs.py from emulator/jobfiles/keys.py -->\n",
    "<!-- end of keys -->",
)


def table() -> str:
    """Return the table of all keys."""
    return "\n".join(["| key | what stands there | |", "|---|---|---|", *_rows()]) + "\n"


def _rows() -> Iterator[str]:
    first, *others = kinds()
    for above, names in known_keys(kinds()[first]).items():
        also = {name for kind in others for name in known_keys(kinds()[kind])[above]}
        for name in dict.fromkeys([*names, *sorted(also)]):
            place = f"{above}.{name}" if above else name
            of = [kind for kind in kinds() if name in known_keys(kinds()[kind])[above]]
            only = "" if len(of) == len(kinds()) else f" Of {of[0]} jobs only."
            key = KEYS[place]
            yield f"| `{place}` | {key.words} | {key.meaning}{only} |"


def test_the_table_has_every_key() -> None:
    text = PAGE.read_text()
    assert text.partition(START)[2].partition(END)[0] == table(), f"run python {__file__}"


def test_the_examples_are_parts_of_job_files() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        document = yaml.safe_load(block) or {}
        assert document.keys() <= set(known_keys(kinds()["training"])[""])
        kind = kinds()["processing" if "ProcessingInputs" in block else "training"]
        source = YamlSource.parse(PAGE, block)
        found = [
            fault
            for fault in faults(source, document.get("request", {}), request_shape(kind))
            if "is missing" not in fault.problem and "of the other job" not in fault.problem
        ]
        assert not found


if __name__ == "__main__":
    before, _, rest = PAGE.read_text().partition(START)
    PAGE.write_text(f"{before}{START}{table()}{END}{rest.partition(END)[2]}")
    sys.stdout.write(f"Wrote {PAGE}\n")
