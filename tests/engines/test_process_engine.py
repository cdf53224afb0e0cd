"""The process engine as a process of its own: who may run it, what it leaves, what it says where it cannot run."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.images import programs_at
from tests.jobs import ProcessingJobs, TrainingJobs
from tests.programs import ME
from tests.up import COMMAND, Up, up

pytestmark = pytest.mark.timeout(120)

TWO = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}
USER = 54321

# Perl is part of Debian, and Python may lie where an ordinary user cannot read it.
TALK = """
use IO::Socket::INET; my ($me, $other) = @ARGV;
my $server = IO::Socket::INET->new(Listen => 5, LocalPort => 7000) or die;
my $client; for (1..200) {
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


def children_of(pid: int) -> list[int]:
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in lists for child in one.read_text().split()]


def gone(text: str, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while running_with(text):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def as_user(user: int = USER) -> list[str]:
    """Return the start of a command that runs as an ordinary user, who may read this interpreter all the same."""
    setpriv = shutil.which("setpriv")
    assert setpriv, "setpriv (util-linux) is missing"
    reading = [f"--{which}=-all,+dac_read_search" for which in ("inh-caps", "ambient-caps", "bounding-set")]
    return [setpriv, f"--reuid={user}", f"--regid={user}", "--clear-groups", *reading]


def unable(setting: str) -> list[str]:
    """Return the start of a command that runs where the kernel gives no namespaces of a kind: max_mnt_namespaces."""
    write = f'for one in {setting}; do echo 0 > /proc/sys/user/$one; done; exec "$@"'
    return ["unshare", "--user", "--map-root-user", "sh", "-c", write, "sh"]


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory of the ordinary user. He cannot rely on pytest's own folder, which each pytest closes again."""
    with tempfile.TemporaryDirectory(prefix="of-an-ordinary-user-") as folder:
        Path(folder).chmod(0o711)
        state = Path(folder, "state")
        state.mkdir(mode=0o755)
        os.chown(state, USER, USER)
        yield state


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
            assert list((tmp_path / "work").iterdir()) == []


def test_a_launcher_that_is_killed_takes_its_programs_along(tmp_path: Path) -> None:
    mark = f"sleep 601.{os.getpid()}"
    with up(tmp_path, "--engine", "process") as emulator:
        job = jobs_of(emulator).running(f"echo ready; exec {mark}", ResourceConfig=TWO).wrote("ready", 2)
        # One launcher has hosts, and another waits for the next job.
        (launcher,) = [pid for pid in children_of(emulator.process.pid) if children_of(pid)]
        os.kill(launcher, signal.SIGKILL)
        assert job.ended().failure_reason.startswith("InternalServerError: ")
        assert gone(mark), running_with(mark)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_runs_jobs_and_is_left_with_no_file_that_is_not_his(state: Path) -> None:
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
        deadline = time.monotonic() + 20
        while list((state / "work").iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert emulator.end(signal.SIGTERM) == 0
    assert [path for path in state.rglob("*") if path.lstat().st_uid != USER] == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_what_a_killed_emulator_of_an_ordinary_user_leaves_does_not_stop_the_next(state: Path) -> None:
    with up(state, "--engine", "process", wrapper=as_user()) as emulator:
        jobs_of(emulator).running("mkdir -p /opt/ml/model/d/e; chmod 000 /opt/ml/model/d; echo ready; sleep 600").wrote(
            "ready"
        )
        emulator.kill()
    with up(state, "--engine", "process", wrapper=as_user()) as emulator:
        assert jobs_of(emulator).running("true").ended().status == "Completed"
        assert emulator.end(signal.SIGTERM) == 0
    assert not (state / "work").exists()


def test_where_the_kernel_gives_no_mount_namespaces_it_says_so_in_under_two_seconds(tmp_path: Path) -> None:
    command = [*unable("max_mnt_namespaces"), *COMMAND, "--engine", "process", "--state-dir", str(tmp_path)]
    seconds, done = 60.0, None
    for _ in range(3):  # a machine may be busy with other tests
        started = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        seconds = time.monotonic() - started
        if seconds < 2:
            break
    assert done is not None
    assert seconds < 2
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
        timeout=30,
        check=False,
    )
    assert done.returncode == 3
    assert "The docker engine cannot be used: " in done.stderr
    assert "The process engine cannot be used: " in done.stderr


def test_auto_takes_programs_where_no_docker_engine_answers(tmp_path: Path) -> None:
    with up(tmp_path, DOCKER_HOST=f"unix://{tmp_path}/nobody.sock") as emulator:
        assert jobs_of(emulator).running("true").ended().status == "Completed"


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
        assert gone(mark, 1), running_with(mark)


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
    done = subprocess.run(
        [*COMMAND, "--engine", "process", option, "--port", "0", "--state-dir", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert f"Leave out {option}, or use --engine docker." in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a home that is not below /tmp")
def test_nothing_of_the_user_s_reaches_a_program(tmp_path: Path) -> None:
    """Not his variables, not his credentials file, not his temporary files; and it changes none of his files."""
    name = f"of-the-user-{os.getpid()}"
    home, elsewhere = Path("/home", name), Path("/tmp", name)
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text("[default]\naws_access_key_id = AKIAUSERSOWN\n")
    elsewhere.write_text("mine")
    try:
        with up(tmp_path / "state", "--engine", "process", HOME=str(home), AWS_SECRET_ACCESS_KEY="hidden") as emulator:
            jobs = jobs_of(emulator)
            job = (
                ProcessingJobs(jobs.clients, jobs.bucket, jobs.image)
                .running(
                    "env | grep -c hidden; ls ~ ~/.aws; echo $HOME; ls /tmp /opt/ml; touch /etc/made-by-a-job; "
                    f"ls -d {home}/.aws; ls -A {home}/.aws; mkdir /decoy && echo made > /decoy/f && cat /decoy/f; "
                    "echo x > ~/x; cat ~/x"
                )
                .ended()
            )
            assert job.status == "Completed", job.failure_reason
            text = "\n".join(job.log())
            assert f"\n{elsewhere.name}\n" not in text
            assert "AKIAUSERSOWN" not in text
            assert job.log()[0] == "0"
            assert "/job-home" in job.log()
            assert f"{home}/.aws" in job.log()
            assert "touch: cannot touch '/etc/made-by-a-job': Read-only file system" in job.log()
            assert {"made", "x"} <= set(job.log()[-3:])
        assert not Path("/decoy").exists()
        assert not Path("/opt/ml").exists()
    finally:
        elsewhere.unlink()
        shutil.rmtree(home)
