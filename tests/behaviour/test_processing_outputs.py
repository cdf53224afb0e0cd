"""A processing job's outputs and messages, also unusual ones: processing.md 4.6 and 7, on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.jobs.ports import Capabilities
from tests.jobs import ProcessingJob, ProcessingJobs
from tests.programs import ME, until

ROOT = "/opt/ml/processing"
MESSAGE = "/opt/ml/output/message"


def writing(processing: ProcessingJobs, program: str, *, mode: str = "EndOfJob", **changes: Any) -> ProcessingJob:
    """Start a job that works in the directory of its one output."""
    return processing.running(
        f"cd {ROOT}/out; {program}", ProcessingOutputConfig=processing.outputs("out", mode=mode), **changes
    )


def completed(job: ProcessingJob) -> ProcessingJob:
    assert job.ended().status == "Completed", (job.failure_reason, job.log())
    return job


@pytest.mark.parametrize("mode", ["EndOfJob", "Continuous"])
def test_links(processing: ProcessingJobs, mode: str) -> None:
    """Every name of a file is an object of its own; symbolic links are none, and lead nowhere."""
    job = writing(
        processing,
        "mkdir d; echo x > d/a; ln d/a b; ln d/a d/c; mkfifo p; "
        "echo y > /tmp/y; ln -s /tmp/y s; ln -s d t; ln -s /nowhere n",
        mode=mode,
    )
    assert completed(job).objects("out/") == {"d/a": b"x\n", "b": b"x\n", "d/c": b"x\n"}


def test_an_output_directory_that_became_a_link_is_followed_in_the_container_only(processing: ProcessingJobs) -> None:
    outputs = processing.outputs("outer", "inner")
    outputs["Outputs"][1]["S3Output"]["LocalPath"] = f"{ROOT}/outer/inner"
    job = processing.running(
        f"mkdir /tmp/there; echo x > /tmp/there/f; rmdir {ROOT}/outer/inner; ln -s /tmp/there {ROOT}/outer/inner; "
        f"echo y > {ROOT}/outer/g",
        ProcessingOutputConfig=outputs,
    )
    assert completed(job).objects() == {"inner/f": b"x\n", "outer/g": b"y\n"}


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("touch $(printf 'bad\\377name')", r"name is not valid UTF-8; rename it: 'bad\udcffname'"),
        (
            "d=$(printf %0200d 7); for i in 1 2 3 4 5 6; do mkdir $d; cd $d; done; echo x > f",
            "and S3 allows 1024: '0000",
        ),
    ],
    ids=["not UTF-8", "too long"],
)
def test_a_name_that_cannot_be_a_key_fails_the_job_and_the_others_are_kept(
    processing: ProcessingJobs, program: str, reason: str
) -> None:
    job = writing(processing, f"echo 1 > a; echo 2 > z; {program}").ended()
    assert job.status == "Failed"
    assert job.failure_reason.startswith("ClientError: Artifact upload failed:")
    assert reason in job.failure_reason
    assert job.objects("out/") == {"a": b"1\n", "z": b"2\n"}


def test_many_small_files_all_arrive(processing: ProcessingJobs) -> None:
    """More than a page of a list has, in both modes."""
    outputs = processing.outputs("out", "live")
    outputs["Outputs"][1]["S3Output"]["S3UploadMode"] = "Continuous"
    job = processing.running(
        f"cd {ROOT}/out; for i in $(seq 1100); do echo $i > $i; done; cp * ../live", ProcessingOutputConfig=outputs
    )
    completed(job)
    pages = job.clients.s3.get_paginator("list_objects_v2").paginate(Bucket=job.bucket, Prefix=f"out/{job.name}/")
    found = {one["Key"].partition(f"{job.name}/")[2]: one["Size"] for page in pages for one in page["Contents"]}
    names = [str(number) for number in range(1, 1101)]
    assert found == {f"{output}/{name}": len(f"{name}\n") for output in ("out", "live") for name in names}


def test_an_empty_output_makes_no_object(processing: ProcessingJobs) -> None:
    job = writing(processing, "mkdir -p only/directories")
    assert completed(job).objects() == {}


@pytest.mark.parametrize("mode", ["EndOfJob", "Continuous"])
def test_of_several_hosts_that_write_one_file_the_last_one_s_stays(processing: ProcessingJobs, mode: str) -> None:
    """Also when the first host's was the last to change, and was uploaded while the job ran."""
    program = (
        f"{ME} echo $me > mine-$me; [ $me = algo-1 ] && {until('first')}; echo $me > same; echo $me wrote; {until()}"
    )
    job = writing(processing, program, mode=mode, hosts=2)
    if mode == "Continuous":
        job.stored("out/same", b"algo-2\n").go("first").stored("out/same", b"algo-1\n")
    job.wrote("algo-2 wrote").go("first").wrote("algo-1 wrote")
    assert completed(job.go()).objects("out/") == {
        "mine-algo-1": b"algo-1\n",
        "mine-algo-2": b"algo-2\n",
        "same": b"algo-2\n",
    }


