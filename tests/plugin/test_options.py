"""Every option, and every default as a fixture."""

from __future__ import annotations

import os
import signal
import stat
import time
from pathlib import Path

import pytest

from emulator.endpoint import Endpoint
from tests.plugin.conftest import SECONDS, Project

SHOW = """
def test_show(sagemaker_emulator, training_job, sagemaker_client):
    result = training_job()
    described = result.describe()
    shown = {
        "region": sagemaker_client.meta.region_name,
        "arn": described["TrainingJobArn"],
        "role": described["RoleArn"],
        "instance": described["ResourceConfig"]["InstanceType"],
        "image": described["AlgorithmSpecification"]["TrainingImage"].partition(":")[0],
        "engine": sagemaker_emulator.engine,
    }
    print(shown)
"""


@pytest.mark.each_rung
def test_ini_options_are_the_defaults_of_jobs(project: Project) -> None:
    project.ini(
        sagemaker_region="eu-central-1",
        sagemaker_account="210987654321",
        sagemaker_role_arn="arn:aws:iam::210987654321:role/team/Trainer",
        sagemaker_instance_type="ml.c5.xlarge",
        sagemaker_image="./training",
        sagemaker_program="training/train.py",
    )
    project.write("test_show.py", SHOW.replace("training_job()", 'training_job(channels={"train": b"1,x\\n"})'))
    project.run("-rP", "--ignore=training").was(passed=1).says(
        "'region': 'eu-central-1'",
        "arn:aws:sagemaker:eu-central-1:210987654321:training-job/",
        "arn:aws:iam::210987654321:role/team/Trainer",
        "ml.c5.xlarge",
    ).matches("'image': 'sagemaker-emulator-(build/training|program/test)'")


def test_defaults_are_fixtures_to_override(project: Project) -> None:
    values = {
        "sagemaker_region": "eu-west-1",
        "sagemaker_account": "111122223333",
        "sagemaker_role_arn": "arn:aws:iam::111122223333:role/Mine",
        "sagemaker_instance_type": "ml.m5.xlarge",
        "sagemaker_image": "./training",
        "sagemaker_program": "training/train.py",
    }
    overriding = (
        f"@pytest.fixture(scope='session')\ndef {name}():\n    return {text!r}\n" for name, text in values.items()
    )
    project.write("conftest.py", "import pytest\n\n" + "\n\n".join(overriding))
    project.write("test_show.py", SHOW.replace("training_job()", 'training_job(channels={"train": b"1,x\\n"})'))
    project.run("-rP", "--ignore=training").was(passed=1).says("eu-west-1:111122223333", "role/Mine", "ml.m5.xlarge")


@pytest.mark.each_rung
def test_image_and_program_may_be_paths(project: Project) -> None:
    project.write(
        "conftest.py",
        "from pathlib import Path\n\nimport pytest\n\n"
        "@pytest.fixture(scope='session')\ndef sagemaker_image():\n    return Path('training')\n\n"
        "@pytest.fixture(scope='session')\ndef sagemaker_program():\n    return Path('training/train.py')\n",
    )
    project.write("test_one.py", "def test_one(training_job):\n    training_job(channels={'train': b'1,x\\n'})\n")
    project.run("test_one.py").was(passed=1)


def test_an_engine_that_there_is_not_is_told_also_where_a_fixture_names_it(bare_project: Project) -> None:
    bare_project.write(
        "conftest.py",
        "import pytest\n\n@pytest.fixture(scope='session')\ndef sagemaker_engine():\n    return 'podman'\n",
    )
    bare_project.write("test_one.py", "def test_one(sagemaker_client):\n    pass\n")
    bare_project.run("test_one.py").was(errors=1).says("There is no engine 'podman'. Choose of docker, process, auto.")


@pytest.mark.docker
def test_its_own_emulator_is_as_the_options_say(bare_project: Project) -> None:
    bare_project.ini(
        sagemaker_engine="docker", sagemaker_state_dir="kept", sagemaker_time_scale="60", sagemaker_image="./training"
    )
    bare_project.write(
        "test_own.py",
        "def test_own(training_job):\n"
        "    job = training_job(channels={'train': b'1,x\\n'}, environment={'SLEEP': '30'}, max_runtime=60,\n"
        "                       expect='Stopped')\n"
        "    assert job.describe()['SecondaryStatus'] == 'MaxRuntimeExceeded'\n",  # not so without the time scale
    )
    bare_project.run("-rP", "--ignore=training").was(passed=1)
    assert (bare_project.path / "kept/state.sqlite").is_file()


def test_a_bucket_lasts_as_long_as_is_said(project: Project) -> None:
    tests = (
        "def test_one(s3_bucket, s3_client):\n    s3_client.put_object(Bucket=s3_bucket, Key='a', Body=b'')\n\n"
        "def test_two(s3_bucket, s3_client):\n"
        "    assert s3_client.list_objects_v2(Bucket=s3_bucket)['KeyCount'] == {count}\n"
    )
    project.write("test_bucket.py", tests.format(count=0))
    project.run("test_bucket.py").was(passed=2)
    project.ini(sagemaker_bucket_scope="module")
    project.write("test_bucket.py", tests.format(count=1))
    project.run("test_bucket.py").was(passed=2)


def test_a_bucket_is_removed_with_all_that_is_in_it(project: Project, served: Endpoint) -> None:
    project.write(
        "test_bucket.py",
        "def test_one(s3_bucket, s3_client):\n"
        "    s3_client.put_bucket_versioning(Bucket=s3_bucket, VersioningConfiguration={'Status': 'Enabled'})\n"
        "    for body in (b'1', b'2'):\n"
        "        s3_client.put_object(Bucket=s3_bucket, Key='a', Body=body)\n"
        "    s3_client.delete_object(Bucket=s3_bucket, Key='a')\n\n"
        "def test_two(s3_client):\n"
        "    assert [one for one in s3_client.list_buckets()['Buckets'] if one['Name'].startswith('test-')] == []\n",
    )
    project.run("test_bucket.py").was(passed=2)


