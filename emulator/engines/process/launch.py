"""Starts the launcher, and speaks with each host's part of it."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from ...contract.outcome import ContainerStartError, HostExit, InternalServerError
from ...errors import EngineUnavailableError
from ...jobs.ports import LogSink

_FOLDER: Final = Path(__file__).parent / "launcher"
# The launcher's modules are a package of that name to themselves: so they find each other, and nothing of ours.
_BOOT: Final = (
    "import sys, types; package = types.ModuleType('launcher'); package.__path__ = [sys.argv[1]]; "
    "sys.modules['launcher'] = package; from launcher.main import main; main()"
)
_PROBE_SECONDS: Final = 10.0
_READY_SECONDS: Final = 60.0
_END_SECONDS: Final = 10.0
_PACKET: Final = 65536
_CHUNK: Final = 65536
_MOST_DESCRIPTORS: Final = 3
# What a shell says of a program that it does not find, and of one that it may not execute.
_NOT_FOUND: Final = 127
_NOT_EXECUTABLE: Final = 126


def probe() -> dict[str, str]:
    """Return what is in the way of each kind of namespace; see `launcher/probe.py`.

    Raises:
        EngineUnavailableError: the launcher cannot run at all.
    """
    try:
        done = subprocess.run(
            _command(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True
        )
        found: dict[str, str] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        text = getattr(error, "stderr", "") or ""
        raise EngineUnavailableError(
            "process", f"its launcher does not work ({error}).\n{text}".rstrip(), "Use --engine docker."
        ) from error
    return found


def _command() -> list[str]:
    return [sys.executable, "-I", "-S", "-c", _BOOT, str(_FOLDER)]


class HostProcess:
    """One host: its control socket, its output, and what it has given of itself when it was ready."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._control, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._reading: list[int] = []
        self._writing: list[int] = []
        for _ in ("stdout", "stderr"):
            reading, writing = os.pipe2(os.O_CLOEXEC)
            self._reading.append(reading)
            self._writing.append(writing)
        self._given: list[int] = []
        self._ended = threading.Event()
        self.program = 0

    @property
    def descriptors(self) -> tuple[int, int, int]:
        """What the launcher gets of this host: control, stdout, stderr."""
        return self._theirs.fileno(), self._writing[0], self._writing[1]

    def handed_over(self) -> None:
        """Let go of what is the launcher's: so its end is noticed here."""
        self._theirs.close()
        for descriptor in self._writing:
            os.close(descriptor)
        self._writing = []

    @property
    def has_ended(self) -> bool:
        """Whether the program, whose process id is `program` once it has started, has ended."""
        return self._ended.is_set()

    @property
    def root(self) -> int:
        """The root of the host's file system, also after its program has ended."""
        return self._given[1]

    @property
    def mount_namespace(self) -> int:
        """The host's mount namespace, which stays as long as this object is not closed."""
        return self._given[0]

    def take_listener(self) -> socket.socket | None:
        """Return the socket that listens inside of the host's network, once; None if there is none."""
        return socket.socket(fileno=self._given.pop()) if len(self._given) == _MOST_DESCRIPTORS else None

    def wait_until_ready(self) -> None:
        """Wait until all around the program is there.

        Raises:
            InternalServerError: it could not be made.
        """
        self._told("ready")

    def start(self) -> None:
        """Start the program.

        Raises:
            ContainerStartError: it is not there, or cannot be executed.
            InternalServerError: the kernel refuses what it needs.
        """
        self._send({"start": True})
        document = self._told("started", "failed")
        if "failed" in document:
            code = _NOT_EXECUTABLE if document["failed"] in _EXECUTION_ERRORS else _NOT_FOUND
            raise ContainerStartError(f"its program cannot be executed: {document['text']}", code)
        self.program = int(document["started"])

    def follow(self, on_log: LogSink) -> HostExit:
        """Pass on all output until the program has ended, then tell how.

        Raises:
            InternalServerError: the launcher was killed.
        """
        streams = dict(zip(self._reading, ("stdout", "stderr"), strict=True))
        ready = select.poll()
        for descriptor in streams:
            ready.register(descriptor, select.POLLIN)
        while streams:
            for descriptor, _ in ready.poll():
                if chunk := os.read(descriptor, _CHUNK):
                    on_log(self.host, streams[descriptor], chunk)
                else:
                    ready.unregister(descriptor)
                    del streams[descriptor]
        code = self._told("exit", deadline=None)["exit"]
        self._ended.set()
        return HostExit(host=self.host, exit_code=code)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program; one that has ended is fine."""
        if not self._ended.is_set():
            self._send({"signal": int(number)})

    def hang_up(self) -> None:
        """End the program if it runs."""
        try:
            self._control.shutdown(socket.SHUT_RDWR)
        except OSError:
            return

    def close(self) -> None:
        """Let the host's namespaces go, which ends them."""
        self._control.close()
        self._theirs.close()
        for descriptor in [*self._reading, *self._writing, *self._given]:
            os.close(descriptor)
        self._reading = self._writing = self._given = []

    def _send(self, document: Mapping[str, Any]) -> None:
        try:
            self._control.sendall(json.dumps(document).encode())
        except OSError:
            return  # it has ended: whoever waits for its answer learns that

    def _told(self, *words: str, deadline: float | None = _READY_SECONDS) -> dict[str, Any]:
        """Return the next document, which must have one of these words."""
        self._control.settimeout(deadline)
        try:
            packet, given, _, _ = socket.recv_fds(self._control, _PACKET, _MOST_DESCRIPTORS)
        except TimeoutError as error:
            raise InternalServerError(f"{self.host} was not {words[0]} within {deadline:g} s") from error
        except OSError as error:
            raise InternalServerError(f"{self.host} was lost: {error}") from error
        finally:
            self._control.settimeout(None)
        self._given += given
        document: dict[str, Any] = json.loads(packet) if packet else {"error": "its launcher has ended"}
        if "error" in document:
            raise InternalServerError(f"{self.host} cannot run: {document['error']}")
        if not any(word in document for word in words):
            raise InternalServerError(f"{self.host} said {document} where {words[0]} was expected")
        return document


