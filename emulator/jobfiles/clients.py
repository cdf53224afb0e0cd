"""What a job file needs of an endpoint, and its errors as ours."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from ..contract.arns import Scope
from ..errors import EmulatorError, EndpointUnavailableError
from .events import BytesMoved

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sagemaker import SageMakerClient


@dataclass(frozen=True, kw_only=True)
class Clients:
    """Clients of one endpoint for one account and region.

    `progress` tells how far a job's current stage has come, if the endpoint can tell.
    """

    sagemaker: SageMakerClient
    s3: S3Client
    logs: CloudWatchLogsClient
    scope: Scope
    progress: Callable[[str], BytesMoved | None] = lambda _: None

    def describe(self, job_name: str) -> dict[str, Any]:
        """Return the DescribeTrainingJob answer."""
        return dict(self.sagemaker.describe_training_job(TrainingJobName=job_name))


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
