"""The command line. Prints and exit codes live here only; one file a command.

Exit codes: 0 done (and expectations hold), 1 a job or an expectation failed or something broke,
2 wrong usage or a wrong job file, 3 no engine, 4 no endpoint; `exec` passes its command's on.
"""

from __future__ import annotations

import errno
import sys
from importlib import import_module
from typing import Final

import click

from .. import __version__
from ..errors import EmulatorError

# The module and the name of each command, imported when it is used: `env` must not wait for moto.
_COMMANDS: Final = {
    "up": "up:up",
    "env": "env:env",
    "exec": "exec_:exec_",
    "init": "init:init",
    "run": "run:run",
    "gate": "gate:gate",
    "schema": "schema:schema",
    "lint": "lint:lint",
    "jobs": "jobs:jobs",
    "describe": "describe:describe",
    "logs": "logs:logs",
    "stop": "stop:stop",
    "experiments": "experiments:experiments",
    "runs": "runs:runs",
    "bundle": "bundle:bundle",
    "shell": "shell:shell",
    "debug": "debug:debug",
    "kept": "kept:kept",
    "clean": "clean:clean",
    "state": "state:state",
}


class _Commands(click.Group):
    """Loads a command from its own file, and turns our errors into a message and an exit code."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        if name not in _COMMANDS:
            return None
        module, _, attribute = _COMMANDS[name].partition(":")
        command: click.Command = getattr(import_module(f".{module}", __package__), attribute)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="sagemaker-emulator")
def commands() -> None:
    """A local Amazon SageMaker that really runs your containers."""


def main() -> None:
    """Run the command line; what the console script calls."""
    try:
        commands()
    except EmulatorError as error:
        click.echo(f"sagemaker-emulator: {error}", err=True)
        sys.exit(error.exit_code)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" ({error.filename})" if error.filename else ", perhaps where standard output goes"
        click.echo(f"sagemaker-emulator: No space is left on a disk{where}. Free some, and try again.", err=True)
        sys.exit(1)
