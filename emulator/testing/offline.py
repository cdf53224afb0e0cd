"""Clients that only know what requests may look like: job files are checked before there is an endpoint."""

from __future__ import annotations

from functools import cache

from ..cli.clients import make_clients
from ..jobfiles.clients import Clients
from ..reroute.environment import DEFAULT_ACCOUNT_ID, DEFAULT_REGION

_NOWHERE = "http://127.0.0.1:9"


@cache
def offline_clients() -> Clients:
    """Return clients that are asked for shapes only."""
    return make_clients(_NOWHERE, region=DEFAULT_REGION, account=DEFAULT_ACCOUNT_ID)
