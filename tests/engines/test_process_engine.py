"""The process engine as a process of its own: who may run it, what it leaves, what it says where it cannot run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.engines.ordinary_user import as_user, foreign, needs_root
from tests.images import programs_at
from tests.jobs import ProcessingJobs, TrainingJobs
from tests.programs import ME
from tests.up import COMMAND, SECONDS, Up, in_work, up

pytestmark = pytest.mark.timeout(600)

# They share an emulator, whose user has things that no job may see.
OF_A_USER = pytest.mark.xdist_group("engines-of-a-user")

TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
HIDDEN = f"of-the-user-{os.getpid()}"
HOME = Path("/home" if os.geteuid() == 0 else "/tmp", f"home-{HIDDEN}")

# Perl is part of Debian, and Python may lie where an ordinary user cannot read it.
TALK = """
use IO::Socket::INET; my ($me, $other) = @ARGV;
my $server = IO::Socket::INET->new(Listen => 5, LocalPort => 7000) or die;
my $client; for (1..2000) {
  $client = IO::Socket::INET->new(PeerAddr => $other, PeerPort => 7000) and last; select(undef, undef, undef, 0.05);
}
print $client "$me\\n"; close $client; my $peer = $server->accept; print "heard ", scalar(<$peer>);
"""


def jobs_of(emulator: Up) -> TrainingJobs:
    return emulator.jobs(programs_at(f"http://127.0.0.1:{emulator.port}"))


def running_with(text: str) -> list[str]:
    """Return the processes of this machine whose command line has a text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line and "pytest" not in line:
            found.append(f"{folder.name}: {line}")
    return found


def children_of(pid: int) -> set[int]:
    children = set()
    for one in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it has ended
            children |= {int(child) for child in one.read_text().split()}
    return children


def descendants_of(pid: int) -> set[int]:
    """Return the processes that a process has started, and theirs."""
    children = children_of(pid)
    return children.union(*(descendants_of(child) for child in children))


def gone(text: str) -> bool:
    return is_soon(lambda: not running_with(text))


def is_soon(reached: Callable[[], bool]) -> bool:
    """Wait until something is so."""
    deadline = time.monotonic() + SECONDS
    while not reached():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True


def unable(setting: str) -> list[str]:
    """Return the start of a command that runs where the kernel gives no namespaces of a kind: max_mnt_namespaces."""
    write = f'for one in {setting}; do echo 0 > /proc/sys/user/$one; done; exec "$@"'
    return ["unshare", "--user", "--map-root-user", "sh", "-c", write, "sh"]


@pytest.fixture(scope="module")
def of_a_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """Run programs, as no Docker Engine answers, for a user with a home, credentials and temporary files."""
    state, elsewhere = tmp_path_factory.mktemp("programs"), Path("/tmp", HIDDEN)
    (HOME / ".aws").mkdir(parents=True)
    (HOME / ".aws/credentials").write_text("[default]\naws_access_key_id = AKIAUSERSOWN\n")
    elsewhere.write_text("mine")
    nobody = f"unix://{state}/nobody.sock"
    try:
        with up(state, HOME=str(HOME), AWS_SECRET_ACCESS_KEY="hidden", DOCKER_HOST=nobody) as emulator:
            yield emulator
    finally:
        elsewhere.unlink()
        shutil.rmtree(HOME)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL], ids=lambda one: one.name)
def test_no_way_to_end_the_emulator_leaves_a_process_or_a_mount_behind(tmp_path: Path, number: signal.Signals) -> None:
    mark = f"sleep 600.{os.getpid()}{int(number)}"
    with up(tmp_path, "--engine", "process") as emulator:
        job = jobs_of(emulator).running(f"setsid {mark} & echo ready; {mark}", ResourceConfig=TWO).wrote("ready", 2)
        assert running_with(mark)
        code = emulator.end(number)
    assert code == (-signal.SIGKILL if number is signal.SIGKILL else 0)
    assert gone(mark), running_with(mark)
    assert gone(f"launcher {tmp_path}")
    assert f" {tmp_path}" not in Path("/proc/self/mountinfo").read_text()
    if number is not signal.SIGKILL:
        assert not (tmp_path / "work").exists()
    else:
        with up(tmp_path, "--engine", "process") as emulator:
            ended = type(job)(emulator.clients, job.name, job.bucket).ended()
            assert "a job's programs end with it" in ended.failure_reason
            assert is_soon(lambda: not in_work(tmp_path))


