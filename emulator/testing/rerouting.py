"""Sends to the emulator what the code under test asks of AWS, in the test's own process and in its children."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from ..reroute import environment
from ..reroute.site import _sagemaker_emulator_reroute as hooks

_SPEAKER = "sagemaker-emulator"


class Rerouting:
    """The environment and the hooks of one endpoint, account and region; `start` and `stop` may alternate."""

    def __init__(self, url: str, *, region: str, account: str, folder: Path) -> None:
        self.url = url
        self._region = region
        self._account = account
        self._folder = folder
        self._hooks: hooks.Reroute | None = None
        self._before: dict[str, str | None] = {}
        self._default_session: Any = None

    def start(self) -> None:
        """Change this process, unless that is done already."""
        if self._hooks is not None:
            return
        given = {"region": self._region, "account_id": self._account}
        config = environment.write_sdk_config(self._folder, **given)
        now = dict(os.environ)
        wanted = environment.exec_environment(now, self.url, **given, sdk_config=config)
        changed = {name for name in now.keys() | wanted.keys() if now.get(name) != wanted.get(name)}
        self._before = {name: now.get(name) for name in changed}
        _apply({name: wanted.get(name) for name in changed})
        self._hooks = hooks.reroute_to(self.url, _SPEAKER)
        self._default_session = _exchange_default_session(None)

    def stop(self) -> None:
        """Put everything back."""
        if self._hooks is None:
            return
        self._hooks.uninstall()
        self._hooks = None
        _apply(self._before)
        _exchange_default_session(self._default_session)


class Blocking:
    """Refuses AWS where nothing is rerouted."""

    def __init__(self) -> None:
        self._hooks: hooks.Reroute | None = hooks.refuse_aws(_SPEAKER)

    def stop(self) -> None:
        """Let programs reach AWS again."""
        if self._hooks is not None:
            self._hooks.uninstall()
            self._hooks = None


def _apply(variables: dict[str, str | None]) -> None:
    for name, text in variables.items():
        if text is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = text


def _exchange_default_session(session: Any) -> Any:
    """Put another session behind `boto3.client(...)`: it remembers the credentials and region that it found first."""
    boto3 = sys.modules.get("boto3")
    if boto3 is None:
        return None
    before = boto3.DEFAULT_SESSION
    boto3.DEFAULT_SESSION = session  # type: ignore[attr-defined] # seen as a module without attributes
    return before
