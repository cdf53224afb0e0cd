"""What runs in the place of an image: a function of the test's process, or a script as the toolkit runs it."""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from ..contract import paths
from ..contract.toolkit_environment import CODE, SUCCESS, script_command, script_failure
from ..errors import UsageError
from .disks import Disk
from .process import End, ended


class Program(Protocol):
    """Runs once on each host."""

    @property
    def code(self) -> Path | None:
        """The directory of this machine that is shown at /opt/ml/code."""

    @property
    def name(self) -> str:
        """What sys.argv[0] says."""

    def run(self, disk: Disk, arguments: Sequence[str]) -> End:
        """Run in this process, which stands in for the container's."""


@dataclass(frozen=True)
class FunctionProgram:
    """A call of a function. Its end is the process's: nobody writes a failure file for it."""

    function: Callable[..., object]
    positional: tuple[object, ...] = ()
    named: Mapping[str, object] = field(default_factory=dict)

    @property
    def code(self) -> None:
        """It has no directory of its own."""
        return

    @property
    def name(self) -> str:
        """As an image's program is called."""
        return "train"

    def run(self, _: Disk, __: Sequence[str]) -> End:
        """Call the function."""
        return ended(lambda: self.function(*self.positional, **self.named))


@dataclass(frozen=True)
class ScriptProgram:
    """A Python file, as `__main__`. The toolkit's rules hold where `toolkit` says so.

    Then the process ends with 1 whatever the script's exit code is, and a failure file is written if there is none.
    """

    script: Path
    toolkit: bool
    source: bytes

    @classmethod
    def read(cls, script: Path, *, toolkit: bool) -> ScriptProgram:
        """Read a script.

        Raises:
            UsageError: it is not there.
        """
        if not script.is_file():
            raise UsageError(f"There is no script {script}.")
        return cls(script=script, toolkit=toolkit, source=script.read_bytes())

    @property
    def code(self) -> Path:
        """The script's own directory."""
        return self.script.parent

    @property
    def name(self) -> str:
        """The script's name."""
        return self.script.name

    def run(self, disk: Disk, arguments: Sequence[str]) -> End:
        """Run the script, and do what the toolkit does at its end."""
        end = ended(lambda: self._execute(disk))
        if not self.toolkit:
            return end
        if end.exit_code == 0:
            disk.write_text(SUCCESS, "")
            return end
        if not disk.exists(paths.FAILURE):
            command = script_command(sys.executable, self.name, arguments)
            disk.write_text(paths.FAILURE, script_failure(command, end.exit_code))
        return End(exit_code=1, exception=end.exception)

    def _execute(self, disk: Disk) -> None:
        """Run it under its real name, which debuggers and coverage know; `__file__` is what the container has.

        Modules that lie beside it are loaded for this run only, as a process would.
        """
        before = dict(sys.modules)
        module = ModuleType("__main__")
        module.__dict__.update({"__file__": f"{disk.at(CODE)}/{self.name}", "__builtins__": builtins})
        sys.modules["__main__"] = module
        sys.path.insert(0, str(self.code))
        try:
            exec(compile(self.source, str(self.script), "exec"), module.__dict__)  # noqa: S102 - it is a script
        finally:
            sys.path.remove(str(self.code))
            self._forget_modules(before)

    def _forget_modules(self, before: Mapping[str, ModuleType]) -> None:
        for name in sys.modules.keys() - before.keys():
            if _lies_in(sys.modules[name], self.code):
                del sys.modules[name]
        sys.modules["__main__"] = before["__main__"]


def _lies_in(module: Any, directory: Path) -> bool:
    """Compare texts: a path that is made while paths are faked equals none that was made before."""
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and file.startswith(f"{directory}/")