@OF_A_USER
def test_a_launcher_that_is_killed_takes_its_programs_along(of_a_user: Up) -> None:
    mark = f"sleep 601.{os.getpid()}"
    job = jobs_of(of_a_user).running(f"echo ready; exec {mark}", ResourceConfig=TWO).wrote("ready", 2)
    (program, *_) = [int(one.partition(":")[0]) for one in running_with(mark)]
    # One launcher has these hosts; another waits for the next job, and the last one's may be about to end.
    (launcher,) = [pid for pid in children_of(of_a_user.process.pid) if program in descendants_of(pid)]
    os.kill(launcher, signal.SIGKILL)
    assert job.ended().failure_reason.startswith("InternalServerError: ")
    assert gone(mark), running_with(mark)


@needs_root
def test_an_ordinary_user_runs_jobs_and_is_left_with_no_file_that_is_not_his(state: Path) -> None:
    """Also if an emulator was killed before, whose programs have left theirs."""
    with up(state, "--engine", "process", wrapper=as_user()) as emulator:
        jobs_of(emulator).running("mkdir -p /opt/ml/model/d/e; chmod 000 /opt/ml/model/d; echo ready; sleep 600").wrote(
            "ready"
        )
        emulator.kill()
    with up(state, "--engine", "process", wrapper=as_user()) as emulator:
        jobs = jobs_of(emulator)
        job = jobs.running(
            "set -e; id -u; umask 077; cd /opt/ml; mkdir -p input/data/train/mine/deeper model/d; "
            "echo x > input/data/train/mine/deeper/f; echo m > model/d/private; echo p > model/d/none; "
            "chmod 000 model/d/none; mkdir model/closed; chmod 000 model/closed model/d input/data/train/mine",
            InputDataConfig=[jobs.channel("train", {"/a": b"1"})],
        ).ended()
        assert job.status == "Completed", (job.failure_reason, job.log())
        assert job.log() == ["0"]
        members = job.archive("model.tar.gz")
        assert members is not None
        modes = {name: oct(member.mode) for name, member in members.items()}
        assert modes == {"d": "0o0", "closed": "0o0", "d/private": "0o600", "d/none": "0o0"}
        assert job.read("model.tar.gz", "d/none") == b"p\n"
        alone = jobs.running("cat /proc/net/dev | grep -c :; getent hosts algo-1", EnableNetworkIsolation=True).ended()
        assert alone.log()[0] == "2", alone.log()
        talk = jobs.running(
            f"{ME} if [ $me = algo-1 ]; then other=algo-2; else other=algo-1; fi; "
            "perl /opt/ml/input/data/code/talk.pl $me $other; curl -sf $AWS_ENDPOINT_URL/_emulator/health | head -c 15",
            ResourceConfig=TWO,
            InputDataConfig=[jobs.channel("code", {"/talk.pl": TALK.encode()})],
        ).ended()
        assert talk.status == "Completed", (talk.failure_reason, talk.log())
        assert talk.log("algo-1") == ["heard algo-2", '{"status": "ok"']
        assert talk.log("algo-2") == ["heard algo-1", '{"status": "ok"']
        assert is_soon(lambda: not in_work(state))
        assert emulator.end(signal.SIGTERM) == 0
    assert foreign(state) == []
    assert not (state / "work").exists()


