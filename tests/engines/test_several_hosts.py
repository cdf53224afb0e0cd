"""Jobs on several hosts, and processing jobs, where data travels as archives, for ordinary users, and under limits."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engines.test_docker_engine import as_user, docker, gone, left
from tests.jobs import ProcessingJobs
from tests.programs import ME
from tests.up import Up, up

pytestmark = [pytest.mark.docker, pytest.mark.timeout(180)]

ROOT = "/opt/ml/processing"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def processing_of(emulator: Up, image: Callable[[str], str]) -> ProcessingJobs:
    jobs = emulator.jobs(image)
    return ProcessingJobs(jobs.clients, jobs.bucket, image)


def test_archives_carry_the_data_of_several_hosts(tmp_path: Path, image: Callable[[str], str]) -> None:
    volumes = set(docker("volume", "ls", "-q").split())
    with up(tmp_path, "--copy-data") as emulator:
        jobs, processing = emulator.jobs(image), processing_of(emulator, image)
        training = jobs.running(
            f"{ME} cd /opt/ml; cat input/data/train/a; cd model; echo $me > $me; echo $me > same; "
            "ln same hard-$me; ln -s same link",
            ResourceConfig=CLUSTER,
            InputDataConfig=[jobs.channel("train", {"/a": b"1\n"})],
        )
        shards = processing.input("in", {f"/{n}": b"%d" % n for n in range(5)}, S3DataDistributionType="ShardedByS3Key")
        shards["S3Input"]["LocalPath"] = f"{ROOT}/out/in"
        outputs = processing.outputs("out", "live")
        outputs["Outputs"][1]["S3Output"]["S3UploadMode"] = "Continuous"
        processed = processing.running(
            f"trap 'exit 0' TERM; {ME} cd {ROOT}; ls out/in; mkdir out/d; "
            "echo x > out/d/$me; ln out/d/$me out/hard-$me; "
            "echo 1 > live/$me; while :; do sleep 0.1; done",
            hosts=2,
            ProcessingInputs=[shards],
            ProcessingOutputConfig=outputs,
        )
        assert training.ended().status == "Completed", (training.failure_reason, training.log())
        assert training.log("algo-1") == training.log("algo-2") == ["1"]
        assert sorted(training.archive("model.tar.gz") or ()) == [
            "algo-1",
            "algo-2",
            "hard-algo-1",
            "hard-algo-2",
            "link",
            "same",
        ]
        contents = {name: training.read("model.tar.gz", name) for name in ("same", "hard-algo-1", "hard-algo-2")}
        assert contents == {"same": b"algo-2\n", "hard-algo-1": b"algo-1\n", "hard-algo-2": b"algo-2\n"}
        deadline = time.monotonic() + 30
        while processed.objects() != {"live/algo-1": b"1\n", "live/algo-2": b"1\n"}:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert processed.stop().ended().status == "Stopped", processed.failure_reason
        assert (processed.log("algo-1"), processed.log("algo-2")) == (["0", "2", "4"], ["1", "3"])
        expected = {f"in/{n}": b"%d" % n for n in range(5)}
        for host in ("algo-1", "algo-2"):
            expected |= {f"d/{host}": b"x\n", f"hard-{host}": b"x\n"}
        assert processed.objects("out/") == expected
        assert gone(lambda: [*left(training.name), *left(processed.name)])
        assert gone(lambda: sorted(set(docker("volume", "ls", "-q").split()) - volumes))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize("options", [(), ("--copy-data",)], ids=["mounts", "archives"])
def test_an_ordinary_user_is_left_with_no_file_that_is_not_his(
    tmp_path: Path, image: Callable[[str], str], options: tuple[str, ...]
) -> None:
    state, user = tmp_path / "state", 54321
    state.mkdir(mode=0o755)
    os.chown(state, user, user)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
    with up(state, *options, wrapper=as_user(user)) as emulator:
        processing = processing_of(emulator, image)
        job = processing.running(
            f"{ME} set -e; umask 077; cd {ROOT}; mkdir -p input/in/own/d live/d out/closed; touch input/in/own/d/f; "
            "echo $me > live/d/$me; sleep 3; echo $me > out/closed/$me; chmod 000 out/closed",
            hosts=2,
            ProcessingInputs=[processing.input("in", {"/a": b"1"})],
            ProcessingOutputConfig={
                "Outputs": [
                    *processing.outputs("out")["Outputs"],
                    *processing.outputs("live", mode="Continuous")["Outputs"],
                ]
            },
        ).ended()
        assert job.status == "Completed", (job.failure_reason, job.log())
        assert job.objects() == {
            f"{where}/algo-{n}": b"algo-%d\n" % n for where in ("live/d", "out/closed") for n in (1, 2)
        }
        assert gone(lambda: [str(path) for path in (state / "work").iterdir()])
        assert emulator.end(signal.SIGTERM) == 0
    assert [path for path in state.rglob("*") if path.lstat().st_uid != user] == []


def test_each_host_has_the_limits_of_its_own_instance_type(tmp_path: Path, image: Callable[[str], str]) -> None:
    groups = [
        {"InstanceGroupName": name, "InstanceType": instance, "InstanceCount": 1}
        for name, instance in (("small", "ml.t3.medium"), ("large", "ml.m5.large"))
    ]
    with up(tmp_path, "--limit-instances") as emulator:
        job = emulator.jobs(image).running(
            "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
            ResourceConfig={"InstanceGroups": groups, "VolumeSizeInGB": 1},
        )
        job.ended()
        assert (job.log("algo-1"), job.log("algo-2")) == ([str(4 * 1024**3)], [str(8 * 1024**3)])
