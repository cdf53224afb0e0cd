"""Accounts and regions: each page shows one, which its path names."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from flask import Flask, abort, current_app, g

from ..contract.arns import Scope
from ..runtime import Emulator

PREFIX: Final = "/_emulator/ui"
"""Where the dashboard is; its pages are below `/ACCOUNT/REGION` there."""
EMULATOR: Final = "sagemaker-emulator"
_REGION: Final = re.compile(r"[a-z0-9-]{1,40}")


def emulator() -> Emulator:
    """Return the emulator whose pages these are."""
    return cast(Emulator, current_app.extensions[EMULATOR])


def scope() -> Scope:
    """Return the account and region of the page."""
    return cast(Scope, g.scope)


def known_scopes() -> list[Scope]:
    """Return the accounts and regions with jobs or experiments, the one where something happened last first.

    If there is nothing yet, it is the default one.
    """
    times: dict[Scope, float] = {}
    for found in (emulator().records.scopes(), emulator().entities.scopes()):
        for one, newest in found.items():
            times[one] = max(newest, times.get(one, newest))
    return sorted(times, key=lambda one: times[one], reverse=True) or [Scope()]


def register(app: Flask) -> None:
    """Take account and region out of the paths of pages."""

    def take(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        if values is None or "account" not in values:
            return
        account, region = values.pop("account"), values.pop("region")
        if not (account.isascii() and account.isdigit() and len(account) == 12):
            abort(404, f"{account!r} is no account: twelve digits are.")
        if not _REGION.fullmatch(region):
            abort(404, f"{region!r} is no region: write it as us-east-1.")
        g.scope = Scope(account=account, region=region)

    app.url_value_preprocessor(take)


def for_templates() -> dict[str, Any]:
    """Return what every template may use of this."""
    here = g.get("scope") or Scope()
    return {"scope": here, "known_scopes": known_scopes}
