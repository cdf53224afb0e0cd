"""`sagemaker-emulator schema`: the JSON schema of job files, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError


@click.command()
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Write it into this file.")
def schema(output: Path | None) -> None:
    """Print the JSON schema of job files.

    With it an editor completes and checks a job file that starts with the line
    `# yaml-language-server: $schema=FILE`.
    """
    from ..jobfiles.schema import schema_text

    if output is None:
        click.echo(schema_text(), nl=False)
        return
    try:
        output.write_text(schema_text(), encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{output} cannot be written: {error.strerror}. Name a file in a folder that is there."
        ) from error
    click.echo(f"Wrote {output}")
