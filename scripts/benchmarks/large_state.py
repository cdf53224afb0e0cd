"""A state directory with many jobs and log lines: what a client waits for, and `up`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from emulator.contract import life
from emulator.contract.arns import Scope
from emulator.contract.kinds import TRAINING
from emulator.contract.outcome import Outcome
from emulator.contract.status import JobStatus
from emulator.storage.database import FILE_NAME, Database
from emulator.storage.job_records import SqliteJobStore
from emulator.storage.log_files import LOGS_FOLDER, LogFiles
from tests.builders import job_record
from tests.jobs import LOG_GROUP, Clients

from . import servers
from .measuring import Row, medians, timed
from .setting import Setting

JOBS = 10_000
LINES_A_JOB = 100
_STARTED = 9_999_999_999  # later than any job: streams that are older than theirs are another job's of the name
_ROUNDS = 20
_STARTS = 5
_SCOPE = Scope(account="123456789012", region="us-east-1")


def measure(setting: Setting) -> Iterator[Row]:
    """Measure requests as boto3 sends them, one after the other."""
    state = setting.folder() / "state"
    fill(state)
    with servers.emulator(state) as server:
        clients = Clients(server.url)
        sagemaker, logs = clients.sagemaker, clients.logs
        requests = {
            "DescribeTrainingJob": lambda: sagemaker.describe_training_job(TrainingJobName=name(JOBS // 2)),
            "ListTrainingJobs, a page of 100": lambda: sagemaker.list_training_jobs(MaxResults=100),
            "GetLogEvents, a page of 100": lambda: logs.get_log_events(
                logGroupName=LOG_GROUP, logStreamName=_stream(1), limit=100
            ),
        }
        taken = medians(_ROUNDS, *(lambda request=request: 1000 * timed(request) for request in requests.values()))
    for what, milliseconds in zip(requests, taken, strict=True):
        most = None if what.startswith("Get") else 20
        yield Row(name=f"{what}; 10,000 jobs, 1,000,000 lines", ours=milliseconds, unit="ms", most=most)

    def start() -> float:
        with servers.emulator(state) as server:
            return server.seconds

    (seconds,) = medians(_STARTS, start)
    yield Row(name="`up` until healthy; 10,000 jobs, 1,000,000 lines", ours=seconds, most=1.5)


def fill(state_dir: Path) -> None:
    """Write what that many jobs have left, through the stores."""
    state_dir.mkdir(exist_ok=True)
    first = time.time() - JOBS
    with closing(Database(state_dir / FILE_NAME)) as database:
        jobs = SqliteJobStore(database)
        with closing(LogFiles(state_dir / LOGS_FOLDER, database, time.time)) as logs:
            for number in range(JOBS):
                at = first + number
                facts = life.ended(TRAINING, life.created(TRAINING, at), Outcome(status=JobStatus.COMPLETED), at + 1)
                jobs.create(job_record(name(number), scope=_SCOPE, facts=facts))
                events = [(int(1000 * at) + line, f"epoch={line} loss=0.25") for line in range(LINES_A_JOB)]
                logs.write(_SCOPE, LOG_GROUP, _stream(number), events)


def name(number: int) -> str:
    """Return the name of a job."""
    return f"job-{number:05}"


def _stream(number: int) -> str:
    return f"{name(number)}/algo-1-{_STARTED}"
