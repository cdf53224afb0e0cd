"""Runs DAGs with a real Airflow, as `airflow dags test`, and tells how their tasks went.

Such a run has no scheduler or triggerer: one process runs task after task, deferred ones too, and prints the
tasks' logs. The first run of a process takes eight seconds of computing, for imports, tables and an API server; the
next ones take one. So all runs that find the emulator in the same way are of one process, one after the other.
"""

from __future__ import annotations

import json
import select
import sqlite3
import subprocess
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

from emulator.reroute.environment import client_environment
from tests.clients.programs import PROGRAM_SECONDS, REPOSITORY, SCRIPTS, Finished, Server, client, variables
from tests.docker_engine import containers_of, sign

BUNDLES = {
    "tests": Path(__file__).with_name("dags"),
    "iris": REPOSITORY / "sample_jobs/iris_training",
    "ctr": REPOSITORY / "sample_jobs/ctr_pipeline",
}


@dataclass(frozen=True)
class Cue:
    """When a task's log has a text, the program of a job, which waits for the file /tmp/go, shall go on."""

    task: str
    text: str
    job: str

    def is_given(self, stdout: Path) -> bool:
        """Let the program go on if it is time, and if its container runs: a job is InProgress before that."""
        output = stdout.read_text() if stdout.exists() else ""
        if self.text not in output.partition(f"[DAG TEST] starting task_id={self.task} ")[2]:
            return False
        containers = containers_of(self.job)
        for container in containers:
            sign(container)
        return bool(containers)


@dataclass(frozen=True)
class Ended:
    finished: Finished
    states: Mapping[str, str]


@dataclass(frozen=True)
class DagRun:
    """A DAG that runs or has run; what is asked of it waits for its end."""

    ended: Future[Ended]

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

    @property
    def states(self) -> Mapping[str, str]:
        """The state of each task, as the metadata has it."""
        assert self._finished.asked_for == (), self
        return self.ended.result().states

    def log(self, task: str) -> str:
        """Return what one task logged."""
        _, _, after = self._finished.stdout.partition(f"[DAG TEST] starting task_id={task} ")
        log, end, _ = after.partition(f"[DAG TEST] end task task_id={task} ")
        assert end, f"{task} did not run\n{self}"
        return log

    @property
    def _finished(self) -> Finished:
        return self.ended.result().finished

    def __str__(self) -> str:
        return str(self._finished)


class Airflow:
    """Runs DAGs that find the emulator in one of three ways, with a process and an AIRFLOW_HOME for each way.

    *environment*: by the variables that `sagemaker-emulator env` prints, AWS_ENDPOINT_URL among them; *exec*: under
    `sagemaker-emulator exec`; *connection*: by Airflow's connection `aws_default`, in an environment that knows
    nothing of AWS.
    """

    def __init__(self, server: Server, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._processes: dict[str, AirflowProcess] = {}

    def run(
        self, found_by: str, dag: str, conf: Mapping[str, str], *, day: str | None = None, cues: Sequence[Cue] = ()
    ) -> DagRun:
        """Run a DAG when those before that found the emulator in the same way have ended."""
        command = ("dags", "test", dag, *([] if day is None else [day]), "--conf", json.dumps(conf))
        return self._process(found_by).dag(command, cues)

    def set_variables(self, values: Mapping[str, str]) -> None:
        """Set Airflow Variables for runs that find the emulator by the environment."""
        self._process("environment").set_variables(values)

    def close(self) -> None:
        for process in self._processes.values():
            process.close()

    def _process(self, found_by: str) -> AirflowProcess:
        if found_by not in self._processes:
            home = self._folder / found_by
            home.mkdir()
            command: tuple[str, ...] = (client("airflow", "python"), str(SCRIPTS / "airflow_commands.py"))
            more: dict[str, str] = {}
            if found_by == "exec":
                command = self._server.exec(*command)
            elif found_by == "environment":
                more = client_environment(self._server.url, sdk_config=home / "sdk-config.yaml")
            else:
                extra = {"endpoint_url": self._server.url, "region_name": "us-east-1"}
                connection = {"conn_type": "aws", "login": "123456789012", "password": "local", "extra": extra}
                more = {"AIRFLOW_CONN_AWS_DEFAULT": json.dumps(connection)}
            self._processes[found_by] = AirflowProcess(home, command, more)
        return self._processes[found_by]


class AirflowProcess:
    """A process that runs Airflow's commands one after the other."""

    def __init__(self, home: Path, command: Sequence[str], more: Mapping[str, str]) -> None:
        self._home = home
        self._count = 0
        self._queue = ThreadPoolExecutor(1)
        with (home / "stderr").open("wb") as errors:
            self._process = subprocess.Popen(
                command,
                env={**variables(home), **_settings(home), **more},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
            )
        self._tables = self._queue.submit(self._made, "db", "migrate")

    def dag(self, command: Sequence[str], cues: Sequence[Cue]) -> DagRun:
        """Start `airflow dags test` when the commands before have ended."""
        return DagRun(self._queue.submit(self._dag, command, cues))

    def set_variables(self, values: Mapping[str, str]) -> None:
        file = self._home / "variables.json"
        file.write_text(json.dumps(values))
        self._queue.submit(self._made, "variables", "import", str(file)).result()

    def close(self) -> None:
        self._process.kill()
        self._queue.shutdown(cancel_futures=True)
        with self._process:  # closes its pipes
            pass

    def _made(self, *command: str) -> None:
        finished = self._run(command, ())
        assert finished.exit_code == 0, finished

    def _dag(self, command: Sequence[str], cues: Sequence[Cue]) -> Ended:
        self._tables.result()
        finished = self._run(command, cues)
        newest = "SELECT run_id FROM dag_run ORDER BY id DESC LIMIT 1"
        with closing(sqlite3.connect(self._home / "airflow.db")) as metadata:
            found = metadata.execute(f"SELECT task_id, state FROM task_instance WHERE run_id = ({newest})")
            return Ended(finished, dict(found))

    def _run(self, command: Sequence[str], cues: Sequence[Cue]) -> Finished:
        self._count += 1
        folder = self._home / f"run-{self._count}"
        folder.mkdir()
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        with suppress(BrokenPipeError):  # it has ended: then so has its output
            stdin.write(json.dumps([str(folder), *command]).encode() + b"\n")
        deadline = time.monotonic() + PROGRAM_SECONDS
        left = list(cues)
        while not select.select([stdout], [], [], 0.1 if left else PROGRAM_SECONDS)[0]:
            if time.monotonic() > deadline:
                self._process.kill()
            try:
                left = [cue for cue in left if not cue.is_given(folder / "stdout")]
            except BaseException:
                self._process.kill()  # or the next command would read this one's answer
                raise
        answer = stdout.readline()
        assert answer, f"Airflow ended, or was ended, in {command}; what it left is in {self._home}"
        return Finished.of(folder, command, int(answer))


def _settings(home: Path) -> dict[str, str]:
    local = "airflow.dag_processing.bundles.local.LocalDagBundle"
    bundles = [
        {"name": name, "classpath": local, "kwargs": {"path": str(path), "refresh_interval": 300}}
        for name, path in BUNDLES.items()
    ]
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # Or it asks the network for this machine's own name, and what is asked there is counted.
        "AIRFLOW__CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        # Airflow, compiled when it first runs, starts three seconds sooner from then on.
        "PYTHONDONTWRITEBYTECODE": "",
    }
