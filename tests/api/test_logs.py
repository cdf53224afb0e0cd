"""CloudWatch Logs below /aws/sagemaker/, as clients see it."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from emulator.contract.arns import Scope
from emulator.endpoint import Endpoint
from tests.jobs import LOG_GROUP, Clients, TrainingJobs

pytestmark = pytest.mark.docker

ACCOUNT = "777700001111"
SCOPE = Scope(account=ACCOUNT)
DAY = 24 * 3600 * 1000


@pytest.fixture
def own(endpoint: Endpoint) -> Iterator[Clients]:
    """Clients of an account of this file's own, whose log groups are empty."""
    yield Clients(endpoint.url, account=ACCOUNT)
    for group in endpoint.emulator.logs.groups(SCOPE):
        endpoint.emulator.logs.delete_group(SCOPE, group.name)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def fill(endpoint: Endpoint, stream: str, count: int, first: int = 1000) -> list[str]:
    """Let the platform write lines, one each millisecond."""
    events = [(first + number, f"{stream} line {number}") for number in range(count)]
    endpoint.emulator.logs.write(SCOPE, LOG_GROUP, stream, events)
    return [message for _, message in events]


def test_before_the_first_job_there_is_no_group(own: Clients) -> None:
    for call in (
        lambda: own.logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix="job/"),
        lambda: own.logs.get_log_events(logGroupName=LOG_GROUP, logStreamName="job/algo-1-1"),
        lambda: own.logs.filter_log_events(logGroupName=LOG_GROUP),
    ):
        with pytest.raises(ClientError, match="log group does not exist") as error:
            call()
        assert code(error) == "ResourceNotFoundException"


