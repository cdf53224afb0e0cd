"""What a project may say in pytest's configuration, and what holds where it says nothing.

Imported in every run of everyone who has us installed: standard library only, and little of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Setting:
    """One ini option; with a `flag` also an option of the command line, which wins."""

    name: str
    help: str
    default: str | tuple[str, ...] | bool = ""
    flag: bool = False

    @property
    def option(self) -> str:
        """How the command line spells it."""
        return "--" + self.name.replace("_", "-")

    @property
    def type(self) -> Literal["string", "args", "bool"]:
        """What pytest's ini parser calls its type."""
        if isinstance(self.default, bool):
            return "bool"
        return "args" if isinstance(self.default, tuple) else "string"


SETTINGS: Final = (
    Setting("sagemaker_engine", "rungs: process, docker, auto, all, or several, as process,docker", "auto", True),
    Setting("sagemaker_endpoint", "address of an emulator that runs already, as http://127.0.0.1:4750", "", True),
    Setting("sagemaker_region", "region that clients see", "us-east-1"),
    Setting("sagemaker_account", "account that clients see; workers of pytest-xdist count on from it", "123456789012"),
    Setting("sagemaker_role_arn", "role of jobs that name none; by default one of the account"),
    Setting("sagemaker_instance_type", "instance type of jobs that name none", "ml.m5.large"),
    Setting("sagemaker_image", "image of jobs that name none: its name, or the folder of its Dockerfile (./training)"),
    Setting("sagemaker_program", "program of jobs that name none, for the process rung, as training/train.py"),
    Setting("sagemaker_time_scale", "divides the service's time limits, as the option of `up` does", "1"),
    Setting("sagemaker_limit_instances", "gives containers the memory and CPUs of their instance type", False),
    Setting("sagemaker_state_dir", "where the emulator keeps its data; by default a folder that is removed"),
    Setting("sagemaker_bundle_dir", "where bundles of failed jobs go; by default pytest's cache", "", True),
    Setting("sagemaker_max_wait", "seconds after which a job that is waited for is stopped", "600"),
    Setting("sagemaker_bucket_scope", "scope of s3_bucket: function, class, module, package or session", "function"),
    Setting("sagemaker_block_aws", "let no test reach AWS, also one that uses no fixture of ours", False),
    Setting(
        "sagemaker_job_files",
        "patterns of the job files that are tests",
        ("job.yaml", "job.yml", "*.job.yaml", "*.job.yml"),
    ),
)
_NUMBERS: Final = ("sagemaker_time_scale", "sagemaker_max_wait")
_SCOPES: Final = ("function", "class", "module", "package", "session")
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}

MARKERS: Final = (
    "sagemaker_rung(*rungs): the rungs that can run this test, as sagemaker_rung('docker'); elsewhere it is skipped",
    "sagemaker_needs(*capabilities): what the engine must have for this test, as sagemaker_needs('images')",
)


def add_options(parser: pytest.Parser) -> None:
    """Register every option and ini option."""
    group = parser.getgroup("sagemaker", "sagemaker-emulator")
    for setting in SETTINGS:
        parser.addini(setting.name, setting.help, type=setting.type, default=_ini_default(setting))
        if setting.flag:
            group.addoption(setting.option, metavar="VALUE", default=None, help=setting.help)
    group.addoption(
        "--sagemaker-update-snapshots",
        action="store_true",
        help="write what sagemaker_snapshot finds as what it shall find, to be reviewed in a diff",
    )


def value(config: pytest.Config, name: str) -> Any:
    """Return what the command line says, else the ini file, else the default."""
    setting = _BY_NAME[name]
    given = config.getoption(setting.option) if setting.flag else None
    return config.getini(name) if given is None else given


def check(config: pytest.Config) -> None:
    """Refuse what a setting cannot be, before anything is collected.

    Raises:
        pytest.UsageError: it is refused; the text names the setting.
    """
    import pytest

    for setting in SETTINGS:
        if setting.type == "bool":
            try:
                config.getini(setting.name)
            except (ValueError, pytest.UsageError) as error:
                raise pytest.UsageError(f"{setting.name}: write true or false. {error}") from None
    for name in _NUMBERS:
        number(config, name)
    if (scope := value(config, "sagemaker_bucket_scope")) not in _SCOPES:
        raise pytest.UsageError(f"sagemaker_bucket_scope: there is no scope {scope!r}. Choose of {', '.join(_SCOPES)}.")


def ini_was_given(config: pytest.Config, name: str) -> bool:
    """Tell whether the project's configuration says something else than the default."""
    return bool(config.getini(name) != _ini_default(_BY_NAME[name]))


def are_given(config: pytest.Config) -> bool:
    """Tell whether the project or the command line says anything of us."""
    flags = (config.getoption(setting.option) for setting in SETTINGS if setting.flag)
    return any(flags) or any(ini_was_given(config, setting.name) for setting in SETTINGS)


def number(config: pytest.Config, name: str) -> float:
    """Return the value of a setting that is a number above 0.

    Raises:
        pytest.UsageError: it is none.
    """
    import pytest

    text = str(value(config, name))
    try:
        found = float(text)
    except ValueError:
        found = 0.0
    if not found > 0:
        raise pytest.UsageError(f"{name}: {text!r} is no number above 0.")
    return found


def _ini_default(setting: Setting) -> str | list[str] | bool:
    return list(setting.default) if isinstance(setting.default, tuple) else setting.default