def test_an_output_in_an_input_and_an_input_in_an_output(processing: ProcessingJobs) -> None:
    outer = processing.input("outer", {"/a": b"1"}, LocalPath=f"{ROOT}/outer")
    nested = processing.input("nested", {"/b": b"2"}, LocalPath=f"{ROOT}/out/nested")
    outputs = processing.outputs("in-input", "out")
    outputs["Outputs"][0]["S3Output"]["LocalPath"] = f"{ROOT}/outer/made"
    job = processing.running(
        f"cd {ROOT}; cat outer/a out/nested/b; echo x > outer/made/x; echo z > outer/z; echo y > out/y",
        ProcessingInputs=[outer, nested],
        ProcessingOutputConfig=outputs,
    )
    assert completed(job).log() == ["12"]
    assert job.objects() == {"in-input/x": b"x\n", "out/y": b"y\n", "out/nested/b": b"2"}


def test_what_the_program_manages_is_left_alone(processing: ProcessingJobs) -> None:
    outputs = processing.outputs("own", "ours")
    outputs["Outputs"][0]["AppManaged"] = True
    job = processing.running(
        f"cd {ROOT}; ls -A input/own own; echo x > own/x; echo y > ours/y",
        ProcessingInputs=[processing.input("own", {"/a": b"1"}) | {"AppManaged": True}],
        ProcessingOutputConfig=outputs,
    )
    assert completed(job).log() == ["input/own:", " ", "own:"]
    assert job.objects() == {"ours/y": b"y\n"}


def test_messages_of_several_hosts_are_joined_in_their_order(processing: ProcessingJobs) -> None:
    job = processing.running(f'{ME} [ $me = algo-1 ] && sleep 1; printf "<$me>" > {MESSAGE}; exit 0', hosts=3)
    long = processing.running(f'python3 -c \'print("é" * 1500, end="")\' > {MESSAGE}; exit 4')
    assert completed(job).describe()["ExitMessage"] == "<algo-1><algo-2><algo-3>"
    assert long.ended().describe()["ExitMessage"] == "é" * 1024
    assert len(long.failure_reason) == 1024
    assert long.failure_reason.endswith(", exit code: 4")


def test_a_message_that_is_not_utf_8_fails_a_job_that_had_completed(processing: ProcessingJobs) -> None:
    write = f"printf 'bad\\377' > {MESSAGE}"
    well, badly = processing.running(write), processing.running(f"{write}; exit 2")
    assert well.ended().failure_reason == f"ClientError: The file {MESSAGE} is not valid UTF-8 text."
    assert badly.ended().failure_reason == "AlgorithmError: , exit code: 2"
    for job in (well, badly):
        assert job.status == "Failed"
        assert "ExitMessage" not in job.describe()


def test_an_image_that_is_not_root_s_writes_outputs_and_message(
    processing: ProcessingJobs, capabilities: Capabilities
) -> None:
    job = writing(
        processing,
        f"id -u; mkdir d; echo x > d/x; umask 077; echo y > y; echo z > {ROOT}/input/in/z; printf done > {MESSAGE}",
        image="nonroot",
        ProcessingInputs=[processing.input("in", {"/a": b"1"})],
    )
    assert completed(job).log() == ["1000" if capabilities.image_user else "0"]
    assert job.objects("out/") == {"d/x": b"x\n", "y": b"y\n"}
    assert job.describe()["ExitMessage"] == "done"
