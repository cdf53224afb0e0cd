"""What the fixture `opt_ml` is: makes jobs that run in the test's own process."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from ..api import service_model
from ..contract.arns import S3Uri, Scope
from ..contract.kinds import PROCESSING, TRAINING, JobKind
from ..contract.record import JobRecord
from ..errors import ServiceError, UsageError
from ..jobs.clock import SystemClock
from ..jobs.control import JobControl
from ..jobs.job_run import JobRun, Platform
from ..jobs.jobs import Jobs
from ..testing.mistakes import without_our_frames
from ..testing.requests import JobWords, is_in_s3, processing_request, require_end, require_names, training_request
from .data import contents
from .disks import require_faking
from .engine import InProcessEngine
from .memory import (
    MemoryJobs,
    MemoryLogs,
    MemoryMetrics,
    MemoryObjects,
    MemoryViews,
    NoCredentials,
    NoInstances,
    TestAccess,
)
from .programs import FunctionProgram, Program, ScriptProgram
from .results import OptMlProcessingResult, OptMlResult, OptMlTrainingResult

_BUCKET: Final = "opt-ml"
_NAME: Final = re.compile(r"[^a-zA-Z0-9]+")

_Result = TypeVar("_Result", bound=OptMlResult)


@dataclass(frozen=True, kw_only=True)
class _Identity:
    """What the jobs of a test have that say nothing else; see `testing.sagemaker_emulator.Identity`."""

    scope: Scope
    instance_type: str = "ml.m5.large"

    @property
    def role(self) -> str:
        return f"arn:aws:iam::{self.scope.account}:role/sagemaker-emulator"


@dataclass(frozen=True, kw_only=True)
class OptMlJob(Generic[_Result]):
    """A job whose request was accepted. Each `run` is a run of it of its own, from a fresh /opt/ml."""

    kind: JobKind
    request: Mapping[str, Any]
    toolkit: bool
    current_host: str | None
    expect: str | None
    _opt_ml: OptMl = field(repr=False)

    def run(
        self, function: Callable[..., object], /, *arguments: object, on_disk: bool = False, **named: object
    ) -> _Result:
        """Call a function with these arguments, as the program of the job, and return what became of the job.

        With `on_disk` there is no faked file system, but a real directory in the place of /opt/ml, to which
        the SM_* variables and SAGEMAKER_BASE_DIR lead.

        Raises:
            JobEndError: the job did not end as `expect` says.
        """
        __tracebackhide__ = True
        return self._run(FunctionProgram(function, arguments, named), on_disk=on_disk)

    def run_script(self, script: str | Path, *, on_disk: bool = False) -> _Result:
        """Run a Python file as `__main__`, with its directory as /opt/ml/code, as the training toolkit would.

        Raises:
            JobEndError: the job did not end as `expect` says.
            UsageError: there is no such file.
        """
        __tracebackhide__ = True
        path = (self._opt_ml.rootpath / script).resolve()
        return self._run(ScriptProgram.read(path, toolkit=self.toolkit), on_disk=on_disk)

    def _run(self, program: Program, *, on_disk: bool) -> _Result:
        __tracebackhide__ = True
        result: Any = self._opt_ml.run(self, program, on_disk=on_disk)
        result.check()
        return result  # type: ignore[no-any-return]


TrainingOptMlJob = OptMlJob[OptMlTrainingResult]
ProcessingOptMlJob = OptMlJob[OptMlProcessingResult]


class OptMl:
    """Jobs in this process, with an S3 of their own in memory."""

    def __init__(self, name: str = "job", rootpath: Path | None = None, scope: Scope | None = None) -> None:
        """Name jobs after a test, and find scripts from a directory (by default the current one)."""
        self.rootpath = Path.cwd() if rootpath is None else rootpath
        self._stem = _NAME.sub("-", name).strip("-")[:40].strip("-") or "job"
        self._scope = scope or Scope()
        self._identity: Any = _Identity(scope=self._scope)
        self._objects = MemoryObjects()
        self._count = 0
        self._workspace: Path | None = None

    @without_our_frames
    def training_job(
        self,
        *,
        channels: Mapping[str, Any] | None = None,
        hyperparameters: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
        metrics: Mapping[str, str] | None = None,
        hosts: int = 1,
        current_host: str | None = None,
        instance_type: str = "",
        entrypoint: Sequence[str] | None = None,
        arguments: Sequence[str] | None = None,
        input_mode: str = "File",
        max_runtime: int = 86400,
        name: str | None = None,
        request: Mapping[str, Any] | None = None,
        toolkit: bool = True,
        expect: str | None = "Completed",
    ) -> TrainingOptMlJob:
        """Make a training job, as CreateTrainingJob would: what that refuses is refused here.

        A channel is {file name: content}, a pathlib.Path, a data frame, an s3:// URI of what `put` has stored,
        or what `channel` returns. `request` has members of the request itself, which win over all else.
        `toolkit` is what images with the training toolkit have: SM_* variables, hyperparameters as sys.argv.
        All hosts run, one after another, or only `current_host`.

        Raises:
            UsageError: the request is refused, or something given is no data.
        """
        words = self._words(
            name,
            "channels",
            channels,
            environment=environment,
            hosts=hosts,
            instance_type=instance_type,
            entrypoint=entrypoint,
            arguments=arguments,
            max_runtime=max_runtime,
            request=request,
        )
        whole = training_request(
            words,
            self._identity,
            _BUCKET,
            hyperparameters=hyperparameters,
            metrics=metrics,
            input_mode=input_mode,
        )
        return self._accepted(TRAINING, whole, toolkit, current_host, expect)

    @without_our_frames
    def processing_job(
        self,
        *,
        inputs: Mapping[str, Any] | None = None,
        outputs: Sequence[str] | Mapping[str, str | Mapping[str, Any]] = (),
        environment: Mapping[str, str] | None = None,
        hosts: int = 1,
        current_host: str | None = None,
        instance_type: str = "",
        entrypoint: Sequence[str] | None = None,
        arguments: Sequence[str] | None = None,
        max_runtime: int = 86400,
        name: str | None = None,
        request: Mapping[str, Any] | None = None,
        expect: str | None = "Completed",
    ) -> ProcessingOptMlJob:
        """Make a processing job, as CreateProcessingJob would; `arguments` are its sys.argv.

        Inputs are found below /opt/ml/processing/input/<name>. `outputs` are names, of which each is
        written to /opt/ml/processing/output/<name>, or the folders by their names. The rest is as for
        `training_job`.

        Raises:
            UsageError: the request is refused, or something given is no data.
        """
        words = self._words(
            name,
            "inputs",
            inputs,
            environment=environment,
            hosts=hosts,
            instance_type=instance_type,
            entrypoint=entrypoint,
            arguments=arguments,
            max_runtime=max_runtime,
            request=request,
        )
        whole = processing_request(words, self._identity, _BUCKET, outputs=outputs)
        return self._accepted(PROCESSING, whole, False, current_host, expect)

    def put(self, uri: str, data: object) -> str:
        """Store data below an s3:// prefix, and return the prefix.

        Raises:
            UsageError: it is no data.
        """
        prefix = S3Uri.parse(uri if uri.endswith("/") else f"{uri}/")
        for key, content in contents(data, uri.rstrip("/").rpartition("/")[2], self.rootpath).items():
            self._objects.contents[S3Uri(bucket=prefix.bucket, key=prefix.key + key)] = content
        return str(prefix)

    def channel(
        self,
        data: object,
        *,
        distribution: str = "FullyReplicated",
        content_type: str | None = None,
        instance_groups: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Return a member of InputDataConfig for data: `distribution` ShardedByS3Key shares its files out.

        Raises:
            UsageError: it is no data.
        """
        source: dict[str, Any] = {"S3DataType": "S3Prefix", "S3Uri": self._stored("channel", data)}
        source["S3DataDistributionType"] = distribution
        if instance_groups:
            source["InstanceGroupNames"] = list(instance_groups)
        return {"DataSource": {"S3DataSource": source}, **({"ContentType": content_type} if content_type else {})}

    def processing_input(
        self, data: object, local_path: str, *, distribution: str = "FullyReplicated"
    ) -> dict[str, Any]:
        """Return a member of ProcessingInputs for data that goes to a folder below /opt/ml/processing.

        Raises:
            UsageError: it is no data.
        """
        s3_input = {"S3DataType": "S3Prefix", "S3Uri": self._stored("input", data), "S3InputMode": "File"}
        return {"S3Input": {**s3_input, "LocalPath": local_path, "S3DataDistributionType": distribution}}

    def close(self) -> None:
        """Remove what lies on the disk."""
        if self._workspace is not None:
            shutil.rmtree(self._workspace, ignore_errors=True)
            self._workspace = None

    # What jobs are made of

    def _words(self, name: str | None, word: str, inputs: Mapping[str, Any] | None, **more: Any) -> JobWords:
        require_names(word, inputs, "{'train': {'a.csv': '1,2'}}")
        self._count += 1
        job = name or f"{self._stem}-{self._count}"
        found = {key: self._input(f"{job}/input/{key}", data) for key, data in (inputs or {}).items()}
        return JobWords(name=job, image=_BUCKET, inputs=found, **more)

    def _input(self, prefix: str, data: object) -> str | Mapping[str, Any]:
        return data if is_in_s3(data) else self.put(f"s3://{_BUCKET}/{prefix}", data)

    def _stored(self, what: str, data: object) -> str:
        self._count += 1
        return self.put(f"s3://{_BUCKET}/{self._stem}/{what}-{self._count}", data)

    def _accepted(
        self, kind: JobKind, request: Mapping[str, Any], toolkit: bool, current_host: str | None, expect: str | None
    ) -> OptMlJob[Any]:
        require_end(expect)
        created: list[JobRecord] = []
        document = self._created(kind, request, created.append)
        hosts = [host.name for host in _job(created[0]).hosts]
        if current_host is not None and current_host not in hosts:
            raise UsageError(f"current_host={current_host!r}: the job's hosts are {', '.join(hosts)}.")
        return OptMlJob(
            kind=kind, request=document, toolkit=toolkit, current_host=current_host, expect=expect, _opt_ml=self
        )

    def _created(
        self, kind: JobKind, request: Mapping[str, Any], run: Callable[[JobRecord], None], jobs: Any = None
    ) -> dict[str, Any]:
        """Have a request accepted, as the API does, and the job run."""
        operation = f"Create{kind.noun}"
        try:
            document = service_model.validated(operation, dict(request))
            store = MemoryJobs() if jobs is None else jobs
            Jobs(
                kind,
                store,
                MemoryViews(),
                objects=self._objects,
                clock=SystemClock(),
                supervisor=_Runner(run),
            ).create(self._scope, document)
        except ServiceError as error:
            raise UsageError(f"{operation} refuses this job: {error}") from None
        return document

    def run(self, job: OptMlJob[Any], program: Program, *, on_disk: bool) -> OptMlResult:
        """Run a job that was accepted; see `OptMlJob.run`."""
        if not on_disk:
            require_faking()
        if self._workspace is None:
            self._workspace = Path(tempfile.mkdtemp(prefix="sagemaker-emulator-opt-ml-"))
        jobs, logs, metrics, views = MemoryJobs(), MemoryLogs(), MemoryMetrics(), MemoryViews()
        name = job.request[job.kind.name_member]
        engines: list[InProcessEngine] = []

        def run(record: JobRecord) -> None:
            engine = InProcessEngine(
                _job(record), program, only_host=job.current_host, toolkit=job.toolkit, on_disk=on_disk
            )
            engines.append(engine)
            workspace = Path(tempfile.mkdtemp(dir=self._workspace))
            platform = Platform(
                jobs=jobs,
                objects=self._objects,
                logs=logs,
                metrics=metrics,
                views=views,
                credentials=NoCredentials(),
                catalog=NoInstances(),
                engine=engine,
                access=TestAccess(),
                clock=SystemClock(),
                workspace=workspace,
                kept=workspace / "kept",
            )
            JobRun(platform, record, JobControl()).run()

        self._created(job.kind, job.request, run, jobs)
        record = jobs.get(job.kind.arn(self._scope, name))
        assert record is not None
        more: dict[str, Any] = {
            "objects": self._objects,
            "events": logs.of_job(name),
            "view": views.get(record.unique_name),
            "exits": engines[0].exits,
            "exception": engines[0].exception,
            "expected": job.expect,
        }
        if job.kind is TRAINING:
            return OptMlTrainingResult(record, metrics.values.get(name, ()), **more)
        return OptMlProcessingResult(record, **more)


@dataclass(frozen=True)
class _Runner:
    """Runs a job when it is created, in this thread: a function under test may want to be in the main one."""

    run: Callable[[JobRecord], None]

    def submit(self, record: JobRecord) -> None:
        self.run(record)

    def stop(self, _: JobRecord) -> None:
        """A job has ended before anyone could ask."""


def _job(record: JobRecord) -> Any:
    from ..contract import life

    return life.parse(record.kind, record.request, record.scope)
