"""Connections of clients that are slow, hasty, silent or many. No emulator: an application that says what it read."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from emulator.api import server
from emulator.api.server import HttpServer


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH", 0)))
    answer = environ["PATH_INFO"].encode() + b" " + body
    start_response("200 OK", [("Content-Length", str(len(answer)))])
    return [answer]


@pytest.fixture
def port() -> Iterator[int]:
    running = HttpServer(echo, "127.0.0.1", 0)
    yield running.port
    running.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """The port of a server that leaves a client which is silent for a second."""
    monkeypatch.setattr(server, "_SILENCE_SECONDS", 1)
    running = HttpServer(echo, "127.0.0.1", 0)
    yield running.port
    running.close()


def connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def request(path: str, body: bytes = b"") -> bytes:
    return f"PUT {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def answer_to(client: socket.socket, expected: bytes) -> bytes:
    received = b""
    while not received.endswith(expected) and (more := client.recv(65536)):
        received += more
    return received


def test_a_request_may_come_byte_by_byte(port: int) -> None:
    with connected(port) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in request("/slow", b"content"):
            client.sendall(bytes([byte]))
        assert answer_to(client, b"/slow content").startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_may_come_before_the_answers(port: int) -> None:
    with connected(port) as client:
        client.sendall(request("/first", b"1" * 100_000) + request("/second") + request("/third", b"3"))
        received = answer_to(client, b"/third 3")
    places = [received.index(part) for part in (b"/first 1", b"/second ", b"/third 3")]
    assert places == sorted(places)


def test_a_client_that_falls_silent_is_left(impatient: int) -> None:
    with connected(impatient) as client:
        client.sendall(request("/half", b"content")[:-3])
        assert b"200 OK" not in answer_to(client, b"never")
    with connected(impatient) as client:
        client.sendall(b"PUT /half HTTP/1.1\r\nHo")
        assert b"408 Request Timeout" in answer_to(client, b"never")


def test_more_clients_than_threads_keep_their_connections(port: int) -> None:
    with ExitStack() as opened:
        clients = [opened.enter_context(connected(port)) for _ in range(100)]
        for turn in ("/one", "/two"):
            for client in clients:
                client.sendall(request(turn))
            for client in clients:
                answer = answer_to(client, turn.encode() + b" ")
                assert b"200 OK" in answer
                assert b"Connection: close" not in answer
