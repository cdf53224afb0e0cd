"""What the SageMaker Training Toolkit makes of a container before it starts the user's program.

The platform sets none of this: it is what an image with `sagemaker-training` adds (SM_* variables, the command
line, success and failure files), derived from the same config files by the toolkit's own rules.
Source: sagemaker-training 5.1.4 `environment.py`, `mapping.py`, `params.py`, `trainer.py`, `process.py`;
tests/samples/test_toolkit_environment.py compares with the toolkit itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from . import paths
from .config_files import inputdataconfig_json, resourceconfig_json
from .job import Host
from .training_job import TrainingJob

PROGRAM_PARAMETER: Final = "sagemaker_program"
SUBMIT_DIRECTORY_PARAMETER: Final = "sagemaker_submit_directory"
CODE: Final = paths.OPT_ML / "code"
SUCCESS: Final = paths.OUTPUT / "success"

_SAGEMAKER_PREFIX: Final = "sagemaker_"
_RESERVED: Final = frozenset(
    {
        PROGRAM_PARAMETER,
        SUBMIT_DIRECTORY_PARAMETER,
        "sagemaker_enable_cloudwatch_metrics",
        "sagemaker_region",
        "sagemaker_container_log_level",
        "sagemaker_job_name",
        "default_user_module_name",
        "_tuning_objective_metric",
        "sagemaker_s3_output",
    }
)
# With one of these the host's own instance group takes part in distributed training.
_DISTRIBUTIONS: Final = (
    "sagemaker_mpi_enabled",
    "sagemaker_parameter_server_enabled",
    "sagemaker_distributed_dataparallel_enabled",
    "sagemaker_pytorch_ddp_enabled",
    "sagemaker_pytorch_xla_multi_worker_enabled",
    "sagemaker_multi_worker_mirrored_strategy_enabled",
    "sagemaker_torch_distributed_enabled",
)
_LOG_LEVEL_INFO: Final = 20


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the toolkit finds out by asking the machine it runs on."""

    cpus: int
    gpus: int = 0
    neurons: int = 0
    smddprun: bool = False
    smddpmprun: bool = False


@dataclass(frozen=True, kw_only=True)
class ToolkitEnvironment:
    """What the toolkit gives to the user's program: its command line, and variables on top of the container's."""

    arguments: tuple[str, ...]
    variables: Mapping[str, str]


def toolkit_environment(
    job: TrainingJob,
    host: Host,
    container: Mapping[str, str],
    machine: Machine,
    *,
    opt_ml: PurePosixPath = paths.OPT_ML,
) -> ToolkitEnvironment:
    """Return what the toolkit derives on one host; `container` is the environment that it finds itself in.

    `opt_ml` is the directory that stands for /opt/ml, as SAGEMAKER_BASE_DIR names it.
    """
    parameters = {name: parsed(value) for name, value in job.hyperparameters.items()}
    users = {name: value for name, value in parameters.items() if not _is_the_toolkits(name)}
    toolkits = {name: value for name, value in parameters.items() if _is_the_toolkits(name)}
    properties = _Derivation(job, host, container, machine, opt_ml, users, toolkits).properties()
    arguments = command_line_arguments(users)
    return ToolkitEnvironment(
        arguments=arguments,
        variables={
            "SAGEMAKER_JOB_NAME": _text(toolkits.get("sagemaker_job_name", "")),
            "SAGEMAKER_REGION": _text(toolkits.get("sagemaker_region", container.get("AWS_DEFAULT_REGION", ""))),
            "CURRENT_HOST": host.name,
            **_variables(properties, arguments),
        },
    )


