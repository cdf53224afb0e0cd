"""What the contract says of the training toolkit, beside what the toolkit itself derives in its image."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any

import pytest

from emulator.contract.toolkit_environment import Machine, ToolkitEnvironment, script_failure, toolkit_environment
from emulator.contract.training_job import TrainingJob
from emulator.jobs.staging import lay_out
from tests.builders import channel_request, instance_group, training_job

pytestmark = [pytest.mark.docker, pytest.mark.xdist_group("toolkit-environment")]

PROGRAM = r"""
import json, os, subprocess, sys

ONE = '''
import json, os, sys
before = dict(os.environ)
from sagemaker_training import environment, errors, process
found = environment.Environment()
variables = {**found.to_env_vars()}
variables.update({name: os.environ[name] for name in ("SAGEMAKER_JOB_NAME", "SAGEMAKER_REGION", "CURRENT_HOST")})
command = process.ProcessRunner("train.py", ["--epochs", "3"], {}, 1)
command._user_entry_point = "train.py"
open(environment.code_dir + "/train.py", "w").close()
failures = {
    code: str(errors.ExecuteUserScriptError(" ".join(command._create_command()), code, None, info))
    for code, info in ((3, None), (137, "OutOfMemory: Process killed by SIGKILL (signal 9)"))
}
json.dump(
    {"arguments": found.to_cmd_args(), "variables": variables, "failures": failures, "python": sys.executable,
     "cpus": environment.num_cpus()}, sys.stdout
)
'''
answers = {}
for name, variables in json.loads(os.environ["CASES"]).items():
    variables = {**variables, "SAGEMAKER_BASE_DIR": "/cases/" + name, "PATH": os.environ["PATH"]}
    done = subprocess.run([sys.executable, "-c", ONE], env=variables, capture_output=True, text=True, check=True)
    answers[name] = json.loads(done.stdout.splitlines()[-1])
print(json.dumps(answers))
"""

CASES: dict[str, tuple[dict[str, Any], str, dict[str, str]]] = {
    "plain": ({}, "algo-1", {}),
    "script": (
        {
            "HyperParameters": {
                "sagemaker_program": '"train.py"',
                "sagemaker_submit_directory": '"s3://bucket/code/sourcedir.tar.gz"',
                "sagemaker_container_log_level": "10",
                "sagemaker_job_name": '"script-2026"',
                "sagemaker_region": '"eu-west-1"',
                "sagemaker_s3_output": '"s3://bucket/out"',
                "sagemaker_custom": '{"b": 1, "a": [true, null]}',
                "epochs": "3",
                "learning-rate": "1e-3",
                "n": "7",
                "shuffle": "true",
                "name": "plain text",
                "quoted": '"inner"',
                "nothing": "null",
                "empty": "",
                "map": '{"b": 2, "a": "x"}',
                "list": '[1, 2.50, "\u00e4"]',
                "late": "Infinity",
                "_tuning_objective_metric": "validation:auc",
            },
            "InputDataConfig": [channel_request("validation"), channel_request("train-2", ContentType="text/csv")],
        },
        "algo-1",
        {"TRAINING_JOB_NAME": "Script-2026", "SAGEMAKER_PROGRAM": "other.py", "AWS_DEFAULT_REGION": "us-west-2"},
    ),
    "hosts": (
        {
            "ResourceConfig": {"InstanceType": "ml.c5.xlarge", "InstanceCount": 12, "VolumeSizeInGB": 1},
            "HyperParameters": {"sagemaker_mpi_enabled": "true", "sagemaker_program": "a.b.py"},
        },
        "algo-10",
        {"AWS_DEFAULT_REGION": "us-west-2", "SM_HP_MP_PARAMETERS": "{}"},
    ),
    "groups": (
        {
            "ResourceConfig": {
                "InstanceGroups": [instance_group("cpu", "ml.c5.xlarge"), instance_group("gpu", "ml.p3.2xlarge", 2)],
                "VolumeSizeInGB": 1,
            },
            "HyperParameters": {"sagemaker_distribution_instance_groups": '["gpu"]', "a": "b"},
            "InputDataConfig": [
                channel_request("all"),
                channel_request("only", source={"InstanceGroupNames": ["gpu"]}),
            ],
        },
        "algo-2",
        {"SAGEMAKER_TRAINING_MODULE": "framework.training:main", "SM_HP_MP_PARAMETERS": '{"partitions": 2}'},
    ),
    "other-group": (
        {
            "ResourceConfig": {
                "InstanceGroups": [instance_group("cpu", "ml.c5.xlarge"), instance_group("gpu", "ml.p3.2xlarge", 2)],
                "VolumeSizeInGB": 1,
            },
            "InputDataConfig": [channel_request("only", source={"InstanceGroupNames": ["gpu"]})],
        },
        "algo-1",
        {"SAGEMAKER_PROGRAM": ""},
    ),
}


def job_of(name: str) -> TrainingJob:
    return training_job(**CASES[name][0])


@pytest.fixture(scope="module")
def toolkit(image: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the toolkit says of each case, each in a process of its own, all in one container."""
    folder = tmp_path_factory.mktemp("cases")
    for name, (_, host, _) in CASES.items():
        job = job_of(name)
        lay_out(folder / name, job, next(one for one in job.hosts if one.name == host))
    variables = json.dumps({name: variables for name, (_, _, variables) in CASES.items()})
    command = ["docker", "run", "--rm", "--network=none", f"--volume={folder}:/cases", f"--env=CASES={variables}"]
    command += ["--entrypoint=python3", image("toolkit"), "-c", PROGRAM]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers


def ours(name: str, cpus: int) -> ToolkitEnvironment:
    job = job_of(name)
    _, host_name, variables = CASES[name]
    host = next(one for one in job.hosts if one.name == host_name)
    return toolkit_environment(job, host, variables, Machine(cpus=cpus), opt_ml=PurePosixPath("/cases", name))


@pytest.mark.parametrize("name", CASES)
def test_the_derivation_is_the_toolkits(toolkit: dict[str, Any], name: str) -> None:
    found = ours(name, toolkit[name]["cpus"])
    assert list(found.arguments) == toolkit[name]["arguments"]
    assert dict(found.variables) == toolkit[name]["variables"]


def test_the_failure_text_is_the_toolkits(toolkit: dict[str, Any]) -> None:
    told = toolkit["plain"]
    command = [told["python"], "--", "train.py", "--epochs", "3"]
    assert {str(code): script_failure(command, code) for code in (3, 137)} == told["failures"]
