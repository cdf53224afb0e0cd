"""One job file's job: its request, its creation, its end."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import ClientError

from ..contract.arns import S3Uri
from ..contract.kinds import PROCESSING, JobKind
from ..errors import EmulatorError, ValidationError
from .clients import Clients, code_and_message
from .data import make_buckets
from .document import ImageBuild, ImageName, JobFile
from .events import JobCreated, OnEvent, StopAsked
from .expectations import Facts, unmet
from .experiments import make_experiment
from .follower import Follower
from .images import image_tag
from .programs import program_image
from .report import JobReport, artifacts_of, objects_below, seconds_of
from .request import check, complete, refused
from .yaml_source import At

# For what is not the containers' own time: staging, the 120 s of a stop, uploading.
_AROUND_SECONDS: Final = 900
_STOP_SECONDS: Final = 600
_LOG_LINES_SHOWN: Final = 10
_WAS_STOPPED: Final = "The job was stopped: {}."
BY_INTERRUPT: Final = "interrupted"
INTERRUPTED: Final = _WAS_STOPPED.format(BY_INTERRUPT)
"""What does not hold of a job that was stopped for Ctrl-C."""


class JobFileRun:
    """Creates the job of a job file, follows it and says what it has come to. Each step is one call."""

    def __init__(self, job_file: JobFile, clients: Clients, on_event: OnEvent) -> None:
        self.job_file = job_file
        self.image = _image_of(job_file) if clients.runs_images() else program_image(job_file)
        self.tell = on_event
        self.takes_its_time = False
        self._clients = clients
        self._kind = job_file.kind
        self._name = ""
        self._follower = Follower(clients, self._kind, "", on_event)
        self._deadline = 0.0
        self._limit = 0.0
        self._cut_short = ""

    @property
    def description(self) -> Mapping[str, Any]:
        """The job's last Describe answer."""
        return self._follower.description

    def check(self, kinds: Mapping[str, JobKind]) -> None:
        """Check the request before anything slow is done; what other jobs will tell is not known yet.

        Raises:
            UsageError: with one line for each thing that is wrong.
        """
        shape_of, yaml = self._clients.answer_shape, self.job_file.yaml
        values = {one.at: one.stand_in(yaml, shape_of(kinds[one.step])) for one in self.job_file.references}
        self._destinations(self._request(values))

    def create(self, descriptions: Mapping[str, Mapping[str, Any]]) -> None:
        """Create the job, given the Describe answers of the jobs before it.

        Raises:
            UsageError: the service refuses the request, or another job has not what it refers to.
        """
        yaml = self.job_file.yaml
        values = {one.at: one.value(yaml, descriptions[one.step]) for one in self.job_file.references}
        request = self._request(values)
        make_buckets(self._clients, [uri.bucket for uri in self._destinations(request)])
        make_experiment(self._clients, request)
        self._name = request[self._kind.name_member]
        arn = self._created(request)
        self.tell(JobCreated(name=self._name, arn=arn))
        self._follower = Follower(self._clients, self._kind, self._name, self.tell)
        self._limit = math.inf if self.takes_its_time else self._limit_of(request)
        self._deadline = time.monotonic() + self._limit

    def look(self) -> bool:
        """Tell what is new of the job, and whether that is anything; stop it when it takes too long.

        Raises:
            EmulatorError: it does not end although it was stopped.
        """
        news = self._follower.look()
        if not self.has_ended and time.monotonic() > self._deadline:
            if self._cut_short:
                raise EmulatorError(
                    f"{self._name} did not end within {_STOP_SECONDS} s of Stop{self._kind.noun} ({self._cut_short}); "
                    f"it is {self._follower.status}. Its last lines:\n"
                    + "\n".join(self._follower.log_lines[-_LOG_LINES_SHOWN:])
                )
            self.stop(f"not at its end after {self._limit:g} s")
        return news

    @property
    def has_ended(self) -> bool:
        """Whether the job has ended and its whole log was read."""
        return self._follower.has_ended

    def stop(self, why: str) -> None:
        """Ask for the job's end, which cannot be what was expected any more."""
        self._cut_short = why
        self._deadline = time.monotonic() + _STOP_SECONDS
        self.tell(StopAsked(why=why))
        try:
            self._clients.stop(self._name, self._kind)
        except ClientError as error:
            if code_and_message(error)[0] != "ValidationException":  # it has ended meanwhile
                raise

    def report(self) -> JobReport:
        """Return what the job has come to."""
        description, log_lines = self.description, self._follower.log_lines
        artifacts = artifacts_of(self._clients, self._kind, description)
        facts = Facts(
            description=description,
            log_lines=log_lines,
            artifacts={one.name: one.files for one in artifacts},
            seconds=seconds_of(description),
            objects={
                uri: objects_below(self._clients, S3Uri.parse(uri), description["CreationTime"])
                for uri in self.job_file.expect.objects
            },
        )
        cut_short = [_WAS_STOPPED.format(self._cut_short)] if self._cut_short else []
        return JobReport(
            job_file=self.job_file,
            image=self.image,
            description=description,
            log_lines=tuple(log_lines),
            artifacts=artifacts,
            seconds=facts.seconds,
            unmet=(*cut_short, *unmet(self.job_file.expect, facts)),
        )

    def _request(self, values: Mapping[At, Any]) -> dict[str, Any]:
        """Return the whole request, which the service's model allows."""
        request = complete(self.job_file, image=self.image, scope=self._clients.scope, values=values)
        check(self.job_file.yaml, request, self._clients.request_shape(self._kind))
        return request

    def _destinations(self, request: Mapping[str, Any]) -> list[S3Uri]:
        """Return where the job's results go."""
        if self._kind is not PROCESSING:
            at: At = ("request", "OutputDataConfig", "S3OutputPath")
            return [self._uri(at, request["OutputDataConfig"]["S3OutputPath"])]
        outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", ())
        at = ("request", "ProcessingOutputConfig", "Outputs")
        return [
            self._uri((*at, number, "S3Output", "S3Uri"), output["S3Output"]["S3Uri"])
            for number, output in enumerate(outputs)
            if "S3Uri" in output.get("S3Output", {})  # of another job's S3Output it is not known before that has ended
        ]

    def _uri(self, at: At, text: str) -> S3Uri:
        try:
            return S3Uri.parse(text)
        except ValidationError as error:
            raise self.job_file.yaml.error(at, error.message) from error

    def _created(self, request: dict[str, Any]) -> str:
        try:
            return self._clients.create(self._kind, request)
        except ClientError as error:
            code, message = code_and_message(error)
            if code == "ValidationException":
                raise refused(self.job_file.yaml, message) from error
            if code == "ResourceInUse":
                raise EmulatorError(
                    f"{message}\nLeave {self._kind.name_member} out of the job file for a new one."
                ) from error
            raise

    def _limit_of(self, request: Mapping[str, Any]) -> float:
        """Return after how many seconds the job is stopped, come what may.

        A job that is late may still end and show by how much; one that hangs must not hold up everything.
        """
        limit: float = request["StoppingCondition"]["MaxRuntimeInSeconds"] + _AROUND_SECONDS
        expected = self.job_file.expect.max_seconds
        return limit if expected is None else min(limit, 2 * expected + 60)


def _image_of(job_file: JobFile) -> str:
    """Return the name of a job file's image.

    Raises:
        UsageError: it has none.
    """
    match job_file.image:
        case ImageBuild() as build:
            return image_tag(build)
        case ImageName(name=name):
            return name
        case None:
            raise job_file.yaml.error(
                ("image",),
                "is missing, and this engine runs images. Add image: {build: .} to build one here, or "
                "image: {name: my/image:tag}, or run the program without one: --engine process",
            )
