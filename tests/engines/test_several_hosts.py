"""Jobs on several hosts, and processing jobs, where data travels as archives, and for ordinary users."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.docker_engine import containers_of, every_volume, gone, volumes_of
from tests.engines.ordinary_user import as_user, foreign, needs_root
from tests.jobs import ProcessingJobs
from tests.programs import ME, until
from tests.up import Up, in_work, up

pytestmark = [pytest.mark.docker, pytest.mark.timeout(600)]

ROOT = "/opt/ml/processing"
CLUSTER = {"InstanceType": "ml.m5.large", "InstanceCount": 2, "VolumeSizeInGB": 1}


def processing_of(emulator: Up, image: Callable[[str], str]) -> ProcessingJobs:
    jobs = emulator.jobs(image)
    return ProcessingJobs(jobs.clients, jobs.bucket, image)


@pytest.mark.xdist_group("engines-copying")
def test_archives_carry_the_data_of_several_hosts(copying: Up, image: Callable[[str], str]) -> None:
    jobs, processing = copying.jobs(image), processing_of(copying, image)
    training = jobs.running(
        f"{ME} cd /opt/ml; cat input/data/train/a; cd model; echo $me > $me; echo $me > same; "
        f"ln same hard-$me; ln -s same link; echo ready; {until()}",
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
    training.wrote("ready", times=2)
    for host in ("algo-1", "algo-2"):
        processed.stored(f"live/{host}", b"1\n")
    volumes = volumes_of(training.name, processed.name)
    assert volumes
    assert training.go().ended().status == "Completed", (training.failure_reason, training.log())
    assert training.log("algo-1") == training.log("algo-2") == ["1", "ready"]
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
    assert processed.objects() == {"live/algo-1": b"1\n", "live/algo-2": b"1\n"}
    assert processed.stop().ended().status == "Stopped", processed.failure_reason
    assert (processed.log("algo-1"), processed.log("algo-2")) == (["0", "2", "4"], ["1", "3"])
    expected = {f"in/{n}": b"%d" % n for n in range(5)}
    for host in ("algo-1", "algo-2"):
        expected |= {f"d/{host}": b"x\n", f"hard-{host}": b"x\n"}
    assert processed.objects("out/") == expected
    gone(lambda: [*containers_of(training.name, processed.name), *(volumes & every_volume())])


@needs_root
@pytest.mark.parametrize("options", [(), ("--copy-data",)], ids=["mounts", "archives"])
def test_an_ordinary_user_is_left_with_no_file_that_is_not_his(
    state: Path, image: Callable[[str], str], options: tuple[str, ...]
) -> None:
    """Also if an emulator was killed before, whose containers have left theirs."""
    program = "mkdir -p /opt/ml/model/d; echo x > /opt/ml/model/d/f; chmod 700 /opt/ml/model/d; echo ready; sleep 600"
    with up(state, *options, "--recovery-window", "0", wrapper=as_user(docker=True)) as emulator:
        killed = emulator.jobs(image).running(program).wrote("ready")
        emulator.kill()
    gone(lambda: containers_of(killed.name))
    with up(state, *options, wrapper=as_user(docker=True)) as emulator:
        jobs, processing = emulator.jobs(image), processing_of(emulator, image)
        trained = jobs.running(
            "set -e; umask 077; cd /opt/ml; mkdir -p input/data/train/mine/deeper model/d output/data/e; "
            "echo x > input/data/train/mine/deeper/f; echo m > model/d/private; echo o > output/data/e/f; "
            "mkdir model/closed; chmod 000 model/closed",
            InputDataConfig=[jobs.channel("train", {"/a": b"1"})],
        )
        processed = processing.running(
            f"{ME} set -e; umask 077; cd {ROOT}; mkdir -p input/in/own/d live/d out/closed; touch input/in/own/d/f; "
            f"echo $me > live/d/$me; {until()}; echo $me > out/closed/$me; chmod 000 out/closed",
            hosts=2,
            ProcessingInputs=[processing.input("in", {"/a": b"1"})],
            ProcessingOutputConfig={
                "Outputs": [
                    *processing.outputs("out")["Outputs"],
                    *processing.outputs("live", mode="Continuous")["Outputs"],
                ]
            },
        )
        assert trained.ended().status == "Completed", (trained.failure_reason, trained.log())
        members = trained.archive("model.tar.gz")
        assert members is not None
        assert members["d/private"].mode == 0o600
        assert trained.read("model.tar.gz", "d/private") == b"m\n"
        for host in ("algo-1", "algo-2"):
            processed.stored(f"live/d/{host}", f"{host}\n".encode())
        assert processed.go().ended().status == "Completed", (processed.failure_reason, processed.log())
        assert processed.objects() == {
            f"{where}/algo-{n}": b"algo-%d\n" % n for where in ("live/d", "out/closed") for n in (1, 2)
        }
        gone(lambda: in_work(state))
        assert emulator.end(signal.SIGTERM) == 0
    assert foreign(state) == []
