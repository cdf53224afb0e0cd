"""Job files as documents: those of this repository, and what a person could do to one."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from hypothesis import strategies as st

from emulator.contract.arns import Scope
from emulator.jobfiles.document import JobFile
from emulator.jobfiles.request import check, complete
from emulator.jobfiles.schema import request_shape
from emulator.jobfiles.yaml_source import YamlSource

REPOSITORY = Path(__file__).parents[1]
# libyaml's writes the same in a tenth of the time, where PyYAML was built with it.
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
SAMPLES = sorted((REPOSITORY / "sample_jobs").glob("**/*.yaml"))

Place = tuple[str | int, ...]


def document_of(path: Path) -> Any:
    """Return a job file's document as plain values."""
    return YamlSource.read(path).document


def parse(document: Any, path: Path) -> JobFile:
    """Say everything about a document that can be said without running it, as if it stood at `path`.

    Raises:
        UsageError: something is wrong with it.
    """
    text = yaml.dump(document, Dumper=DUMPER, sort_keys=False, allow_unicode=True)
    job_file = JobFile.parse(YamlSource.parse(path, text))
    values = {one.at: _VALUE for one in job_file.references}
    image = "image"
    request = complete(job_file, image=image, scope=Scope(), values=values)
    check(job_file.yaml, request, request_shape(job_file.kind))
    return job_file


# What another job gives is of the type that is wanted there in none but a few places; text is the usual one.
_VALUE = "s3://of/another-job"


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """Yield every place in a document but the top."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in pairs:
        yield (*at, key)
        yield from places(entry, (*at, key))


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 10**6),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(
        ["", "a", "File", "training", "processing", "Completed", "Failed", "s3://b/k/", "a_b", ">= 1", "."]
    ),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufeff"), max_size=6),
    st.text("ab-_/.:", max_size=300),
    st.lists(st.sampled_from(["a", "", 1, None]), max_size=3),
    st.dictionaries(st.sampled_from(["a", "Get", "Key", "name", "build"]), st.sampled_from(["a", 1, None]), max_size=2),
)


@st.composite
def changed(draw: st.DrawFn, documents: list[Any]) -> Any:
    """Draw a job file with up to three things changed: left out, replaced, added, moved or misspelt."""
    document = copy.deepcopy(draw(st.sampled_from(documents)))
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(document))
        if not found:
            break
        *above, last = draw(st.sampled_from(found))
        holder = document
        for step in above:
            holder = holder[step]
        match draw(st.sampled_from(["remove", "replace", "add", "misspell", "move"])):
            case "remove":
                del holder[last]
            case "replace":
                holder[last] = draw(JUNK)
            case "add" if isinstance(holder, list):
                holder.append(draw(JUNK))
            case "add":
                holder[draw(st.sampled_from(["a", "Tags", "Environment", "after", "data", "status"]))] = draw(JUNK)
            case "misspell" if isinstance(holder, dict):
                holder[f"{last}s"] = holder.pop(last)
            case _:
                document[draw(st.sampled_from(["after", "request", "expect", "data", "Tags"]))] = holder[last]
    return document
