"""Stores what it takes to fill more than one page of a listing."""

from __future__ import annotations

import http.client
from collections.abc import Iterable
from contextlib import closing
from urllib.parse import quote

from tests.clients.programs import Server
from tests.s3.conftest import SIGNED


def store_empty(server: Server, bucket: str, keys: Iterable[str]) -> None:
    """Store empty objects by bare HTTP: an SDK takes five seconds of computing for a thousand of them."""
    with closing(http.client.HTTPConnection("127.0.0.1", int(server.port), timeout=120)) as connection:
        for key in keys:
            connection.request("PUT", f"/{bucket}/{quote(key)}", headers={"Authorization": SIGNED})
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200, key
