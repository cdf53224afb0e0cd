"""How a job ends: exit codes and what the container wrote become a status, a FailureReason, an ExitMessage.

Source: DescribeTrainingJob's documentation, "Build your own processing container" and reasons captured from
real jobs.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from .paths import MESSAGE
from .status import JobStatus, SecondaryStatus

LONGEST_FAILURE_REASON: Final = 1024
LONGEST_EXIT_MESSAGE: Final = 1024
# What must be read of a message file to have that many characters: four bytes are the longest.
LONGEST_MESSAGE_BYTES: Final = 4 * LONGEST_EXIT_MESSAGE
PROCESSING_OUT_OF_MEMORY: Final = (
    "ClientError: Please use an instance type with more memory, "
    "or reduce the size of job data processed on an instance."
)
OUT_OF_MEMORY: Final = "OutOfMemory: the container was killed because it used all the memory it may use"


class JobFailure(Exception):  # noqa: N818 - a result of the job, not an error of the emulator
    """The job ends Failed; the text is its FailureReason."""

    @property
    def failure_reason(self) -> str:
        """The text Describe shows, cut to the 1,024 characters that the service allows."""
        return str(self)[:LONGEST_FAILURE_REASON]


class DataDownloadError(JobFailure):
    """Input data could not be brought to a host. The service puts no space after this colon."""

    def __init__(self, text: str) -> None:
        super().__init__(f"ClientError: Data download failed:{text}")


class ArtifactUploadError(JobFailure):
    """What the containers made could not be stored in S3."""

    def __init__(self, text: str) -> None:
        super().__init__(f"ClientError: Artifact upload failed:{text}")


class ImageMissingError(JobFailure):
    """The job's image cannot be had. The service's own text is unconfirmed."""

    def __init__(self, image: str, advice: str) -> None:
        super().__init__(f"ClientError: Cannot find the image {image}. {advice}")


class ContainerStartError(JobFailure):
    """The image is there, but its program cannot be started: 127 no such file, 126 not executable."""

    def __init__(self, text: str, exit_code: int) -> None:
        super().__init__(_algorithm_error(f"the container could not be started: {text}", exit_code))


class CapacityError(JobFailure):
    """No host could be had for the job."""

    def __init__(self, text: str) -> None:
        super().__init__(f"CapacityError: {text}")


class InternalServerError(JobFailure):
    """The platform itself failed; `cause` says how, for whoever runs the emulator."""

    def __init__(self, cause: str) -> None:
        super().__init__(
            f"InternalServerError: We encountered an internal error. Please try again. (sagemaker-emulator: {cause})"
        )


class Ended(Enum):
    """Why the containers are no longer running."""

    BY_ITSELF = "by itself"
    STOP_REQUESTED = "stop requested"
    MAX_RUNTIME = "max runtime exceeded"


@dataclass(frozen=True, kw_only=True)
class HostExit:
    """How one host's container ended. Exit codes above 128 are 128 plus a signal number."""

    host: str
    exit_code: int
    out_of_memory: bool = False


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a job of any kind ended, and why when it failed. `exit_message` is a processing job's."""

    status: JobStatus
    timed_out: bool = False
    failure_reason: str | None = None
    exit_message: str | None = None

    @property
    def secondary(self) -> SecondaryStatus:
        """A training job's fine status."""
        return SecondaryStatus.MAX_RUNTIME_EXCEEDED if self.timed_out else SecondaryStatus(self.status.value)


def settle(ended: Ended, exits: Sequence[HostExit], failure_text: str) -> Outcome:
    """Return what a training job whose containers have ended becomes.

    A job that was asked to stop, or ran out of time, is Stopped whatever its exit codes say. One
    that exits 0 is Completed whatever the failure file holds.
    """
    return _settled(ended, exits, lambda failed: algorithm_error(failed, failure_text))


def settle_processing(ended: Ended, exits: Sequence[HostExit], messages: Mapping[str, bytes]) -> Outcome:
    """Return what a processing job whose containers have ended becomes.

    `messages` are the first LONGEST_MESSAGE_BYTES of each host's /opt/ml/output/message, by the host's name and
    in the order of the hosts; b"" where there is none. They are shown whatever the job's end. Text that is not
    UTF-8 fails a job that had completed, and is nowhere shown.
    """
    try:
        message = exit_message(tuple(messages.values()))
    except UnicodeDecodeError:
        outcome = _settled(ended, exits, lambda failed: processing_error(failed, ""))
        if outcome.status is not JobStatus.COMPLETED:
            return outcome
        return failed_outcome(f"ClientError: The file {MESSAGE} is not valid UTF-8 text.")
    outcome = _settled(ended, exits, lambda failed: processing_error(failed, exit_message((messages[failed.host],))))
    return replace(outcome, exit_message=message or None)


def exit_message(messages: Sequence[bytes]) -> str:
    """Return the ExitMessage: the hosts' texts, one behind the other, cut to 1,024 characters; "" is none.

    Raises:
        UnicodeDecodeError: a text is not UTF-8. A character that the end of what was read cuts through is none.
    """
    texts = (_decoded(message[:LONGEST_MESSAGE_BYTES]) for message in messages)
    return "".join(texts)[:LONGEST_EXIT_MESSAGE]


def _decoded(message: bytes) -> str:
    whole = len(message) < LONGEST_MESSAGE_BYTES
    return codecs.getincrementaldecoder("utf-8")().decode(message, final=whole)


def processing_error(failed: HostExit, message: str) -> str:
    """Return the FailureReason of a processing container that failed and has left this message.

    `AlgorithmError: , exit code: 1` and the text about memory were seen on the service. That the message
    fills the gap is unconfirmed: it does so that clients which log the FailureReason alone tell the
    container's own reason, as they do for training jobs.
    """
    if failed.out_of_memory:
        return PROCESSING_OUT_OF_MEMORY
    return _algorithm_error(message.strip(), failed.exit_code)


def _settled(ended: Ended, exits: Sequence[HostExit], reason_of: Callable[[HostExit], str]) -> Outcome:
    match ended:
        case Ended.STOP_REQUESTED:
            return Outcome(status=JobStatus.STOPPED)
        case Ended.MAX_RUNTIME:
            return Outcome(status=JobStatus.STOPPED, timed_out=True)
        case Ended.BY_ITSELF:
            failed = first_failure(exits)
            return Outcome(status=JobStatus.COMPLETED) if failed is None else failed_outcome(reason_of(failed))


def first_failure(exits: Sequence[HostExit]) -> HostExit | None:
    """Return the first host that failed, in the order in which the hosts ended."""
    return next((one for one in exits if one.exit_code != 0), None)


def failed_outcome(failure_reason: str) -> Outcome:
    """Return the outcome of a job that failed for this reason."""
    return Outcome(status=JobStatus.FAILED, failure_reason=failure_reason[:LONGEST_FAILURE_REASON])


def algorithm_error(failed: HostExit, failure_text: str) -> str:
    """Return the FailureReason of a container that failed.

    `AlgorithmError: , exit code: 1` without a failure file; with one its text stands between.
    """
    return _algorithm_error(failure_text.strip() or (OUT_OF_MEMORY if failed.out_of_memory else ""), failed.exit_code)


def _algorithm_error(text: str, exit_code: int) -> str:
    """Join the two; the exit code is kept when the text must be cut: it tells an out-of-memory kill (137) apart."""
    head, tail = "AlgorithmError: ", f", exit code: {exit_code}"
    return head + text[: LONGEST_FAILURE_REASON - len(head) - len(tail)] + tail
