"""Reads what the emulator asks for, makes what all hosts of a job share, and has each host run."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import Any, Final

from . import host, kernel, probe

_ONLY_THE_FOLDER: Final = 2
_DESCRIPTORS: Final = ("control", "stdout", "stderr")
_MOST_DESCRIPTORS: Final = 253  # what the kernel allows


def main() -> None:
    """Probe what the kernel allows; or, given the number of a socket as an argument, run the job that it tells of."""
    if len(sys.argv) == _ONLY_THE_FOLDER:
        print(json.dumps(probe.answer()), flush=True)  # noqa: T201 - this is how it tells
        return
    with socket.socket(fileno=int(sys.argv[-1])) as channel:
        told = _told(channel)
    if told is not None:
        _launch(*told)


def _told(channel: socket.socket) -> tuple[dict[str, Any], list[int]] | None:
    """Wait to be told what to launch, and with which descriptors; None: the emulator is gone."""
    begin, descriptors, _, _ = socket.recv_fds(channel, 1, _MOST_DESCRIPTORS)
    if not begin:
        return None
    pieces = []
    while piece := channel.recv(65536):
        pieces.append(piece)
    return json.loads(b"".join(pieces)), descriptors


def _launch(spec: dict[str, Any], descriptors: list[int]) -> None:
    if spec["user_namespace"]:
        become_root()
    switch = host.Switch() if spec["network"] else None
    hosts = [
        {**spec["shared"], **one, **dict(zip(_DESCRIPTORS, descriptors[number * 3 : number * 3 + 3], strict=True))}
        for number, one in enumerate(spec["hosts"])
    ]
    if len(hosts) == 1:
        host.run(hosts[0], switch)
        return
    for one in hosts:
        if os.fork() == 0:
            kernel.die_with_parent(signal.SIGKILL)
            _close(other for other in hosts if other is not one)
            host.run(one, switch)
            os._exit(0)
    _close(hosts)
    for _ in hosts:
        os.wait()


def become_root() -> None:
    """Be root of a user namespace, in which the user of the emulator is the only one."""
    user, group = os.geteuid(), os.getegid()
    kernel.unshare(kernel.CLONE_NEWUSER)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def _close(hosts: Any) -> None:
    for one in hosts:
        for name in _DESCRIPTORS:
            os.close(one[name])
