"""Starts the jobs of a test: what the fixtures `training_job` and `processing_job` are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..contract.arns import S3Uri
from ..contract.kinds import PROCESSING, TRAINING, JobKind
from ..jobfiles.clients import service_errors
from ..jobfiles.data import make_buckets
from .inputs import Data, stored
from .mistakes import without_our_frames
from .programs import ProgramWords, image_for
from .requests import JobWords, job_name, processing_request, require_end, training_request
from .results import JobResult, ProcessingResult, TrainingResult
from .sagemaker_emulator import SageMakerEmulator

if TYPE_CHECKING:
    from .session import SessionOfTests

_COMPLETED: Final = "Completed"


class Jobs:
    """Starts jobs of one kind at one emulator, for the test that runs at the moment."""

    def __init__(self, emulator: SageMakerEmulator, session: SessionOfTests) -> None:
        self._emulator = emulator
        self._session = session

    def _words(
        self,
        image: str | Path | None,
        program: ProgramWords | None,
        name: str | None,
        word: str,
        inputs: Mapping[str, Data] | None,
        **more: Any,
    ) -> JobWords:
        """Have everything there that a job needs before its request."""
        test = self._session.item.name if self._session.item is not None else "job"
        name = name or job_name(test, uuid.uuid4().hex[:8])
        words = JobWords(name=name, image="", **more)
        data = stored(self._emulator, name, word, inputs)
        return replace(words, image=image_for(self._emulator, image, program), inputs=data)

    def _created(
        self, kind: JobKind, request: Mapping[str, Any], result: JobResult, *, wait: bool, max_wait: float | None
    ) -> None:
        __tracebackhide__ = True
        with service_errors():
            make_buckets(self._emulator.clients, _buckets(kind, request))
            self._emulator.clients.create(kind, request)
        self._session.add_job(result)
        if wait:
            result.wait(max_wait)


class TrainingJobs(Jobs):
    """The fixture `training_job`."""

    @without_our_frames
    def __call__(
        self,
        image: str | Path | None = None,
        *,
        program: ProgramWords | None = None,
        channels: Mapping[str, Data] | None = None,
        hyperparameters: Mapping[str, object] | None = None,
        environment: Mapping[str, str] | None = None,
        metrics: Mapping[str, str] | None = None,
        hosts: int = 1,
        instance_type: str = "",
        entrypoint: Sequence[str] | None = None,
        arguments: Sequence[str] | None = None,
        input_mode: str = "File",
        max_runtime: int = 3600,
        name: str | None = None,
        request: Mapping[str, Any] | None = None,
        expect: str | None = _COMPLETED,
        wait: bool = True,
        max_wait: float | None = None,
    ) -> TrainingResult:
        """Run a training job to its end and return it; with `wait=False` return it as soon as it is created.

        Raises:
            JobEndError: it did not end with the status that is expected; `expect=None` takes any.
            UsageError: something given is wrong, or does not do on this rung.
            EmulatorError: the request is refused.
        """
        __tracebackhide__ = True
        require_end(expect)
        words = self._words(
            image,
            program,
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
            self._emulator.identity,
            self._emulator.bucket,
            hyperparameters=hyperparameters,
            metrics=metrics,
            input_mode=input_mode,
        )
        result = TrainingResult(self._emulator, whole[TRAINING.name_member], expected=expect)
        self._created(TRAINING, whole, result, wait=wait, max_wait=max_wait)
        return result


class ProcessingJobs(Jobs):
    """The fixture `processing_job`."""

    @without_our_frames
    def __call__(
        self,
        image: str | Path | None = None,
        *,
        program: ProgramWords | None = None,
        inputs: Mapping[str, Data] | None = None,
        outputs: Sequence[str] | Mapping[str, str | Mapping[str, Any]] = (),
        environment: Mapping[str, str] | None = None,
        hosts: int = 1,
        instance_type: str = "",
        entrypoint: Sequence[str] | None = None,
        arguments: Sequence[str] | None = None,
        max_runtime: int = 3600,
        name: str | None = None,
        request: Mapping[str, Any] | None = None,
        expect: str | None = _COMPLETED,
        wait: bool = True,
        max_wait: float | None = None,
    ) -> ProcessingResult:
        """Run a processing job to its end and return it; with `wait=False` return it as soon as it is created.

        Inputs are found below /opt/ml/processing/input/<name>. `outputs` are names, of which each is
        written to /opt/ml/processing/output/<name>, or the folders by their names.

        Raises:
            JobEndError: it did not end with the status that is expected; `expect=None` takes any.
            UsageError: something given is wrong, or does not do on this rung.
            EmulatorError: the request is refused.
        """
        __tracebackhide__ = True
        require_end(expect)
        words = self._words(
            image,
            program,
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
        whole = processing_request(words, self._emulator.identity, self._emulator.bucket, outputs=outputs)
        result = ProcessingResult(self._emulator, whole[PROCESSING.name_member], expected=expect)
        self._created(PROCESSING, whole, result, wait=wait, max_wait=max_wait)
        return result


@contextmanager
def bucket_of_a_test(emulator: SageMakerEmulator) -> Iterator[str]:
    """Make a bucket, and remove it with all that is in it."""
    name = f"test-{uuid.uuid4().hex[:16]}"
    make_buckets(emulator.clients, [name])
    try:
        yield name
    finally:
        s3 = emulator.clients.s3
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            objects: Any = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            if objects:
                s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True})
        s3.delete_bucket(Bucket=name)


def _buckets(kind: JobKind, request: Mapping[str, Any]) -> list[str]:
    """Return the buckets that a job's results go to."""
    if kind is PROCESSING:
        outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", ())
        uris = [one["S3Output"]["S3Uri"] for one in outputs if "S3Uri" in one.get("S3Output", {})]
    else:
        uris = [request["OutputDataConfig"]["S3OutputPath"]]
    return [S3Uri.parse(uri).bucket for uri in uris]