def test_where_the_kernel_gives_no_mount_namespaces_it_says_so_at_once(tmp_path: Path) -> None:
    """It takes about a second, and waits for nothing; a machine that is busy with other tests takes much longer."""
    command = [*unable("max_mnt_namespaces"), *COMMAND, "--engine", "process", "--state-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 3, done.stderr
    assert "The process engine cannot be used: the kernel refuses mount namespaces: No space left" in done.stderr
    assert "user.max_mnt_namespaces is 0: `sudo sysctl user.max_mnt_namespaces=10000` raises it." in done.stderr
    assert "--engine docker" in done.stderr
    assert "Traceback" not in done.stderr


def test_where_there_is_neither_engine_auto_says_what_both_need(tmp_path: Path) -> None:
    done = subprocess.run(
        [*unable("max_mnt_namespaces"), *COMMAND, "--port", "0", "--state-dir", str(tmp_path)],
        env={**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 3
    assert "The docker engine cannot be used: " in done.stderr
    assert "The process engine cannot be used: " in done.stderr


@OF_A_USER
def test_auto_takes_programs_where_no_docker_engine_answers(of_a_user: Up) -> None:
    assert jobs_of(of_a_user).running("true").ended().status == "Completed"


def test_without_pid_namespaces_jobs_run_and_leave_no_process(tmp_path: Path) -> None:
    mark = f"sleep 602.{os.getpid()}"
    wrapper = unable("max_pid_namespaces")
    with up(tmp_path, "--engine", "process", "--time-scale", "100", wrapper=wrapper) as emulator:
        jobs = jobs_of(emulator)
        seen = jobs.running("echo $$; cat /proc/self/status | grep ^Pid; exit 3").ended()
        assert seen.failure_reason == "AlgorithmError: , exit code: 3"
        assert int(seen.log()[0]) > 1
        stubborn = jobs.running(
            f"(trap '' TERM; setsid {mark}) & trap '' TERM; echo ready; while :; do sleep 0.1; done"
        )
        assert stubborn.wrote("ready").stop().ended().status == "Stopped"
        assert gone(mark), running_with(mark)


def test_without_network_namespaces_what_needs_them_is_refused(tmp_path: Path) -> None:
    with up(tmp_path, "--engine", "process", wrapper=unable("max_net_namespaces")) as emulator:
        jobs = jobs_of(emulator)
        assert jobs.running("true").ended().status == "Completed"
        isolated = jobs.running("true", EnableNetworkIsolation=True).ended()
        several = jobs.running("true", ResourceConfig=TWO).ended()
        for job, what in ((isolated, "isolated"), (several, "of several hosts")):
            assert re.match(
                f"CapacityError: the process engine cannot run a job {what} here: the kernel refuses private networks",
                job.failure_reason,
            )


@pytest.mark.parametrize("option", ["--limit-instances", "--copy-data"])
def test_what_only_docker_can_do_is_refused(tmp_path: Path, option: str) -> None:
    command = [*COMMAND, "--engine", "process", option, "--port", "0", "--state-dir", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    assert done.returncode == 2, done.stderr
    assert f"Leave out {option}, or use --engine docker." in done.stderr


@needs_root
@OF_A_USER
def test_nothing_of_the_user_s_reaches_a_program(of_a_user: Up) -> None:
    """Not his variables, not his credentials file, not his temporary files; and it changes none of his files."""
    jobs = jobs_of(of_a_user)
    job = (
        ProcessingJobs(jobs.clients, jobs.bucket, jobs.image)
        .running(
            "exec 2>&1; env | grep -c hidden; ls ~ ~/.aws; echo $HOME; ls /tmp /opt/ml; touch /etc/made-by-a-job; "
            f"ls -d {HOME}/.aws; ls -A {HOME}/.aws; mkdir /decoy && echo made > /decoy/f && cat /decoy/f; "
            "echo x > ~/x; cat ~/x"
        )
        .ended()
    )
    assert job.status == "Completed", job.failure_reason
    text = "\n".join(job.log())
    assert f"\n{HIDDEN}\n" not in text
    assert "AKIAUSERSOWN" not in text
    assert job.log()[0] == "0"
    assert "/job-home" in job.log()
    assert f"{HOME}/.aws" in job.log()
    assert "touch: cannot touch '/etc/made-by-a-job': Read-only file system" in job.log()
    assert job.log()[-2:] == ["made", "x"]
    assert not Path("/decoy").exists()
    assert not Path("/opt/ml").exists()
