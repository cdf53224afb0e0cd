"""Tries out what the kernel lets this user do, each in a process of its own."""

from __future__ import annotations

import os
from collections.abc import Callable

from . import host, kernel, main
from .network import Links


def answer() -> dict[str, str]:
    """Return what is in the way of each; "" means that it works.

    `mount`: a file system of one's own, as root. `user`: the same in a user namespace. `pid`: a PID namespace with
    its /proc. `network`: a network of several namespaces.
    """
    found = {"mount": _attempt(_mount)}
    in_user_namespace = bool(found["mount"])
    if in_user_namespace:
        found["user"] = _attempt(main.become_root, _mount)
    before = (main.become_root,) if in_user_namespace else ()
    found["pid"] = _attempt(*before, _mount, _own_processes)
    found["network"] = _attempt(*before, _network)
    return found


def _attempt(*steps: Callable[[], None]) -> str:
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            for step in steps:
                step()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is in the way
            os.write(writing, (getattr(error, "strerror", "") or str(error)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        text = stream.read()
    os.waitpid(child, 0)
    return text


def _mount() -> None:
    kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC)
    kernel.make_private("/")
    kernel.mount("tmpfs", "/opt" if os.path.isdir("/opt") else "/tmp", "tmpfs")  # noqa: S108 - seen by nobody


def _own_processes() -> None:
    kernel.unshare(kernel.CLONE_NEWPID)
    problem = _attempt(lambda: kernel.mount("proc", "/proc", "proc"))
    if problem:
        raise OSError(0, problem)


def _network() -> None:
    switch = host.Switch()
    kernel.unshare(kernel.CLONE_NEWNET)
    with Links() as own:
        own.add_cable("eth0", "port1", switch.namespace)
        switch.links.plug_in("port1", switch.bridge)
