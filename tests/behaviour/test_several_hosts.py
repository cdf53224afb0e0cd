"""Training jobs on several hosts, through boto3 alone: training.md 1, 2.4, 2.7, 3.4 and 4.4, on every engine."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from tests.jobs import LOG_GROUP, Job, TrainingJobs
from tests.programs import ME, TALK, until

WAIT = "while :; do sleep 0.05; done"


def cluster(count: int) -> dict[str, Any]:
    return {"InstanceType": "ml.m5.large", "InstanceCount": count, "VolumeSizeInGB": 10}


def groups(**counts: int) -> dict[str, Any]:
    types = {"cpu": "ml.c5.xlarge", "gpu": "ml.p3.2xlarge"}
    found = [
        {"InstanceGroupName": name, "InstanceType": types[name], "InstanceCount": count}
        for name, count in counts.items()
    ]
    return {"InstanceGroups": found, "VolumeSizeInGB": 10}


def sharded(channel: dict[str, Any], **source: Any) -> dict[str, Any]:
    channel["DataSource"]["S3DataSource"] |= {"S3DataDistributionType": "ShardedByS3Key", **source}
    return channel


def completed(job: Job) -> Job:
    assert job.ended().status == "Completed", (job.failure_reason, job.log())
    return job


def files(job: Job, archive: str) -> dict[str, bytes]:
    """Return the files of an archive, as they are once it is unpacked."""
    return {
        name: job.read(archive, name)
        for name, one in (job.archive(archive) or {}).items()
        if one.isreg() or one.islnk()
    }


def test_hosts_talk_by_name_in_both_directions(jobs: TrainingJobs) -> None:
    started = [
        jobs.running(
            "python3 /opt/ml/input/data/code/talk.py",
            ResourceConfig=cluster(2),
            InputDataConfig=[jobs.channel("code", {"/talk.py": TALK.encode()})],
            EnableNetworkIsolation=isolated,
        )
        for isolated in (False, True)
    ]
    for job in map(completed, started):
        assert (job.log("algo-1"), job.log("algo-2")) == (["heard algo-2"], ["heard algo-1"])
        streams = job.clients.logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job.name}/")
        names = [one["logStreamName"] for one in streams["logStreams"]]
        assert len({name.rpartition("-")[2] for name in names}) == 1
        assert [re.sub(r"-\d{10}$", "", name) for name in names] == [f"{job.name}/algo-1", f"{job.name}/algo-2"]


def test_names_resolve_from_the_first_moment_on_and_after_a_host_has_ended(jobs: TrainingJobs) -> None:
    """The training toolkit waits 15 minutes for a name that it does not find."""
    job = jobs.running(
        f"{ME} getent hosts algo-1 algo-2 algo-3; [ $me = algo-1 ] && exit; sleep 1; getent hosts algo-1",
        ResourceConfig=cluster(3),
    )
    completed(job)
    one, two, three = job.log("algo-1")
    assert [line.split()[1] for line in (one, two, three)] == ["algo-1", "algo-2", "algo-3"]
    assert job.log("algo-2") == job.log("algo-3") == [one, two, three, one]


def test_each_host_has_an_opt_ml_of_its_own(jobs: TrainingJobs) -> None:
    paths = "model/x output/data/x input/x input/data/train/a"
    job = jobs.running(
        f"{ME} cd /opt/ml; for f in {paths}; do printf $me > $f; done; mkdir -p model/$me; "
        f"echo written; {until()}; cat {paths}; cp input/config/*.json model/$me",
        ResourceConfig=groups(cpu=1, gpu=2),
        InputDataConfig=[jobs.channel("train", {"/a": b"1"})],
        HyperParameters={"epochs": "3"},
    ).wrote("written", times=3)
    completed(job.go())
    assert [job.log(host) for host in ("algo-1", "algo-2", "algo-3")] == [
        ["written", "algo-1" * 4],
        ["written", "algo-2" * 4],
        ["written", "algo-3" * 4],
    ]
    found = files(job, "model.tar.gz")
    for host, group, instance in (("algo-1", "cpu", "ml.c5.xlarge"), ("algo-3", "gpu", "ml.p3.2xlarge")):
        assert json.loads(found[f"{host}/resourceconfig.json"]) == {
            "current_group_name": group,
            "current_host": host,
            "current_instance_type": instance,
            "hosts": ["algo-1", "algo-2", "algo-3"],
            "instance_groups": [
                {"instance_group_name": "cpu", "instance_type": "ml.c5.xlarge", "hosts": ["algo-1"]},
                {"instance_group_name": "gpu", "instance_type": "ml.p3.2xlarge", "hosts": ["algo-2", "algo-3"]},
            ],
            "network_interface_name": "eth0",
        }
        own = json.loads(found[f"{host}/init-config.json"])["hostConfig"]
        assert own == {"clusterSize": 3, "hostNumber": int(host[-1])}
        assert found[f"{host}/hyperparameters.json"] == b'{"epochs":"3"}'


def test_the_trees_of_all_hosts_are_merged_to_one(jobs: TrainingJobs) -> None:
    """Same name: the last host's stays. Links are links, also to a file whose name another host's has taken."""
    for_each = {
        "algo-1": "echo 1 > same; echo 1 > d/1; echo 1 > file-or-dir; mkdir dir-or-file; echo 1 > dir-or-file/f; "
        "ln -s same link; echo hard > hard-a; ln hard-a hard-b; ln same same-too; chmod 640 d/1; mkdir empty",
        "algo-2": "echo 2 > same; echo 2 > d/2; mkdir file-or-dir; echo 2 > file-or-dir/f; echo 2 > dir-or-file",
    }
    scripts = {f"/{host}": f"set -e; mkdir d; {does}".encode() for host, does in for_each.items()}
    job = jobs.running(
        f"{ME} for root in model output/data; do cd /opt/ml/$root; sh /opt/ml/input/data/scripts/$me; done",
        ResourceConfig=cluster(2),
        InputDataConfig=[jobs.channel("scripts", scripts)],
    )
    completed(job)
    for archive in ("model.tar.gz", "output.tar.gz"):
        assert files(job, archive) == {
            "same": b"2\n",
            "same-too": b"1\n",
            "d/1": b"1\n",
            "d/2": b"2\n",
            "file-or-dir/f": b"2\n",
            "dir-or-file": b"2\n",
            "hard-a": b"hard\n",
            "hard-b": b"hard\n",
        }
        members = job.archive(archive) or {}
        assert members["d/1"].mode == 0o640
        assert members["empty"].isdir()
        assert members["link"].linkname == "same"
        assert members["hard-b"].islnk()


def test_one_failing_host_ends_the_others_and_its_reason_is_the_job_s(jobs: TrainingJobs) -> None:
    job = jobs.running(
        f"{ME} trap 'echo told; echo kept > /opt/ml/model/kept; printf ended > /opt/ml/output/failure; exit 7' TERM; "
        f"if [ $me = algo-2 ]; then {until()}; printf 'bad batch' > /opt/ml/output/failure; exit 3; fi; "
        f"echo ready; {WAIT}",
        ResourceConfig=cluster(3),
    ).wrote("ready", times=2)
    job.go().ended()
    assert (job.status, job.failure_reason) == ("Failed", "AlgorithmError: bad batch, exit code: 3")
    assert job.log("algo-1") == job.log("algo-3") == ["ready", "told"]
    assert files(job, "model.tar.gz") == {"kept": b"kept\n"}


def test_a_stop_and_the_time_limit_reach_every_host(jobs: TrainingJobs) -> None:
    program = f"trap 'echo told; echo x > /opt/ml/model/$me; exit 0' TERM; {ME} echo ready; {WAIT}"
    limited = jobs.running(program, ResourceConfig=cluster(2), StoppingCondition={"MaxRuntimeInSeconds": 250})
    stopped = jobs.running(program, ResourceConfig=cluster(2))
    stopped.wrote("ready", times=2).stop()
    for job, secondary in ((stopped, "Stopped"), (limited, "MaxRuntimeExceeded")):
        assert (job.ended().status, job.secondary_statuses[-1]) == ("Stopped", secondary)
        assert job.log("algo-1")[-1] == job.log("algo-2")[-1] == "told"
        assert files(job, "model.tar.gz") == {"algo-1": b"x\n", "algo-2": b"x\n"}


def test_a_sharded_channel_gives_each_object_to_one_host_and_lists_all_of_them(jobs: TrainingJobs) -> None:
    objects = {f"/part-{number:02}": bytes([number]) * 1000 for number in range(11)}
    channel = sharded(jobs.channel("train", objects))
    everything = jobs.channel("everything", {"/all": b"1"})
    job = jobs.running(
        f"{ME} cd /opt/ml/input/data; cp train-manifest /opt/ml/model/$me-manifest; cat everything/all; "
        "for f in train/*; do sha256sum < $f | cut -c-64 > /opt/ml/model/$me-${f#train/}; done",
        ResourceConfig=cluster(2),
        InputDataConfig=[channel, everything],
    )
    completed(job)
    assert job.log("algo-1") == job.log("algo-2") == ["1"]
    found = files(job, "model.tar.gz")
    assert found.pop("algo-1-manifest") == (listed := found.pop("algo-2-manifest"))
    source = channel["DataSource"]["S3DataSource"]["S3Uri"]
    assert listed.decode().splitlines()[1:] == [source + name[1:] for name in objects]
    assert {name: text.decode().strip() for name, text in found.items()} == {
        f"algo-{number % 2 + 1}-{name[1:]}": hashlib.sha256(content).hexdigest()
        for number, (name, content) in enumerate(objects.items())
    }


def test_a_channel_goes_to_its_instance_groups_only(jobs: TrainingJobs) -> None:
    shards = sharded(jobs.channel("shards", {f"/{number}": b"1" for number in range(4)}), InstanceGroupNames=["gpu"])
    job = jobs.running(
        "cd /opt/ml/input/data; find . | sort; cat ../config/inputdataconfig.json",
        ResourceConfig=groups(cpu=1, gpu=2),
        InputDataConfig=[jobs.channel("common", {"/a": b"1"}), shards],
    )
    completed(job)
    common = [".", "./common", "./common-manifest", "./common/a"]
    for host, own in (("algo-1", []), ("algo-2", ["0", "2"]), ("algo-3", ["1", "3"])):
        below = ["./shards", "./shards-manifest", *(f"./shards/{name}" for name in own)] if own else []
        assert job.log(host)[:-1] == [*common, *below]
        assert list(json.loads(job.log(host)[-1])) == (["common", "shards"] if own else ["common"])


def test_the_training_toolkit_finds_its_hosts(jobs: TrainingJobs) -> None:
    program = b"import os; print('hosts', os.environ['SM_HOSTS'], os.environ['SM_CURRENT_HOST'])\n"
    job = jobs.create(
        image="toolkit",
        ResourceConfig=cluster(2),
        InputDataConfig=[jobs.channel("code", {"/program.py": program})],
        HyperParameters={
            "sagemaker_program": '"program.py"',
            "sagemaker_submit_directory": '"/opt/ml/input/data/code"',
        },
    )
    completed(job)
    for host in ("algo-1", "algo-2"):
        assert f'hosts ["algo-1","algo-2"] {host}' in job.log(host)
