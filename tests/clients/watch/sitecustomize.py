"""Python runs this in every client program: it writes down each other machine that the program asks for.

One line an attempt, into the file named in NETWORK_LOG, whether or not the attempt came to anything.
"""

import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "", None)


def note(host: object) -> None:
    name = host.decode() if isinstance(host, bytes) else host
    if name not in HERE:
        with Path(os.environ["NETWORK_LOG"]).open("a") as log:
            log.write(f"{name}\n")


def watched(original: Callable[..., Any], host_of: Callable[..., object]) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        note(host_of(*args, **kwargs))
        return original(*args, **kwargs)

    return call


def first(host: object, *_args: object, **_kwargs: object) -> object:
    return host


def of_address(_socket: object, address: object) -> object:
    return address[0] if isinstance(address, tuple) else None


for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex"):
    setattr(socket, name, watched(getattr(socket, name), first))
for name in ("connect", "connect_ex"):
    setattr(socket.socket, name, watched(getattr(socket.socket, name), of_address))
