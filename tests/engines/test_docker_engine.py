"""The docker engine as a process of its own: what it leaves behind, where it listens, who may run it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.cli.up import up as up_command
from tests.docker_engine import containers_of, docker, every_volume, gone, volumes_of
from tests.programs import until
from tests.up import COMMAND, SECONDS, Up, in_work, up

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

ROOMY = pytest.mark.xdist_group("engines-roomy")
COPYING = pytest.mark.xdist_group("engines-copying")

FOR_EVER = "echo ready; exec sleep 600"


def networks_of(owner: str) -> list[str]:
    return docker("network", "ls", "--filter", f"label=sagemaker-emulator.owner={owner}", "-q").split()


def with_volume(image: str) -> str:
    """Return an image that declares a volume, as images of databases do."""
    tag = f"{image.partition(':')[0]}-with-volume"
    docker("build", "-q", "-t", tag, "-", stdin=f"FROM {image}\nVOLUME /scratch\n")
    return tag


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_no_way_to_end_the_emulator_leaves_anything_behind(
    tmp_path: Path, image: Callable[[str], str], number: signal.Signals
) -> None:
    with up(tmp_path, "--recovery-window", "1") as emulator:
        job = emulator.jobs(lambda name: with_volume(image(name))).running(FOR_EVER).wrote("ready")
        volumes = volumes_of(job.name)
        assert volumes
        owner = (tmp_path / "identity").read_text()
        assert networks_of(owner)
        code = emulator.end(number)
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    gone(lambda: containers_of(job.name))
    gone(lambda: networks_of(owner))
    gone(lambda: volumes & every_volume())
    if number is not signal.SIGKILL:
        assert not (tmp_path / "work").exists()


@ROOMY
def test_a_finished_job_leaves_no_container(roomy: Up, image: Callable[[str], str]) -> None:
    job = roomy.jobs(image).running("true").ended()
    gone(lambda: containers_of(job.name))
    gone(lambda: in_work(roomy.state_dir))


@COPYING
def test_archives_carry_the_data_where_the_engine_has_another_disk(copying: Up, image: Callable[[str], str]) -> None:
    jobs = copying.jobs(image)
    channel = jobs.channel("train", {"/a": b"1", "/deep/b": b"2", "/marker/": b""})
    job = jobs.running(
        "set -e; cd /opt/ml; cat input/data/train/a input/data/train/deep/b; test -d input/data/train/marker; "
        "stat -c '%a %u' input/config/resourceconfig.json model output/data; echo x > input/w; "
        "mkdir -p model/empty; ln -s a model/link; echo m > model/a; chmod 640 model/a; echo o > output/data/o; "
        f"echo ready; {until()}",
        InputDataConfig=[channel],
    ).wrote("ready")
    volumes = volumes_of(job.name)
    assert volumes
    assert job.go().ended().status == "Completed", (job.failure_reason, job.log())
    assert job.log() == ["12644 0", "777 0", "777 0", "ready"]
    members = job.archive("model.tar.gz")
    assert members is not None
    assert sorted(members) == ["a", "empty", "link"]
    assert members["a"].mode == 0o640
    assert members["link"].linkname == "a"
    assert job.read("output.tar.gz", "o") == b"o\n"
    gone(lambda: volumes & every_volume())
    failed = jobs.running("echo why > /opt/ml/output/failure; exit 2").ended()
    assert failed.failure_reason == "AlgorithmError: why, exit code: 2"


@ROOMY
def test_more_jobs_than_an_engine_has_address_ranges_run_at_once(roomy: Up, image: Callable[[str], str]) -> None:
    jobs = roomy.jobs(image)
    program = "trap 'exit 0' TERM; echo ready; sleep 600 & wait"
    started = [jobs.running(program, EnableNetworkIsolation=number % 2 == 0) for number in range(36)]
    for job in started:
        job.wrote("ready")
    docker("kill", "--signal=TERM", *containers_of(*(job.name for job in started)))
    ended = [job.ended() for job in started]
    assert [job.failure_reason for job in ended if job.status != "Completed"] == []


@ROOMY
def test_it_listens_on_loopback_and_on_the_engine_s_gateway_only(roomy: Up) -> None:
    everything = set(listening(roomy.process.pid))
    addresses = {address for address, port in everything if port in (roomy.port, 80)}
    assert addresses == {"127.0.0.1", "169.254.170.2"}
    assert {address for address, _ in everything} == addresses


def listening(pid: int) -> list[tuple[str, int]]:
    """Return where a process listens, from the kernel's table."""
    sockets = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in sockets:
                address, port = fields[1].split(":")
                shown = socket.inet_ntoa(bytes.fromhex(address)[::-1]) if table == "tcp" else address
                found.append((shown, int(port, 16)))
    return found


