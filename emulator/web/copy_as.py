"""The request of a job as a text that makes the same job again: for Python, a shell, or `sagemaker-emulator run`.

Whatever stands in the request comes out of each text as it was, quotes, line ends and `$(...)` included.
"""

from __future__ import annotations

import json
import pprint
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml

from ..contract.arns import Scope
from ..contract.plan import Program
from ..contract.record import JobRecord
from ..contract.rerun import LONGEST_NAME, request_of
from ..jobfiles.references import is_reference

_WIDTH: Final = 100
_TIMED: Final = "-%Y%m%d-%H%M%S"
_LONGEST_TIME: Final = len("-20260101-000000")
_SECRET: Final = "local"  # noqa: S105 - the emulator checks no signature


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a text makes its job: this emulator, seen from its user."""

    url: str
    scope: Scope


class _Dumper(yaml.SafeDumper):
    """Puts texts with line ends and the like in double quotes: in others some of these come back as blanks."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"')


_Dumper.add_representer(str, _Dumper.represent_text)


def boto3_script(record: JobRecord, place: Place) -> str:
    """Return a Python program that creates the job under a name with the time in it, and says its ARN."""
    kind = record.kind
    stem, method = _stem(record), f"create_{kind.resource.replace('-', '_')}"
    return (
        "import time\n\n"
        "import boto3\n\n"
        "# On AWS: leave out endpoint_url and the two keys.\n"
        "sagemaker = boto3.client(\n"
        '    "sagemaker",\n'
        f"    region_name={place.scope.region!r},\n"
        f"    endpoint_url={place.url!r},\n"
        f"    aws_access_key_id={place.scope.account!r},\n"
        f"    aws_secret_access_key={_SECRET!r},\n"
        ")\n"
        f"request = {pprint.pformat(_nameless(record), width=_WIDTH, sort_dicts=False)}\n"
        f"name = {stem!r} + time.strftime({_TIMED!r})\n"
        f"print(sagemaker.{method}({kind.name_member}=name, **request)[{kind.arn_member!r}])\n"
    )


def cli_command(record: JobRecord, place: Place) -> str:
    """Return a command of the AWS CLI, for a POSIX shell, that creates the job under a name with the time in it."""
    kind = record.kind
    document = json.dumps(_nameless(record), indent=2)
    return (
        f"AWS_ACCESS_KEY_ID={place.scope.account} AWS_SECRET_ACCESS_KEY={_SECRET} \\\n"
        f"aws sagemaker create-{kind.resource} \\\n"
        f"  --endpoint-url {shlex.quote(place.url)} --region {shlex.quote(place.scope.region)} \\\n"
        f'  --{kind.resource}-name {shlex.quote(_stem(record))}"$(date +{_TIMED})" \\\n'
        f"  --cli-input-json {shlex.quote(document)}\n"
    )


def job_file(record: JobRecord, program: Program | None = None) -> str | None:
    """Return a job file; the name is left out, so that each run has its own. `program` stands for the image.

    None: the request cannot stand in a job file, since a map in it looks as a reference to another job does.
    """
    structure, member = record.kind.image_members
    request = _nameless(record)
    if _has_reference(request):
        return None
    specification = {name: value for name, value in request.pop(structure).items() if name != member}
    document = {
        "kind": record.kind.resource.removesuffix("-job"),
        "image": {"name": record.image},
        **({} if program is None else {"program": _program(program)}),
        "request": {**({structure: specification} if specification else {}), **request},
    }
    text = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)
    libraries = program is not None and program.path
    return f"# program: add requirements: FILE for the libraries that it needs\n{text}" if libraries else text


def _stem(record: JobRecord) -> str:
    """Return the job's name without the time that an earlier text has put behind it, with room for another."""
    name = re.sub(r"-\d{8}-\d{6}$", "", record.name)
    return name[: LONGEST_NAME - _LONGEST_TIME].rstrip("-")


def _nameless(record: JobRecord) -> dict[str, Any]:
    request = request_of(record, record.name)
    del request[record.kind.name_member]
    return request


def _has_reference(value: Any) -> bool:
    if is_reference(value):
        return True
    entries = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return any(map(_has_reference, entries))


def _program(program: Program) -> dict[str, Any]:
    """Return the `program` section of a job file."""
    return {
        "command": list(program.command),
        **({"arguments": list(program.arguments)} if program.arguments else {}),
        **({"source": str(program.source)} if program.source is not None else {}),
        "at": str(program.at),
        **({"environment": dict(program.environment)} if program.environment else {}),
    }
