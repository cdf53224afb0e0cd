"""What a host's program finds around itself, as a plan for the launcher: directories, names, variables."""

from __future__ import annotations

import json
import os
import pwd
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Any, Final

from ...contract.hands_on import HOLD
from ...contract.plan import ClusterPlan, ContainerPlan, GivenContainer, Program
from .sources import copy_source

KEPT_SPEC: Final = "spec.json"
HOME: Final = PurePosixPath("/job-home")
_ROOT: Final = PurePosixPath("/")
_OPT_ML: Final = PurePosixPath("/opt/ml")
_HOSTS: Final = PurePosixPath("/etc/hosts")
_TEMPORARY: Final = (PurePosixPath("/tmp"), PurePosixPath("/var/tmp"))  # noqa: S108 - each job's own, not this machine's
_STANDARD_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOCAL_NAMES: Final = "127.0.0.1 localhost\n::1 localhost ip6-localhost ip6-loopback\n"


class Surroundings:
    """The directories of one host below the job's workspace, and what of this machine is shown beside them."""

    def __init__(
        self, plan: ClusterPlan, container: ContainerPlan, program: Program, addresses: Mapping[str, str] | None
    ) -> None:
        """`addresses` are those of all hosts of the job on their network; None: it is on this machine's."""
        self._plan = container
        self._program = program
        self._addresses = addresses
        self._folder = plan.workspace / f"{container.host}-own"

    def lay_out(self) -> None:
        """Make the directories and files, and copy the program's source.

        Raises:
            OSError: they cannot be made, or the source cannot be read.
        """
        for name, mode in (("root", 0o755), ("ml", 0o755), ("home", 0o700), ("tmp", 0o1777), ("var-tmp", 0o1777)):
            (self._folder / name).mkdir(parents=True)
            (self._folder / name).chmod(mode)
        (self._folder / "hosts").write_text(self._hosts_text(), encoding="utf-8")
        (self._folder / "hosts").chmod(0o644)
        if self._program.source is not None:
            copy_source(self._program.source, self._folder / "source", self._program.without)

    def spec(self) -> dict[str, Any]:
        """Return the host's part of what the launcher is asked for; see `launcher/root.py`."""
        binds = list(self._binds())
        shown = [str(path) for path in self._hidden_by(target for _, target in binds)]
        return {
            "hostname": self._plan.hostname,
            "argv": list(HOLD if self._plan.hold else self._program.argv(self._plan)),
            "environment": self.environment,
            "directory": self.working_directory,
            "root": str(self._folder / "root"),
            "binds": [(str(source), str(target)) for source, target in binds] + [(path, path) for path in shown],
            "hidden": [str(home / ".aws") for home in _homes()],
            "read_only": shown,
        }

    def keep(self, part: Mapping[str, Any]) -> None:
        """Write down what the launcher was asked for, so that it can be asked again when the program has ended."""
        (self._folder / KEPT_SPEC).write_text(json.dumps(part), encoding="utf-8")

    @property
    def working_directory(self) -> str:
        """Where the program starts."""
        return str(_ROOT if self._program.source is None else self._program.at)

    @property
    def environment(self) -> dict[str, str]:
        """All variables of the program: nothing comes from the emulator's own environment."""
        folders = [*map(str, self._program.path), str(Path(sys.executable).parent), _STANDARD_PATH]
        own = {"PATH": ":".join(folders), "HOME": str(HOME), "HOSTNAME": self._plan.hostname}
        variables = {**own, **self._program.environment, **self._plan.environment}
        if self._plan.debugging is not None:
            variables |= self._plan.debugging.variables("127.0.0.1", variables.get("PYTHONPATH", ""))
        return variables

    def given(self) -> GivenContainer:
        """Return what the program is started with."""
        return GivenContainer(
            command=self._program.argv(self._plan),
            environment=self.environment,
            user="root",
            working_directory=self.working_directory,
            hostname=self._plan.hostname,
        )

    def _binds(self) -> Iterator[tuple[Path, PurePosixPath]]:
        """Yield the job's own directories and where they go, outer ones first."""
        yield self._folder / "home", HOME
        for name, target in zip(("tmp", "var-tmp"), _TEMPORARY, strict=True):
            yield self._folder / name, target
        yield self._folder / "hosts", _HOSTS
        yield self._folder / "ml", _OPT_ML
        own = [(mount.source, mount.target) for mount in self._plan.mounts]
        if self._program.source is not None:
            own.append((self._folder / "source", self._program.at))
        yield from sorted(own, key=lambda one: len(one[1].parts))

    def _hidden_by(self, targets: Iterable[PurePosixPath]) -> list[Path]:
        """Return what the program needs of this machine and would not find under the job's own directories."""
        covering = set(targets)
        needed = [Path(sys.prefix), Path(sys.base_prefix), *(folder.parent for folder in self._program.path)]
        real = dict.fromkeys(path.resolve() for path in needed)
        return [path for path in real if covering & set(map(PurePosixPath, path.parents))]

    def _hosts_text(self) -> str:
        """Return /etc/hosts: names stay known also when their host's program has ended."""
        if self._addresses is None:
            mine = f"127.0.0.1 {self._plan.host} {self._plan.hostname}\n"
            return mine + (Path(_HOSTS).read_text(encoding="utf-8") if Path(_HOSTS).is_file() else _LOCAL_NAMES)
        hosts = "".join(f"{address} {host}\n" for host, address in self._addresses.items())
        return f"{_LOCAL_NAMES}{hosts}{self._addresses[self._plan.host]} {self._plan.hostname}\n"


def _homes() -> list[Path]:
    """Return the homes of the user, whose credentials no program may come upon."""
    named = [Path.home()] if "HOME" in os.environ else []
    with suppress(KeyError):  # a user that is only a number, as in containers
        named.append(Path(pwd.getpwuid(os.geteuid()).pw_dir))
    return list(dict.fromkeys(path.resolve() for path in named))
