"""What a person who looks for a mistake wants of a job's containers; nothing of it is the service's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

# Outside of /opt/ml, so that the program finds there what it finds on the service.
DEBUG_TOOLS: Final = PurePosixPath("/opt/sagemaker-emulator/debug")
# What a container that waits for a person runs in the place of its program: nothing, until it is told to end.
HOLD: Final = ("/bin/sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait $!; done")


@dataclass(frozen=True, kw_only=True)
class Debugging:
    """One host's program waits for a debugger on a port of this machine's loopback address.

    `tools` is a folder of this machine with debugpy and the code that has the program wait. `program` is the file
    name of the program that waits; "": see that code. `token` is another for each run.
    """

    host: str
    port: int
    tools: Path
    token: str
    program: str = ""

    def variables(self, listen: str, python_path: str, tools: str = str(DEBUG_TOOLS)) -> dict[str, str]:
        """Return the environment that makes the program wait. `python_path` is what it would have found without."""
        return {
            "PYTHONPATH": f"{tools}:{python_path}" if python_path else tools,
            "SAGEMAKER_EMULATOR_DEBUG": f"{listen}:{self.port}",
            "SAGEMAKER_EMULATOR_DEBUG_TOKEN": self.token,
            **({"SAGEMAKER_EMULATOR_DEBUG_PROGRAM": self.program} if self.program else {}),
        }


@dataclass(frozen=True, kw_only=True)
class HandsOn:
    """`keep`: containers and their directories stay after the job. `hold`: containers wait and run no program."""

    keep: bool = False
    hold: bool = False
    debugging: Debugging | None = None

    @property
    def takes_its_time(self) -> bool:
        """Whether a job may wait for a person, however long that takes."""
        return self.hold or self.debugging is not None


NO_HANDS: Final = HandsOn()
