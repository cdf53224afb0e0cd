"""Jobs without containers, beside the bare processes that they are."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from statistics import median

from emulator.contract.plan import Program
from tests.images import register_at
from tests.jobs import TERMINAL, Clients, TrainingJobs

from . import servers
from .measuring import Row, medians
from .running import CannotRunError, seconds_of
from .setting import Setting

_ROUNDS = 15
_IN_A_ROW = 50
_AT_ONCE = 10
# A client of the API that asks as often costs a busy machine more than the jobs do.
_POLL_SECONDS = 0.005
_LONGEST_SECONDS = 120
_MOST_OVER_BARE = 0.1

_COMMAND = (sys.executable, "-c", "print('trained')")


def measure(setting: Setting) -> Iterator[Row]:
    """Measure one job, 50 in a row and 10 at once, beside the same programs without us."""
    running = setting.opened.enter_context(servers.emulator(setting.folder(), engine="process"))
    register_at(running.url, "program", Program(command=_COMMAND))
    clients = Clients(running.url)
    clients.s3.create_bucket(Bucket="benchmarks")
    jobs = _Jobs(TrainingJobs(clients, "benchmarks", lambda name: name))

    ours, baseline = medians(_ROUNDS, jobs.seconds, lambda: seconds_of(_COMMAND))
    bare = "bare process"
    yield Row(name="process job", ours=ours, baseline=baseline, baseline_name=bare)
    yield Row(name="process job, over its bare process", ours=ours - baseline, most=_MOST_OVER_BARE)

    row = [jobs.seconds() for _ in range(_IN_A_ROW)]
    bare_row = [seconds_of(_COMMAND) for _ in range(_IN_A_ROW)]
    yield Row(
        name=f"{_IN_A_ROW} process jobs in a row",
        ours=sum(row),
        baseline=sum(bare_row),
        baseline_name=f"{_IN_A_ROW} bare processes",
    )
    over = median(row) - median(bare_row)
    yield Row(name=f"each of {_IN_A_ROW}, over its bare process", ours=over, most=_MOST_OVER_BARE)

    ours, baseline = medians(5, lambda: jobs.seconds(_AT_ONCE), lambda: seconds_of(*[_COMMAND] * _AT_ONCE))
    name = f"{_AT_ONCE} process jobs at once"
    yield Row(name=name, ours=ours, baseline=baseline, baseline_name=f"{_AT_ONCE} bare processes at once")


class _Jobs:
    def __init__(self, jobs: TrainingJobs) -> None:
        self._jobs = jobs

    def seconds(self, count: int = 1) -> float:
        """Return the time from the first CreateTrainingJob until the last of some jobs is Completed."""
        requests = [self._jobs.request(image="program") for _ in range(count)]
        sagemaker = self._jobs.clients.sagemaker
        started = time.perf_counter()
        for request in requests:
            sagemaker.create_training_job(**request)
        for request in requests:
            name = request["TrainingJobName"]
            while (job := sagemaker.describe_training_job(TrainingJobName=name))["TrainingJobStatus"] not in TERMINAL:
                if time.perf_counter() > started + _LONGEST_SECONDS:
                    raise CannotRunError(f"{name} has not ended after {_LONGEST_SECONDS} s")
                time.sleep(_POLL_SECONDS)
            if job["TrainingJobStatus"] != "Completed":
                raise CannotRunError(f"{name} is {job['TrainingJobStatus']}: {job.get('FailureReason')}")
        return time.perf_counter() - started
