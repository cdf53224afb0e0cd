"""How jobs end: training.md 2.6 and 2.7, processing.md 4.5 and 4.6."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.contract.outcome import (
    ArtifactUploadError,
    CapacityError,
    ContainerStartError,
    DataDownloadError,
    Ended,
    HostExit,
    ImageMissingError,
    InternalServerError,
    JobFailure,
    Outcome,
    exit_message,
    failed_outcome,
    settle,
    settle_processing,
)
from emulator.contract.status import JobStatus


def exited(code: int, host: str = "algo-1", *, out_of_memory: bool = False) -> HostExit:
    return HostExit(host=host, exit_code=code, out_of_memory=out_of_memory)


def reason(code: int, failure_text: str = "", *, out_of_memory: bool = False) -> str:
    found = settle(Ended.BY_ITSELF, [exited(code, out_of_memory=out_of_memory)], failure_text).failure_reason
    assert found is not None
    return found


@pytest.mark.parametrize("failure_text", ["", "ignored"])
def test_exit_code_0_completes_the_job(failure_text: str) -> None:
    assert settle(Ended.BY_ITSELF, [exited(0), exited(0, "algo-2")], failure_text) == Outcome(
        status=JobStatus.COMPLETED
    )


@pytest.mark.parametrize("code", [0, 1, 137, 143])
def test_a_job_that_was_stopped_is_stopped_whatever_its_exit_code(code: int) -> None:
    assert settle(Ended.STOP_REQUESTED, [exited(code)], "text") == Outcome(status=JobStatus.STOPPED)


@pytest.mark.parametrize("code", [0, 1, 137])
def test_a_job_that_ran_out_of_time_is_stopped_and_did_not_fail(code: int) -> None:
    assert settle(Ended.MAX_RUNTIME, [exited(code)], "text") == Outcome(status=JobStatus.STOPPED, timed_out=True)


@pytest.mark.parametrize("code", [1, 2, 127, 255])
def test_an_exit_code_without_a_failure_file(code: int) -> None:
    assert settle(Ended.BY_ITSELF, [exited(code)], "") == Outcome(
        status=JobStatus.FAILED,
        failure_reason=f"AlgorithmError: , exit code: {code}",
    )


def test_the_failure_file_stands_before_the_exit_code() -> None:
    text = 'ExecuteUserScriptError:\nExitCode 1\nErrorMessage "no data"\n'
    assert reason(1, text) == (
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "no data", exit code: 1'
    )


def test_a_failure_file_of_white_space_is_none() -> None:
    assert reason(1, " \n\t ") == "AlgorithmError: , exit code: 1"


def test_an_out_of_memory_kill_is_told_unless_the_failure_file_tells_more() -> None:
    assert reason(137, out_of_memory=True).startswith("AlgorithmError: OutOfMemory: ")
    assert reason(137, "mine", out_of_memory=True) == "AlgorithmError: mine, exit code: 137"


def test_the_first_host_that_failed_gives_the_exit_code() -> None:
    exits = [exited(0, "algo-3"), exited(5, "algo-2"), exited(143, "algo-1")]
    assert settle(Ended.BY_ITSELF, exits, "").failure_reason == "AlgorithmError: , exit code: 5"


@given(st.integers(1, 255), st.text(max_size=3000), st.booleans())
def test_a_failure_reason_is_short_enough_and_keeps_the_exit_code(code: int, text: str, out_of_memory: bool) -> None:
    found = reason(code, text, out_of_memory=out_of_memory)
    assert len(found) <= 1024
    assert found.startswith("AlgorithmError: ")
    assert found.endswith(f", exit code: {code}")


def test_a_failure_text_that_just_fits_is_whole() -> None:
    room = 1024 - len("AlgorithmError: , exit code: 1")
    assert reason(1, "z" * room).count("z") == room
    assert reason(1, "z" * (room + 1)).count("z") == room


@pytest.mark.parametrize(
    ("failure", "text"),
    [
        (DataDownloadError("no"), "ClientError: Data download failed:no"),
        (InternalServerError("x"), "InternalServerError: We encountered an internal error. Please try again."),
        (CapacityError("none"), "CapacityError: none"),
        (ContainerStartError("no such file", 127), "AlgorithmError: "),
        (ImageMissingError("img", "Build it."), "ClientError: Cannot find the image img. Build it."),
        (ArtifactUploadError("NoSuchBucket"), "ClientError: Artifact upload failed:NoSuchBucket"),
    ],
)
def test_failures_begin_with_the_services_words(failure: JobFailure, text: str) -> None:
    assert failure.failure_reason.startswith(text)


@pytest.mark.parametrize("failure", [DataDownloadError("x" * 2000), InternalServerError("x" * 2000)])
def test_a_failure_is_cut_to_what_describe_may_hold(failure: JobFailure) -> None:
    assert len(failure.failure_reason) == 1024
    assert failed_outcome(str(failure)).failure_reason == failure.failure_reason


@pytest.mark.parametrize("length", [10, 2000])
def test_a_container_that_cannot_start_keeps_its_exit_code(length: int) -> None:
    found = ContainerStartError("x" * length, 127).failure_reason
    assert len(found) <= 1024
    assert found.endswith("x, exit code: 127")


# Processing jobs


def by_host(*messages: bytes) -> dict[str, bytes]:
    return {f"algo-{number}": message for number, message in enumerate(messages, 1)}


@pytest.mark.parametrize("code", [1, 2, 127])
def test_a_processing_container_that_fails_says_its_exit_code_and_its_message(code: int) -> None:
    exits = [exited(0), exited(code, "algo-2")]
    found = settle_processing(Ended.BY_ITSELF, exits, by_host(b"", b"bad rows\n"))
    assert found.status is JobStatus.FAILED
    assert found.failure_reason == f"AlgorithmError: bad rows, exit code: {code}"
    assert found.exit_message == "bad rows\n"
    silent = settle_processing(Ended.BY_ITSELF, exits, by_host(b"", b""))
    assert silent == failed_outcome(f"AlgorithmError: , exit code: {code}")


def test_a_processing_container_that_is_killed_for_its_memory() -> None:
    found = settle_processing(Ended.BY_ITSELF, [exited(137, out_of_memory=True)], by_host(b"much"))
    assert found.failure_reason == (
        "ClientError: Please use an instance type with more memory, or reduce the size of job data processed on an "
        "instance."
    )


@pytest.mark.parametrize(
    ("ended", "code", "expected"),
    [
        (Ended.BY_ITSELF, 0, JobStatus.COMPLETED),
        (Ended.BY_ITSELF, 1, JobStatus.FAILED),
        (Ended.STOP_REQUESTED, 143, JobStatus.STOPPED),
        (Ended.MAX_RUNTIME, 137, JobStatus.STOPPED),
    ],
)
def test_the_exit_message_is_there_at_every_end(ended: Ended, code: int, expected: JobStatus) -> None:
    found = settle_processing(ended, [exited(code)], by_host(b"12 rows\n"))
    assert (found.status, found.exit_message) == (expected, "12 rows\n")
    assert (found.failure_reason is None) is (expected is not JobStatus.FAILED)


def test_no_message_is_no_exit_message() -> None:
    assert settle_processing(Ended.BY_ITSELF, [exited(0)], by_host(b"")) == Outcome(status=JobStatus.COMPLETED)


def test_messages_of_several_hosts_stand_one_behind_the_other_and_are_cut() -> None:
    assert exit_message([b"a\n", b"", b"c\n"]) == "a\nc\n"
    assert exit_message([b"x" * 1000, b"y" * 1000]) == "x" * 1000 + "y" * 24


def test_a_message_that_is_not_text_fails_a_job_that_had_completed() -> None:
    found = settle_processing(Ended.BY_ITSELF, [exited(0)], by_host(b"\xff"))
    assert found == failed_outcome("ClientError: The file /opt/ml/output/message is not valid UTF-8 text.")
    failed = settle_processing(Ended.BY_ITSELF, [exited(3)], by_host(b"\xff"))
    assert failed == failed_outcome("AlgorithmError: , exit code: 3")
    assert settle_processing(Ended.STOP_REQUESTED, [exited(3)], by_host(b"\xff")) == Outcome(status=JobStatus.STOPPED)


@given(st.text(st.characters(codec="utf-8", exclude_categories=()), max_size=3000))
def test_any_text_is_a_message_and_no_character_is_cut_through(text: str) -> None:
    assert exit_message([text.encode()]) == text[:1024]


def test_a_character_that_the_end_of_what_was_read_cuts_through_is_none() -> None:
    written = ("x" + "\N{GRINNING FACE}" * 2000).encode()
    assert exit_message([written[:4096]]) == "x" + "\N{GRINNING FACE}" * 1023
