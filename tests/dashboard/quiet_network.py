"""A network for the browser in which nothing comes or goes.

Chromium gives up what it is asking for (ERR_NETWORK_CHANGED) when an interface comes or goes on the machine, as those
of containers do while other tests run, and no switch keeps it from that. So it has a network namespace with a loopback
and nothing else, and a SOCKS proxy in it that makes its connections from here.

`python -m tests.dashboard.quiet_network MEETING PROGRAM ...` makes the namespace, listens in it, gives the listening
socket away at the Unix socket MEETING, and becomes the program.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from emulator.engines.process.launcher import kernel
from emulator.engines.process.launcher.main import become_root
from emulator.engines.process.launcher.network import LOOPBACK, Links

_REPOSITORY: Final = Path(__file__).parents[2]
_START_SECONDS: Final = 120

# SOCKS 4: the version, "connect", the port, the address and an empty name of a user.
_REQUEST: Final = struct.Struct("!BBH4sx")
_GRANTED, _REFUSED = struct.pack("!BB6x", 0, 90), struct.pack("!BB6x", 0, 91)


class QuietNetwork:
    """A network namespace that is made with the program which runs in it."""

    def __init__(self, folder: Path, program: str) -> None:
        """Prepare a program to be started as `self.program`; the folder is for this alone."""
        self.program = folder / "program"
        self._meeting = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._meeting.bind(str(folder / "meeting"))
        self._meeting.listen()
        self._meeting.settimeout(_START_SECONDS)
        command = shlex.join([sys.executable, "-m", __name__, str(folder / "meeting"), program])
        self.program.write_text(f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(_REPOSITORY))} exec {command} "$@"\n')
        self.program.chmod(0o755)

    @contextlib.contextmanager
    def proxied(self) -> Iterator[str]:
        """Make the connections of the program, which has been started; gives why there is no namespace, or nothing."""
        with self._meeting, self._meeting.accept()[0] as started:
            told, descriptors, _, _ = socket.recv_fds(started, 4096, 1)
        if not descriptors:
            yield told.decode()
            return
        with socket.socket(fileno=descriptors[0]) as listener:
            threading.Thread(target=_serve, args=(listener,), name="proxy", daemon=True).start()
            yield ""
            listener.shutdown(socket.SHUT_RDWR)  # wakes the thread


def _serve(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            client, _ = listener.accept()
            threading.Thread(target=_connect, args=(client,), name="proxy", daemon=True).start()


def _connect(client: socket.socket) -> None:
    """Connect a client to the address that it asks for, and pass on both directions until both have ended."""
    with client, contextlib.suppress(OSError, struct.error):
        _, _, port, address = _REQUEST.unpack(client.recv(_REQUEST.size, socket.MSG_WAITALL))
        try:
            server = socket.create_connection((socket.inet_ntoa(address), port))
        except OSError:
            client.sendall(_REFUSED)
            return
        with server:
            client.sendall(_GRANTED)
            answers = threading.Thread(target=_copy, args=(server, client), name="proxy", daemon=True)
            answers.start()
            _copy(client, server)
            answers.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def _become(meeting: str, program: str, *arguments: str) -> None:
    """Become the program: in a network of its own, or where that is not permitted, in everybody's."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as starter:
        starter.connect(meeting)
        try:
            if os.geteuid() != 0:
                become_root()
            kernel.unshare(kernel.CLONE_NEWNET)
            with Links() as links:
                links.switch_on(LOOPBACK)
            with socket.create_server(("127.0.0.1", 0)) as listener:
                port = listener.getsockname()[1]
                socket.send_fds(starter, [b"."], [listener.fileno()])
        except OSError as error:
            starter.send(str(error).encode())
        else:
            arguments = (f"--proxy-server=socks4://127.0.0.1:{port}", "--proxy-bypass-list=<-loopback>", *arguments)
    os.execvp(program, [program, *arguments])


if __name__ == "__main__":
    _become(*sys.argv[1:])
