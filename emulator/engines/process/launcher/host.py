"""One host of a job: makes its surroundings, runs its program in them, and does what the emulator says.

The two speak over a socket, a JSON document a packet. From here come `ready` (with descriptors: the mount
namespace, its root and, if asked for, a socket that listens inside), `started` or `failed`, `exit`, and `error`
in the place of any of them. From the emulator come `start` and `signal`. When it hangs up, for whatever reason,
the program is killed.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import signal
import socket
from typing import Any, Final, NoReturn

from . import kernel, root
from .network import BRIDGE, INTERFACE, LOOPBACK, Links

_PACKET: Final = 65536
_BACKLOG: Final = 128
_LOOPBACK_ADDRESS: Final = "127.0.0.1"


class Switch:
    """The namespace of a job's bridge. To be made before its hosts have namespaces of their own."""

    def __init__(self) -> None:
        kernel.unshare(kernel.CLONE_NEWNET)
        self.links = Links()
        self.links.add_bridge(BRIDGE)
        self.bridge = socket.if_nametoindex(BRIDGE)
        self.namespace = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def run(spec: dict[str, Any], switch: Switch | None) -> None:
    """See one host through; `spec` is its part of what the emulator asks for."""
    control = socket.socket(fileno=spec["control"])
    try:
        _prepare(spec, switch, control)
        if _receive(control) is not None:
            _run_program(spec, control)
    except OSError as error:
        _send(control, {"error": error.strerror or str(error)})


def _prepare(spec: dict[str, Any], switch: Switch | None, control: socket.socket) -> None:
    kernel.unshare(kernel.CLONE_NEWNS | kernel.CLONE_NEWUTS | kernel.CLONE_NEWIPC)
    given = [os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)]
    listener = _join(spec, switch) if switch is not None else None
    socket.sethostname(spec["hostname"])
    root.enter(spec)
    given.append(os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC))
    if listener is not None:
        given.append(listener.fileno())
    _send(control, {"ready": True}, given)
    if listener is not None:
        listener.close()


def _join(spec: dict[str, Any], switch: Switch) -> socket.socket | None:
    """Take a network namespace with a cable to the job's bridge; listen there for the endpoint's clients."""
    kernel.unshare(kernel.CLONE_NEWNET)
    port = f"port{spec['number']}"
    with Links() as own:
        own.add_cable(INTERFACE, port, switch.namespace)
        switch.links.plug_in(port, switch.bridge)
        own.switch_on(LOOPBACK)
        own.give_address(INTERFACE, spec["address"], spec["prefix"])
        own.switch_on(INTERFACE)
    if spec["endpoint_port"] is None:
        return None
    return socket.create_server((_LOOPBACK_ADDRESS, spec["endpoint_port"]), backlog=_BACKLOG)


def _run_program(spec: dict[str, Any], control: socket.socket) -> None:
    if spec["pid_namespace"]:
        kernel.unshare(kernel.CLONE_NEWPID)
    else:
        kernel.adopt_descendants()
    problem, problem_of_program = os.pipe2(os.O_CLOEXEC)
    program = os.fork()
    if program == 0:
        _become_program(spec, problem_of_program)
    for descriptor in (problem_of_program, spec["stdout"], spec["stderr"]):
        os.close(descriptor)
    with os.fdopen(problem, "rb") as stream:
        found = stream.read()
    _send(control, json.loads(found) if found else {"started": program})
    code = _ended(program, control)
    if not spec["pid_namespace"]:
        _end_descendants()
    _send(control, {"exit": code})


def _ended(program: int, control: socket.socket) -> int:
    """Do what the emulator says until the program has ended; return its exit code, 128 + a signal's number."""
    ended = os.pidfd_open(program)
    wait = select.poll()
    wait.register(control, select.POLLIN)
    wait.register(ended, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in wait.poll()}
        if ended in ready:
            code = os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])
            return 128 - code if code < 0 else code
        told = _receive(control)
        if told is None:
            wait.unregister(control)
        with contextlib.suppress(ProcessLookupError):
            os.kill(program, signal.SIGKILL if told is None else told["signal"])


def _end_descendants() -> None:
    """Kill what a program without a PID namespace has left running: all of it is a child of this process by now."""
    me = os.getpid()
    while True:
        with open(f"/proc/{me}/task/{me}/children", encoding="utf-8") as file:
            children = file.read().split()
        if not children:
            return
        for child in children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
        for child in children:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(int(child), 0)


def _become_program(spec: dict[str, Any], problem: int) -> NoReturn:
    """Execute the program; tell through a pipe, which closes by itself if all goes well, what is in the way."""
    try:
        kernel.die_with_parent(signal.SIGKILL)
        os.setsid()
        if spec["pid_namespace"]:
            kernel.mount("proc", "/proc", "proc", kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC)
        os.dup2(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC), 0)
        os.dup2(spec["stdout"], 1)
        os.dup2(spec["stderr"], 2)
        os.umask(0o022)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # the two that Python does not leave as they are
            signal.signal(number, signal.SIG_DFL)
        kernel.drop_capabilities()
        _close_all_but(0, 1, 2, problem)
    except OSError as error:
        _give_up(problem, {"error": error.strerror or str(error)})
    try:
        os.chdir(spec["directory"])
    except OSError as error:
        _give_up(problem, {"failed": error.errno, "text": f"{spec['directory']}: {os.strerror(error.errno or 0)}"})
    try:
        os.execvpe(spec["argv"][0], spec["argv"], spec["environment"])  # noqa: S606 - no shell is wanted
    except OSError as error:
        _give_up(problem, {"failed": error.errno, "text": f"{spec['argv'][0]}: {os.strerror(error.errno or 0)}"})
    except ValueError as error:  # an empty name, or a zero byte
        _give_up(problem, {"failed": errno.ENOENT, "text": str(error)})


def _close_all_but(*kept: int) -> None:
    """Close what is open: a program is to find nothing of the launcher's."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor not in kept:
            with contextlib.suppress(OSError):  # the listing's own
                os.close(descriptor)


def _give_up(problem: int, document: dict[str, Any]) -> NoReturn:
    os.write(problem, json.dumps(document).encode())
    os._exit(127)


def _send(control: socket.socket, document: dict[str, Any], descriptors: list[int] | None = None) -> None:
    with contextlib.suppress(OSError):  # the emulator is gone, and nobody waits
        socket.send_fds(control, [json.dumps(document).encode()], descriptors or [])


def _receive(control: socket.socket) -> dict[str, Any] | None:
    """Return what the emulator says; None: it has hung up."""
    try:
        packet = control.recv(_PACKET)
    except OSError:
        return None
    document: dict[str, Any] | None = json.loads(packet) if packet else None
    return document
