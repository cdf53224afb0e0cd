"""The text of a first job file: valid as it is, and saying what else could stand there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from ..jobfiles.document import kinds
from .findings import Findings

_PLAIN: Final = re.compile(r"[A-Za-z_/.-][\w/.:@-]*")
# What YAML takes for something else than a text.
_NOT_TEXT: Final = re.compile(r"(?:true|false|yes|no|on|off|null|y|n|\.inf|\.nan|-|[-.][\d.].*)", re.IGNORECASE)
_LONGEST_NAME: Final = 40


def job_file_text(found: Findings, folder: Path, schema: str) -> str:
    """Return the job file's text; its paths are relative to `folder`, where it will be."""
    return (
        "\n".join(
            [*_head(found, schema), *_image(found, folder), *_data(found, folder), *_request(found), *_expect(found)]
        )
        + "\n"
    )


def _head(found: Findings, schema: str) -> Iterator[str]:
    yield f"# yaml-language-server: $schema={schema}"
    yield f"# A {found.kind} job, as `sagemaker-emulator init` found it. What is behind a # could be there too."
    yield f"kind: {found.kind}"


def _image(found: Findings, folder: Path) -> Iterator[str]:
    if found.build:
        build = {**found.build, "build": _relative(found.folder, folder)}
        others = (
            f" # built when its files have changed; stages: {', '.join(found.stages)}"
            if found.stages
            else " # built when its files have changed"
        )
        yield f"image: {_flow(build)}{others}"
    elif found.name:
        yield f"image: {_flow({'name': found.name})}"
    if found.script is None:
        return
    yield "program: # how the process engine runs it, without the image"
    yield f"  command: {_list(['python3', found.script.path.name])}"
    yield f"  source: {_scalar(_relative(found.script.path.parent, folder))}"
    if found.script.requirements is not None:
        yield f"  requirements: {_scalar(_relative(found.script.requirements, folder))}"


def _data(found: Findings, folder: Path) -> Iterator[str]:
    if not found.channels:
        yield "# data: # local files and folders, put into S3 before the job"
        yield f"#   s3://{_bucket(found)}/training/: data/training/"
        return
    yield "data: # local files and folders, put into S3 before the job"
    for name, path in found.channels.items():
        yield f"  {_scalar(_uri(found, name))}: {_scalar(_relative(path, folder) + '/')}"


def _request(found: Findings) -> Iterator[str]:
    noun = kinds()[found.kind].noun
    yield f"request: # Create{noun}, as SageMaker takes it; what it requires and is not here is filled in"
    yield from (_training if found.kind == "training" else _processing)(found)
    yield "  StoppingCondition: {MaxRuntimeInSeconds: 3600}"


def _training(found: Findings) -> Iterator[str]:
    yield "  AlgorithmSpecification:"
    yield "    TrainingInputMode: File"
    if found.entrypoint:
        yield f"    ContainerEntrypoint: {_list(found.entrypoint)}"
    yield "    # MetricDefinitions: # found in what the program prints"
    yield '    #   - {Name: "validation:auc", Regex: "validation:auc=([0-9.]+)"}'
    if found.script is not None and found.script.options:
        options = ", ".join(
            f"{_scalar(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in found.script.options.items()
        )
        yield f"  HyperParameters: {{{options}}} # the defaults of {found.script.path.name}"
    else:
        yield '  # HyperParameters: {epochs: "3"} # always texts'
    if found.channels:
        yield "  InputDataConfig: # each is a folder below /opt/ml/input/data"
    for name in found.channels:
        source = f"{{S3DataType: S3Prefix, S3Uri: {json.dumps(_uri(found, name))}}}"
        yield f"    - ChannelName: {_scalar(name)}"
        yield f"      DataSource: {{S3DataSource: {source}}}"
    yield f'  OutputDataConfig: {{S3OutputPath: "s3://{_bucket(found)}/output/"}} # of /opt/ml/model and output/data'
    yield "  ResourceConfig: {InstanceType: ml.m5.large, InstanceCount: 1, VolumeSizeInGB: 30}"


def _processing(found: Findings) -> Iterator[str]:
    if found.entrypoint:
        yield f"  AppSpecification: {{ContainerEntrypoint: {_list(found.entrypoint)}}}"
    else:
        yield "  # AppSpecification: # in place of the image's ENTRYPOINT and CMD"
        yield "  #   ContainerEntrypoint: [python3, /opt/program/process.py]"
        yield '  #   ContainerArguments: [--day, "2026-03-05"]'
    if found.channels:
        yield "  ProcessingInputs:"
    for name in found.channels:
        yield f"    - InputName: {_scalar(name)}"
        yield "      S3Input:"
        yield f"        S3Uri: {_scalar(_uri(found, name))}"
        yield f"        LocalPath: /opt/ml/processing/input/{name}"
        yield "        S3DataType: S3Prefix"
        yield "        S3InputMode: File"
    yield "  ProcessingOutputConfig:"
    yield "    Outputs:"
    yield "      - OutputName: output"
    yield "        S3Output:"
    yield f"          S3Uri: s3://{_bucket(found)}/output/"
    yield "          LocalPath: /opt/ml/processing/output"
    yield "          S3UploadMode: EndOfJob"
    yield "  ProcessingResources:"
    yield "    ClusterConfig: {InstanceType: ml.m5.large, InstanceCount: 1, VolumeSizeInGB: 30}"


def _expect(found: Findings) -> Iterator[str]:
    yield "expect: # what must hold when the job has ended"
    yield "  status: Completed"
    if found.kind == "training":
        yield "  # model: [model.joblib] # files in model.tar.gz; * and ? are allowed"
        yield '  # metrics: {"validation:auc": ">= 0.75"}'
    else:
        yield "  # outputs: {output: [part-*.csv]} # files of each output; * and ? are allowed"
    yield '  # logs: ["^epoch 3"] # regular expressions, each found in a line of the log'
    yield "  # max_seconds: 600"


def _bucket(found: Findings) -> str:
    """Return a bucket's name made of the folder's."""
    name = re.sub(r"[^a-z0-9]+", "-", found.folder.resolve().name.lower()).strip("-")[:_LONGEST_NAME].strip("-")
    return name if len(name) >= 3 else f"{name}-jobs".strip("-")


def _uri(found: Findings, channel: str) -> str:
    return f"s3://{_bucket(found)}/{channel}/"


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.resolve(), folder.resolve())).as_posix()


def _scalar(text: str) -> str:
    """Return a text as YAML has it, in quotes where it needs them."""
    plain = _PLAIN.fullmatch(text) is not None and not text.endswith(":") and not _NOT_TEXT.fullmatch(text)
    return text if plain or text == "." else json.dumps(text, ensure_ascii=False)


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_scalar, texts))}]"


def _flow(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{name}: {_scalar(value)}" for name, value in values.items()) + "}"
