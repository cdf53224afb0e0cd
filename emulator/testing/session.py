"""What one pytest session holds: its emulators, what is rerouted now, and which job belongs to which test."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from . import rungs
from .settings import number, value

if TYPE_CHECKING:
    from .rerouting import Blocking, Rerouting
    from .results import JobResult
    from .sagemaker_emulator import Identity, SageMakerEmulator
    from .server_process import ServerProcess

EMULATOR_FIXTURE = "sagemaker_emulator"


@dataclass(frozen=True, kw_only=True)
class Start:
    """How an emulator is started; what is alike in all of it is one emulator."""

    engine: str
    time_scale: float
    limit_instances: bool
    state_dir: Path | None

    @classmethod
    def configured(cls, config: pytest.Config, engine: str) -> Start:
        """Return how the ini options say that the emulator of a rung is started."""
        state_dir = value(config, "sagemaker_state_dir")
        return cls(
            engine=engine,
            time_scale=number(config, "sagemaker_time_scale"),
            limit_instances=bool(value(config, "sagemaker_limit_instances")),
            state_dir=config.rootpath / state_dir if state_dir else None,
        )


class SessionOfTests:
    """Starts emulators when they are first asked for, and ends them with the session.

    While a test that uses one runs, what its process asks of AWS goes there.
    """

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.item: pytest.Item | None = None
        own = f"{os.getpid()}-{time.time()}"
        self._run = str(getattr(config, "workerinput", {}).get("testrunuid", own))
        self._used = False
        self._reroutes_item = False
        self._rerouting: Rerouting | None = None
        self._blocking: Blocking | None = None
        self._emulators: dict[Start, ServerProcess | Exception] = {}
        self._jobs: dict[str, list[JobResult]] = {}
        self._open: list[JobResult] = []
        self._folder: Path | None = None

    @property
    def worker(self) -> str:
        """The worker of pytest-xdist that this is, as `gw0`; "" without it."""
        return str(getattr(self.config, "workerinput", {}).get("workerid", ""))

    @property
    def folder(self) -> Path:
        """A folder for as long as the session lasts."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="sagemaker-emulator-pytest-"))
        return self._folder

    @property
    def bundles(self) -> Path:
        """Where bundles of failed jobs are kept for whoever reads the report: pytest's cache, if nothing is said."""
        given = value(self.config, "sagemaker_bundle_dir")
        if given:
            return Path(self.config.rootpath, given)
        cache = getattr(self.config, "cache", None)  # pytest's plugin for it may be off
        if cache is not None:
            return _emptied(Path(cache.mkdir("sagemaker-bundles")), self._run)
        return Path(tempfile.gettempdir()) / "sagemaker-emulator-bundles"

    def account_of_worker(self, account: str) -> str:
        """Return an account that no other worker has: the first worker's is the next one."""
        number = re.search(r"\d+$", self.worker)
        if number is None or not account.isdigit():
            return account
        return f"{(int(account) + int(number[0]) + 1) % 10**12:012}"

    def emulator(self, start: Start, identity: Identity) -> SageMakerEmulator:
        """Return the emulator that the configuration names, or one of our own, which is started if it is not there.

        Raises:
            EmulatorError: it does not answer or cannot be started; tried once only.
            pytest.UsageError: the one that runs already has another engine than is asked for.
        """
        from .sagemaker_emulator import SageMakerEmulator

        self._used = True
        where = {"bundles": self.bundles, "folder": self.folder, "rootpath": self.config.rootpath}
        url = str(value(self.config, "sagemaker_endpoint"))
        if not url:
            return SageMakerEmulator(self._own(start).url, identity, **where)
        from ..jobfiles.connecting import require_endpoint_at

        require_endpoint_at(url)
        running = SageMakerEmulator(url.rstrip("/"), identity, **where)
        if start.engine not in ("auto", running.engine):
            raise pytest.UsageError(
                f"--sagemaker-engine: the emulator at {url} runs on the {running.engine} rung, not on {start.engine}. "
                "Leave the option out, or start another one: sagemaker-emulator up --engine"
            )
        return running

    def default_emulator(self, engine: str) -> SageMakerEmulator:
        """Return the emulator of a rung as the ini options say, for what has no fixtures.

        All workers are one account to it: what job files name in S3 has one owner.

        Raises:
            EmulatorError: see `emulator`.
        """
        from .sagemaker_emulator import Identity

        return self.emulator(
            Start.configured(self.config, engine),
            Identity(
                region=value(self.config, "sagemaker_region"),
                account=value(self.config, "sagemaker_account"),
                role_arn=value(self.config, "sagemaker_role_arn"),
                instance_type=value(self.config, "sagemaker_instance_type"),
                image=value(self.config, "sagemaker_image"),
                program=value(self.config, "sagemaker_program"),
                max_wait=number(self.config, "sagemaker_max_wait"),
            ),
        )

    @contextmanager
    def around(self, item: pytest.Item) -> Iterator[None]:
        """Know which test runs, and reroute it from its set-up to its tear-down if it uses an emulator."""
        self.item = item
        self._reroutes_item = EMULATOR_FIXTURE in getattr(item, "fixturenames", ())
        self._start_rerouting()
        try:
            yield
        finally:
            self._stop_rerouting()
            self._jobs.pop(item.nodeid, None)
            self.item = None
            self._reroutes_item = False

    def reroute_to(self, emulator: SageMakerEmulator) -> None:
        """From now on tests that use an emulator use this one."""
        from .rerouting import Rerouting

        self._stop_rerouting()
        self._rerouting = Rerouting(
            emulator.url, region=emulator.region, account=emulator.account, folder=self.folder / "sdk"
        )
        self._reroutes_item = True  # it may have been asked for by getfixturevalue only
        self._start_rerouting()

    def reroute_no_more(self) -> None:
        """Tests have no emulator until the next one is there."""
        self._stop_rerouting()
        self._rerouting = None

    def block_aws(self) -> None:
        """Refuse AWS while nothing is rerouted."""
        from .rerouting import Blocking

        self._blocking = Blocking()

    def add_job(self, job: JobResult) -> None:
        """Remember that the test that runs now has started a job."""
        self._open = [one for one in self._open if not one.is_known_to_have_ended] + [job]
        if self.item is not None:
            self._jobs.setdefault(self.item.nodeid, []).append(job)

    def jobs_of(self, item: pytest.Item) -> list[JobResult]:
        """Return the jobs that a test has started or was given by its fixtures, each once."""
        from .results import JobResult

        given = [one for one in getattr(item, "funcargs", {}).values() if isinstance(one, JobResult)]
        return list(dict.fromkeys([*given, *self._jobs.get(item.nodeid, ())]))

    def may_have_jobs(self, item: pytest.Item) -> bool:
        """Tell, without loading anything, whether a test can have jobs."""
        return self._used and (EMULATOR_FIXTURE in getattr(item, "fixturenames", ()) or item.nodeid in self._jobs)

    @property
    def has_emulators(self) -> bool:
        """Whether any test of this session has used an emulator."""
        return self._used

    def close(self) -> None:
        """End every emulator and remove what was kept for the session."""
        self.reroute_no_more()
        self._stop_jobs()
        if self._blocking is not None:
            self._blocking.stop()
        emulators, self._emulators = self._emulators, {}
        with contextlib.ExitStack() as closing:  # all of it, also at a second Ctrl-C
            if self._folder is not None:
                closing.callback(shutil.rmtree, self._folder, ignore_errors=True)
                self._folder = None
            for one in emulators.values():
                if not isinstance(one, Exception):
                    closing.callback(one.close)

    def _stop_jobs(self) -> None:
        """Stop jobs that still run at an emulator that is not ours; ours ends its own."""
        if not self._emulators:
            for job in self._open:
                with contextlib.suppress(Exception):  # it may be gone, and nobody is there to be told
                    job.stop()
        self._open = []

    def _own(self, start: Start) -> ServerProcess:
        from .server_process import ServerProcess

        if start not in self._emulators:
            try:
                self._emulators[start] = ServerProcess(self._settings(start), self.folder / f"{start.engine}.log")
            except Exception as error:
                self._emulators[start] = error
                raise
        found = self._emulators[start]
        if isinstance(found, Exception):
            raise found
        return found

    def _settings(self, start: Start) -> dict[str, object]:
        number = len(self._emulators)
        state_dir = start.state_dir or self.folder / f"state-{number}"
        if start.state_dir is not None and (self.worker or len(rungs.configured(self.config)) > 1):
            state_dir = start.state_dir / "-".join(filter(None, (start.engine, self.worker)))  # each has its own lock
        return {
            "port": 0,
            "recovery_window": 0,
            "engine": start.engine,
            "time_scale": start.time_scale,
            "limit_instances": start.limit_instances,
            "state_dir": state_dir,
            "removed_at_the_end": self.folder,
        }

    def _start_rerouting(self) -> None:
        if self._rerouting is not None and self._reroutes_item:
            self._rerouting.start()

    def _stop_rerouting(self) -> None:
        if self._rerouting is not None:
            self._rerouting.stop()


def _emptied(folder: Path, run: str) -> Path:
    """Return a folder without what other runs of pytest have left in it; all workers of one are the same run."""
    marker = folder / "run"
    if not marker.is_file() or marker.read_text() != run:
        for old in folder.glob("*.tar.gz"):
            old.unlink(missing_ok=True)
        marker.write_text(run)
    return folder


KEY: pytest.StashKey[SessionOfTests] = pytest.StashKey()


def session_of(config: pytest.Config) -> SessionOfTests:
    """Return the state of the session that a configuration belongs to; made when it is first asked for."""
    if KEY not in config.stash:
        config.stash[KEY] = SessionOfTests(config)
    return config.stash[KEY]
