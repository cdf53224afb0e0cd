"""What is written to a client's socket, and when."""

from __future__ import annotations

import select
import socket

from emulator.api.connection import SocketWriter


def test_little_goes_together() -> None:
    ours, client = socket.socketpair()
    with ours, client:
        client.settimeout(60)
        writer = SocketWriter(ours)
        with writer.together():
            writer.write(b"head")
            assert select.select([client], [], [], 0)[0] == []
            writer.write(b" and body")
        assert client.recv(100) == b"head and body"
        writer.write(b"at once")
        assert client.recv(100) == b"at once"
        with writer.together():
            writer.write(b"head")
            writer.write(b"x" * 70_000)
            assert client.recv(70_004, socket.MSG_WAITALL) == b"head" + b"x" * 70_000
