"""EnableNetworkIsolation: nothing but the job's own hosts can be reached, this machine included."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from emulator.endpoint import Endpoint
from emulator.jobs.ports import Capabilities
from tests.jobs import Job, TrainingJobs


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that is open at every address of this machine."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        server.settimeout(0.2)
        stop = threading.Event()

        def accept() -> None:
            while not stop.is_set():
                try:
                    server.accept()[0].close()
                except TimeoutError:
                    continue

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        thread.join()


def own_addresses() -> set[str]:
    """Every IPv4 address of this machine but loopback, the bridges' among them."""
    addresses = set()
    with open("/proc/net/fib_trie") as table:  # noqa: PTH123 - not a file that pathlib would read in one go
        previous = ""
        for line in table:
            if "/32 host LOCAL" in line and not previous.startswith("127."):
                addresses.add(previous)
            previous = line.split()[-1]
    return addresses


def probed(jobs: TrainingJobs, targets: list[str], *, isolated: bool) -> tuple[Job, dict[str, bool]]:
    job = jobs.create(
        image="probe", EnableNetworkIsolation=isolated, Environment={"PROBE_CONNECT": ",".join(targets)}
    ).ended()
    assert job.status == "Completed", job.failure_reason
    return job, job.seen()["connects"]


def test_an_isolated_job_reaches_neither_this_machine_nor_anything_else(
    jobs: TrainingJobs, endpoint: Endpoint, listener: int
) -> None:
    if not endpoint.emulator.engine.capabilities.network_isolation:
        pytest.fail("every engine of this list can isolate; add a capability check if one cannot")
    known = sorted(own_addresses())[:8]
    targets = [f"{address}:{listener}" for address in known]
    targets += [f"169.254.170.2:{endpoint.port}", "169.254.170.2:80"]
    _, open_to_all = probed(jobs, targets, isolated=False)
    # Addresses of bridges go with their networks, also those of other emulators on this machine.
    own = [address for address in known if address in own_addresses()]
    unreached = [f"{address}:{listener}" for address in own if not open_to_all[f"{address}:{listener}"]]
    assert own
    assert unreached == [], "the control job does not reach these: the test would prove nothing about them"
    _, reached = probed(jobs, [*targets, "192.0.2.1:80", "pypi.org:443"], isolated=True)
    assert reached == dict.fromkeys(reached, False)


def test_jobs_cannot_reach_each_other(jobs: TrainingJobs, capabilities: Capabilities) -> None:
    server = jobs.running(
        'hostname -i; exec python3 -c "import signal, socket; signal.signal(signal.SIGTERM, lambda *_: exit());'
        " s=socket.create_server(('',7777)); print('up',flush=True); s.settimeout(120); s.accept()\""
    ).wrote("up")
    address = server.log()[0]
    _, reached = probed(jobs, [f"{address}:7777"], isolated=False)
    if capabilities.own_network:
        server.stop()
    server.ended()
    assert reached == {f"{address}:7777": not capabilities.own_network}