def test_a_job_that_takes_too_long_is_stopped_and_fails(project: Project) -> None:
    project.ini(sagemaker_max_wait="1")
    project.write(
        "test_long.py",
        "from pathlib import Path\n\ndef test_long(training_job):\n"
        "    training_job(Path('training'), program='train.py', channels={'train': b'1,x\\n'},\n"
        "                 environment={'SLEEP': '60'})\n",
    )
    project.run("test_long.py").was(failed=1).says("had not ended after 1 s and was stopped", "expected Completed")


WRONG = {
    "sagemaker_engine=podman": "there is no rung 'podman'. Choose of process, docker, auto and all.",
    "sagemaker_time_scale=fast": "sagemaker_time_scale: 'fast' is no number above 0.",
    "sagemaker_max_wait=0": "ERROR: sagemaker_max_wait: '0' is no number above 0.",
    "sagemaker_bucket_scope=test": "ERROR: sagemaker_bucket_scope: there is no scope 'test'.",
    "sagemaker_limit_instances=perhaps": "ERROR: sagemaker_limit_instances: write true or false.",
    "sagemaker_account=me": "The account 'me' is not an AWS account id: give twelve digits.",
    "sagemaker_region=here": "The region 'here' is not spelt as AWS spells regions",
}


def test_a_wrong_option_says_what_is_wrong(bare_project: Project) -> None:
    bare_project.write("test_one.py", "def test_one(sagemaker_client):\n    pass\n")
    said = bare_project.run_each(*(("test_one.py", "-o", option) for option in WRONG))
    for words, text in zip(WRONG.values(), said, strict=True):
        assert words in text, text


def test_an_endpoint_that_does_not_answer_is_an_error(bare_project: Project) -> None:
    bare_project.write("test_one.py", "def test_one(sagemaker_client):\n    pass\n")
    url = "http://127.0.0.1:1"
    outcome = bare_project.run("test_one.py", f"--sagemaker-endpoint={url}").was(errors=1)
    outcome.says(f"does not answer at {url}", "sagemaker-emulator up")


@pytest.mark.each_rung
def test_a_running_emulator_of_another_rung_is_not_taken_for_one(project: Project, served: Endpoint) -> None:
    other = next(rung for rung in ("docker", "process") if rung != served.emulator.engine.name)
    project.write("test_one.py", "def test_one(sagemaker_client):\n    pass\n")
    project.run("test_one.py", f"--sagemaker-engine={other}").says(
        f"runs on the {served.emulator.engine.name} rung, not on {other}"
    )


def test_workers_have_accounts_of_their_own(project: Project) -> None:
    project.write(
        "test_workers.py",
        "import pytest\n\n"
        "@pytest.mark.parametrize('number', range(6))\n"
        "def test_who(sagemaker_client, s3_bucket, worker_id, record_property, number):\n"
        "    import boto3\n"
        "    account = boto3.client('sts').get_caller_identity()['Account']\n"
        "    assert account == f'{123456789012 + int(worker_id[2:]) + 1}'\n",
    )
    project.run("test_workers.py", "-n2").was(passed=6)


@pytest.mark.docker
def test_each_worker_has_an_emulator_of_its_own(bare_project: Project) -> None:
    bare_project.ini(sagemaker_state_dir="kept")
    bare_project.write(
        "test_workers.py",
        "import pytest\n\n@pytest.mark.parametrize('number', range(4))\n"
        "def test_one(s3_client, number):\n    s3_client.create_bucket(Bucket='mine') if number < 0 else None\n",
    )
    bare_project.run("test_workers.py", "-n2", "--dist=each", "--sagemaker-engine=docker")
    kept = sorted(path.name for path in Path(bare_project.path / "kept").iterdir())
    assert kept == ["docker-gw0", "docker-gw1"]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_nothing_of_a_session_that_is_killed_is_left(bare_project: Project, how: signal.Signals) -> None:
    bare_project.write(
        "test_one.py",
        "import os\n\nimport pytest\n\n"
        "@pytest.fixture(params=['process', 'auto'], scope='session')\ndef sagemaker_engine(request):\n"
        "    return request.param\n\n"
        "def test_one(sagemaker_emulator, pytestconfig):\n"
        "    with open('folder', 'a') as file:\n        print(sagemaker_emulator.folder, file=file)\n"
        "    if sagemaker_emulator.folder.joinpath('state-1').exists():\n"
        f"        os.kill(os.getpid(), {int(how)})\n",
    )
    bare_project.run("test_one.py")
    folders = set((bare_project.path / "folder").read_text().split())
    assert len(folders) == 1
    deadline = time.monotonic() + SECONDS
    while Path(*folders).exists():
        assert time.monotonic() < deadline, f"left behind: {sorted(Path(*folders).iterdir())}"
        time.sleep(0.1)


def test_nothing_of_a_session_is_left(bare_project: Project) -> None:
    bare_project.write("test_one.py", "def test_one(sagemaker_emulator):\n    print(sagemaker_emulator.folder)\n")
    outcome = bare_project.run("test_one.py", "-rP", "--sagemaker-engine=process").was(passed=1)
    folder = Path(outcome.matches(r"(/\S*/sagemaker-emulator-pytest-\S+)")[1])
    assert not folder.exists()
    assert stat.S_ISDIR(os.stat(folder.parent).st_mode)  # noqa: PTH116 - the place it was in is there
