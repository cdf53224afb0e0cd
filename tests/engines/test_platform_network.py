"""The network that all emulators of a machine share: none loses it because others come and go."""

from __future__ import annotations

import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.contract.environment import METADATA_HOST
from emulator.engines.docker.connection import connect
from emulator.engines.docker.platform_network import PlatformNetwork

pytestmark = [pytest.mark.docker, pytest.mark.timeout(120)]


def test_who_has_joined_can_listen_at_the_address_until_it_leaves() -> None:
    def come_and_go(_: int) -> None:
        api = connect()
        try:
            for _ in range(5):
                network = PlatformNetwork(api)
                try:
                    assert network.join() == METADATA_HOST
                    for _ in range(3):
                        socket.create_server((METADATA_HOST, 0)).close()
                finally:
                    network.leave()
        finally:
            api.close()

    with ThreadPoolExecutor(max_workers=4) as pool:
        list(pool.map(come_and_go, range(4)))
