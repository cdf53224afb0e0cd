"""What tests are told of a program is worth something only if it is so: whom it asked, what it printed."""

from __future__ import annotations

import pytest

from tests.clients.programs import Programs, client

pytestmark = [pytest.mark.clients, pytest.mark.docker, pytest.mark.xdist_group("clients-s3")]

PROGRAM = """
import socket, urllib.request
for url in ("http://sts.amazonaws.com:8080/", "http://telemetry.invalid/"):
    try:
        urllib.request.urlopen(url, timeout=5)
    except OSError:
        pass
with socket.socket() as direct:
    direct.settimeout(0.1)
    direct.connect_ex(("192.0.2.1", 80))
"""


@pytest.mark.parametrize("rerouted", [True, False])
def test_what_a_program_asks_of_other_machines_is_seen(programs: Programs, rerouted: bool) -> None:
    run = programs.exec if rerouted else programs.plain
    finished = run(client("awscli", "python"), "-c", PROGRAM).result()

    assert finished.exit_code == 0, finished
    expected = ["telemetry.invalid", "192.0.2.1"]
    assert list(finished.asked_for) == (expected if rerouted else ["sts.amazonaws.com", *expected])


def test_lines_are_what_a_terminal_would_show(programs: Programs) -> None:
    printed = r"Completed 1\rupload: one\nCompleted 2\r           \nCompleted 3\r"
    assert programs.plain("printf", printed).result().lines == ["upload: one", " " * 11, ""]
