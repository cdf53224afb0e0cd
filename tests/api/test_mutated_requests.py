"""Requests gone wrong: whatever is sent, the answer is JSON, soon, and no 5xx."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.endpoint import Endpoint
from tests.jobs import ROLE
from tests.strategies import json_values, mutated, requests_for

pytestmark = pytest.mark.timeout(600)

# Soon on a quiet machine; what must not be is that it never comes.
ANSWER_SECONDS = 60

GOOD_REQUESTS: dict[str, dict[str, Any]] = {
    "CreateTrainingJob": {
        "TrainingJobName": "good-name",
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": "no/such-image:1",
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "loss", "Regex": "loss=(.*)"}],
            "ContainerArguments": ["a"],
        },
        "HyperParameters": {"epochs": "3"},
        "Environment": {"A": "b"},
        "InputDataConfig": [
            {
                "ChannelName": "train",
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://no-such-bucket/x"}},
            }
        ],
        "OutputDataConfig": {"S3OutputPath": "s3://no-such-bucket/out"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "Tags": [{"Key": "k", "Value": "v"}],
    },
    "DescribeTrainingJob": {"TrainingJobName": "good-name"},
    "ListTrainingJobs": {"NameContains": "a", "MaxResults": 5, "SortBy": "Name", "CreationTimeAfter": 0},
    "StopTrainingJob": {"TrainingJobName": "good-name"},
    "DeleteTrainingJob": {"TrainingJobName": "good-name"},
    "CreateProcessingJob": {
        "ProcessingJobName": "good-name",
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": "no/such-image:1",
            "ContainerEntrypoint": ["python3"],
            "ContainerArguments": ["a"],
        },
        "Environment": {"A": "b"},
        "ProcessingInputs": [
            {
                "InputName": "in",
                "AppManaged": False,
                "S3Input": {
                    "S3Uri": "s3://no-such-bucket/x",
                    "LocalPath": "/opt/ml/processing/in",
                    "S3DataType": "ManifestFile",
                    "S3DataDistributionType": "ShardedByS3Key",
                },
            }
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "out",
                    "S3Output": {
                        "S3Uri": "s3://no-such-bucket/out",
                        "LocalPath": "/opt/ml/processing/out",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1}
        },
        "NetworkConfig": {"EnableNetworkIsolation": True},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "Tags": [{"Key": "k", "Value": "v"}],
    },
    "DescribeProcessingJob": {"ProcessingJobName": "good-name"},
    "ListProcessingJobs": {"NameContains": "a", "MaxResults": 5, "SortBy": "Name", "StatusEquals": "Failed"},
    "StopProcessingJob": {"ProcessingJobName": "good-name"},
    "DeleteProcessingJob": {"ProcessingJobName": "good-name"},
    "AddTags": {
        "ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/good-name",
        "Tags": [{"Key": "k", "Value": "v"}],
    },
    "ListTags": {"ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:processing-job/good-name"},
    "DeleteTags": {
        "ResourceArn": "arn:aws:sagemaker:us-east-1:123456789012:training-job/good-name",
        "TagKeys": ["k"],
    },
}
GOOD_REQUESTS |= {
    "CreateExperiment": {"ExperimentName": "good-name", "Tags": [{"Key": "k", "Value": "v"}]},
    "UpdateTrialComponent": {
        "TrialComponentName": "good-name",
        "Parameters": {"a": {"NumberValue": 1.5}, "b": {"StringValue": "x"}},
        "ParametersToRemove": ["c"],
        "StartTime": 1.5,
        "Status": {"PrimaryStatus": "Completed", "Message": "m"},
    },
    "ListTrialComponents": {"MaxResults": 5, "SortBy": "Name", "CreatedAfter": 0, "NextToken": "WzFd"},
    "Search": {
        "Resource": "ExperimentTrialComponent",
        "SearchExpression": {
            "Filters": [{"Name": "Parameters.a", "Operator": "GreaterThan", "Value": "1"}],
            "NestedFilters": [
                {"NestedPropertyName": "Parents", "Filters": [{"Name": "Parents.TrialName", "Value": "t"}]}
            ],
            "SubExpressions": [{"Filters": [{"Name": "Tags.k", "Operator": "Exists"}], "Operator": "Or"}],
        },
        "SortBy": "Metrics.a.Max",
        "MaxResults": 5,
        "NextToken": "WzFd",
        "VisibilityConditions": [{"Key": "Tags.k", "Value": "v"}],
    },
    "ListAssociations": {
        "SourceArn": "arn:aws:sagemaker:us-east-1:123456789012:experiment-trial-component/good-name",
        "SortBy": "SourceType",
        "NextToken": "WzFd",
    },
}
OTHER_OPERATIONS = [
    "CreateExperiment",
    "CreateTrial",
    "CreateTrialComponent",
    "UpdateTrialComponent",
    "DescribeTrialComponent",
    "ListTrialComponents",
    "AssociateTrialComponent",
    "CreateArtifact",
    "ListArtifacts",
    "AddAssociation",
    "ListAssociations",
    "CreateModel",
    "ListModels",
    "CreateEndpoint",
    "Search",
    "CreateTransformJob",
    "UpdateModelPackage",
]


def send(endpoint: Endpoint, operation: str, body: bytes) -> None:
    """Send a body and check the answer's form."""
    where = urlsplit(endpoint.url)
    assert where.hostname
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=ANSWER_SECONDS)
    try:
        connection.request(
            "POST",
            "/",
            body=body,
            headers={
                "X-Amz-Target": f"SageMaker.{operation}",
                "Content-Type": "application/x-amz-json-1.1",
                "Authorization": "AWS4-HMAC-SHA256 Credential=123456789012/20260101/us-east-1/sagemaker/aws4_request,"
                " SignedHeaders=host, Signature=0",
            },
        )
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    assert answer.status < 500, (operation, text[:500])
    document = json.loads(text) if text else {}
    assert isinstance(document, dict)
    if answer.status != 200:
        assert document["__type"]
        assert isinstance(document.get("message", document.get("Message")), str)


def encoded(document: object) -> bytes:
    return json.dumps(document).encode("utf-8", errors="surrogatepass")


many = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)


@many
@given(data=st.data())
def test_a_good_request_gone_wrong(endpoint: Endpoint, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(sorted(GOOD_REQUESTS)))
    send(endpoint, operation, encoded(data.draw(mutated(GOOD_REQUESTS[operation]))))


@many
@given(data=st.data())
def test_any_request_of_the_model_gone_wrong(endpoint: Endpoint, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from([*sorted(GOOD_REQUESTS), *OTHER_OPERATIONS]))
    send(endpoint, operation, encoded(data.draw(requests_for(operation).flatmap(mutated))))


@settings(many, max_examples=50)
@given(operation=st.text(max_size=30), body=st.one_of(st.binary(max_size=200), json_values().map(encoded)))
def test_anything_at_all(endpoint: Endpoint, operation: str, body: bytes) -> None:
    send(endpoint, "".join(c for c in operation if " " < c < "\x7f"), body)