def test_without_an_engine_it_says_at_once_what_to_start(tmp_path: Path) -> None:
    """It takes about a second, and waits for nothing; a machine that is busy with other tests takes much longer."""
    done = subprocess.run(
        [*COMMAND, "--engine", "docker", "--port", "0", "--state-dir", str(tmp_path)],
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 3
    assert "no Docker Engine answers at unix://" in done.stderr
    assert "systemctl start docker" in done.stderr
    assert "Traceback" not in done.stderr


@ROOMY
def test_a_second_emulator_on_a_state_directory_is_refused(roomy: Up) -> None:
    done = subprocess.run(
        [*COMMAND, "--port", "0", "--state-dir", str(roomy.state_dir)],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 2
    assert f"Another emulator uses the state directory {roomy.state_dir}" in done.stderr


@pytest.mark.parametrize("url", ["foo", "host:4750", "ftp://host", "http://", "http://host:4750/path", "http://a b"])
def test_an_address_for_containers_that_is_none_is_refused(url: str) -> None:
    done = CliRunner().invoke(up_command, ["--container-endpoint", url])
    assert done.exit_code == 2
    assert "Write it as http://" in done.output


def test_a_port_that_is_taken_is_said_clearly_and_at_once_also_after_a_kill(tmp_path: Path) -> None:
    """What the killed one has left behind still waits for a successor then: ten minutes, and not as long as that."""
    with up(tmp_path, "--recovery-window", "600") as killed:
        killed.kill()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [*COMMAND, "--port", port, "--state-dir", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 4, done.stderr
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
    (tmp_path / "lock").unlink()  # whoever waits for a successor waits no longer


@ROOMY
def test_out_of_memory_is_told_apart(roomy: Up, image: Callable[[str], str]) -> None:
    """The engine lowers the limit of the container, as filling that of the smallest instance takes 4 GiB."""
    job = (
        roomy.jobs(image)
        .running(
            f'echo ready; {until()}; exec python3 -c "b = bytearray(2**28)\nfor i in range(0, 2**28, 4096): b[i] = 1"',
            ResourceConfig={"InstanceType": "ml.t3.medium", "InstanceCount": 1, "VolumeSizeInGB": 1},
        )
        .wrote("ready")
    )
    docker("update", "--memory=64m", "--memory-swap=64m", *containers_of(job.name))
    job.go().ended()
    assert job.status == "Failed"
    assert job.failure_reason.startswith("AlgorithmError: OutOfMemory: ")
    assert job.failure_reason.endswith(", exit code: 137")


@ROOMY
def test_each_host_has_the_limits_of_its_own_instance_type(roomy: Up, image: Callable[[str], str]) -> None:
    groups = [
        {"InstanceGroupName": name, "InstanceType": instance, "InstanceCount": 1}
        for name, instance in (("small", "ml.t3.medium"), ("large", "ml.m5.large"))
    ]
    job = roomy.jobs(image).running(
        "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
        ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1},
    )
    job.ended()
    assert (job.log("algo-1"), job.log("algo-2")) == ([str(4 * 1024**3)], [str(8 * 1024**3)])
