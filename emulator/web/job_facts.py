"""What a job's request says, sorted for reading: inputs, outputs, and the settings that have no place of their own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ..contract.kinds import KINDS
from ..contract.life import parse
from ..contract.paths import MODEL, OUTPUT_DATA
from ..contract.record import JobRecord
from ..contract.training_job import TrainingJob

# What the page shows elsewhere.
_SHOWN: Final = frozenset(
    {
        *(kind.name_member for kind in KINDS),
        *(".".join(kind.image_members) for kind in KINDS),
        *(kind.input_members[0] for kind in KINDS),
        "HyperParameters",
        "Environment",
        "ExperimentConfig",
        "ProcessingOutputConfig.Outputs",
    }
)


@dataclass(frozen=True, kw_only=True)
class Data:
    """An input or output: where it is in S3 and in the container, and what else is said of it."""

    name: str
    uri: str
    path: str
    notes: str = ""


def inputs_of(record: JobRecord) -> list[Data]:
    """Return the channels or inputs of a job."""
    inputs, name_member = record.kind.input_members
    sent = {one[name_member]: one for one in record.request.get(inputs, ())}
    known = {one.name: one for one in parse(record.kind, record.request, record.scope).input_data}
    return [_input(name, one, str(known[name].path) if name in known else "") for name, one in sent.items()]


def outputs_of(record: JobRecord) -> list[Data]:
    """Return where the results of a job go."""
    job = parse(record.kind, record.request, record.scope)
    if isinstance(job, TrainingJob):
        return [
            Data(name="model", uri=str(job.model_artifacts), path=str(MODEL), notes="packed at the end"),
            Data(name="output", uri=str(job.output_artifacts), path=str(OUTPUT_DATA), notes="packed, if there is any"),
        ]
    outputs = record.request.get("ProcessingOutputConfig", {}).get("Outputs", ())
    return [_output(one) for one in outputs]


def settings_of(record: JobRecord) -> Iterator[tuple[str, str]]:
    """Yield what else the request says, each value by its place: `ResourceConfig.InstanceType`."""
    yield from _leaves("", record.request)


def _input(name: str, sent: Mapping[str, Any], path: str) -> Data:
    source = sent.get("DataSource", {}).get("S3DataSource") or sent.get("S3Input") or {}
    notes = [
        source.get("S3DataType"),
        source.get("S3DataDistributionType"),
        sent.get("InputMode") or source.get("S3InputMode"),
        sent.get("ContentType"),
    ]
    return Data(
        name=name,
        uri=source.get("S3Uri", ""),
        path=path or source.get("LocalPath", ""),
        notes=" · ".join(str(one) for one in notes if one),
    )


def _output(sent: Mapping[str, Any]) -> Data:
    s3 = sent.get("S3Output", {})
    return Data(
        name=sent["OutputName"],
        uri=s3.get("S3Uri", ""),
        path=s3.get("LocalPath", ""),
        notes=s3.get("S3UploadMode", ""),
    )


def _leaves(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if path in _SHOWN:
        return
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, inner)
    elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
        for number, inner in enumerate(value):
            yield from _leaves(f"{path}[{number}]", inner)
    else:
        yield path, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
