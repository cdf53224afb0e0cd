"""What the gate has pytest load beside the plugin: it writes down what became of each job file."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

import pytest

from ..errors import EmulatorError, EngineUnavailableError
from .results import OPTION, JobResult, Results

_NO_ENGINE: Final = "sagemaker_no_engine"
_METRIC: Final = "sagemaker_metric_"
_RUNG: Final = re.compile(r"\[([\w-]+)\]$")
_BUNDLE: Final = re.compile(r"^\s*bundle: (.+)$", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register where to write."""
    parser.getgroup("sagemaker").addoption(OPTION, metavar="FILE", default=None, help="write the results of job files")


def pytest_configure(config: pytest.Config) -> None:
    """Listen: with pytest-xdist in the process that hears of all workers."""
    path = config.getoption(OPTION)
    if path is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(config.rootpath, Path(path)), "sagemaker-gate-recorder")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note in the report of a test that there is no engine for it; in a worker this is heard of by nobody else."""
    report = yield
    error = call.excinfo.value if call.excinfo is not None else None
    if isinstance(error, EmulatorError) and error.exit_code == EngineUnavailableError.exit_code:
        report.user_properties.append((_NO_ENGINE, True))
    return report


class _Recorder:
    """Hears every report, and writes them all at the end."""

    def __init__(self, root: Path, path: Path) -> None:
        self._root = root
        self._path = path
        self._jobs: list[JobResult] = []
        self._errors: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Hear of one phase of a test: of its call, and of any other that did not pass."""
        if report.when != "call" and report.passed:
            return
        told: dict[str, Any] = dict(report.user_properties)
        rung = told.get("sagemaker_rung") or (found[1] if (found := _RUNG.search(report.nodeid)) else "")
        text = report.longreprtext if report.failed else _reason(report.longrepr)
        bundle = told.get("sagemaker_bundle") or (found[1] if (found := _BUNDLE.search(text)) else "")
        self._jobs.append(
            JobResult(
                file=str((self._root / report.nodeid.partition("::")[0]).resolve()),
                rung=str(rung),
                outcome=report.outcome,
                seconds=float(told.get("sagemaker_seconds", report.duration)),
                status=str(told.get("sagemaker_status", "")),
                metrics={
                    name.removeprefix(_METRIC): float(value) for name, value in told.items() if name.startswith(_METRIC)
                },
                text=text,
                has_no_engine=bool(told.get(_NO_ENGINE)),
                bundle=str(bundle),
            )
        )

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Hear of a file that is no test."""
        if report.failed:
            self._errors.append(report.longreprtext)

    def pytest_sessionfinish(self) -> None:
        """Write it down."""
        Results(jobs=self._jobs, errors=self._errors).write(self._path)


def _reason(told: Any) -> str:
    """Return why a test was skipped."""
    return str(told[2]).removeprefix("Skipped: ") if isinstance(told, tuple) else ""