def parsed(value: str) -> Any:
    """Return a hyperparameter as the toolkit understands it: as JSON, or as the text it is."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def command_line_arguments(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """Return `--name value` for each hyperparameter by name, `-n value` for names of one letter.

    A map becomes `a=1,b=2`, and null an empty argument.
    """
    arguments = []
    for name in sorted(parameters):
        value = parameters[name]
        if isinstance(value, dict):
            value = ",".join(f"{key}={one}" for key, one in sorted(value.items()))
        arguments += [_option(name), "" if value is None else str(value)]
    return tuple(arguments)


def script_command(python: str, script: str, arguments: Iterable[str]) -> tuple[str, ...]:
    """Return the command by which the toolkit runs a Python program of the code directory."""
    return (python, "--", script, *arguments)


def script_failure(command: Sequence[str], exit_code: int) -> str:
    """Return what the toolkit writes to the failure file when the user's program ends with this exit code.

    The toolkit itself then exits with 1, whatever the program's exit code was.
    """
    info = '\nExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"' if exit_code == 137 else ""
    return f'ExecuteUserScriptError:\nExitCode {exit_code}\nErrorMessage ""{info}\nCommand "{" ".join(command)}"'


@dataclass(frozen=True)
class _Derivation:
    """The toolkit's `Environment`, whose public properties all stand in SM_TRAINING_ENV."""

    job: TrainingJob
    host: Host
    container: Mapping[str, str]
    machine: Machine
    opt_ml: PurePosixPath
    users: Mapping[str, Any]
    toolkits: Mapping[str, Any]

    def properties(self) -> dict[str, Any]:
        framework = {name: value for name, value in self.toolkits.items() if name not in _RESERVED}
        return {
            **self._cluster(framework),
            **self._directories(),
            **self._program(),
            "hyperparameters": dict(self.users),
            "additional_framework_parameters": framework,
            "framework_module": self.container.get("SAGEMAKER_TRAINING_MODULE"),
            "job_name": self.container.get("TRAINING_JOB_NAME"),
            "log_level": self.toolkits.get("sagemaker_container_log_level", _LOG_LEVEL_INFO),
            "num_cpus": self.machine.cpus,
            "num_gpus": self.machine.gpus,
            "num_neurons": self.machine.neurons,
            "is_smddprun_installed": self.machine.smddprun,
            "is_smddpmprun_installed": self.machine.smddpmprun,
            "is_modelparallel_enabled": self._model_parallel,
        }

    def _cluster(self, framework: Mapping[str, Any]) -> dict[str, Any]:
        resources = json.loads(resourceconfig_json(self.job.hosts, self.host))
        groups = {group["instance_group_name"]: group for group in resources["instance_groups"]}
        current = resources["current_group_name"]
        own = [current] if any(framework.get(name, False) for name in _DISTRIBUTIONS) else []
        distributed = framework.get("sagemaker_distribution_instance_groups", own)
        distribution_hosts = [host for name, group in groups.items() if name in distributed for host in group["hosts"]]
        master = (distribution_hosts or resources["hosts"])[0]
        return {
            "resource_config": resources,
            "hosts": resources["hosts"],
            "current_host": resources["current_host"],
            "current_instance_type": resources["current_instance_type"],
            "current_instance_group": current,
            "current_instance_group_hosts": groups[current]["hosts"],
            "instance_groups": list(groups),
            "instance_groups_dict": groups,
            "distribution_instance_groups": distributed,
            "distribution_hosts": distribution_hosts,
            "is_hetero": len(groups) > 1,
            "is_master": self.host.name == master,
            "master_hostname": master,
            "network_interface_name": resources["network_interface_name"],
            "topology": [],
        }

    def _directories(self) -> dict[str, Any]:
        channels = json.loads(inputdataconfig_json(self.job.channels_of(self.host)))
        data = self._below(paths.INPUT_DATA)
        return {
            "input_data_config": channels,
            "channel_input_dirs": {name: f"{data}/{name}" for name in channels},
            "input_dir": self._below(paths.INPUT),
            "input_config_dir": self._below(paths.INPUT_CONFIG),
            "model_dir": self._below(paths.MODEL),
            "output_dir": self._below(paths.OUTPUT),
            "output_data_dir": self._below(paths.OUTPUT_DATA),
            "output_intermediate_dir": self._below(paths.OUTPUT / "intermediate"),
        }

    def _program(self) -> dict[str, Any]:
        """A program that nobody named is the module "None", as in the toolkit."""
        from_variable = self.container.get("SAGEMAKER_PROGRAM")
        from_parameter = self.toolkits.get(PROGRAM_PARAMETER)
        name = str(from_parameter) if from_variable is None else from_variable
        return {
            "user_entry_point": from_variable or from_parameter,
            "module_name": name.removesuffix(".py"),
            "module_dir": str(self.toolkits.get(SUBMIT_DIRECTORY_PARAMETER, self._below(CODE))),
        }

    @property
    def _model_parallel(self) -> bool | str | None:
        parameters = self.container.get("SM_HP_MP_PARAMETERS")
        return parameters and parameters != "{}"

    def _below(self, path: PurePosixPath) -> str:
        return str(self.opt_ml / path.relative_to(paths.OPT_ML))


# Properties of SM_TRAINING_ENV that have a variable of their own, where it is not just `SM_` and the name.
_RENAMED: Final = {"hyperparameters": "hps", "additional_framework_parameters": "framework_params"}
_IN_TRAINING_ENV_ONLY: Final = frozenset(
    {
        "channel_input_dirs",
        "distribution_hosts",
        "is_master",
        "is_modelparallel_enabled",
        "is_smddpmprun_installed",
        "is_smddprun_installed",
        "job_name",
        "master_hostname",
        "topology",
    }
)


def _variables(properties: Mapping[str, Any], arguments: Sequence[str]) -> dict[str, str]:
    values = {
        _RENAMED.get(name, name): value for name, value in properties.items() if name not in _IN_TRAINING_ENV_ONLY
    }
    channels: Mapping[str, str] = properties["channel_input_dirs"]
    values |= {"channels": sorted(channels), "training_env": dict(properties), "user_args": list(arguments)}
    values |= {f"channel_{name}": path for name, path in channels.items()}
    values |= {f"hp_{name}": value for name, value in properties["hyperparameters"].items()}
    return {f"SM_{name.upper()}": _text(value) for name, value in values.items()}


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, separators=(",", ":"))


def _option(name: str) -> str:
    if not name:
        return ""
    return f"--{name}" if len(name) > 1 else f"-{name}"


def _is_the_toolkits(name: str) -> bool:
    return name in _RESERVED or name.startswith(_SAGEMAKER_PREFIX)
