"""The emulator that a command starts for itself, and where its data stays."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from ..config import default_kept_dir

if TYPE_CHECKING:
    from ..endpoint import Endpoint


@contextmanager
def own_endpoint(*, state_dir: Path | None, keep: bool = False, **settings: Any) -> Iterator[Endpoint]:
    """Start an emulator, and end it with the context. Without a state directory its data is removed, unless kept."""
    from ..config import Settings
    from ..contract.hands_on import HandsOn
    from ..endpoint import Endpoint

    with _state(state_dir, keep=keep) as state:
        own = Settings(port=0, recovery_window=0, state_dir=state, hands_on=HandsOn(keep=keep), **settings)
        with Endpoint(own) as endpoint:
            yield endpoint
        if keep:
            _tell_what_is_kept(state)


@contextmanager
def _state(state_dir: Path | None, *, keep: bool) -> Iterator[Path]:
    if state_dir is not None:
        yield state_dir
    elif not keep:
        with TemporaryDirectory(prefix="sagemaker-emulator-", ignore_cleanup_errors=True) as temporary:
            yield Path(temporary)
    else:
        folder = default_kept_dir() / f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        try:
            yield folder
        finally:
            remove_if_empty(folder)


def remove_if_empty(state_dir: Path) -> None:
    """Remove the state of a run of which nothing is kept (any more), if it was made for what it keeps."""
    import shutil

    if state_dir.parent == default_kept_dir() and not any((state_dir / "kept").glob("*")):
        shutil.rmtree(state_dir, ignore_errors=True)


def _tell_what_is_kept(state_dir: Path) -> None:
    """Say what stays after a run, how to look into it, and how to remove it."""
    from ..engines.kept import kept_jobs

    found = kept_jobs([state_dir])
    for one in found:
        click.echo(
            f"{'kept':<9} {one.name} in {one.folder}. A shell there: sagemaker-emulator shell {one.name}", err=True
        )
    if found:
        remove = "To remove what is kept: sagemaker-emulator clean --kept --yes"
        click.echo(f"{'kept':<9} the run's jobs, logs and objects in {state_dir}. {remove}", err=True)