_EXECUTION_ERRORS: Final = (1, 8, 13)  # EPERM, ENOEXEC, EACCES


class Launchers:
    """Starts launchers; one is always ready, as its start takes longer than all that it does for a job."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ready: list[_Launcher] = []
        self._closed = False

    def warm(self) -> None:
        """Have a launcher ready for the next job, from another thread."""
        threading.Thread(target=self._start_one, name="launcher", daemon=True).start()

    def launch(self, names: Sequence[str], spec: Mapping[str, Any]) -> Launch:
        """Launch hosts of these names; `spec` is for all of them, each host's own part in `spec["hosts"]`."""
        with self._lock:
            launcher = self._ready.pop() if self._ready else None
        return Launch(launcher or _Launcher(), names, spec)

    def close(self) -> None:
        """End the one that is ready."""
        with self._lock:
            self._closed = True
            ready, self._ready = self._ready, []
        for launcher in ready:
            launcher.end()

    def _start_one(self) -> None:
        with self._lock:
            if not self._closed and not self._ready:
                self._ready.append(_Launcher())


class _Launcher:
    """A launcher that waits to be told what to launch, and ends when nobody can tell it any more."""

    def __init__(self) -> None:
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*_command(), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd="/",
                env={},
                start_new_session=True,
            )

    def tell(self, spec: Mapping[str, Any], descriptors: Sequence[int]) -> None:
        """Say what to launch."""
        with self._channel:
            try:
                socket.send_fds(self._channel, [b"."], descriptors)
                self._channel.sendall(json.dumps(spec).encode())
            except OSError:
                return  # it has ended, which the hosts tell

    def end(self) -> None:
        """Wait for its end, which comes by itself when its hosts have ended, or when it was told nothing."""
        self._channel.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Launch:
    """The hosts of one job, and the launcher that runs them."""

    def __init__(self, launcher: _Launcher, names: Sequence[str], spec: Mapping[str, Any]) -> None:
        self.hosts = [HostProcess(name) for name in names]
        self._launcher = launcher
        launcher.tell(spec, [descriptor for host in self.hosts for descriptor in host.descriptors])
        for host in self.hosts:
            host.handed_over()

    def close(self) -> None:
        """End all programs, wait until they are gone, and let their namespaces go."""
        for host in self.hosts:
            host.hang_up()
        self._launcher.end()
        for host in self.hosts:
            host.close()
