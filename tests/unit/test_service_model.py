"""botocore's service model, and what a request becomes that passes it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.api import service_model
from emulator.api.service_model import input_shape, operation_names, output_members, validated
from emulator.errors import ServiceError, ValidationError
from tests.cpu_time import at_most
from tests.strategies import json_values, mutated, requests_for


def test_operations_of_the_service() -> None:
    assert {"CreateTrainingJob", "DescribeTrainingJob", "AddTags", "Search"} <= operation_names()


def test_shapes_of_an_operation() -> None:
    assert input_shape("CreateTrainingJob").type_name == "structure"
    assert output_members("CreateTrainingJob") == ("TrainingJobArn",)
    assert output_members("StopTrainingJob") == ()


@pytest.mark.parametrize("ask", [input_shape, output_members, lambda name: validated(name, {})])
def test_an_operation_that_the_service_does_not_have(ask: Any) -> None:
    with pytest.raises(ServiceError, match="NoSuchOperation is not known") as raised:
        ask("NoSuchOperation")

    assert raised.value.code == "UnknownOperationException"
    assert raised.value.status == 400


def test_a_valid_request_comes_back_without_its_nulls() -> None:
    assert validated("DescribeTrainingJob", {"TrainingJobName": "a"}) == {"TrainingJobName": "a"}
    assert validated("ListTrainingJobs", {"NextToken": None, "MaxResults": 1}) == {"MaxResults": 1}


def test_an_invalid_request_is_a_validation_exception() -> None:
    with pytest.raises(ValidationError) as raised:
        validated("DescribeTrainingJob", {"TrainingJobName": "x_y"})

    assert raised.value.code == "ValidationException"
    assert raised.value.message.startswith("1 validation error detected: Value 'x_y' at 'trainingJobName' failed")


@pytest.mark.parametrize("payload", [None, [], "a", 5, True])
def test_a_request_that_is_no_object(payload: object) -> None:
    with pytest.raises(ValidationError, match="at 'input' failed"):
        validated("ListTrainingJobs", payload)


def test_a_users_own_model_does_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "sagemaker" / "2099-01-01"
    own.mkdir(parents=True)
    (own / "service-2.json").write_text("{}", encoding="utf-8")
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    service_model._loaded.cache_clear()

    assert "CreateTrainingJob" in operation_names()


def test_many_threads_load_one_model() -> None:
    service_model._loaded.cache_clear()
    shapes: list[object] = []
    threads = [threading.Thread(target=lambda: shapes.append(service_model._service_model())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(shapes) == 8
    assert len({id(shape) for shape in shapes}) == 1


@settings(max_examples=200)
@given(payload=json_values())
def test_no_payload_gets_anything_but_a_validation_error(payload: object) -> None:
    with at_most(3), pytest.raises(ValidationError):
        validated("CreateTrainingJob", payload)


@settings(max_examples=200)
@given(
    operation=st.sampled_from(["CreateTrainingJob", "Search"]),
    request=(requests_for("Search") | requests_for("CreateTrainingJob")).flatmap(mutated),
)
def test_no_mutated_request_gets_anything_but_a_validation_error(operation: str, request: dict[str, Any]) -> None:
    with at_most(3):
        try:
            validated(operation, request)
        except ValidationError as error:
            error.message.encode()
