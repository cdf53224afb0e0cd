"""Reads what the emulator asks for, makes what all hosts of a job share, and has each host run."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from . import host, kernel, probe


def main() -> None:
    """Run the job, or the probe, that standard input describes."""
    spec: dict[str, Any] = json.load(sys.stdin)
    if "probe" in spec:
        print(json.dumps(probe.answer()), flush=True)  # noqa: T201 - this is how it tells
        return
    if spec["user_namespace"]:
        become_root()
    switch = host.Switch() if spec["network"] else None
    hosts = [{**spec["shared"], **one} for one in spec["hosts"]]
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
        for name in ("control", "stdout", "stderr"):
            os.close(one[name])
