"""Runs client programs, each in a fork of a process that has imported what they all import: most of their cost is that.

Started as `python forks.py MODULE...`. Each line of the standard input is a program, as JSON: its number, its folder,
its variables, and its command, whose first word is a Python file. Two lines answer: its process id, and in the end its
exit code.
"""

import importlib
import json
import os
import runpy
import select
import signal
import sys
from pathlib import Path


def main(modules: list[str]) -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what an import prints is no answer
    for name in modules:
        importlib.import_module(name)

    def answer(number: int, what: str, value: int) -> None:
        print(json.dumps([number, what, value]), file=answers, flush=True)

    running: dict[int, int] = {}
    with open(0, "rb", buffering=0, closefd=False) as requests:
        while True:
            if select.select([requests], [], [], 0.05 if running else None)[0]:
                line = requests.readline()
                if not line:  # whoever asked is gone
                    break
                request = json.loads(line)
                sys.stdout.flush()
                pid = os.fork()
                if pid == 0:
                    become(request["folder"], request["variables"], request["command"])
                    return
                running[pid] = request["number"]
                answer(running[pid], "pid", pid)
            while running:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                answer(running.pop(pid), "exit code", os.waitstatus_to_exitcode(status))
    for pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def become(folder: str, variables: dict[str, str], command: list[str]) -> None:
    """Run a program in this process, and end as it ends."""
    os.chdir(folder)
    os.environ.update(variables)
    for descriptor, name in enumerate((os.devnull, "stdout", "stderr")):
        file = os.open(name, os.O_RDWR | os.O_CREAT)
        os.dup2(file, descriptor)
        os.close(file)
    sys.argv = command
    sys.path[0] = str(Path(command[0]).parent)
    runpy.run_path(command[0], run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
