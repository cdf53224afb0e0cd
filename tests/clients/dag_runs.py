"""Runs DAGs with a real Airflow, as `airflow dags test`, and tells how their tasks went.

Such a run has no scheduler or triggerer: one process runs task after task, deferred ones too, and prints the
tasks' logs. It takes seven seconds of computing: three to import Airflow, four to make an API server of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from emulator.reroute.environment import client_environment
from tests.clients.conftest import PROGRAM_SECONDS, Finished, Programs, Server, client

DAGS = Path(__file__).with_name("dags")


@dataclass(frozen=True)
class DagRun:
    """A DAG that runs or has run; what is asked of it waits for its end."""

    program: Future[Finished]
    home: Path

    def green(self) -> DagRun:
        """Require that every task succeeded."""
        assert self._finished.exit_code == 0, self
        assert set(self.states.values()) == {"success"}, self
        return self

    def red(self) -> DagRun:
        """Require that the run failed."""
        assert self._finished.exit_code != 0, self
        assert "failed" in self.states.values(), self
        return self

    @cached_property
    def states(self) -> dict[str, str]:
        """The state of each task, as the metadata has it."""
        assert self._finished.asked_for == (), self
        with closing(sqlite3.connect(self.home / "airflow.db")) as metadata:
            return dict(metadata.execute("SELECT task_id, state FROM task_instance"))

    def log(self, task: str) -> str:
        """Return what one task logged."""
        _, _, after = self._finished.stdout.partition(f"[DAG TEST] starting task_id={task} ")
        log, end, _ = after.partition(f"[DAG TEST] end task task_id={task} ")
        assert end, f"{task} did not run\n{self}"
        return log

    @property
    def _finished(self) -> Finished:
        return self.program.result()

    def __str__(self) -> str:
        return str(self._finished)


class Airflow:
    """Starts runs of DAGs, each with an AIRFLOW_HOME of its own, that find the emulator in one of three ways."""

    def __init__(self, programs: Programs, server: Server, folder: Path, metadata: Path) -> None:
        self._programs = programs
        self._server = server
        self._folder = folder
        self._metadata = metadata
        self._count = 0

    def by_environment(self, dag: str, folder: Path = DAGS, **conf: str) -> DagRun:
        """Run a DAG with the variables that `sagemaker-emulator env` prints, AWS_ENDPOINT_URL among them."""
        return self.of_a_day(dag, folder, {}, None, **conf)

    def of_a_day(
        self, dag: str, folder: Path, airflow_variables: Mapping[str, str], day: str | None, **conf: str
    ) -> DagRun:
        """Run a DAG as `by_environment` does, with Airflow Variables, as the run of a day."""
        variables = {
            **client_environment(self._server.url, sdk_config=self._folder / "sdk-config.yaml"),
            **{f"AIRFLOW_VAR_{name.upper()}": value for name, value in airflow_variables.items()},
        }
        home, command = self._home(), self._command(dag, conf, *([] if day is None else [day]))
        return DagRun(self._programs.plain(*command, **variables, **_variables(home, folder)), home)

    def by_exec(self, dag: str, folder: Path = DAGS, **conf: str) -> DagRun:
        """Run a DAG as `sagemaker-emulator exec -- airflow dags test DAG`."""
        home, command = self._home(), self._command(dag, conf)
        return DagRun(self._programs.exec(*command, **_variables(home, folder)), home)

    def by_connection(self, dag: str, folder: Path = DAGS, **conf: str) -> DagRun:
        """Run a DAG in an environment that knows nothing of AWS; Airflow's connection `aws_default` has it all."""
        extra = {"endpoint_url": self._server.url, "region_name": "us-east-1"}
        connection = {"conn_type": "aws", "login": "123456789012", "password": "local", "extra": extra}
        home, command = self._home(), self._command(dag, conf)
        variables = {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection), **_variables(home, folder)}
        return DagRun(self._programs.plain(*command, **variables), home)

    def _home(self) -> Path:
        self._count += 1
        home = self._folder / f"run-{self._count}"
        home.mkdir()
        shutil.copy(self._metadata, home)
        return home

    def _command(self, dag: str, conf: dict[str, str], *day: str) -> tuple[str, ...]:
        return client("airflow", "airflow"), "dags", "test", dag, *day, "--conf", json.dumps(conf)


def made_metadata(folder: Path) -> Path:
    """Make Airflow's tables, empty, and return their SQLite file. It takes six seconds, so runs copy the file."""
    command = [client("airflow", "airflow"), "db", "migrate"]
    environment = {**os.environ, **_variables(folder, DAGS)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "airflow.db"


def _variables(home: Path, dags: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Or it asks the network for this machine's own name, and what is asked there is counted.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        # Airflow, compiled when it first runs, starts three seconds sooner from then on.
        "PYTHONDONTWRITEBYTECODE": "",
    }
