"""Why the kernel refuses namespaces, and what to do about it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")
_OTHERWISE: Final = "Or run jobs in containers: --engine docker."


def advice(proc: Path = _PROC) -> str:
    """Return what to do so that the process engine can be used here, from what the kernel tells of itself."""
    return "\n".join([*(_found(proc) or [_NOT_KNOWN]), _OTHERWISE])


_NOT_KNOWN: Final = "Run it as root, or allow ordinary users to make user namespaces (see docs/rungs/process.md)."


def _found(proc: Path) -> list[str]:
    lines = []
    if _setting(proc / "sys/kernel/unprivileged_userns_clone") == "0":
        lines.append(
            "kernel.unprivileged_userns_clone is 0: `sudo sysctl kernel.unprivileged_userns_clone=1` allows "
            "ordinary users to make namespaces."
        )
    if _setting(proc / "sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
        lines.append(
            "kernel.apparmor_restrict_unprivileged_userns is 1 (Ubuntu 23.10 and later): "
            "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` lifts it, or give this Python an AppArmor "
            "profile with `userns,`."
        )
    for kind in ("user", "mnt"):
        if _setting(proc / f"sys/user/max_{kind}_namespaces") == "0":
            lines.append(f"user.max_{kind}_namespaces is 0: `sudo sysctl user.max_{kind}_namespaces=10000` raises it.")
    status = _setting(proc / "self/status")
    if re.search(r"^Seccomp:\s*2$", status, re.MULTILINE):
        lines.append(
            "This process runs under a seccomp filter, as in a container: start the container with "
            "`--security-opt seccomp=unconfined --security-opt apparmor=unconfined`, or with `--privileged`."
        )
    return lines


def _setting(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
