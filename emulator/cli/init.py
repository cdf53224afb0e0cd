"""`sagemaker-emulator init`: write a first job file for what is in a folder, a Dockerfile or an image."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from ..errors import UsageError

if TYPE_CHECKING:
    from ..starter.findings import Findings

_SCHEMA: Final = "job-file.schema.json"


@click.command()
@click.argument("target", default=".", metavar="[FOLDER|DOCKERFILE|IMAGE]")
@click.option("--kind", type=click.Choice(["training", "processing"]), help="What job it is; by default as it looks.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file to write; by default job.yaml in the folder, or here for an image.",
)
@click.option(
    "--schema", metavar="FILE|URL", help="Where editors find the schema; by default a file that is written too."
)
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
def init(target: str, kind: str | None, output: Path | None, schema: str | None, force: bool) -> None:
    """Write a first job file.

    Looks at what is there: the Dockerfile's stages, entrypoint and SAGEMAKER_PROGRAM, or the image's; folders in
    data/ become channels; train.py and requirements.txt become the program for the process engine. `run` takes
    the file as it is.
    """
    from ..starter.findings import find
    from ..starter.text import job_file_text

    found = find(target, kind)
    path = output or found.folder / "job.yaml"
    if path.exists() and not force:
        raise UsageError(f"{path} is there already. --force overwrites it; --output writes another file.")
    if not path.parent.is_dir():
        raise UsageError(f"There is no folder {path.parent}. Make it, or name another --output.")
    schema_file = None if schema else _schema_file(path)
    named = schema or os.path.relpath(schema_file or "", path.parent)
    text = job_file_text(found, path.parent, named if "://" in named or named.startswith((".", "/")) else f"./{named}")
    _check(path, text)
    _write(path, text)
    click.echo(f"Wrote {path}: a {found.kind} job" + _summary(found))
    if schema_file is not None and not schema_file.exists():
        from ..jobfiles.schema import schema_text

        _write(schema_file, schema_text())
        click.echo(f"Wrote {schema_file}, with which editors complete and check job files")
    for line in _advice(found, path, schema_file):
        click.echo(line)
    click.echo(f"Next: sagemaker-emulator run {path}")


def _check(path: Path, text: str) -> None:
    """Be sure that `run` takes the file, before it is there."""
    from ..contract.arns import Scope
    from ..jobfiles.document import JobFile
    from ..jobfiles.request import check, complete
    from ..jobfiles.schema import request_shape
    from ..jobfiles.yaml_source import YamlSource

    job_file = JobFile.parse(YamlSource.parse(path, text))
    check(job_file.yaml, complete(job_file, image="image", scope=Scope()), request_shape(job_file.kind))


def _schema_file(path: Path) -> Path:
    """Return where the schema is or goes: the nearest there is, else the top of the git repository, else beside."""
    from ..gate.git import repository_of

    folder = path.resolve().parent
    top = repository_of(folder) or folder
    above = [one for one in (folder, *folder.parents) if one.is_relative_to(top)]
    return next((one / _SCHEMA for one in above if (one / _SCHEMA).is_file()), top / _SCHEMA)


def _summary(found: Findings) -> str:
    parts = []
    if found.channels:
        parts.append(f"data: {', '.join(found.channels)}")
    if found.script is not None:
        parts.append(f"program: {found.script.path.name}")
    return f" ({'; '.join(parts)})" if parts else ""


def _advice(found: Findings, path: Path, schema_file: Path | None) -> list[str]:
    from ..jobfiles.document import ImageBuild, JobFile
    from ..jobfiles.images import context_filter

    lines = [f"Note: {one}" for one in found.told]
    image = JobFile.load(path).image
    if isinstance(image, ImageBuild):
        goes = context_filter(image)
        context = image.context.resolve()
        written = [one.resolve() for one in (path, schema_file) if one is not None]
        names = [one.relative_to(context).as_posix() for one in written if one.is_relative_to(context)]
        sent = [name for name in names if goes(name)]
        if sent:
            lines.append(
                f"Note: put {' and '.join(sent)} into .dockerignore, or each change of it is one of the image."
            )
    return lines


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}.") from error