def test_the_streams_of_a_job_are_listed_without_a_token(own: Clients, endpoint: Endpoint) -> None:
    """The SDK V2 asks again and again while there is one, and never sends it."""
    for stream in ("job/algo-2-5", "job/algo-1-5", "jobs/algo-1-5"):
        fill(endpoint, stream, 3)
    answer: Any = own.logs.describe_log_streams(
        logGroupName=LOG_GROUP, logStreamNamePrefix="job/", orderBy="LogStreamName", limit=2
    )
    assert [stream["logStreamName"] for stream in answer["logStreams"]] == ["job/algo-1-5", "job/algo-2-5"]
    assert "nextToken" not in answer
    stream = answer["logStreams"][0]
    assert (stream["firstEventTimestamp"], stream["lastEventTimestamp"]) == (1000, 1002)
    assert stream["arn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{LOG_GROUP}:log-stream:job/algo-1-5"
    assert abs(stream["creationTime"] / 1000 - time.time()) < 60


@pytest.mark.parametrize("order", [{}, {"orderBy": "LastEventTime"}, {"orderBy": "LastEventTime", "descending": True}])
def test_pages_of_streams(own: Clients, endpoint: Endpoint, order: dict[str, Any]) -> None:
    names = [f"job-{number:02}/algo-1" for number in range(12)]
    for number, name in enumerate(names):
        fill(endpoint, name, 1, first=number // 2)
    pages = own.logs.get_paginator("describe_log_streams").paginate(
        logGroupName=LOG_GROUP, PaginationConfig={"PageSize": 5}, **order
    )
    found = [stream["logStreamName"] for page in pages for stream in page["logStreams"]]
    assert found == (names[::-1] if order.get("descending") else names)


def test_reading_as_both_sdks_do_while_the_job_writes(own: Clients, endpoint: Endpoint) -> None:
    where: dict[str, Any] = {"logGroupName": LOG_GROUP, "logStreamName": "job/algo-1-1", "startFromHead": True}
    written = fill(endpoint, "job/algo-1-1", 25)
    first: Any = own.logs.get_log_events(limit=10, **where)
    second: Any = own.logs.get_log_events(limit=100, nextToken=first["nextForwardToken"], **where)
    end: Any = own.logs.get_log_events(nextToken=second["nextForwardToken"], **where)
    assert end["events"] == []
    assert end["nextForwardToken"] == second["nextForwardToken"]
    written += fill(endpoint, "job/algo-1-1", 3, first=2000)
    later: Any = own.logs.get_log_events(nextToken=end["nextForwardToken"], **where)
    read = [event["message"] for answer in (first, second, end, later) for event in answer["events"]]
    assert read == written
    from_then: Any = own.logs.get_log_events(startTime=2001, **where)
    assert [event["timestamp"] for event in from_then["events"]] == [2001, 2002]
    until: Any = own.logs.get_log_events(endTime=1001, **where)
    assert [event["timestamp"] for event in until["events"]] == [1000]


def test_without_a_wish_the_newest_events_come_and_the_backward_token_leads_to_older_ones(
    own: Clients, endpoint: Endpoint
) -> None:
    where: dict[str, Any] = {"logGroupName": LOG_GROUP, "logStreamName": "job/algo-1-1", "limit": 10}
    written = fill(endpoint, "job/algo-1-1", 25)
    read: list[str] = []
    token: dict[str, Any] = {}
    while True:
        answer: Any = own.logs.get_log_events(**where, **token)
        read = [*(event["message"] for event in answer["events"]), *read]
        if token.get("nextToken") == answer["nextBackwardToken"]:
            break
        token = {"nextToken": answer["nextBackwardToken"]}
    assert read == written


def test_an_empty_stream_has_tokens(own: Clients, endpoint: Endpoint) -> None:
    own.logs.create_log_group(logGroupName=LOG_GROUP)
    own.logs.create_log_stream(logGroupName=LOG_GROUP, logStreamName="job/algo-1-1")
    where: dict[str, Any] = {"logGroupName": LOG_GROUP, "logStreamName": "job/algo-1-1"}
    answer: Any = own.logs.get_log_events(**where)
    written = fill(endpoint, "job/algo-1-1", 2)
    later: Any = own.logs.get_log_events(nextToken=answer["nextForwardToken"], startFromHead=True, **where)
    assert [event["message"] for event in later["events"]] == written


@pytest.mark.parametrize(
    "wrong",
    [
        {"nextToken": "x"},
        {"nextToken": "f/12"},
        {"limit": 10_001},
        {"limit": 0},
        {"startTime": -1},
        {"logGroupIdentifier": LOG_GROUP},
        {"logStreamName": "a:b"},
        {"logStreamName": "\ud800"},
    ],
)
def test_wrong_requests(own: Clients, endpoint: Endpoint, wrong: dict[str, Any]) -> None:
    fill(endpoint, "job/algo-1-1", 1)
    request: dict[str, Any] = {"logGroupName": LOG_GROUP, "logStreamName": "job/algo-1-1", **wrong}
    with pytest.raises(ClientError) as error:
        Unchecked(own).logs.get_log_events(**request)
    assert code(error) == "InvalidParameterException"


class Unchecked(Clients):
    """Clients that send whatever they are given."""

    def __init__(self, like: Clients) -> None:
        super().__init__(str(like.logs.meta.endpoint_url), account=ACCOUNT)
        self._arguments["config"] = Config(parameter_validation=False, retries={"total_max_attempts": 1})


def test_a_missing_stream(own: Clients, endpoint: Endpoint) -> None:
    fill(endpoint, "job/algo-1-1", 1)
    with pytest.raises(ClientError, match="log stream does not exist") as error:
        own.logs.get_log_events(logGroupName=LOG_GROUP, logStreamName="other")
    assert code(error) == "ResourceNotFoundException"


def test_a_group_by_its_arn(own: Clients, endpoint: Endpoint) -> None:
    written = fill(endpoint, "job/algo-1-1", 2)
    arn = own.logs.describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"][0]["logGroupArn"]
    for identifier in (arn, LOG_GROUP):
        events = own.logs.get_log_events(logGroupIdentifier=identifier, logStreamName="job/algo-1-1")["events"]
        assert [event["message"] for event in events] == written


def test_searching(own: Clients, endpoint: Endpoint) -> None:
    first, second = fill(endpoint, "job/algo-1-1", 4), fill(endpoint, "job/algo-2-1", 4, first=1002)
    fill(endpoint, "other/algo-1-1", 4)

    def found(**request: Any) -> list[str]:
        pages = own.logs.get_paginator("filter_log_events").paginate(
            logGroupName=LOG_GROUP, PaginationConfig={"PageSize": 3}, **request
        )
        events = [event for page in pages for event in page["events"]]
        assert len({event["eventId"] for event in events}) == len(events)
        return [event["message"] for event in events]

    assert found(logStreamNamePrefix="job/") == [
        *first[:2],
        *(message for pair in zip(first[2:], second[:2], strict=True) for message in pair),
        *second[2:],
    ]
    assert found(logStreamNames=["job/algo-1-1"], filterPattern="line -3") == first[:3]
    assert found(logStreamNamePrefix="job/", startTime=1003, endTime=1004) == [first[3], second[1], second[2]]
    assert found(filterPattern='"algo-2-1 line 3"') == [second[3]]
    for wrong in ({"filterPattern": "{ $.a = 1 }"}, {"logStreamNames": ["a"], "logStreamNamePrefix": "a"}):
        with pytest.raises(ClientError) as error:
            found(**wrong)
        assert code(error) == "InvalidParameterException"


def test_what_clients_write_to_our_groups_is_kept_with_ours(own: Clients, endpoint: Endpoint) -> None:
    group, now = "/aws/sagemaker/studio", int(time.time() * 1000)
    where: dict[str, Any] = {"logGroupName": group, "logStreamName": "mine"}
    own.logs.create_log_group(logGroupName=group)
    own.logs.create_log_stream(**where)
    events: Any = [
        {"timestamp": now - 15 * DAY, "message": "too old"},
        {"timestamp": now - 5, "message": "two"},
        {"timestamp": now + DAY, "message": "too new"},
    ]
    answer: Any = own.logs.put_log_events(logEvents=events, **where)
    assert answer["rejectedLogEventsInfo"] == {"tooOldLogEventEndIndex": 1, "tooNewLogEventStartIndex": 2}
    own.logs.put_log_events(logEvents=[{"timestamp": now - 9, "message": "one\nof two lines"}], **where)
    endpoint.emulator.logs.write(SCOPE, group, "mine", [(now, "three")])
    read = [event["message"] for event in own.logs.get_log_events(**where)["events"]]
    assert read == ["one\nof two lines", "two", "three"]
    with pytest.raises(ClientError, match="chronological") as error:
        own.logs.put_log_events(logEvents=events[::-1], **where)
    assert code(error) == "InvalidParameterException"
    again: list[Callable[[], object]] = [
        lambda: own.logs.create_log_group(logGroupName=group),
        lambda: own.logs.create_log_stream(**where),
    ]
    for call in again:
        with pytest.raises(ClientError) as error:
            call()
        assert code(error) == "ResourceAlreadyExistsException"
    own.logs.delete_log_stream(**where)
    with pytest.raises(ClientError) as error:
        own.logs.put_log_events(logEvents=[{"timestamp": now, "message": "x"}], **where)
    assert code(error) == "ResourceNotFoundException"
    own.logs.delete_log_group(logGroupName=group)
    assert own.logs.describe_log_groups()["logGroups"] == []


def test_groups_of_both_sides_are_listed_together(own: Clients, endpoint: Endpoint) -> None:
    fill(endpoint, "job/algo-1-1", 1)
    others = [f"/a/{uuid.uuid4().hex}", f"/z/{uuid.uuid4().hex}"]
    for name in others:
        own.logs.create_log_group(logGroupName=name)
        own.logs.create_log_stream(logGroupName=name, logStreamName="s")
        now = int(time.time() * 1000)
        own.logs.put_log_events(
            logGroupName=name, logStreamName="s", logEvents=[{"timestamp": now, "message": "moto's"}]
        )
        assert own.logs.get_log_events(logGroupName=name, logStreamName="s")["events"][0]["message"] == "moto's"
    pages = own.logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})
    names = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    assert names == sorted([*others, LOG_GROUP])
    (ours,) = own.logs.describe_log_groups(logGroupNamePattern="TrainingJobs")["logGroups"]
    assert ours["arn"] == f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:{LOG_GROUP}:*"
    assert ours["storedBytes"] > 0
    for name in others:
        own.logs.delete_log_group(logGroupName=name)


def test_what_is_not_emulated_for_our_groups_says_so(own: Clients) -> None:
    refused: list[Callable[[], object]] = [
        lambda: own.logs.put_retention_policy(logGroupName=LOG_GROUP, retentionInDays=1),
        lambda: own.logs.start_query(logGroupNames=[LOG_GROUP], startTime=0, endTime=1, queryString="fields @message"),
        lambda: own.logs.create_log_group(logGroupName=LOG_GROUP, tags={"a": "b"}),
    ]
    for call in refused:
        with pytest.raises(ClientError, match=r"[Nn]ot emulated") as error:
            call()
        assert code(error) == "UnsupportedOperationException"


def test_a_real_job_is_read_by_page(jobs: TrainingJobs, clients: Clients) -> None:
    job = jobs.running("seq 1 2500; echo é >&2").ended()
    lines = job.log()
    assert sorted(lines) == sorted([*map(str, range(1, 2501)), "é"])
    events = clients.logs.get_paginator("filter_log_events").paginate(
        logGroupName=LOG_GROUP, logStreamNamePrefix=f"{job.name}/", PaginationConfig={"PageSize": 999}
    )
    assert [event["message"] for page in events for event in page["events"]] == lines
