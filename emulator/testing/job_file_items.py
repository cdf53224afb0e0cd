"""Job files as tests: one a file and rung, each behind those it waits for."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final

import pytest

from ..errors import EmulatorError
from . import rungs
from .session import session_of

if TYPE_CHECKING:
    from ..jobfiles.document import JobFile
    from ..jobfiles.events import Event
    from .job_files import JobFileRuns

_KEYS: Final = re.compile(r"^(kind|request|image|program|expect)\s*:", re.MULTILINE)
_OF_KUBERNETES: Final = re.compile(r"^apiVersion\s*:", re.MULTILINE)
_RUNS: Final[pytest.StashKey[dict[str, JobFileRuns]]] = pytest.StashKey()


def is_job_file(path: Path) -> bool:
    """Tell whether a YAML file looks like one of ours: two of our keys at its top level, and none of Kubernetes'."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return len(set(_KEYS.findall(text))) > 1 and _OF_KUBERNETES.search(text) is None


class JobFileFailure(Exception):  # noqa: N818 - what a test came to, no error
    """The job of a file is not as expected; the text is the whole report."""


class JobFileCollector(pytest.File):
    """A job file: a test for each rung."""

    def collect(self) -> Iterator[pytest.Item]:
        """Check the file, and all that can be checked before its job runs."""
        from ..jobfiles.plan import with_those_before
        from ..jobfiles.runner import check_jobs
        from .offline import offline_clients

        try:
            group = with_those_before(self.path)
            check_jobs(group, offline_clients())
        except EmulatorError as error:
            raise self.CollectError(str(error)) from error
        job_file = group[-1]
        for rung in rungs.configured(self.config):
            yield JobFileItem.from_parent(
                self, name=f"{test_name(self.path)}[{rung}]", job_file=job_file, rung=rung, order=len(group)
            )


class JobFileItem(pytest.Item):
    """The job of a job file on one rung."""

    def __init__(self, *, job_file: JobFile, rung: str, order: int, **more: Any) -> None:
        super().__init__(**more)
        self.sagemaker_rung = rung
        self.order = order
        """How many job files have to come before this one."""
        self._job_file = job_file
        if job_file.program is None:
            self.add_marker(pytest.mark.sagemaker_rung("docker"))
        elif job_file.image is None:
            self.add_marker(pytest.mark.sagemaker_rung("process"))
        if self.config.pluginmanager.hasplugin("xdist"):
            # One worker has all of a folder, or each would run those before its own. xdist takes no notice of a name
            # with a bracket.
            folder = PurePath(os.path.relpath(self.path.parent, self.config.rootpath)).as_posix()
            self.add_marker(pytest.mark.xdist_group(f"{rung}:{folder}".replace("]", ")").replace("@", "-")))

    @property
    def nodeid(self) -> str:
        """Its id, with the group that pytest-xdist 3.8 adds to it in an attribute that pytest 9.2 does not read."""
        return str(getattr(self, "_nodeid", None) or super().nodeid)

    def runtest(self) -> None:
        """Run the job, with its log as the test's output."""
        from ..jobfiles.job_file_run import INTERRUPTED
        from ..jobfiles.report import Unfinished
        from .job_files import failure_text, result_of

        runs = self._runs()
        emulator = session_of(self.config).default_emulator(self.sagemaker_rung)
        self.user_properties.append(("sagemaker_rung", emulator.engine))
        end = runs.end_of(self.path)
        if isinstance(end, Unfinished):
            self._not_run(end)
            return
        result = result_of(emulator, end)
        self.user_properties += [("sagemaker_job", end.name), ("sagemaker_status", end.status)]
        self.user_properties.append(("sagemaker_seconds", round(end.seconds, 3)))
        self.user_properties += [(f"sagemaker_metric_{name}", found) for name, found in end.metrics.items()]
        if INTERRUPTED in end.unmet:
            raise KeyboardInterrupt  # the job has been stopped for it; those that follow do not start
        if not end.passed:
            raise JobFileFailure(failure_text(end, result))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what does not hold; a traceback only where something broke."""
        if isinstance(excinfo.value, JobFileFailure | EmulatorError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where it stands: the first line of its file."""
        return self.path, 0, self.name

    def _not_run(self, end: Any) -> None:
        if not end.skipped:
            raise end.error
        shown = {item.path.stem for item in self.session.items if item.path.parent == self.path.parent}
        if shown >= set(self._job_file.after):
            pytest.skip(str(end.error).removeprefix("skipped: "))
        raise end.error  # nobody else tells of the failure

    def _runs(self) -> JobFileRuns:
        from .job_files import JobFileRuns

        runs = self.config.stash.setdefault(_RUNS, {})
        if self.sagemaker_rung not in runs:
            emulator = session_of(self.config).default_emulator(self.sagemaker_rung)
            runs[self.sagemaker_rung] = JobFileRuns(emulator, _print)
        return runs[self.sagemaker_rung]


def put_in_order(items: list[pytest.Item]) -> None:
    """Have the job files of each folder and rung in the places of the folder's, each behind those it waits for."""
    places: dict[tuple[Path, str], list[int]] = {}
    for place, item in enumerate(items):
        if isinstance(item, JobFileItem):
            places.setdefault((item.path.parent, item.sagemaker_rung), []).append(place)
    for group in places.values():
        found = [item for place in group if isinstance(item := items[place], JobFileItem)]
        for place, item in zip(group, sorted(found, key=lambda one: one.order), strict=True):
            items[place] = item


def test_name(path: Path) -> str:
    """Return what a job file's test is called: its name, of job.yaml its folder's."""
    stem = path.name.removesuffix(path.suffix).removesuffix(".job")
    return path.absolute().parent.name if stem == "job" else stem


def _print(name: str, event: Event) -> None:
    """Write what happens as the output of the test that runs, which pytest keeps for the report."""
    from ..jobfiles.events import ImageReady, JobCreated, LogLine, StatusEntered

    match event:
        case LogLine():
            text = f"{event.host} | {event.message}"
        case StatusEntered():
            text = f"{name}: {event.status} {event.message}".rstrip()
        case JobCreated():
            text = f"{name}: created {event.name}"
        case ImageReady():
            text = f"{name}: image {event.name}"
        case _:
            return
    sys.stdout.write(text + "\n")
