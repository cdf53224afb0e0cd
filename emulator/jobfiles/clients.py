"""What a job file needs of an endpoint, and its errors as ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from ..contract.arns import Scope
from ..contract.kinds import TRAINING, JobKind
from ..contract.plan import Program
from ..errors import EmulatorError, EndpointUnavailableError
from .events import BytesMoved

if TYPE_CHECKING:
    from botocore.model import Shape
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Clients of one endpoint for one account and region.

    By a job's ARN `progress` tells how far its current stage has come, and `container_view` what its containers
    found when they started, if the endpoint can tell. `runs_images` tells whether its engine has images; else
    `register` has a program run under an image's name.
    """

    sagemaker: SageMakerClient
    s3: S3Client
    logs: CloudWatchLogsClient
    scope: Scope
    progress: Callable[[str], BytesMoved | None] = lambda _: None
    runs_images: Callable[[], bool] = lambda: True
    register: Callable[[str, Program], None] = lambda *_: None
    container_view: Callable[[str], dict[str, Any] | None] = lambda _: None

    def create(self, kind: JobKind, request: Mapping[str, Any]) -> str:
        """Create a job and return its ARN."""
        return str(self._call("create", kind, request)[kind.arn_member])

    def describe(self, job_name: str, kind: JobKind = TRAINING) -> dict[str, Any]:
        """Return a job's Describe answer."""
        return self._call("describe", kind, {kind.name_member: job_name})

    def list(self, kind: JobKind, wanted: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield the summaries of jobs, page by page."""
        verb: Any = f"list_{kind.resource.replace('-', '_')}s"
        for page in self.sagemaker.get_paginator(verb).paginate(**wanted):
            yield from page[f"{kind.noun}Summaries"]

    def stop(self, job_name: str, kind: JobKind) -> None:
        """Ask for the end of a job."""
        self._call("stop", kind, {kind.name_member: job_name})

    def request_shape(self, kind: JobKind) -> Shape:
        """Return what a Create request of a job may be."""
        shape: Shape = self._operation("Create", kind).input_shape
        return shape

    def answer_shape(self, kind: JobKind) -> Shape:
        """Return what a Describe answer of a job may be."""
        shape: Shape = self._operation("Describe", kind).output_shape
        return shape

    def _operation(self, verb: str, kind: JobKind) -> Any:
        return self.sagemaker.meta.service_model.operation_model(f"{verb}{kind.noun}")

    def _call(self, verb: str, kind: JobKind, request: Mapping[str, Any]) -> dict[str, Any]:
        method = getattr(self.sagemaker, f"{verb}_{kind.resource.replace('-', '_')}")
        return dict(method(**request))


@contextmanager
def service_errors() -> Iterator[None]:
    """Turn what a client raises into one clear line.

    Raises:
        EndpointUnavailableError: nobody answers (any more).
        EmulatorError: the service refused.
    """
    try:
        yield
    except ClientError as error:
        code, message = code_and_message(error)
        raise EmulatorError(f"{error.operation_name} was refused: {message} ({code})") from error
    except HTTPClientError as error:
        raise EndpointUnavailableError(f"The endpoint does not answer (any more): {error}") from error
    except (BotoCoreError, Boto3Error) as error:
        raise EmulatorError(f"A request could not be made: {error}") from error


def code_and_message(error: ClientError) -> tuple[str, str]:
    """Return the code and text of a service's error."""
    document = error.response.get("Error", {})
    return document.get("Code", "Unknown"), document.get("Message", str(error))
